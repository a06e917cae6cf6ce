"""Statistics that sort the pairs: Kendall's correlation and monotone regression.

A seeded sample is used if there are more than 2^20 pairs. The change when a point is removed is approximated to first
order, by the sum of the influences of its pairs in the sample.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from distbench._util.notes import Note
from distbench.engine._jit import kernel
from distbench.engine.fenwick_tree import tree_add, tree_sum
from distbench.engine.partial_sums import OptionalStatistic, Part
from distbench.engine.problem import Problem

__all__ = ["MAX_PAIRS", "SampledPairs", "SampledPairsFamily", "disparities", "kendall_influence", "levels"]

Array = NDArray[np.float64]
Indices = NDArray[np.int64]

MAX_PAIRS = 1 << 20


@dataclass(frozen=True)
class SampledPairs:
    """Kendall's tau-b with its influences, and the sums of the monotone regression of b on a."""

    kendall: float
    kendall_influence: Array  # (n_test,) sum of the influences of a point's pairs
    touching: Array  # (n_test,) number of a point's pairs
    pairs: int
    squares: Array  # (2,) sum of squared residuals, sum of b^2
    squares_of: Array  # (n_test, 2) both sums over a point's pairs
    notes: tuple[Note, ...]


@kernel
def _add_balance(
    order: Indices, level_a: Indices, level_b: Indices, upto_b: Indices, tree: Indices, balance: Indices
) -> None:
    """Add, for each item, the sum over all others of sign(a - a') sign(b - b') to `balance`, in O(n log n).

    `order` sorts by a; levels are places among the distinct values, from 1; ``upto_b[l]`` counts items of levels 1..l.
    tree : zeros, as many as `upto_b` has.
    """
    n, start = len(order), 0
    while start < n:
        stop = start
        while stop < n and level_a[order[stop]] == level_a[order[start]]:
            stop += 1
        for step in range(2):
            for place in range(start, stop):
                level = level_b[order[place]]
                below, upto = tree_sum(tree, level - 1), tree_sum(tree, level)
                if step == 0:  # items with smaller a: smaller b agrees, larger b disagrees
                    balance[order[place]] += below - (start - upto)
                else:  # items with larger a: larger b agrees, smaller b disagrees
                    balance[order[place]] += ((n - upto_b[level]) - (stop - upto)) - (upto_b[level - 1] - below)
            for place in range(start, stop if step == 0 else start):
                tree_add(tree, level_b[order[place]], 1)
        start = stop


class Levels(NamedTuple):
    """The order of some values, and their places among the distinct ones."""

    order: Indices  # (n,)
    level: Indices  # (n,) from 1
    upto: Indices  # (levels + 1,) the number of values up to each level


def levels(values: Array) -> Levels:
    """Return the levels of values."""
    order = np.argsort(values)
    ordered = values[order]
    is_new = np.append(True, ordered[1:] > ordered[:-1])
    level = np.empty_like(order)
    level[order] = np.cumsum(is_new)
    return Levels(order, level, np.append(np.flatnonzero(is_new), len(values)))


def kendall_influence(a: Levels, b: Levels) -> tuple[float, Array]:
    """Return tau-b of items (a, b), or 0 if a or b is constant, and the influence of each item (their sum is 0)."""
    n = len(a.level)
    if min(len(a.upto), len(b.upto)) <= 2:
        return 0.0, np.zeros(n)
    tree, sums = np.zeros(len(b.upto), dtype=np.int64), np.zeros(n, dtype=np.int64)
    _add_balance(a.order, a.level, b.level, b.upto, tree, sums)
    balance = sums.astype(np.float64)
    apart_a, apart_b = (float(n) - np.diff(each.upto)[each.level - 1] for each in (a, b))
    spread = np.sqrt(apart_a.sum()) * np.sqrt(apart_b.sum())
    tau = float(np.clip(balance.sum() / spread, -1.0, 1.0))
    share = balance / spread - tau / 2 * (apart_a / apart_a.sum() + apart_b / apart_b.sum())
    return tau, 2 * n * share  # each comparison is counted at both of its items


def disparities(a: Levels, b: Array) -> Array:
    """Return the monotone least-squares regression of b on a; items with equal a get the same disparity."""
    from scipy.optimize import isotonic_regression  # importing it takes most of a second

    counts = np.diff(a.upto)
    means = np.bincount(a.level - 1, weights=b) / counts
    return np.asarray(isotonic_regression(means, weights=counts).x[a.level - 1], dtype=np.float64)


class SampledPairsFamily(OptionalStatistic):
    """Statistics of all pairs or of a sample; `finish` draws the pairs itself."""

    name = "sampled_pairs"

    def finish(self, problem: Problem, merged: Part, state: Any) -> SampledPairs:
        """Return the statistics of the pairs."""
        i, j, a, b = problem.pairs_sample(MAX_PAIRS, 0)
        n_points = problem.n_test or problem.m
        ends = np.concatenate([i, j[j < problem.n_test]])

        def by_point(values: Array) -> Array:
            at_both_ends = np.concatenate([values, values[j < problem.n_test]])
            return np.asarray(np.bincount(ends, at_both_ends, minlength=n_points), dtype=np.float64)

        levels_a = levels(a)
        tau, influence = kendall_influence(levels_a, levels(b))
        squares = (b - disparities(levels_a, b)) ** 2
        notes: tuple[Note, ...] = ()
        if len(a) < problem.pairs:
            text = f"kendall, nonmetric_stress: computed from {len(a):,} sampled pairs of {problem.pairs:,}"
            notes = (Note("info", "sampled_pairs", text),)
        return SampledPairs(
            kendall=tau,
            kendall_influence=by_point(influence),
            touching=by_point(np.ones(len(a))),
            pairs=len(a),
            squares=np.array([squares.sum(), b @ b]),
            squares_of=np.stack([by_point(squares), by_point(b * b)], axis=1),
            notes=notes,
        )
