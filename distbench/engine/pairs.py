"""Pair statistics of queries, computed for a few candidates at a time, whose numbers stay in the cache."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from distbench.engine._jit import counting

__all__ = ["STRETCH_CANDIDATES", "PairTask", "pair_rows"]

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


@counting
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
    n, n_test, factor = keys_x.shape[1], task.n_test, task.factor
    n_queries, last_a, last_b = task.m if n_test else 0, float(len(of_a) - 1), float(len(of_b) - 1)
    a, b, rho = scratch[0], scratch[1], scratch[2]
    u, v = places[0], places[1]
    for row in range(first_row, len(keys_x)):
        if task.ranked and used + n > len(ratios):
            return row, used
        i, x, z, start = first_query + row, keys_x[row], keys_z[row], 0
        for segment in range(4):  # queries before, queries after, other test points, references
            end = n if segment == 3 else (n_test if segment == 2 else n_queries)
            if segment == 0 and n_queries:
                end = i
            if segment == 1 and n_queries:
                start = i + 1
            while start < end:
                size = end - start if end - start < STRETCH_CANDIDATES else STRETCH_CANDIDATES
                sa, sb, saa, sbb, see, seb = 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
                n_rho, rho1, rho2, sammon = 0.0, 0.0, 0.0, 0.0
                for q in range(size):
                    key_a, key_b = x[np.uint64(start + q)], z[np.uint64(start + q)]
                    da = (np.sqrt(key_a) if task.root_x else key_a) * task.factor_x
                    db = (np.sqrt(key_b) if task.root_z else key_b) * task.factor_z
                    ratio = db / (da if da > 0.0 else np.inf)
                    a[q], b[q], rho[q] = da, db, ratio
                    e = da - task.scale * db
                    sa += da
                    sb += db
                    saa += da * da
                    sbb += db * db
                    see += e * e
                    seb += e * db
                    distinct = 1.0 if da > 0.0 else 0.0
                    n_rho += distinct
                    rho1 += ratio
                    rho2 += ratio * ratio
                    sammon += distinct * (da - task.unit * db) * (1.0 - task.unit * ratio)
                sums = shared[row] if segment < 2 else alone[row]
                sums[0] += size
                sums[1] += sa
                sums[2] += sb
                sums[3] += saa
                sums[4] += sbb
                sums[5] += see
                sums[6] += seb
                sums[7] += n_rho
                sums[8] += rho1
                sums[9] += rho2
                sums[10] += sammon
                least, largest = extremes[row, 0], extremes[row, 1]
                for q in range(size):
                    ratio = rho[q]
                    if a[q] > 0.0:
                        least, largest = ratio if ratio < least else least, ratio if ratio > largest else largest
                extremes[row, 0], extremes[row, 1] = least, largest
                if task.ranked and segment > 0:
                    for q in range(size):
                        place_a, place_b = (a[q] - task.low_a) * task.per_unit_a, (b[q] - task.low_b) * task.per_unit_b
                        place_a, place_b = place_a if place_a > 0.0 else 0.0, place_b if place_b > 0.0 else 0.0
                        u[q] = np.uint32(place_a if place_a < last_a else last_a)
                        v[q] = np.uint32(place_b if place_b < last_b else last_b)
                    for side in range(2):
                        edges = edges_a if side == 0 else edges_b
                        for q in range(size if len(edges) else 0):
                            first, last, value = 0, len(edges), scratch[side, q]
                            while first < last:
                                middle = (first + last) >> 1
                                if edges[middle] < value:
                                    first = middle + 1
                                else:
                                    last = middle
                            places[side, q] = first
                    products, effects = 0.0, 0.0
                    for q in range(size):
                        cell_a, cell_b = np.uint64(u[q]), np.uint64(v[q])  # unsigned indices need no check
                        product = of_a[cell_a, 0] * of_b[cell_b, 0]
                        effect = factor * product + (of_a[cell_a, 1] + of_b[cell_b, 1])
                        products += product
                        effects += effect
                        if segment < 3:
                            influence[start + q] += effect
                        counts[0, cell_a] += 1
                        counts[1, cell_b] += 1
                        ratio = rho[q]
                        if (ratio < task.tail_low or ratio > task.tail_high) and a[q] > 0.0:
                            ratios[used], partners[used], owners[used] = ratio, start + q, i
                            used += 1
                    ranked[row, 0] += products
                    ranked[row, 1] += effects
                start += size
    return len(keys_x), used
