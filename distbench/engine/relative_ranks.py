"""Relative rank errors: differences between the ranks of the k nearest in one space and their ranks in the other.

Ties are broken at random, independently in both spaces. The rank r of neighbor j in one space is uniform over the
places of its tie group, and so is its rank s in the other; so j adds ``E[1(r <= k) |r - s| / r]``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from distbench.engine._jit import kernel
from distbench.engine.job import key_blocks
from distbench.engine.ordered_rows import OrderedRows, Scratch, add_by_bucket, order_row
from distbench.engine.orders import MARKED, SORTED, Order, sort_items
from distbench.engine.partial_sums import ByK, OptionalStatistic, Part
from distbench.engine.problem import Problem
from distbench.engine.random_signs import same_group
from distbench.engine.rank_sums import EFFECTS, NEARER_Z, TIED_Z, sums_without
from distbench.engine.ranks import last_member

__all__ = ["Relative", "RelativeFamily"]

Array = NDArray[np.float64]
Indices = NDArray[np.int64]
Places = NDArray[np.int32]


@dataclass(frozen=True)
class Relative:
    """Each query's sum of relative rank errors, and the changes of all sums when each test point is removed."""

    input_rows: Array  # (m,) for the neighbors in input space, divided by their ranks there
    input_columns: Array  # (n_test,)
    code_rows: Array
    code_columns: Array


@kernel
def _add_errors(
    here: Order,
    there: Order,
    k: int,
    harmonic: Array,
    query: int,
    groups: Indices,
    member: Places,
    table: Array,
    columns: Array,
) -> float:
    """Return a query's sum of errors; `here` defines its neighbors, `there` their other ranks. Adds to `columns`.

    member : (n,) -1, before and after: of each candidate, its place among the neighbors.
    """
    m = last_member(here, k)
    members = here.order[:m]
    ints, effects, floats = np.empty((8, m), dtype=np.int32), np.empty((m, EFFECTS)), np.empty((2, m))
    for j in range(m):
        p = members[j]
        ints[0, j], ints[1, j] = here.less[p], here.upto[p] - here.less[p]
        ints[2, j], ints[3, j] = there.less[p], there.upto[p] - there.less[p]
        ints[4, j], floats[0, j], member[p] = j, there.less[p], j
        there.state[there.bucket[p]] = MARKED
    sort_items(floats[0], ints[4], 0, m)
    total = sums_without(ints[:4], ints[4], k, harmonic, effects, ints[5:], floats[1])
    for j in range(m):
        if members[j] < len(columns) and not same_group(groups, query, members[j]):
            columns[members[j]] += floats[1, j] - total
    _add_changes_of_others(there, member, effects, query, groups, table, columns)
    for j in range(m):
        member[members[j]] = -1
    return total


@kernel
def _add_changes_of_others(
    there: Order, member: Places, effects: Array, query: int, groups: Indices, table: Array, columns: Array
) -> None:
    """Add the changes when candidates are removed that are no neighbors: those farther, or tied, move up `there`."""
    change, buckets, order, start = 0.0, len(there.state), there.order, there.start
    table[buckets] = 0.0
    for b in range(buckets - 1, -1, -1):
        if there.state[b] != MARKED:
            table[b] = change
            continue
        table[b], there.state[b] = 0.0, SORTED
        stop = start[b + 1]
        while stop > start[b]:
            less, tied, nearer = there.less[order[stop - 1]], 0.0, 0.0
            for place in range(less, stop):
                j = member[order[place]]
                if j >= 0:
                    tied += effects[j, TIED_Z]
                    nearer += effects[j, NEARER_Z]
            for place in range(less, stop):
                p = order[place]
                if member[p] < 0 and p < len(columns) and not same_group(groups, query, p):
                    columns[p] += change + tied
            change += nearer
            stop = less
    add_by_bucket(table, there.bucket, query, groups, columns)


@kernel
def relative_rows(
    keys_x: Array,
    keys_z: Array,
    first_query: int,
    tolerances: tuple[float, float],
    scratch: Scratch,
    is_open: NDArray[np.uint8],
    doubts: Places,
    used: Indices,
    ks: Indices,
    harmonic: Array,
    groups: Indices,
    member: Places,
    columns: Array,
    out: Array,
) -> None:
    """Write the sums of open queries to `out` (B, len(ks), 2); add to `columns` (len(ks), 2, n_test) their changes.

    The other arguments are those of `distbench.engine.ordered_rows.order_row` and of `_add_errors`.
    """
    x, z, table = scratch.x, scratch.z, scratch.table
    for row in range(len(keys_x)):
        query = first_query + row
        if is_open[row]:
            of_row = row, query if columns.shape[2] else -1, ks.max()
            order_row(keys_x[row], keys_z[row], *of_row, tolerances, scratch, is_open, doubts, used)
            if not is_open[row]:
                for index in range(len(ks)):
                    fixed = ks[index], harmonic, query, groups, member, table
                    out[row, index, 0] = _add_errors(x, z, *fixed, columns[index, 0])
                    out[row, index, 1] = _add_errors(z, x, *fixed, columns[index, 1])


class RelativeFamily(OptionalStatistic):
    """Relative rank errors in both directions."""

    name = "relative"

    def part(self, problem: Problem, rows: range, state: Any, index: int) -> Part:
        """Return the queries' sums, and how much the totals change without each test point."""
        ks, ordered = np.array(problem.ks), OrderedRows((problem.x, problem.z))
        harmonic = np.concatenate([[0.0], np.cumsum(1 / np.arange(1, ks.max() + 1))])[:, None]
        columns, sums = np.zeros((len(ks), 2, problem.n_test)), np.empty((len(rows), len(ks), 2))
        fixed = ks, harmonic, problem.groups, np.full(problem.n, -1, dtype=np.int32), columns
        for i, x, z in key_blocks(problem, rows):
            out = sums[i - rows.start : i - rows.start + len(x)]
            ordered.run(relative_rows, x, z, i, np.ones(len(x), dtype=np.uint8), *fixed, out)
        return Part(rows={"sums": sums}, columns={"sums": np.moveaxis(columns, 2, 0)})

    def finish(self, problem: Problem, merged: Part, state: Any) -> ByK:
        """Return the sums by name, for each number of neighbors."""
        rows, columns = merged.rows["sums"], merged.columns["sums"]
        return ByK(
            {
                k: Relative(rows[:, index, 0], columns[:, index, 0], rows[:, index, 1], columns[:, index, 1])
                for index, k in enumerate(problem.ks)
            }
        )
