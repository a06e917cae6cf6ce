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
from distbench.engine.orders import OrderedRows
from distbench.engine.partial_sums import OptionalStatistic, Part
from distbench.engine.problem import Problem
from distbench.engine.rank_sums import scratch, sum_rows

__all__ = ["MAX_RANKS", "OrderCurves", "OrderCurvesFamily"]

Array = NDArray[np.float64]
Indices = NDArray[np.int64]
Places = NDArray[np.int32]
Flags = NDArray[np.uint8]

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
def _untied_areas(
    query: int,
    candidates: int,
    is_wanted: Flags,
    phi: Array,
    phi_without: Array,
    order: Places,
    less_there: Places,
    groups: Indices,
    columns: Array,
    out: Array,
) -> None:
    """Write the sums of phi of wanted queries without ties to `out` (B,); add to `columns` (n_test,) their changes.

    Removing a candidate moves the larger rank of others up by one place: if it is the rank in x, those farther in x; if
    it is that in z, those farther in z; if the ranks are equal, those farther in both.
    """
    gains = np.zeros((3, candidates + 2))
    for row in range(len(order)):
        if not is_wanted[row]:
            continue
        own_group = groups[query + row] if len(columns) else -1
        total, unchanged = 0.0, 0.0
        for place in range(candidates):
            s = less_there[row, order[row, place]]
            largest, kind = max(place, s) + 1, 2 if place == s else (0 if place > s else 1)
            total += phi[largest, 0]
            if len(columns):
                unchanged += phi_without[largest, 0]
                gains[kind, largest] = phi_without[largest - 1, 0] - phi_without[largest, 0] if largest > 1 else 0.0
        out[row] = total
        if len(columns) == 0:
            continue
        for kind in range(3):
            for rank in range(candidates, 0, -1):
                gains[kind, rank] += gains[kind, rank + 1]
        for place in range(candidates):
            p = order[row, place]
            s = less_there[row, p]
            if p < len(columns) and groups[p] != own_group:
                largest = max(place, s) + 1
                gain = gains[0, place + 2] + gains[1, s + 2] + gains[2, largest + 1]
                columns[p] += unchanged - phi_without[largest, 0] + gain - total
        gains[:] = 0.0


class AreaRows:
    """The areas of a job's queries (nan outside the sample), and the changes of their sum without each test point."""

    families = frozenset({"order_curves"})

    def __init__(self, problem: Problem, size: int, ordered: OrderedRows) -> None:
        n_test, M = problem.n_test, problem.M
        self.problem, self.ordered = problem, ordered
        self.areas, self.columns = np.full(size, np.nan), np.zeros((n_test, 1))
        self.tables = _phi_sums(M), _phi_sums(M - 1) if n_test else np.empty((0, 3))
        self.is_sampled = np.zeros(problem.m, dtype=np.bool_)
        self.is_sampled[problem.canonical[sampled_queries(problem.m, M)]] = True

    def add(self, x: Array, z: Array, i: int, row: int) -> None:
        """Add queries from i on, whose keys are x and z."""
        problem, is_sampled, areas = self.problem, self.is_sampled[i : i + len(x)], self.areas[row : row + len(x)]
        here, there = self.ordered.order(x, z, i, is_sampled)
        ties = (here.state | there.state) > 0
        wanted = (is_sampled & ~ties).astype(np.uint8)
        if wanted.any():
            rest: tuple[Any, ...] = here.order, there.less, problem.groups, self.columns[:, 0], areas
            _untied_areas(i, problem.M, wanted, *self.tables, *rest)
        wanted = (is_sampled & ties).astype(np.uint8)
        if wanted.any():
            rest = *self.tables, *here, *there, problem.groups, self.columns, areas[:, None]
            rest = *rest, *scratch(problem.n)
            sum_rows(i, problem.M, np.zeros(1, dtype=np.int64), wanted, *rest)
        areas -= 1.0  # shuffled codes have a sum of 1 and an area of 0

    def close(self, part: Part) -> None:
        """Write the areas to a job's part."""
        part.rows["areas"], part.columns["areas"] = self.areas, self.columns[:, 0]


class OrderCurvesFamily(OptionalStatistic):
    """Areas under the curves of all queries, or of a sample if there are too many; then there is a note."""

    name = "order_curves"
    passes = 0

    def finish(self, problem: Problem, merged: Part, state: Any) -> OrderCurves:
        """Return the areas of the sampled queries, with a note if they are not all."""
        places = np.sort(problem.canonical[sampled_queries(problem.m, problem.M)])
        notes: tuple[Note, ...] = ()
        if len(places) < problem.m:
            text = f"rnx_auc: computed from {len(places):,} sampled queries of {problem.m:,}"
            notes = (Note("info", "rnx_auc", text),)
        return OrderCurves(merged.rows["areas"][places], merged.columns["areas"], places, notes)
