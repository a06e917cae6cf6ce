"""An order of points that depends on the set of points alone, not on the order of their rows.

Whatever is drawn at random (pairs, triplets, queries, signs) is drawn from this order, so that permuted rows give the
same values and intervals.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from distbench._util.distances import PRECOMPUTED
from distbench.inputs.blocks import matrix_blocks

__all__ = ["HASHED_BYTES", "canonical_order", "inverse", "row_hashes", "row_of_distances", "shuffled_rows"]

Indices = NDArray[np.int64]
Words = NDArray[np.uint64]

HASHED_BYTES = 1 << 28  # as float64; larger arrays, as most memory maps are, are not read once more


def canonical_order(X: NDArray[Any], Z: NDArray[Any] | None = None) -> Indices:
    """Return the rows of X in the order of their hashes; equal rows in the order of the hashes of their codes Z.

    Rows that are equal in both keep their order: to exchange them changes nothing. The order is the same for equal
    values of float32 and float64, and for all codes if no rows of X are equal. Arrays X above `HASHED_BYTES` keep the
    order of their rows.
    """
    if len(X) * X.shape[1] * 8 > HASHED_BYTES:
        return np.arange(len(X))
    of_points = row_hashes(X)
    order = np.argsort(of_points, kind="stable")
    ordered = of_points[order]
    if Z is None or not (ordered[1:] == ordered[:-1]).any():
        return order
    return np.lexsort((row_hashes(Z), of_points))


def row_of_distances(points: NDArray[Any], distance: str) -> NDArray[Any]:
    """Return what stands for each point in `canonical_order`: its coordinates, or its given distances in their order.

    The columns of given distances change their order with the rows.
    """
    is_given = distance == PRECOMPUTED and points.size * 8 <= HASHED_BYTES
    return np.sort(points, axis=1) if is_given else points


def shuffled_rows(X: NDArray[Any], seed: int) -> Indices:
    """Return the rows of X in a random order, which for one seed depends on the set of points alone."""
    return canonical_order(X)[np.random.default_rng(seed).permutation(len(X))]


def inverse(order: Indices) -> Indices:
    """Return the place of each index in an order."""
    places = np.empty_like(order)
    places[order] = np.arange(len(order))
    return places


def row_hashes(points: NDArray[Any], columns: slice = slice(None)) -> Words:
    """Return a hash of each row's float64 values in some columns; 0.0 and -0.0 count as the same."""
    hashes = np.empty(len(points), dtype=np.uint64)
    for rows, block in matrix_blocks(points):
        words = np.ascontiguousarray(block[:, columns].T, dtype=np.float64).view(np.uint64)
        words[words == np.uint64(1 << 63)] = 0  # -0.0 counts as 0.0
        state = np.zeros(len(block), dtype=np.uint64)
        for column in words:
            state = (state ^ column) * np.uint64(0x9E3779B97F4A7C15)
            state ^= state >> np.uint64(32)
        state *= np.uint64(0xBF58476D1CE4E5B9)
        hashes[rows] = state ^ (state >> np.uint64(29))
    return hashes
