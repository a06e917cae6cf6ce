"""Random signs of test points, for sums of squares over pairs that are too many to keep.

The sum over p of s_p c_ip, squared, is on average the sum of c_ip^2; unlike that it may be subtracted between encoders.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from distbench.engine._jit import kernel

__all__ = ["SKETCHES", "add_signed", "signed_excess", "signed_overlap"]

Array = NDArray[np.float64]
Indices = NDArray[np.int64]
Marks = NDArray[np.uint8]

SKETCHES = 4  # independent signs a point, over which squares are averaged


@kernel
def add_signed(change: float, point: int, out: Array) -> None:
    """Add `change` with each sign of a test point to `out`: random, the same in every run (splitmix64)."""
    state = np.uint64(point + 1) * np.uint64(0x9E3779B97F4A7C15)
    state = (state ^ (state >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    state = (state ^ (state >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    state >>= np.uint64(40)
    for sketch in range(SKETCHES):
        out[sketch] += change if (state >> np.uint64(sketch)) & np.uint64(1) else -change


@kernel
def signed_excess(members: Indices, others: Marks, keys: Array, k: int, n_test: int, effect: Array, out: Array) -> None:
    """Write the signed sums of what the absence of each of the k `members` changes in their excess ranks by `keys`.

    others : (n,) 1 for the k nearest by `keys`. effect : (k,) the change without the ranks that move up.
    """
    own, owners = np.empty(k), np.empty(k)
    count = 0
    for t in range(k):
        own[t] = keys[members[t]]
        if not others[members[t]]:
            owners[count] = own[t]
            count += 1
    out[:] = 0.0
    for t in range(k):
        if members[t] < n_test:
            change = effect[t]
            for u in range(count):
                change -= 1.0 if owners[u] > own[t] else 0.0
            if change != 0.0:
                add_signed(change, members[t], out)


@kernel
def signed_overlap(near_x: Indices, near_z: Indices, in_x: Marks, in_z: Marks, n_test: int, out: Array) -> None:
    """Write the signed sums of what each absence changes in the common neighbours; the last ones are next in line."""
    k = len(near_x) - 1
    gain_x, gain_z = float(in_z[near_x[k]]), float(in_x[near_z[k]])
    both = -1.0 + gain_x + gain_z + (1.0 if near_x[k] == near_z[k] else 0.0)
    out[:] = 0.0
    for t in range(k):
        change = both if in_z[near_x[t]] else gain_x
        if near_x[t] < n_test and change != 0.0:
            add_signed(change, near_x[t], out)
        if near_z[t] < n_test and gain_z != 0.0 and not in_x[near_z[t]]:
            add_signed(gain_z, near_z[t], out)
