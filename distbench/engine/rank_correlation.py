"""Rank correlation of all pairs without sorting them, and thresholds for the tails of the ratios b / a.

From a sample of pairs, each space gets a grid of cells and an estimate F or G of its distribution function. The pass
over all pairs sums F(a) G(b) and counts the cells exactly. The errors of F and G are then corrected to first order, by
the sample's mean of G at each a and of F at each b; the product of both errors remains.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = ["TAIL_SHARE", "Cells", "Pilot", "pilot", "rank_correlation", "to_cells"]

Array = NDArray[np.float64]
Counts = NDArray[np.int64]
Places = NDArray[np.uint32]

SAMPLE_PAIRS = 1 << 17  # for cells and tail thresholds; all pairs if there are fewer
N_CELLS = 4096
MAX_CELL_SHARE = 1 / 256  # if a cell of equal width has a larger share of the pairs, quantiles separate the cells
TAIL_SHARE = 0.001
MARGIN_DEVIATIONS = 5.0  # tails are longer by so many standard deviations of a sample's quantile


class Cells(NamedTuple):
    """The grid of one space: cells of equal width, or cells with the upper edges `edges`."""

    low: float
    per_unit: float
    edges: Array  # upper edges, ascending; empty for cells of equal width
    table: Array  # (cells, 2) the distribution function, and a part of a pair's influence


@dataclass(frozen=True)
class Pilot:
    """The results of a first look at a sample of pairs, before the pass over all pairs."""

    scale: float  # near the best common scale of the codes
    a: Cells
    b: Cells
    factor: float  # times F(a) G(b) is a part of a pair's influence
    sample: Places  # (2, pairs) cells of the sample
    exact: float | None  # the rank correlation, if the sample is all pairs
    tails: tuple[float, float]  # ratios below the first and above the second are stored


def to_cells(values: Array, low: float, per_unit: float, edges: Array, top: int) -> Places:
    """Return the cell of each value."""
    cells = np.searchsorted(edges, values) if len(edges) else np.clip((values - low) * per_unit, 0, top)
    return cells.astype(np.uint32)


def _middles(counts: Array) -> Array:
    """Return the distribution function at the middle of each cell."""
    shares = counts / counts.sum()
    return np.asarray(np.cumsum(shares) - shares / 2)


def _correlation(products: float, share_a: Array, F: Array, share_b: Array, G: Array) -> float:
    variance = float(share_a @ F**2 - 0.25) * float(share_b @ G**2 - 0.25)
    return (products - 0.25) / float(np.sqrt(variance)) if variance > 1e-24 else 0.0


def rank_correlation(pilot: Pilot, products: float, counts: Counts) -> float:
    """Return Spearman's correlation from the sum of F G over all pairs and the counts of cells (2, cells)."""
    if pilot.exact is not None:
        return pilot.exact
    shares = [c / counts[0].sum() for c in (counts[0, : len(pilot.a.table)], counts[1, : len(pilot.b.table)])]
    exact = [_middles(share) for share in shares]
    F, G = pilot.a.table[pilot.sample[0], 0], pilot.b.table[pilot.sample[1], 0]
    exact_F, exact_G = exact[0][pilot.sample[0]], exact[1][pilot.sample[1]]
    mean = products / counts[0].sum() + float(exact_F @ exact_G - F @ G) / len(F)
    return float(np.clip(_correlation(mean, shares[0], exact[0], shares[1], exact[1]), -1, 1))


def _mean_ranks(values: Array) -> Array:
    """Return ranks from 1, and the mean rank for tied values. Importing scipy.stats would take half a second."""
    _, level, counts = np.unique(values, return_inverse=True, return_counts=True)
    return np.asarray((np.cumsum(counts) - (counts - 1) / 2)[level])


def _sorted_correlation(a: Array, b: Array) -> float:
    """Return Spearman's correlation by sorting; tied distances get their mean rank."""
    ranks = [_mean_ranks(values) for values in (a, b)]
    if min(np.ptp(rank) for rank in ranks) == 0:
        return 0.0
    return float(np.clip(np.corrcoef(ranks[0], ranks[1])[0, 1], -1, 1))


def _grid(values: Array) -> tuple[float, float, Array, int]:
    """Return the lower end, the cells per unit, the edges and the number of cells for the distances of a sample."""
    low, inner, outer, high = np.quantile(values, [0, 1e-4, 1 - 1e-4, 1])
    if high - low > 4 * (outer - inner) > 0:  # a few distant pairs would take nearly all cells
        low, high = max(low, inner - (outer - inner) / 8), min(high, outer + (outer - inner) / 8)
    per_unit = (N_CELLS - 1) / (high - low) if high > low else 0.0
    low -= 0.382 * (high - low) / (N_CELLS - 1)  # so that common values, such as 0, lie inside cells
    cells = to_cells(values, low, per_unit, np.empty(0), N_CELLS - 1)
    levels = np.unique(values)
    crowded = len(levels) <= N_CELLS or np.bincount(cells).max() > MAX_CELL_SHARE * len(values)
    if np.unique(cells).size < min(len(levels), N_CELLS) and crowded:
        edges = _edges(values, levels)
        return 0.0, 0.0, edges, len(edges) + 1
    return float(low), float(per_unit), np.empty(0), N_CELLS


def _edges(values: Array, levels: Array) -> Array:
    """Return edges midway between neighboring levels: between all if they are few, else at quantiles."""
    if len(levels) > N_CELLS:
        quantiles = np.quantile(values, np.arange(1, N_CELLS) / N_CELLS, method="lower")
        places = np.searchsorted(levels, quantiles)
        below = np.unique(np.concatenate([[0], places, [len(levels) - 2]]))  # the outermost levels get their own cells
    else:
        below = np.arange(len(levels) - 1)
    below = below[below < len(levels) - 1]
    return np.asarray((levels[below] + levels[below + 1]) / 2)


def _filled(sums: NDArray[Any], counts: Array) -> Array:
    """Return the mean in each cell; means of empty cells are interpolated."""
    filled = np.flatnonzero(counts)
    return np.interp(np.arange(len(counts)), filled, sums[filled] / counts[filled])


def _above(weighted: Array) -> Array:
    """Return, for each cell, the sum over all higher cells plus half of the cell's own value."""
    return np.asarray(weighted.sum() - np.cumsum(weighted) + weighted / 2)


def pilot(a: Array, b: Array, share: float, all_pairs: bool, tolerance: float = 0.0) -> Pilot:
    """Return the first look at a sample of pairs; each tail will hold at least a `share` of all pairs.

    tolerance : relative rounding of the ratios in the pass over all pairs; no threshold is so near to a ratio here.
    """
    grids, cells, counts = [], [], []
    for values in (a, b):
        grid = _grid(values)
        place = to_cells(values, *grid[:3], grid[3] - 1)
        grids.append(grid)
        cells.append(place)
        counts.append(np.bincount(place, minlength=grid[3]).astype(np.float64))
    shares = [c / len(a) for c in counts]
    F, G = (_middles(c) for c in counts)
    mean_b = _filled(np.bincount(cells[0], G[cells[1]], len(F)), counts[0])
    mean_a = _filled(np.bincount(cells[1], F[cells[0]], len(G)), counts[1])
    effects, factor = _influence((F, G), shares, (mean_b, mean_a), float(F[cells[0]] @ G[cells[1]]) / len(a))
    of_a, of_b = (
        Cells(g[0], g[1], g[2], np.column_stack([f, e])) for g, f, e in zip(grids, (F, G), effects, strict=True)
    )
    squares, distinct = float(b @ b), a > 0
    return Pilot(
        scale=float(a @ b) / squares if squares > 0 else 0.0,
        a=of_a,
        b=of_b,
        factor=factor,
        sample=np.stack(cells),
        exact=_sorted_correlation(a, b) if all_pairs else None,
        tails=_tails(b[distinct] / a[distinct], share, tolerance),
    )


def _influence(
    functions: tuple[Array, Array], shares: list[Array], means: tuple[Array, Array], products: float
) -> tuple[tuple[Array, Array], float]:
    """Return the effects and the factor from which a pair's influence on Spearman's correlation is computed.

    The influence in cells (u, v) is ``factor F(u) G(v) + effects[0][u] + effects[1][v]``; its mean over pairs is 0.
    """
    second = [float(share @ function**2) for share, function in zip(shares, functions, strict=True)]
    variances = [square - 0.25 for square in second]
    if min(variances) < 1e-12:
        return (np.zeros_like(functions[0]), np.zeros_like(functions[1])), 0.0
    spread = float(np.sqrt(variances[0] * variances[1]))
    rho = (products - 0.25) / spread

    def effect(side: int) -> Array:
        function, share = functions[side], shares[side]
        slope = function**2 + 2 * _above(share * function) - 3 * second[side]
        shift = _above(share * means[side]) - 1.5 * products
        return np.asarray(shift / spread - rho / 2 * slope / variances[side])

    return (effect(0), effect(1)), 1 / spread


def _tails(ratios: Array, share: float, tolerance: float) -> tuple[float, float]:
    """Return a low and a high threshold; almost surely at least a `share` of all ratios lies beyond each."""
    if share >= 1 or ratios.size == 0:
        return np.inf, -np.inf
    ordered = np.sort(ratios)
    expected = ratios.size * share
    kept = min(ratios.size - 1, int(expected + MARGIN_DEVIATIONS * np.sqrt(expected) + MARGIN_DEVIATIONS))
    return float(ordered[kept]) * (1 - tolerance), float(ordered[-1 - kept]) * (1 + tolerance)
