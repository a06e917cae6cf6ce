"""Statistics without one test point: without its row and its column."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from distbench.engine import Statistics
from distbench.engine.moments import MOMENTS
from distbench.metrics._metric import Measured

__all__ = ["columns_of", "from_moments", "leave_one_out_mean", "pairs_touching"]

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


def columns_of(moments: Array) -> dict[str, Array]:
    """Return the sums of the last axis by name."""
    return {name: moments[..., place] for place, name in enumerate(MOMENTS)}


def from_moments(
    statistics: Statistics, formula: Callable[[Array, float, float], Array], chance: float | None = None
) -> Measured:
    """Apply a formula to the total, to the total without each test point's pairs, and to each query's pairs."""
    moments = statistics.moments
    assert moments is not None
    args = moments.scale, moments.unit
    with np.errstate(invalid="ignore"):  # squares of ratios may be infinite
        without = moments.total - moments.by_point
    # without a point that owns nearly all of a sum, the rest is rounding, and no interval follows
    left, whole = columns_of(without), columns_of(moments.total)
    owned = (left[name] < 1e-8 * whole[name] for name in ("aa", "bb", "rho", "rho2", "sammon"))
    lost = np.logical_or.reduce(tuple(owned))
    return Measured(
        value=float(formula(moments.total, *args)),
        leave_one_out=np.where(lost, np.nan, formula(without, *args)) if statistics.m > 1 else None,
        points=formula(moments.rows, *args),
        chance=chance,
    )
