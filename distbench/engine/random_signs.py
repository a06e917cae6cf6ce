"""Random signs s_p of test points, for sums of squares over pairs that are too many to store.

The expectation of (sum_p s_p c_ip)^2 is sum_p c_ip^2. Unlike sums of squares, signed sums of two encoders can be
subtracted.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from distbench.engine._jit import kernel

__all__ = ["SKETCHES", "add_partners", "add_signed", "same_group"]

Array = NDArray[np.float64]
Indices = NDArray[np.int64]

SKETCHES = 4  # signs of each point; squares are averaged over them


@kernel
def add_signed(change: float, point: int, out: Array) -> None:
    """Add `change` with each random sign of a test point, the same in every run (splitmix64), to `out`."""
    state = np.uint64(point + 1) * np.uint64(0x9E3779B97F4A7C15)
    state = (state ^ (state >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    state = (state ^ (state >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    state >>= np.uint64(40)
    for sketch in range(SKETCHES):
        out[sketch] += change if (state >> np.uint64(sketch)) & np.uint64(1) else -change


@kernel
def same_group(groups: Indices, i: int, p: int) -> bool:
    """Return whether two test points are of one group; `groups` is empty if points have none."""
    return len(groups) > 0 and groups[i] == groups[p]


@kernel
def add_partners(i: Indices, j: Indices, out: Array) -> None:
    """Add, for each pair, the signs of j to the row of i."""
    for pair in range(len(i)):
        add_signed(1.0, j[pair], out[i[pair]])
