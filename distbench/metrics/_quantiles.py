"""The robust form of the worst-case distortion: a ratio of extreme quantiles, also without single points."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from distbench.engine import Statistics
from distbench.engine.random_signs import SKETCHES, add_partners
from distbench.engine.rank_correlation import TAIL_SHARE
from distbench.engine.ratio_tails import Tail
from distbench.metrics._leave_one_out import columns_of
from distbench.metrics._metric import Measured

__all__ = ["measure_quantiles", "ratio"]

Array = NDArray[np.float64]

MAX_OWNED_SHARE = 0.25  # of a tail with one point; beyond, its change is computed, not approximated
MIN_RATIOS = 3.0  # in a tail; below, no slope can be estimated
INTERACTION_SHARE = 0.6  # subtracted: all of it leaves too little for the long tail of a quantile of few pairs
WINDOW_FACTOR = 4.0  # the slope of a quantile is taken over this many times fewer and more ratios


def ratio(high: Any, low: Any) -> Any:
    """Return high / low; infinite if the least ratio is 0."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(np.asarray(low) > 0, np.divide(high, low), np.inf)


def measure_quantiles(statistics: Statistics) -> Measured:
    assert statistics.shepard is not None
    assert statistics.moments is not None
    low, high = statistics.shepard.low, statistics.shepard.high
    pairs = float(columns_of(statistics.moments.total)["n_rho"])
    pairs_of = columns_of(statistics.moments.by_point)["n_rho"]
    position = TAIL_SHARE * (pairs - 1)
    value = float(ratio(high.quantile(position), low.quantile(position)))
    if statistics.m < 2 or not np.isfinite(value) or value <= 0:
        return Measured(value=value, leave_one_out=None if statistics.m < 2 else np.full(len(pairs_of), value))
    positions, unit = TAIL_SHARE * (pairs - pairs_of - 1), TAIL_SHARE * pairs
    if unit < MIN_RATIOS:
        return Measured(value, ratio(high.quantiles_without(positions), low.quantiles_without(positions)))
    # to first order, by slopes over a window: the ratio next to a quantile jumps from point to point
    slopes = _slope(high, position), _slope(low, position)
    touching = _touching(high, position, len(pairs_of)), _touching(low, position, len(pairs_of))
    change = slopes[0] * (touching[0] - TAIL_SHARE * pairs_of) - slopes[1] * (touching[1] - TAIL_SHARE * pairs_of)
    owners = np.maximum(*touching) > MAX_OWNED_SHARE * unit
    interaction = None
    if statistics.queries_are_candidates:
        signed = slopes[0] * _signed(high, position, len(pairs_of)) - slopes[1] * _signed(low, position, len(pairs_of))
        interaction = signed * (value / unit) * np.sqrt(INTERACTION_SHARE)
    leave_one_out = value * np.exp(np.where(owners, 0.0, change / unit))
    if owners.any():
        without = ratio(high.quantiles_without(positions), low.quantiles_without(positions))
        leave_one_out[owners] = without[owners]
    return Measured(value=value, leave_one_out=leave_one_out, interaction=interaction)


def _slope(tail: Tail, position: float) -> float:
    """Return the slope of the logarithm of a quantile over that of its place, in a window around the place."""
    first, last = position / WINDOW_FACTOR, min(WINDOW_FACTOR * position + 1, len(tail.ratios) - 1.0)
    if tail.quantile(first) <= 0:  # distinct inputs that share a code
        first = position
    if last <= first:
        return 0.0
    return float(np.log(tail.quantile(last) / tail.quantile(first)) / np.log((last + 0.5) / (first + 0.5)))


def _touching(tail: Tail, position: float, points: int) -> Array:
    """Return the number of ratios up to a place that each test point is part of."""
    ends = np.concatenate([tail.i[: int(position) + 1], tail.j[: int(position) + 1]])
    return np.bincount(ends[ends >= 0], minlength=points).astype(float)


def _signed(tail: Tail, position: float, points: int) -> Array:
    """Return the sum of random signs of each test point's partners in the ratios up to a place."""
    i, j = tail.i[: int(position) + 1], tail.j[: int(position) + 1]
    out = np.zeros((points, SKETCHES))
    inside = j >= 0
    add_partners(i[inside].astype(np.int64), j[inside].astype(np.int64), out)
    return out
