"""Metrics that are functions of sums over pairs: one formula gives all their values."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from distbench.engine import Statistics
from distbench.engine.moments import MOMENTS
from distbench.metrics._metric import Measured

__all__ = ["columns_of", "from_moments"]

Array = NDArray[np.float64]


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
