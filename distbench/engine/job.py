"""A job: the statistics of a run of judged queries against all candidates."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from distbench.engine import moments, neighbours, pairs, ranks, tails, triplets
from distbench.engine._blas import one_blas_thread
from distbench.engine._jit import kernel
from distbench.engine.part import Part
from distbench.engine.problem import Problem

__all__ = ["run_job"]

Array = NDArray[np.float64]
Indices = NDArray[np.int64]

RANK_COLUMNS = neighbours.SQUARES + 1


def run_job(problem: Problem, rows: range) -> Part:
    """Gather the statistics of some judged queries."""
    part, todo = Part(), []
    families = problem.asked.families
    if "ranks" in families:
        todo.append(_Ranks(problem, part, len(rows)))
    if families & {"moments", "shepard"}:
        todo.append(_Pairs(problem, part, len(rows), "shepard" in families))
    if "triplets" in families:
        todo.append(_Triplets(problem, part, len(rows)))
    keys_x, keys_z = np.empty((problem.block, problem.n)), np.empty((problem.block, problem.n))
    with one_blas_thread():
        for start in range(rows.start, rows.stop, problem.block):
            stop = min(start + problem.block, rows.stop)
            x = problem.x.keys(start, stop, keys_x[: stop - start])
            z = problem.z.keys(start, stop, keys_z[: stop - start])
            for family in reversed(todo):  # ranks last: they overwrite the queries' own keys
                family.add(x, z, start, start - rows.start)
    for family in todo:
        family.close()
    return part


@kernel
def _rank_block(
    keys_x: Array,
    keys_z: Array,
    start: int,
    k: int,
    tolerances: tuple[float, float],
    n_test: int,
    columns: Array,
    out: Array,
    open_rows: NDArray[np.bool_],
) -> None:
    n = keys_x.shape[1]
    singles_x, singles_z = np.empty(n, dtype=np.float32), np.empty(n, dtype=np.float32)
    marks, places = np.zeros((2, n), dtype=np.uint8), np.empty((2, n_test), dtype=np.float32)
    for row in range(len(keys_x)):
        x, z = keys_x[row], keys_z[row]
        if n_test:
            x[start + row] = z[start + row] = np.inf  # no point is its own neighbour
        if k > neighbours.MANY_NEIGHBOURS:
            open_rows[row] = True
            continue
        for p in range(n):
            singles_x[p], singles_z[p] = x[p], z[p]
        open_rows[row] = not neighbours.rank_row(
            x, singles_x, z, singles_z, k, tolerances, n_test, marks, places, columns, out[row]
        )


class _Ranks:
    """The family of ranks."""

    def __init__(self, problem: Problem, part: Part, size: int) -> None:
        self.problem = problem
        self.out = part.rows["ranks"] = np.empty((size, RANK_COLUMNS))
        self.columns = part.columns["ranks"] = np.zeros((3, problem.n_test))
        self.part = part

    def add(self, x: Array, z: Array, start: int, row: int) -> None:
        problem, size = self.problem, len(x)
        tolerances = problem.x.tolerance, problem.z.tolerance
        left = np.empty(size, dtype=np.bool_)
        out = self.out[row : row + size]
        _rank_block(x, z, start, problem.k, tolerances, problem.n_test, self.columns, out, left)
        for place in np.flatnonzero(left):
            keys = [
                space.exact_keys(start + place) if space.tolerance else block[place]
                for space, block in ((problem.x, x), (problem.z, z))
            ]
            if problem.n_test:
                keys[0][start + place] = keys[1][start + place] = np.inf
            ranks.tied_row(*keys, problem.k, self.columns, out[place])

    def close(self) -> None:
        self.part.columns["ranks"] = self.columns.T


@kernel
def _pair_block(
    keys_x: Array,
    keys_z: Array,
    start: int,
    task: pairs.PairTask,
    sums: pairs.PairSums,
    rows: Array,
    extremes: Array,
    ranked: Array,
    found: tuple[Array, Indices, Indices, int],
) -> tuple[Array, Indices, Indices, int]:
    """Add up a block's pairs; return ratios in the tails, with whom, whose they are, and how many."""
    ratios, partners, owners, used = found
    n = keys_x.shape[1]
    for row in range(len(keys_x)):
        if task.ranked and used + n > len(ratios):
            ratios, partners, owners = (
                tails.grown(ratios, used, n),
                tails.grown(partners, used, n),
                tails.grown(owners, used, n),
            )
        end = pairs.pair_row(
            keys_x[row],
            keys_z[row],
            start + row,
            task,
            sums,
            rows[row],
            extremes[row],
            ranked[row],
            ratios,
            partners,
            used,
        )
        owners[used:end] = start + row
        used = end
    return ratios, partners, owners, used


class _Pairs:
    """The families of pairs: moments, and rank products with tails."""

    def __init__(self, problem: Problem, part: Part, size: int, ranked: bool) -> None:
        first_look = problem.first_look
        assert first_look is not None
        self.problem, self.part = problem, part
        self.rows = part.rows["moments"] = np.empty((size, moments.N_MOMENTS))
        self.extremes = part.rows["ratios"] = np.tile([np.inf, -np.inf], (size, 1))
        self.ranked = part.rows["ranked"] = np.zeros((size, 2))
        cells = max(len(first_look.a.table), len(first_look.b.table))
        others = max(0, problem.n_test - problem.m)
        self.sums = pairs.PairSums(
            total=np.zeros(moments.N_MOMENTS),
            unjudged=np.zeros((others, moments.N_MOMENTS)),
            counts=np.zeros((2, cells), dtype=np.int64),
            influence=np.zeros(problem.n_test),
            scratch=np.empty((6, pairs.STRETCH)),
            places=np.empty((2, pairs.STRETCH), dtype=np.int32),
        )
        self.task = pairs.PairTask(
            (problem.x.root, problem.z.root),
            (problem.x.factor, problem.z.factor),
            first_look.scale,
            problem.unit,
            problem.m,
            problem.n_test,
            ranked,
            first_look.a,
            first_look.b,
            first_look.factor,
            first_look.tails,
        )
        empty = np.empty(0, dtype=np.int64)
        self.found = (np.empty(0), empty, empty, 0)

    def add(self, x: Array, z: Array, start: int, row: int) -> None:
        own = slice(row, row + len(x))
        self.found = _pair_block(
            x, z, start, self.task, self.sums, self.rows[own], self.extremes[own], self.ranked[own], self.found
        )

    def close(self) -> None:
        part, (ratios, partners, owners, used) = self.part, self.found
        part.totals["moments"] = self.sums.total
        part.columns["unjudged"] = self.sums.unjudged
        if self.task.ranked:
            part.totals["counts"] = self.sums.counts
            part.columns["influence"] = self.sums.influence
            part.rows["tail ratios"] = ratios[:used].copy()
            part.rows["tail ends"] = np.column_stack([owners[:used], partners[:used]])


@kernel
def _triplet_block(
    keys_x: Array,
    keys_z: Array,
    start: int,
    order: Indices,
    size: int,
    tolerances: tuple[float, float],
    n_test: int,
    columns: Array,
    out: Array,
) -> None:
    scratch = np.empty((3, size))
    for row in range(len(keys_x)):
        i = start + row
        out[row] = triplets.add_triplets(
            keys_x[row],
            keys_z[row],
            i if n_test else -1,
            i * size % len(order),
            order,
            tolerances,
            n_test,
            scratch,
            columns,
        )


class _Triplets:
    """The family of triplets."""

    def __init__(self, problem: Problem, part: Part, size: int) -> None:
        self.problem = problem
        self.out = part.rows["triplets"] = np.empty(size)
        self.columns = part.columns["triplets"] = np.zeros(problem.n_test)

    def add(self, x: Array, z: Array, start: int, row: int) -> None:
        problem = self.problem
        tolerances = problem.x.tolerance, problem.z.tolerance
        size, out = problem.triplet_candidates, self.out[row : row + len(x)]
        if size == problem.M and any(tolerances):  # all candidates: exact keys for an exact value
            x, z = (np.stack([s.exact_keys(i) for i in range(start, start + len(x))]) for s in (problem.x, problem.z))
            tolerances = 0.0, 0.0
        _triplet_block(x, z, start, problem.order, size, tolerances, problem.n_test, self.columns, out)

    def close(self) -> None:
        """Nothing is left to do."""
