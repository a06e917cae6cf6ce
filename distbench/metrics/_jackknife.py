"""Statistics without one test point: without its row and its column."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from distbench.engine import Statistics

__all__ = ["leave_one_out_mean", "pairs_touching"]

Array = NDArray[np.float64]
Indices = NDArray[np.int64]


def leave_one_out_mean(
    statistics: Statistics, rows: Array, columns: Array, places: Indices | None = None
) -> Array | None:
    """Return the mean over the rows without each test point in turn; None for a single row.

    `rows` has one value for each query, or for those at `places`. `columns` has, for each test point, the queries
    first, the change of the sum of all other rows without it; it is ignored if queries are no candidates.
    """
    count, total = len(rows), rows.sum()
    if count < 2:
        return None
    if not statistics.queries_are_candidates:
        return np.asarray((total - rows) / (count - 1))
    without = (total + columns) / count
    queries: Indices | slice = slice(0, count) if places is None else places
    without[queries] = (total - rows + columns[queries]) / (count - 1)
    return np.asarray(without)


def pairs_touching(statistics: Statistics) -> Array:
    """Return the number of counted pairs with each test point: a query has all candidates, other points all queries."""
    if not statistics.queries_are_candidates:
        return np.full(statistics.m, float(statistics.M))
    touching = np.full(statistics.n_test, float(statistics.m))
    touching[: statistics.m] = statistics.M
    return touching
