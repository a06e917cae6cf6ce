"""Looks up the distances of a few pairs, and the ranks of their candidates, in both spaces."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from distbench.engine.canonical_order import inverse
from distbench.engine.parallel.blas import one_blas_thread
from distbench.engine.problem import Problem
from distbench.engine.shortlists import Nearest, shortlists
from distbench.engine.single_keys import ROUNDING, SingleKeys

__all__ = ["PairRanks", "candidates_at"]

Array = NDArray[np.float64]
Indices = NDArray[np.int64]


@dataclass(frozen=True)
class PairRanks:
    """Finds distances and ranks of pairs of a problem, whose columns `order` maps to the caller's test points."""

    problem: Problem
    order: Indices | None

    def __call__(self, queries: Indices, candidates: Indices) -> Array:
        """Return each pair's distance and rank by input, then by code, as an array (pairs, 4); ties share ranks.

        queries : places among the judged test points. candidates : the caller's test point, or n_test + a reference.
        """
        columns, n_test = np.asarray(candidates, dtype=np.int64), self.problem.n_test
        if self.order is not None and n_test:
            is_test = columns < n_test
            columns = np.where(is_test, inverse(self.order)[np.where(is_test, columns, 0)], columns)
        with one_blas_thread():
            return np.column_stack(
                [each for singles in self.problem.singles for each in _ranked(singles, queries, columns)]
            )

    def farthest(self, side: int, queries: Indices, k: int) -> Indices:
        """Return of each query's k nearest in the other space the one that is farthest in the space of a side.

        queries : places among the judged test points, in order. The neighbors are as the caller names them.
        """
        space, other, columns = self.problem.singles[side].space, self.problem.singles[1 - side], np.empty_like(queries)
        with one_blas_thread():
            for some, (near,) in shortlists([Nearest(other, k)], queries):
                kth = np.partition(near.keys, k - 1, axis=1)[:, k - 1 : k]
                row, place = np.nonzero(near.keys <= kth)
                keys = np.full(near.keys.shape, -np.inf)
                keys[row, place] = space.pair_keys(some[row], near.places[row, place])
                columns[np.searchsorted(queries, some)] = near.places[np.arange(len(some)), keys.argmax(axis=1)]
        return candidates_at(columns, self.order, self.problem.n_test)


def candidates_at(columns: Indices, order: Indices | None, n_test: int) -> Indices:
    """Return the candidates at columns: the caller's row of a test point, n_test + the row of a reference."""
    if order is None:
        return columns
    is_test = columns < n_test
    return np.where(is_test, order[np.where(is_test, columns, 0)], columns)


def _ranked(singles: SingleKeys, queries: Indices, columns: Indices) -> tuple[Array, Array]:
    """Return the distances of pairs in one space, and the ranks of `columns` among the candidates of the queries."""
    space, size = singles.space, len(queries)
    keys = space.pair_keys(queries, columns)
    from_zero = space.from_zero(keys[:, None], queries)[:, 0]
    levels = from_zero + singles.zeros[queries]
    margins = singles.margins[queries] + 8 * ROUNDING * np.abs(levels)
    less, equal = np.zeros(size), np.zeros(size)
    for first, block in singles.blocks(queries):
        gaps = block - levels
        if space.first == 0:  # no point is its own neighbor
            gaps[np.arange(first, first + len(block))[:, None] == queries] = np.inf
        is_less = gaps < -margins - singles.spreads[space.first + first :][: len(block), None]
        less += np.count_nonzero(is_less, axis=0)
        column, pair = np.nonzero((gaps <= margins) & ~is_less)
        exact = space.pair_keys(queries[pair], first + column)
        less += np.bincount(pair[exact < keys[pair]], minlength=size)
        equal += np.bincount(pair[exact == keys[pair]], minlength=size)
    with np.errstate(over="ignore"):
        distances = np.ldexp(space.to_distance(from_zero), space.exponent)
    return distances, less + (equal + 1) / 2
