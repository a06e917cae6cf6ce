"""Pair statistics of one query, a stretch of candidates at a time so that they stay in the cache."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from distbench.engine import moments, shepard, tails
from distbench.engine._jit import kernel

__all__ = ["PairSums", "PairTask", "pair_row"]

Array = NDArray[np.float64]
Indices = NDArray[np.int64]

STRETCH = 1024

to_distances, to_ratios = moments.to_distances, moments.to_ratios
add_moments, extreme_ratios, N_MOMENTS = moments.add_moments, moments.extreme_ratios, moments.N_MOMENTS
add_rank_products, add_tails = shepard.add_rank_products, tails.add_tails


class PairTask(NamedTuple):
    """What is asked of every query's pairs."""

    roots: tuple[bool, bool]  # whether distances are roots of keys
    factors: tuple[float, float]
    scale: float
    unit: float
    m: int
    n_test: int
    ranked: bool  # whether rank products and tails are wanted
    cells_a: shepard.Cells
    cells_b: shepard.Cells
    factor: float
    tails: tuple[float, float]


class PairSums(NamedTuple):
    """Where a job adds up what is not a row of its own."""

    total: Array  # (N_MOMENTS,) each pair once
    unjudged: Array  # (test points not judged, N_MOMENTS)
    counts: Indices  # (2, cells)
    influence: Array  # (n_test,)
    scratch: Array  # (6, STRETCH)
    places: NDArray[np.int32]  # (2, STRETCH)


@kernel
def _stretch(keys_x: Array, keys_z: Array, task: PairTask, sums: PairSums) -> int:
    """Write distances and ratios of a stretch of candidates to the scratch; return its size."""
    size = len(keys_x)
    to_distances(keys_x, task.roots[0], task.factors[0], sums.scratch[0, :size])
    to_distances(keys_z, task.roots[1], task.factors[1], sums.scratch[1, :size])
    to_ratios(sums.scratch[0, :size], sums.scratch[1, :size], sums.scratch[2, :size])
    return size


@kernel
def _add_unjudged(a: Array, b: Array, rho: Array, task: PairTask, out: Array) -> None:
    for p in range(len(a)):
        add_moments(a[p : p + 1], b[p : p + 1], rho[p : p + 1], task.scale, task.unit, out[p])


@kernel
def _add_ranked(a: Array, b: Array, task: PairTask, sums: PairSums, influence: Array, row: Array) -> None:
    add_rank_products(
        a, b, task.cells_a, task.cells_b, task.factor, sums.scratch[3:], sums.places, sums.counts, influence, row
    )


@kernel
def pair_row(
    keys_x: Array,
    keys_z: Array,
    i: int,
    task: PairTask,
    sums: PairSums,
    row: Array,
    extremes: Array,
    ranked: Array,
    ratios: Array,
    partners: Indices,
    used: int,
) -> int:
    """Add up query i's pairs; return the new end of the tails' `ratios` and `partners`.

    row : (N_MOMENTS,) over all candidates; extremes : (2,) least and largest ratio; ranked : (2,) sum of rank
    products, and influence, over the pairs that count with this query: those with later columns.
    """
    judged = task.m if task.n_test else 0
    first = i + 1 if judged else 0
    starts = (0, first, judged, task.n_test)  # judged before, judged after, other test points, references
    stops = (min(i, judged), judged, task.n_test, len(keys_x))
    shared, alone = np.zeros(N_MOMENTS), np.zeros(N_MOMENTS)
    for segment in range(4):
        start, stop = starts[segment], stops[segment]
        for p in range(start, stop, STRETCH):
            end = min(stop, p + STRETCH)
            size = _stretch(keys_x[p:end], keys_z[p:end], task, sums)
            a, b, rho = sums.scratch[0, :size], sums.scratch[1, :size], sums.scratch[2, :size]
            add_moments(a, b, rho, task.scale, task.unit, shared if segment < 2 else alone)
            extreme_ratios(a, rho, extremes)
            if segment == 2:
                _add_unjudged(a, b, rho, task, sums.unjudged[p - judged : end - judged])
            if task.ranked and segment > 0:
                influence = sums.influence[p:end] if segment < 3 else sums.influence[:0]
                _add_ranked(a, b, task, sums, influence, ranked)
                used = add_tails(a, rho, p, task.tails[0], task.tails[1], ratios, partners, used)
    row[:] = shared + alone
    sums.total[:] += shared / 2.0 + alone
    return used
