"""The robust twin of the worst-case distortion: a ratio of extreme quantiles, with what single points change in it."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from distbench.engine import Statistics
from distbench.engine.random_signs import SKETCHES, add_partners
from distbench.engine.rank_correlation import TAIL_SHARE
from distbench.engine.ratio_tails import Tail
from distbench.metrics._metric import Measured
from distbench.metrics._pairs import columns_of

__all__ = ["measure_quantiles", "ratio"]

Array = NDArray[np.float64]

MAX_OWNED_SHARE = 0.25  # of a tail that one point is part of: beyond, the change is computed, not approximated
MIN_RATIOS = 3.0  # in a tail: below, no slope can be estimated
INTERACTION_SHARE = 0.6  # subtracted: all of it leaves too little for the long tail of a quantile of few pairs
WINDOW_FACTOR = 4.0  # the slope of a quantile is taken over this many times fewer and more ratios


def ratio(high: Any, low: Any) -> Any:
    """Return high / low, infinite where the least ratio is 0."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(np.asarray(low) > 0, np.divide(high, low), np.inf)


def measure_quantiles(statistics: Statistics) -> Measured:
    assert statistics.shepard is not None
    assert statistics.moments is not None
    low, high = statistics.shepard.low, statistics.shepard.high
    pairs = float(columns_of(statistics.moments.total)["n_rho"])
    own = columns_of(statistics.moments.by_point)["n_rho"]
    position = TAIL_SHARE * (pairs - 1)
    value = float(ratio(high.quantile(position), low.quantile(position)))
    if statistics.m < 2 or not np.isfinite(value) or value <= 0:
        return Measured(value=value, leave_one_out=None if statistics.m < 2 else np.full(len(own), value))
    positions, unit = TAIL_SHARE * (pairs - own - 1), TAIL_SHARE * pairs
    if unit < MIN_RATIOS:
        return Measured(value, ratio(high.quantiles_without(positions), low.quantiles_without(positions)))
    # to first order: the ratio next to a quantile says little of the slope there, and jumps from point to point
    slopes = _slope(high, position), _slope(low, position)
    touching = _touching(high, position, len(own)), _touching(low, position, len(own))
    change = slopes[0] * (touching[0] - TAIL_SHARE * own) - slopes[1] * (touching[1] - TAIL_SHARE * own)
    owners = np.maximum(*touching) > MAX_OWNED_SHARE * unit
    interaction = None
    if statistics.queries_are_candidates:
        signed = slopes[0] * _signed(high, position, len(own)) - slopes[1] * _signed(low, position, len(own))
        interaction = signed * (value / unit) * np.sqrt(INTERACTION_SHARE)
    leave_one_out = value * np.exp(np.where(owners, 0.0, change / unit))
    if owners.any():
        without = ratio(high.quantiles_without(positions), low.quantiles_without(positions))
        leave_one_out[owners] = without[owners]
    return Measured(value=value, leave_one_out=leave_one_out, interaction=interaction)


def _slope(tail: Tail, position: float) -> float:
    """Return how fast the logarithm of a quantile moves with that of its place, over a window around the place."""
    first, last = position / WINDOW_FACTOR, min(WINDOW_FACTOR * position + 1, len(tail.ratios) - 1.0)
    if tail.quantile(first) <= 0:  # distinct inputs that share a code
        first = position
    if last <= first:
        return 0.0
    return float(np.log(tail.quantile(last) / tail.quantile(first)) / np.log((last + 0.5) / (first + 0.5)))


def _touching(tail: Tail, position: float, points: int) -> Array:
    """Return how many of the ratios out to a place each test point is part of."""
    ends = np.concatenate([tail.i[: int(position) + 1], tail.j[: int(position) + 1]])
    return np.bincount(ends[ends >= 0], minlength=points).astype(float)


def _signed(tail: Tail, position: float, points: int) -> Array:
    """Return the sum of random signs of each test point's partners in the ratios out to a place."""
    i, j = tail.i[: int(position) + 1], tail.j[: int(position) + 1]
    out = np.zeros((points, SKETCHES))
    inside = j >= 0
    add_partners(i[inside].astype(np.int64), j[inside].astype(np.int64), out)
    return out
