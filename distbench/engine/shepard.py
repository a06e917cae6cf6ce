"""The Shepard diagram of all pairs: a joint histogram for rank correlation, and the tails of the ratio b / a."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from distbench.engine._jit import kernel
from distbench.engine.distances import pair_distances

__all__ = ["TAIL", "Bins", "Pilot", "add_shepard", "marginals", "pilot", "rank_influence"]

Array = NDArray[np.float64]

SAMPLE = 1 << 17  # pairs that set bin edges and tail thresholds; all pairs where there are fewer
BINS = 1024
CELLS = 4096  # of the grid over the bins
TAIL = 0.001


class Bins(NamedTuple):
    """Quantile bins of one space, with a uniform grid that says where in them to look."""

    edges: Array  # upper edges, ascending
    first: NDArray[np.int64]  # number of edges in the cells below each cell
    low: float
    per_unit: float  # cells in a unit of distance
    cdf: Array  # mid-distribution function at each bin
    effect: Array  # what a pair in that bin adds to the rank correlation through other pairs' ranks


@dataclass(frozen=True)
class Pilot:
    """What a first look at a sample of pairs fixes before the pass over all of them."""

    scale: float  # near the best common scale of the codes
    a: Bins
    b: Bins
    factor: float  # what cdf_a cdf_b of a pair counts for
    tails: tuple[float, float]  # ratios below and above these are kept one by one


def _sample_pairs(m: int, n: int, among_queries: bool, seed: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return pairs (i, j): i a query, j a later query or a reference; all, or a sample with repeats."""
    per_query = n - 1 - np.arange(m) if among_queries else np.full(m, n - m)
    starts = np.concatenate([[0], np.cumsum(per_query)])
    total = int(starts[-1])
    sampled = total > SAMPLE
    flat = np.random.default_rng(seed).integers(0, total, SAMPLE) if sampled else np.arange(total)
    i = np.searchsorted(starts, flat, side="right") - 1
    return i, flat - starts[i] + (i + 1 if among_queries else m)


def marginals(joint: Array) -> tuple[Array, Array, Array]:
    """Return a joint distribution and the mid-distribution functions of both its margins."""
    p = joint / joint.sum()
    pa, pb = p.sum(axis=1), p.sum(axis=0)
    return p, np.cumsum(pa) - pa / 2, np.cumsum(pb) - pb / 2


def rank_influence(joint: Array) -> tuple[float, Array, Array, float]:
    """Return Spearman's correlation of a joint histogram, and its influence function in parts.

    The influence of a pair in bin (u, v) is ``factor F(u) G(v) + effect_a[u] + effect_b[v]``; its mean is 0.
    """
    p, F, G = marginals(joint)
    pa, pb = p.sum(axis=1), p.sum(axis=0)

    def above(weighted: Array) -> Array:  # sum over higher bins, half of the own
        return np.asarray(weighted.sum() - np.cumsum(weighted) + weighted / 2)

    EFG, EFF, EGG = float(F @ p @ G), float(pa @ F**2), float(pb @ G**2)
    var_a, var_b = EFF - 0.25, EGG - 0.25
    if min(var_a, var_b) < 1e-12:
        return 0.0, np.zeros_like(F), np.zeros_like(G), 0.0
    spread = np.sqrt(var_a * var_b)
    rho = (EFG - 0.25) / spread
    slope_a = F**2 + 2 * above(pa * F) - 3 * EFF
    slope_b = G**2 + 2 * above(pb * G) - 3 * EGG
    effect_a = (above(p @ G) - 1.5 * EFG) / spread - rho / 2 * slope_a / var_a
    effect_b = (above(F @ p) - 1.5 * EFG) / spread - rho / 2 * slope_b / var_b
    return float(rho), effect_a, effect_b, float(1 / spread)


def _edges(values: Array) -> Array:
    """Return upper edges that part `values` into bins: each level its own where there are few, else quantiles."""
    levels = np.unique(values)
    if len(levels) <= BINS:
        return levels[:-1] if len(levels) > 1 else levels
    quantiles = np.quantile(values, np.arange(1, BINS) / BINS, method="lower")
    # a rare level at either end (duplicates, say) stays apart from the rest
    return np.unique(np.concatenate([levels[:1], quantiles, levels[-2:-1]]))


def _tails(ratios: Array, share: float) -> tuple[float, float]:
    """Return thresholds beyond which at least a `share` of all ratios surely lies, at either end."""
    if share >= 1 or ratios.size == 0:
        return np.inf, -np.inf
    ordered = np.sort(ratios)
    expected = ratios.size * share
    kept = min(ratios.size - 1, int(expected + 8 * np.sqrt(expected) + 8))  # 8 standard deviations of a sample
    return float(ordered[kept]), float(ordered[-1 - kept])


def pilot(columns_x: Array, columns_z: Array, m: int, among_queries: bool, seed: int = 0) -> Pilot:
    """Look at a seeded sample of pairs (all of them where there are few); the m queries are the first columns."""
    n = columns_x.shape[1]
    M = n - 1 if among_queries else n - m
    pairs = m * M - (m * (m - 1) // 2 if among_queries else 0)
    i, j = _sample_pairs(m, n, among_queries, seed)
    a, b = pair_distances(columns_x, i, j), pair_distances(columns_z, i, j)
    edges = _edges(a), _edges(b)
    joint = np.zeros((len(edges[0]) + 1, len(edges[1]) + 1))
    np.add.at(joint, (np.searchsorted(edges[0], a), np.searchsorted(edges[1], b)), 1.0)
    _, *cdfs = marginals(joint)
    _, *effects, factor = rank_influence(joint)
    sbb = float(b @ b)
    distinct = a > 0
    return Pilot(
        scale=float(a @ b) / sbb if sbb > 0 else 0.0,
        a=_bins(edges[0], cdfs[0], effects[0]),
        b=_bins(edges[1], cdfs[1], effects[1]),
        factor=factor,
        # leaving out a query can take away all of its pairs from a tail
        tails=_tails(b[distinct] / a[distinct], 1.0 if pairs <= SAMPLE else TAIL + M / pairs),
    )


def _bins(edges: Array, cdf: Array, effect: Array) -> Bins:
    low, spread = float(edges[0]), float(edges[-1] - edges[0])
    per_unit = (CELLS - 1) / spread if spread > 0 else 0.0
    cells = np.array([_cell(edge, low, per_unit) for edge in edges])
    first = np.searchsorted(cells, np.arange(CELLS + 1))
    return Bins(edges, first, low, per_unit, cdf, effect)


@kernel
def _cell(value: float, low: float, per_unit: float) -> int:
    return int(min(max((value - low) * per_unit, 0.0), CELLS - 1.0))


@kernel
def _bin(value: float, bins: Bins) -> int:
    """Return how many edges are below a value: those in lower cells, and some in its own."""
    cell = _cell(value, bins.low, bins.per_unit)
    low, high = bins.first[cell], bins.first[cell + 1]
    while low < high:
        middle = (low + high) >> 1
        if bins.edges[middle] < value:
            low = middle + 1
        else:
            high = middle
    return int(low)


@kernel
def add_shepard(
    a: Array, b: Array, weight: int, bins_a: Bins, bins_b: Bins, factor: float, joint: NDArray[np.int64], sums: Array
) -> None:
    """Count pairs into the joint histogram; add up the query's influence and its rank moments in `sums`.

    `sums`: influence, then sums of F, G, FF, GG, FG over the pairs.
    """
    for p in range(len(a)):
        u, v = _bin(a[p], bins_a), _bin(b[p], bins_b)
        joint[u, v] += weight
        f, g = bins_a.cdf[u], bins_b.cdf[v]
        sums[0] += factor * f * g + bins_a.effect[u] + bins_b.effect[v]
        sums[1] += f
        sums[2] += g
        sums[3] += f * f
        sums[4] += g * g
        sums[5] += f * g
