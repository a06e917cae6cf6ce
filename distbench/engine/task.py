"""A task: the statistics of a run of consecutive queries against all candidates."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from distbench.engine import moments, ranks, shepard, tails, triplets
from distbench.engine.distances import row_distances

__all__ = ["FAMILIES", "Part", "Problem", "run_task"]

Array = NDArray[np.float64]
Indices = NDArray[np.int64]
TailRow = tuple[int, Array, Indices]  # query, ratios, partners

FAMILIES = frozenset({"ranks", "moments", "shepard", "triplets"})


@dataclass(frozen=True)
class Problem:
    """What every task reads."""

    x: Array  # (d, n) candidates as columns, the queries first if they are candidates
    z: Array
    queries_x: Array  # (m, d)
    queries_z: Array
    n_test: int  # queries among the candidates: m or 0
    k: int
    families: frozenset[str]
    pilot: shepard.Pilot | None

    @property
    def n(self) -> int:
        """Number of columns: candidates, and the query itself where it is one of them."""
        return int(self.x.shape[1])

    @property
    def M(self) -> int:  # noqa: N802 - the name of the definitions
        """Number of candidates of each query."""
        return self.n - 1 if self.n_test else self.n


@dataclass
class Part:
    """What one task found: rows of its own queries, sums over them for each test column, totals."""

    start: int
    rows: dict[str, Array] = field(default_factory=dict)
    columns: dict[str, Array] = field(default_factory=dict)
    totals: dict[str, Array] = field(default_factory=dict)
    joint: NDArray[np.int64] | None = None
    tails: list[TailRow] = field(default_factory=list)


def run_task(problem: Problem, start: int, size: int) -> Part:
    """Gather the statistics of queries start..start + size - 1."""
    part = Part(start)
    stop = min(start + size, len(problem.queries_x))
    _allocate(part, problem, stop - start)
    a, b = np.empty(problem.n), np.empty(problem.n)
    scratch = _Scratch(problem.n)
    for i in range(start, stop):
        row_distances(problem.queries_x[i], problem.x, a)
        row_distances(problem.queries_z[i], problem.z, b)
        if "moments" in problem.families:
            _moments(part, problem, i, a, b)
        if "shepard" in problem.families:
            _shepard(part, problem, i, a, b)
        if "triplets" in problem.families:
            _triplets(part, problem, i, a, b)
        if "ranks" in problem.families:
            _ranks(part, problem, i, a, b, scratch)
    return part


class _Scratch:
    """Buffers that the rank kernels reuse from query to query."""

    def __init__(self, n: int) -> None:
        self.classes_x = np.empty(n, dtype=np.int8)
        self.classes_z = np.empty(n, dtype=np.int8)
        self.place = np.empty(n, dtype=np.int32)


def _allocate(part: Part, problem: Problem, size: int) -> None:
    families, pilot = problem.families, problem.pilot
    if "ranks" in families:
        for name in ("trust", "continuity"):
            part.rows[name] = np.empty((size, 3))  # sum, worst neighbour, its rank
            part.columns[name] = np.zeros(problem.n_test)
        part.rows["overlap"] = np.empty(size)
        part.columns["overlap"] = np.zeros(problem.n_test)
    if "moments" in families:
        part.rows["moments"] = np.zeros((size, moments.N_MOMENTS))
        part.rows["ratios"] = np.tile([np.inf, -np.inf], (size, 1))
        part.rows["partners"] = np.full((size, 2), -1.0)
        part.totals["moments"] = np.zeros(moments.N_MOMENTS)
    if "triplets" in families:
        part.rows["triplets"] = np.empty(size)
        part.columns["triplets"] = np.zeros(problem.n_test)
    if "shepard" in families and pilot is not None:
        part.rows["rank_sums"] = np.zeros((size, 6))
        part.joint = np.zeros((len(pilot.a.cdf), len(pilot.b.cdf)), dtype=np.int64)


def _spans(problem: Problem, i: int) -> list[tuple[int, int, bool]]:
    """Return the columns of query i's candidates: start, stop, and whether another query sees the pair too.

    A pair of two queries is counted in full by the later part of the earlier query's row.
    """
    if not problem.n_test:
        return [(0, problem.n, False)]
    return [(0, i, True), (i + 1, problem.n_test, True), (problem.n_test, problem.n, False)]


def _moments(part: Part, problem: Problem, i: int, a: Array, b: Array) -> None:
    assert problem.pilot is not None
    row, total = part.rows["moments"][i - part.start], part.totals["moments"]
    ratios, partners = part.rows["ratios"][i - part.start], np.full(2, -1)
    for start, stop, shared in _spans(problem, i):
        sums = np.zeros(moments.N_MOMENTS)
        moments.add_moments(a[start:stop], b[start:stop], problem.pilot.scale, sums)
        moments.extreme_ratios(a[start:stop], b[start:stop], start, ratios, partners)
        row += sums
        total += sums / 2 if shared else sums
    part.rows["partners"][i - part.start] = partners


def _shepard(part: Part, problem: Problem, i: int, a: Array, b: Array) -> None:
    pilot = problem.pilot
    assert pilot is not None
    assert part.joint is not None
    sums = part.rows["rank_sums"][i - part.start]
    for start, stop, shared in _spans(problem, i):
        ab = a[start:stop], b[start:stop]
        shepard.add_shepard(
            *ab,
            1 if shared else 2,
            pilot.a,
            pilot.b,
            pilot.factor,
            part.joint,
            sums,
        )
        if not (shared and start < i):  # a pair of queries is kept once, by the earlier one
            ratios, partners = tails.tail_ratios(*ab, *pilot.tails)
            part.tails.append((i, ratios, partners + start))


def _triplets(part: Part, problem: Problem, i: int, a: Array, b: Array) -> None:
    if problem.M <= triplets.MAX_CANDIDATES:
        candidates = np.arange(problem.n)
    else:  # seeded by the query, so that the sample does not depend on how queries are cut into tasks
        candidates = np.random.default_rng(i).choice(problem.n, triplets.MAX_CANDIDATES, replace=False)
    if problem.n_test:
        candidates = candidates[candidates != i]
    part.rows["triplets"][i - part.start] = triplets.add_triplets(
        a, b, candidates, problem.n_test, part.columns["triplets"]
    )


def _ranks(part: Part, problem: Problem, i: int, a: Array, b: Array, scratch: _Scratch) -> None:
    if problem.n_test:
        a[i] = b[i] = np.inf  # no point is its own neighbour
    row, k, n_test = i - part.start, problem.k, problem.n_test
    classes_x, classes_z = scratch.classes_x, scratch.classes_z
    weights_x = ranks.classify(a, k, classes_x)
    weights_z = ranks.classify(b, k, classes_z)
    part.rows["trust"][row] = ranks.rank_excess(
        classes_z, weights_z, a, k, n_test, part.columns["trust"], scratch.place
    )
    part.rows["continuity"][row] = ranks.rank_excess(
        classes_x, weights_x, b, k, n_test, part.columns["continuity"], scratch.place
    )
    part.rows["overlap"][row] = ranks.overlap(
        classes_x, weights_x, classes_z, weights_z, n_test, part.columns["overlap"]
    )
