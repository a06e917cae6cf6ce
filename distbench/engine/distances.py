"""Euclidean distances by direct differences, exact enough that equal rows tie exactly.

Products of matrices would be faster, but cancel: |x|^2 + |y|^2 - 2xy loses the digits that tell near points
apart, and its rounding depends on where a row stands, so that equal rows stop being ties.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from distbench.engine._jit import kernel

__all__ = ["pair_distances", "row_distances", "to_unit_scale"]

Array = NDArray[np.float64]

CHUNK = 1024  # candidates whose partial sums stay in the first-level cache


def to_unit_scale(points: Array) -> tuple[Array, int]:
    """Return `points` divided by a power of two near their spread, and that power's exponent.

    Scaling by a power of two is exact; it keeps squares of very large or very small numbers in range.
    """
    _, size = np.frexp(np.max(np.abs(points)))
    unit = np.ldexp(points, -int(size))
    _, spread = np.frexp(np.max(np.max(unit, axis=0) - np.min(unit, axis=0)))
    return np.ldexp(unit, -int(spread)), int(size) + int(spread)


@kernel
def row_distances(x: Array, columns: Array, out: Array) -> None:
    """Write the distances of the point `x` to all candidates (`columns`: one candidate a column) to `out`."""
    d, n = columns.shape
    whole = d - d % 4
    for start in range(0, n, CHUNK):
        stop = min(n, start + CHUNK)
        acc = out[start:stop]
        acc[:] = 0.0
        for c in range(0, whole, 4):
            x0, x1, x2, x3 = x[c], x[c + 1], x[c + 2], x[c + 3]
            y0, y1 = columns[c, start:stop], columns[c + 1, start:stop]
            y2, y3 = columns[c + 2, start:stop], columns[c + 3, start:stop]
            for p in range(stop - start):
                d0, d1, d2, d3 = x0 - y0[p], x1 - y1[p], x2 - y2[p], x3 - y3[p]
                acc[p] += ((d0 * d0 + d1 * d1) + d2 * d2) + d3 * d3
        for c in range(whole, d):
            x0 = x[c]
            y0 = columns[c, start:stop]
            for p in range(stop - start):
                d0 = x0 - y0[p]
                acc[p] += d0 * d0
        for p in range(stop - start):
            acc[p] = np.sqrt(acc[p])


@kernel
def pair_distances(columns: Array, rows: NDArray[np.int64], cols: NDArray[np.int64]) -> Array:
    """Return the distances of the candidate pairs (rows[p], cols[p]), summed in the order of `row_distances`."""
    d = columns.shape[0]
    whole = d - d % 4
    out = np.empty(len(rows))
    for p in range(len(rows)):
        i, j = rows[p], cols[p]
        acc = 0.0
        for c in range(0, whole, 4):
            d0, d1 = columns[c, i] - columns[c, j], columns[c + 1, i] - columns[c + 1, j]
            d2, d3 = columns[c + 2, i] - columns[c + 2, j], columns[c + 3, i] - columns[c + 3, j]
            acc += ((d0 * d0 + d1 * d1) + d2 * d2) + d3 * d3
        for c in range(whole, d):
            d0 = columns[c, i] - columns[c, j]
            acc += d0 * d0
        out[p] = np.sqrt(acc)
    return out
