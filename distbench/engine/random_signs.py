"""Random signs s_p of test points, for sums of squares over pairs that are too many to store.

The expectation of (sum_p s_p c_ip)^2 is sum_p c_ip^2. Unlike sums of squares, signed sums of two encoders can be
subtracted.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from distbench.engine._jit import kernel

__all__ = ["SKETCHES", "Signs", "add_partners", "signs_of"]

Array = NDArray[np.float64]
Indices = NDArray[np.int64]
Signs = NDArray[np.uint8]  # of each test point, a bit a sketch

SKETCHES = 4  # signs of each point; squares are averaged over them


def signs_of(places: Indices) -> Signs:
    """Return the random signs of points by their places in an order, the same in every run (splitmix64)."""
    state = (places.astype(np.uint64) + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15)
    state = (state ^ (state >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    state = (state ^ (state >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return (state >> np.uint64(40)).astype(np.uint8) & np.uint8((1 << SKETCHES) - 1)


@kernel
def add_partners(i: Indices, j: Indices, weights: Array, places: Indices, signs: Signs, out: Array) -> None:
    """Add each pair's weight, with the random signs of the point at the later place, to the row of the other point."""
    for pair in range(len(i)):
        first, second = i[pair], j[pair]
        if places[first] > places[second]:
            first, second = second, first
        for sketch in range(SKETCHES):
            out[first, sketch] += weights[pair] * (2.0 * ((signs[second] >> sketch) & 1) - 1.0)
