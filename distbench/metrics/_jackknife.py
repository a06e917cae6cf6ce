"""Leaving out one test point: its row and its column go."""

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
    """Return the mean over the rows without each test point.

    Parameters
    ----------
    statistics : Statistics
        What the rows were measured on.
    rows : ndarray of shape (m,)
        One value a judged query.
    columns : ndarray of shape (n_test,)
        Change of the sum of all other rows when a test point leaves, the judged ones first. Not looked at where
        queries are no candidates: a query then has no effect but its own row.
    places : ndarray of int, optional
        Which of the judged queries the rows belong to; default all.

    Returns
    -------
    ndarray of shape (n_test,), or (m,) where queries are no candidates, or None
        None for a single row: nothing is left without it.
    """
    count, total = len(rows), rows.sum()
    if count < 2:
        return None
    if not statistics.queries_are_candidates:
        return np.asarray((total - rows) / (count - 1))
    without = (total + columns) / count
    own: Indices | slice = slice(0, count) if places is None else places
    without[own] = (total - rows + columns[own]) / (count - 1)
    return np.asarray(without)


def pairs_touching(statistics: Statistics) -> Array:
    """Return how many counted pairs each test point is part of: all its candidates if it is judged, else the judged."""
    if not statistics.queries_are_candidates:
        return np.full(statistics.m, float(statistics.M))
    touching = np.full(statistics.n_test, float(statistics.m))
    touching[: statistics.m] = statistics.M
    return touching
