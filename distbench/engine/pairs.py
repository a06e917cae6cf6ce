"""Pair statistics of queries, computed for a few candidates at a time, whose numbers stay in the cache."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from distbench.engine._jit import kernel
from distbench.engine.moments import add_moments, extreme_ratios, to_distances, to_ratios
from distbench.engine.rank_correlation import add_rank_products, to_cells
from distbench.engine.ratio_tails import add_tails

__all__ = ["STRETCH_CANDIDATES", "PairTask", "add_other_pairs", "pair_rows"]

Array = NDArray[np.float64]
Indices = NDArray[np.int64]

STRETCH_CANDIDATES = 1024


class PairTask(NamedTuple):
    """The parameters of `pair_rows` that are the same for all blocks."""

    root_x: bool  # whether distances are roots of keys
    root_z: bool
    factor_x: float
    factor_z: float
    scale: float
    unit: float
    m: int
    n_test: int
    ranked: bool  # whether to compute rank products and tails
    factor: float  # by which rank products count in the influence
    low_a: float  # lower end of the grid of cells, and cells per unit
    per_unit_a: float
    low_b: float
    per_unit_b: float
    tail_low: float
    tail_high: float


@kernel
def pair_rows(
    keys_x: Array,
    keys_z: Array,
    first_query: int,
    first_row: int,
    task: PairTask,
    edges_a: Array,
    edges_b: Array,
    of_a: Array,
    of_b: Array,
    counts: Indices,
    influence: Array,
    scratch: Array,
    places: NDArray[np.uint32],
    shared: Array,
    alone: Array,
    extremes: Array,
    ranked: Array,
    ratios: Array,
    partners: NDArray[np.int32],
    owners: NDArray[np.int32],
    used: int,
) -> tuple[int, int]:
    """Add up the pairs of a block's queries from `first_row` on, until the tails are full.

    Returns the first row that was not added, and the number of ratios in the tails. shared, alone : (B, N_MOMENTS) sums
    over pairs with other queries, and over all other pairs. extremes : (B, 2) least and largest ratio. ranked : (B, 2)
    sums of rank products and of influence, over pairs with later columns, so that each pair counts once. ratios,
    partners, owners : tails.
    """
    n = keys_x.shape[1]
    n_queries = task.m if task.n_test else 0
    for row in range(first_row, len(keys_x)):
        if task.ranked and used + n > len(ratios):
            return row, used
        i, x, z = first_query + row, keys_x[row], keys_z[row]
        first = i + 1 if n_queries else 0
        starts = (0, first, n_queries, task.n_test)  # queries before, queries after, other test points, references
        stops = (min(i, n_queries), n_queries, task.n_test, n)
        before = used
        for segment in range(4):
            for p in range(starts[segment], stops[segment], STRETCH_CANDIDATES):
                end = min(stops[segment], p + STRETCH_CANDIDATES)
                a, b, rho = scratch[0][: end - p], scratch[1][: end - p], scratch[2][: end - p]
                to_distances(x[p:end], task.root_x, task.factor_x, a)
                to_distances(z[p:end], task.root_z, task.factor_z, b)
                to_ratios(a, b, rho)
                sums = shared[row] if segment < 2 else alone[row]
                distinct = add_moments(a, b, rho, task.scale, task.unit, sums)
                extreme_ratios(a, rho, distinct == end - p, extremes[row])
                if task.ranked and segment > 0:
                    u, v = places[0][: end - p], places[1][: end - p]
                    to_cells(a, task.low_a, task.per_unit_a, edges_a, len(of_a) - 1, u)
                    to_cells(b, task.low_b, task.per_unit_b, edges_b, len(of_b) - 1, v)
                    effects = influence[p:end] if segment < 3 else scratch[3][: end - p]
                    add_rank_products(u, v, of_a, of_b, task.factor, counts, effects, ranked[row])
                    used = add_tails(a, rho, p, task.tail_low, task.tail_high, ratios, partners, used)
        for place in range(before, used):
            owners[place] = i
    return len(keys_x), used


@kernel
def add_other_pairs(keys_x: Array, keys_z: Array, task: PairTask, scratch: Array, out: Array) -> None:
    """Add the pairs of a block with test points that are no queries to the sums `out` (n_test - m, N_MOMENTS)."""
    for row in range(len(keys_x)):
        for p in range(task.m, task.n_test):
            a, b, rho = scratch[0][:1], scratch[1][:1], scratch[2][:1]
            to_distances(keys_x[row][p : p + 1], task.root_x, task.factor_x, a)
            to_distances(keys_z[row][p : p + 1], task.root_z, task.factor_z, b)
            to_ratios(a, b, rho)
            add_moments(a, b, rho, task.scale, task.unit, out[p - task.m])
