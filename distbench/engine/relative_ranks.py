"""Relative rank errors: differences between the ranks of the k nearest in one space and their ranks in the other.

Ties are broken at random, independently in both spaces. The rank r of neighbor j in one space is uniform over the
places of its tie group, and so is its rank s in the other; so j adds ``E[1(r <= k) |r - s| / r]``. Removing a candidate
moves up the groups behind it and shrinks its group. So its effect on a neighbor depends only on whether it is farther,
tied or nearer in each space, and leave-one-out values are exact, even with ties.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from distbench.engine._jit import kernel
from distbench.engine.counts import find_places
from distbench.engine.partial_sums import ByK, OptionalStatistic, Part
from distbench.engine.problem import Problem

__all__ = ["Relative", "RelativeFamily"]

Array = NDArray[np.float64]
Indices = NDArray[np.int64]


@dataclass(frozen=True)
class Relative:
    """Each query's sum of relative rank errors, and the changes of all sums when each test point is removed."""

    input_rows: Array  # (m,) for the neighbors in input space, divided by their ranks there
    input_columns: Array  # (n_test,)
    code_rows: Array
    code_columns: Array


@kernel
def _mean_gap(r: int, less: int, equal: int) -> float:
    """Return the mean of |r - s| over the places s = less + 1 .. less + equal."""
    below = r - 1 - less
    if below < 0:
        return less + (equal + 1) / 2.0 - r
    if below >= equal:
        return r - less - (equal + 1) / 2.0
    above = equal - below - 1
    return (below * (below + 1) + above * (above + 1)) / 2.0 / equal


@kernel
def _term(less: int, equal: int, less_other: int, equal_other: int, k: int, harmonic: Array) -> float:
    """Return a neighbor's expected error.

    Its tie group fills `equal` places behind `less` nearer candidates, and in the other space `equal_other` places
    behind `less_other`.
    """
    last = min(less + equal, k)
    if equal <= 0 or equal_other <= 0 or last <= less or min(less, less_other) < 0:  # there is no such neighbor
        return 0.0
    if last <= less_other:  # the usual case: s is larger than any r that counts
        far = less_other + (equal_other + 1) / 2.0
        return float(far * (harmonic[last] - harmonic[less]) - (last - less)) / equal
    total = 0.0
    for r in range(less + 1, last + 1):
        total += _mean_gap(r, less_other, equal_other) / r
    return total / equal


@kernel
def _changes(
    u: int, less: int, equal: int, less_other: Indices, upto_other: Indices, count: Array, k: int, harmonic: Array
) -> tuple[float, Array, Array]:
    """Return the sum of level u; its changes when a candidate is removed; the term of a member that is removed.

    The first index of the changes says how the candidate compares with level u in this space (0 = farther, 1 = tied,
    2 = nearer), the second is its place in the other space.
    """
    n_levels = len(less_other)
    value, removed = 0.0, np.zeros(n_levels)
    by_place = np.zeros((3, 2 * n_levels + 1))
    for here in range(3):
        before, after = less - (1 if here == 2 else 0), equal - (1 if here == 1 else 0)
        farther, tied, nearer = np.zeros(n_levels), np.zeros(n_levels), np.zeros(n_levels)
        for v in range(n_levels):
            if count[u, v] == 0.0:
                continue
            lo, eq = less_other[v], upto_other[v] - less_other[v]
            term = _term(less, equal, lo, eq, k, harmonic)
            without_tied = _term(before, after, lo, eq - 1, k, harmonic)
            farther[v] = count[u, v] * (_term(before, after, lo, eq, k, harmonic) - term)
            tied[v] = count[u, v] * (without_tied - term)
            nearer[v] = count[u, v] * (_term(before, after, lo - 1, eq, k, harmonic) - term)
            if here == 0:
                value += count[u, v] * term
            if here == 1:
                removed[v] = without_tied
        running = nearer.sum()
        by_place[here, 0] = running
        for v in range(n_levels):
            by_place[here, 2 * v + 1] = running - nearer[v] + tied[v]
            running += farther[v] - nearer[v]
            by_place[here, 2 * v + 2] = running
    return value, by_place, removed


@kernel
def _relative(
    level: Indices,
    place: NDArray[np.int32],
    upto: Indices,
    less_other: Indices,
    upto_other: Indices,
    k: int,
    harmonic: Array,
    n_test: int,
    columns: Array,
) -> float:
    """Return a query's sum of relative errors; add each test candidate's effect to `columns`."""
    n_levels, n_other = len(upto), len(less_other)
    count = np.zeros((n_levels, n_other))
    for p in range(len(level)):
        if level[p] < n_levels:
            count[level[p], place[p] >> 1] += 1.0
    total = 0.0
    change = np.zeros((n_levels + 1, 2 * n_other + 1))  # by level and place of the removed candidate
    removed = np.empty((n_levels, n_other))
    for u in range(n_levels):
        less = upto[u - 1] if u > 0 else 0
        value, by_place, removed[u] = _changes(u, less, upto[u] - less, less_other, upto_other, count, k, harmonic)
        total += value
        for w in range(n_levels + 1):
            change[w] += by_place[0 if w > u else (1 if w == u else 2)]
    for p in range(n_test):
        columns[p] += change[level[p], place[p]]
        if level[p] < n_levels:
            columns[p] -= removed[level[p], place[p] >> 1]
    return total


def _add_side(here: Array, there: Array, k: int, harmonic: Array, n_test: int, columns: Array) -> float:
    """Return a query's sum of errors; `here` defines its neighbors, `there` their other ranks. Adds to `columns`."""
    # all candidates that can be among the k nearest, even if one is removed
    members = np.flatnonzero(here <= np.partition(here, k)[k])
    values, member_level = np.unique(here[members], return_inverse=True)
    level = np.full(len(here), len(values), dtype=np.int64)
    level[members] = member_level
    upto = np.cumsum(np.bincount(member_level, minlength=len(values)))
    place = np.empty(len(there), dtype=np.int32)
    less_other, upto_other = find_places(there, np.unique(there[members]), place)
    return float(_relative(level, place, upto, less_other, upto_other, k, harmonic, n_test, columns))


class RelativeFamily(OptionalStatistic):
    """Relative rank errors in both directions."""

    name = "relative"

    def part(self, problem: Problem, rows: range, state: Any, index: int) -> Part:
        """Return the queries' sums, and how much the totals change without each test point."""
        n_test, n_k = problem.n_test, len(problem.ks)
        harmonic = np.concatenate([[0.0], np.cumsum(1 / np.arange(1, max(problem.ks) + 1))])
        columns, sums = np.zeros((n_test, n_k, 2)), np.empty((len(rows), n_k, 2))
        for place, i in enumerate(rows):
            a, b = problem.x.exact_keys(i), problem.z.exact_keys(i)
            if n_test:
                a[i] = b[i] = np.inf  # no point is its own neighbor
            own = problem.of_group(i)
            before = columns[own]
            for index, k in enumerate(problem.ks):
                for side, (here, there) in enumerate(((a, b), (b, a))):
                    effects = columns[:, index, side]
                    sums[place, index, side] = _add_side(here, there, k, harmonic, n_test, effects)
            columns[own] = before
        return Part(rows={"sums": sums}, columns={"sums": columns})

    def finish(self, problem: Problem, merged: Part, state: Any) -> ByK:
        """Return the sums by name, for each number of neighbors."""
        rows, columns = merged.rows["sums"], merged.columns["sums"]
        return ByK(
            {
                k: Relative(rows[:, index, 0], columns[:, index, 0], rows[:, index, 1], columns[:, index, 1])
                for index, k in enumerate(problem.ks)
            }
        )
