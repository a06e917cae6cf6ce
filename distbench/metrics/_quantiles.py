"""The robust form of the worst-case distortion: the ratio of two extreme quantiles, and its leave-one-out values."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from distbench.engine import Statistics
from distbench.engine.random_signs import SKETCHES, add_partners, signs_of
from distbench.engine.rank_correlation import TAIL_SHARE
from distbench.engine.ratio_tails import Tail
from distbench.metrics._leave_one_out import columns_of
from distbench.metrics._metric import Measured

__all__ = ["measure_quantiles", "ratio"]

Array = NDArray[np.float64]
Indices = NDArray[np.int64]

MAX_OWNED_SHARE = 0.25  # without a point that has more than this share of a tail, the value is computed exactly
MIN_RATIOS = 3.0  # a tail with fewer ratios, of fewer than 3,000 pairs, is nearly a worst case: no interval
INTERACTION_SHARE = 0.6  # the part that is subtracted: with all of it, intervals of few pairs are too narrow
TIED = 1e-9  # ratios whose relative difference is at most this are tied
WINDOW_FACTOR = 4.0  # slopes are measured from a quarter of the place of the quantile to four times its place


def ratio(high: Any, low: Any) -> Any:
    """Return high / low; infinite if `low` is 0."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(np.asarray(low) > 0, np.divide(high, low), np.inf)


def measure_quantiles(statistics: Statistics) -> Measured:
    assert statistics.shepard is not None
    assert statistics.moments is not None
    low, high = statistics.shepard.low, statistics.shepard.high
    pairs = float(columns_of(statistics.moments.total)["n_rho"])
    n_pairs = columns_of(statistics.moments.by_point)["n_rho"]
    position = TAIL_SHARE * (pairs - 1)
    value = float(ratio(high.quantile(position), low.quantile(position)))
    positions, tail_size = TAIL_SHARE * (pairs - n_pairs - 1), TAIL_SHARE * pairs
    if statistics.m < 2 or not np.isfinite(value) or value <= 0 or tail_size < MIN_RATIOS:
        return Measured(value)
    # approximated to first order; slopes over a window vary less than the gap between two single ratios
    slopes = _slope(high, position), _slope(low, position)
    members = _members(high, position), _members(low, position)
    in_tails = tuple(_pairs_in_tail(*pairs_of, len(n_pairs), statistics.groups) for pairs_of in members)
    change = slopes[0] * (in_tails[0] - TAIL_SHARE * n_pairs) - slopes[1] * (in_tails[1] - TAIL_SHARE * n_pairs)
    is_dominant = np.maximum(*in_tails) > MAX_OWNED_SHARE * tail_size
    interaction = None
    if statistics.queries_are_candidates:
        sign_sums = tuple(_sign_sums(*pairs_of, statistics.places, statistics.groups) for pairs_of in members)
        signed_change = slopes[0] * sign_sums[0] - slopes[1] * sign_sums[1]
        interaction = signed_change * (value / tail_size) * np.sqrt(INTERACTION_SHARE)
    leave_one_out = value * np.exp(np.where(is_dominant, 0.0, change / tail_size))
    if is_dominant.any():
        without = ratio(high.quantiles_without(positions), low.quantiles_without(positions))
        leave_one_out[is_dominant] = without[is_dominant]
    return Measured(value=value, leave_one_out=leave_one_out, interaction=interaction)


def _slope(tail: Tail, position: float) -> float:
    """Return the slope of log(quantile) as a function of log(place), in a window around a place in the tail."""
    first, last = position / WINDOW_FACTOR, min(WINDOW_FACTOR * position + 1, len(tail.ratios) - 1.0)
    if tail.quantile(first) <= 0:  # distinct inputs that share a code
        first = position
    if last <= first:
        return 0.0
    return float(np.log(tail.quantile(last) / tail.quantile(first)) / np.log((last + 0.5) / (first + 0.5)))


def _members(tail: Tail, position: float) -> tuple[Indices, Indices, Array]:
    """Return the points i, the points j and the weights of the pairs up to a place in the tail.

    Pairs with the ratio at this place are tied: they share the remaining places, so they have equal weights.
    """
    place = int(position)
    stop = min(place + 1, len(tail.ratios))
    weights = np.ones(stop)
    if place < len(tail.ratios):
        edge = tail.ratios[place]
        tied = np.flatnonzero(np.abs(tail.ratios - edge) <= TIED * edge)
        stop = int(tied[-1]) + 1
        weights = np.ones(stop)
        weights[tied[0] :] = (place + 1 - tied[0]) / len(tied)
    return tail.i[:stop].astype(np.int64), tail.j[:stop].astype(np.int64), weights


def _pairs_in_tail(i: Indices, j: Indices, weights: Array, points: int, groups: Indices | None) -> Array:
    """Return, for each test point, the sum of the weights of its pairs.

    A pair of two points of one group counts half for each, since it is removed only once with the group.
    """
    weights = np.where(_of_one_group(i, j, groups), 0.5, 1.0) * weights
    is_test = j >= 0
    of_queries = np.bincount(i, weights, minlength=points)
    return np.asarray(of_queries + np.bincount(j[is_test], weights[is_test], minlength=points), dtype=np.float64)


def _sign_sums(i: Indices, j: Indices, weights: Array, places: Indices, groups: Indices | None) -> Array:
    """Return, for each test point, the weighted sum of its partners' random signs.

    A pair counts for one of its two points. Partners of the point's own group are left out.
    """
    sums = np.zeros((len(places), SKETCHES))
    is_counted = (j >= 0) & ~_of_one_group(i, j, groups)
    add_partners(i[is_counted], j[is_counted], weights[is_counted], places, signs_of(places), sums)
    return sums


def _of_one_group(i: Indices, j: Indices, groups: Indices | None) -> NDArray[np.bool_]:
    return np.zeros(len(i), dtype=np.bool_) if groups is None else (j >= 0) & (groups[i] == groups[j])
