r"""The area under one query's :math:`R_{NX}` curve, from its full ranks.

The area is linear in Q(K), and Q(K) counts the candidates with max(r, s) <= K. So a candidate adds ``phi(max(r, s))``,
where phi(t) sums the weight of a kept neighbor over all K >= t. A tied candidate adds the mean of phi over the places
of its two groups, computed from differences of running sums of phi(t) and t phi(t).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from distbench._util.notes import Note
from distbench.engine._jit import kernel
from distbench.engine.job import key_blocks
from distbench.engine.ordered_rows import OrderedRows, Scratch, order_row
from distbench.engine.orders import Order
from distbench.engine.partial_sums import OptionalStatistic, Part
from distbench.engine.problem import Problem
from distbench.engine.random_signs import same_group
from distbench.engine.rank_sums import EFFECTS, expected, sums_without

__all__ = ["MAX_RANKS", "OrderCurves", "OrderCurvesFamily"]

Array = NDArray[np.float64]
Indices = NDArray[np.int64]

MAX_RANKS = 20_000_000  # in each space; if there are more, a sample of queries is used


@dataclass(frozen=True)
class OrderCurves:
    """Areas under the curves of the queries."""

    rows: Array  # (len(places),)
    columns: Array  # (n_test,) change in the sum of all other rows when point p is removed
    places: Indices  # the queries of the rows
    notes: tuple[Note, ...]


@lru_cache(maxsize=8)
def sampled_queries(m: int, M: int) -> Indices:
    """Return the places in the canonical order of the queries whose ranks are sorted: all, or a seeded sample."""
    size = max(2, MAX_RANKS // M)
    if m <= size:
        return np.arange(m)
    return np.sort(np.random.default_rng(0).choice(m, size, replace=False))


@lru_cache(maxsize=8)
def _phi_sums(M: int) -> Array:
    """Return for t = 0..M + 1 the columns phi(t), the running sum of phi(t), and the running sum of t phi(t).

    Rank M + 1 is looked up when a candidate is removed; its values cancel.
    """
    sizes = np.arange(1, M, dtype=np.float64)
    phi = np.zeros(M + 2)
    phi[1:M] = np.cumsum((M / (sizes**2 * (M - sizes)))[::-1])[::-1] / np.sum(1 / sizes)
    return np.stack([phi, np.cumsum(phi), np.cumsum(np.arange(M + 2) * phi)], axis=1)


@kernel
def _untied_sums(x: Order, z: Order, phi: Array, phi_without: Array, rooms: Array, without: Array) -> float:
    """Return the sum of phi over all candidates, no two of which tie; write the sums without each to `without`.

    Removing a candidate moves the larger rank of others up by one place: if it is the rank in x, those farther in x; if
    it is that in z, those farther in z; if the ranks are equal, those farther in both. rooms : (3, M + 2).
    """
    M = x.start[len(x.state)]
    total, unchanged = 0.0, 0.0
    rooms[:] = 0.0
    for place in range(M):
        p = x.order[place]
        r, s = place + 1, z.less[p] + 1
        largest = max(r, s)
        total += phi[largest, 0]
        if len(without):
            unchanged += phi_without[largest, 0]
            kind = 2 if r == s else (0 if r > s else 1)
            rooms[kind, largest] = phi_without[largest - 1, 0] - phi_without[largest, 0] if largest > 1 else 0.0
    if len(without):
        for rank in range(M, 0, -1):
            for kind in range(3):
                rooms[kind, rank] += rooms[kind, rank + 1]
        for place in range(M):
            p = x.order[place]
            r, s = place + 1, z.less[p] + 1
            largest = max(r, s)
            both = rooms[0, r + 1] + rooms[1, s + 1] + rooms[2, largest + 1]
            without[place] = unchanged - phi_without[largest, 0] + both
    return total


@kernel
def _tied_sums(x: Order, z: Order, phi: Array, phi_without: Array, places: Array, without: Array) -> float:
    """Return the sum of phi over all candidates; write the sums without each to `without`. places : (n,) scratch."""
    M = x.start[len(x.state)]
    bounds, by_z, total = np.empty((4, M), dtype=np.int32), np.empty(M, dtype=np.int32), 0.0
    for place in range(M):
        p = x.order[place]
        bounds[0, place], bounds[1, place] = x.less[p], x.upto[p] - x.less[p]
        bounds[2, place], bounds[3, place] = z.less[p], z.upto[p] - z.less[p]
        places[p] = place
        total += expected(bounds[0, place], bounds[1, place], bounds[2, place], bounds[3, place], 0, phi)
    if len(without):
        for place in range(M):
            by_z[place] = int(places[z.order[place]])
        sums_without(
            bounds, by_z, 0, phi_without, np.empty((M, EFFECTS)), np.empty((3, M), dtype=np.int32), without[:M]
        )
    return total


@kernel
def area_rows(
    keys_x: Array,
    keys_z: Array,
    first_query: int,
    tolerances: tuple[float, float],
    scratch: Scratch,
    is_open: NDArray[np.uint8],
    doubts: NDArray[np.int32],
    used: Indices,
    among_queries: bool,
    phi: Array,
    phi_without: Array,
    groups: Indices,
    rooms: Array,
    columns: Array,
    out: Array,
) -> None:
    """Write the areas of open queries to `out` (B,); add to `columns` (n_test,) their changes without each test point.

    phi, phi_without : see `_phi_sums`. rooms : (5, n + 2). The other arguments are those of
    `distbench.engine.ordered_rows.order_row`.
    """
    n, n_test = keys_x.shape[1], len(columns)
    for row in range(len(keys_x)):
        query = first_query + row
        if is_open[row]:
            of_row = row, query if among_queries else -1, n
            order_row(keys_x[row], keys_z[row], *of_row, tolerances, scratch, is_open, doubts, used)
            if is_open[row]:
                continue
            x, z, without = scratch.x, scratch.z, rooms[3][: n if n_test else 0]
            if x.scale[2] and z.scale[2]:
                total = _untied_sums(x, z, phi, phi_without, rooms[:3], without)
            else:
                total = _tied_sums(x, z, phi, phi_without, rooms[4], without)
            out[row] = total - 1.0  # shuffled codes have a sum of 1 and an area of 0
            if n_test:
                for place in range(x.start[len(x.state)]):
                    p = x.order[place]
                    if p < n_test and not same_group(groups, query, p):
                        columns[p] += without[place] - total


class OrderCurvesFamily(OptionalStatistic):
    """Areas under the curves of all queries, or of a sample if there are too many; then there is a note."""

    name = "order_curves"

    def part(self, problem: Problem, rows: range, state: Any, index: int) -> Part:
        """Return the queries' areas (nan outside the sample), and the changes of their sum without each test point."""
        n, n_test, M = problem.n, problem.n_test, problem.M
        areas, columns = np.full(len(rows), np.nan), np.zeros(n_test)
        ordered, phi_without = OrderedRows((problem.x, problem.z)), _phi_sums(M - 1) if n_test else np.empty((0, 3))
        fixed = n_test > 0, _phi_sums(M), phi_without, problem.groups, np.empty((5, n + 2)), columns
        is_sampled = np.isin(np.arange(rows.start, rows.stop), problem.canonical[sampled_queries(problem.m, M)])
        for i, x, z in key_blocks(problem, rows):
            block = slice(i - rows.start, i - rows.start + len(x))
            ordered.run(area_rows, x, z, i, is_sampled[block].astype(np.uint8), *fixed, areas[block])
        return Part(rows={"areas": areas}, columns={"areas": columns})

    def finish(self, problem: Problem, merged: Part, state: Any) -> OrderCurves:
        """Return the areas of the sampled queries, with a note if they are not all."""
        places = np.sort(problem.canonical[sampled_queries(problem.m, problem.M)])
        notes: tuple[Note, ...] = ()
        if len(places) < problem.m:
            text = f"rnx_auc: computed from {len(places):,} sampled queries of {problem.m:,}"
            notes = (Note("info", "rnx_auc", text),)
        return OrderCurves(merged.rows["areas"][places], merged.columns["areas"], places, notes)
