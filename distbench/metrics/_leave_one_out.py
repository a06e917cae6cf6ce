"""Leave-one-out values: a test point is removed both as a query and as a candidate."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from distbench.engine import Statistics
from distbench.engine.moments import MOMENTS
from distbench.metrics._metric import Measured

__all__ = ["columns_of", "from_moments", "interaction", "leave_one_out_mean", "pairs_of_points"]

Array = NDArray[np.float64]
Indices = NDArray[np.int64]


def leave_one_out_mean(
    statistics: Statistics, rows: Array, columns: Array, places: Indices | None = None
) -> Array | None:
    """Return the mean of the queries' values without each test point in turn; None if there is only one value.

    `rows` has one value for each query, or for the queries at `places`. `columns` has one entry for each test point,
    queries first: how much the sum of all other rows changes when the point is removed. It is ignored if queries are
    no candidates.
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


def interaction(statistics: Statistics, signed: Array, unit: float) -> Array | None:
    """Return, for each query, how much removing each neighbor changes the value, summed with random signs."""
    return np.asarray(signed * (unit / statistics.m)) if statistics.queries_are_candidates else None


def pairs_of_points(statistics: Statistics) -> Array:
    """Return each test point's number of pairs: M for a query, m for a point that is only a candidate."""
    if not statistics.queries_are_candidates:
        return np.full(statistics.m, float(statistics.M))
    n_pairs = np.full(statistics.n_test, float(statistics.m))
    n_pairs[: statistics.m] = statistics.M
    return n_pairs


def columns_of(moments: Array) -> dict[str, Array]:
    """Return the sums, which lie along the last axis, by their names in `MOMENTS`."""
    return {name: moments[..., place] for place, name in enumerate(MOMENTS)}


def from_moments(
    statistics: Statistics, formula: Callable[[Array, float, float], Array], chance: float | None = None
) -> Measured:
    """Apply a formula to the sums over all pairs, to those without the pairs of each point, and to those of each query.

    The formula takes the sums and the `scale` and `unit` of `Moments`.
    """
    moments = statistics.moments
    assert moments is not None
    args = moments.scale, moments.unit
    with np.errstate(invalid="ignore"):  # squares of ratios may be infinite
        without = moments.total - moments.by_point
    # if one point makes nearly all of a sum, the rest is rounding error, and there is no interval
    sums_without, sums = columns_of(without), columns_of(moments.total)
    is_rounding = (sums_without[name] < 1e-8 * sums[name] for name in ("aa", "bb", "rho", "rho2", "sammon"))
    any_rounding = np.logical_or.reduce(tuple(is_rounding))
    return Measured(
        value=float(formula(moments.total, *args)),
        leave_one_out=np.where(any_rounding, np.nan, formula(without, *args)) if statistics.m > 1 else None,
        points=formula(moments.rows, *args),
        chance=chance,
    )
