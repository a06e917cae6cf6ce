"""A job: computes the statistics of consecutive queries, each among all candidates."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from distbench.engine import moments, neighbors, pairs, ranks, triplets
from distbench.engine.orders import OrderedRows
from distbench.engine.parallel.blas import one_blas_thread
from distbench.engine.partial_sums import Part
from distbench.engine.problem import Problem
from distbench.engine.ratio_tails import grown
from distbench.engine.relative_ranks import RelativeRows
from distbench.engine.rnx_curve import AreaRows

__all__ = ["key_blocks", "release_buffers", "run_job"]

Array = NDArray[np.float64]
Indices = NDArray[np.int64]

CACHED_KEYS = 1 << 17  # so few that they stay in the second-level cache while all families read them


def run_job(problem: Problem, rows: range) -> Part:
    """Return the statistics of the queries at `rows`."""
    need_all = problem.families & (RelativeRows.families | AreaRows.families)
    ordered = OrderedRows(problem, problem.M if need_all else max(problem.ks) + 1)
    families: list[Any] = [sums(problem, len(rows)) for sums in (_Pairs, _Triplets) if sums.families & problem.families]
    families += [sums(problem, len(rows), ordered) for sums in BY_ORDER if sums.families & problem.families]
    for i, x, z in key_blocks(problem, rows):
        for family in families:  # ranks last: they overwrite the queries' own keys
            family.add(x, z, i, i - rows.start)
    part = Part()
    for family in families:
        family.close(part)
    return part


def key_blocks(problem: Problem, rows: range) -> Iterator[tuple[int, Array, Array]]:
    """Yield the first of a few queries, and the keys of these in both spaces, which may be changed."""
    step = max(1, CACHED_KEYS // problem.n)
    spaces = problem.x, problem.z
    buffers = _buffers(problem, step)
    with one_blas_thread():
        for start in range(rows.start, rows.stop, problem.block):
            stop = min(start + problem.block, rows.stop)
            blocks = [
                space.keys(start, stop, buffer[: stop - start]) if space.by_products else None
                for space, buffer in zip(spaces, buffers, strict=True)
            ]
            for i in range(start, stop, step):
                end = min(i + step, stop)
                x, z = (
                    space.keys(i, end, buffer[: end - i]) if block is None else block[i - start : end - start]
                    for space, buffer, block in zip(spaces, buffers, blocks, strict=True)
                )
                yield i, x, z


_thread = threading.local()


def release_buffers() -> None:
    """Free this thread's buffers."""
    _thread.__dict__.clear()


def _buffers(problem: Problem, step: int) -> list[Array]:
    """Return buffers for keys in both spaces; all jobs of a thread use the same, because new memory is slow."""
    shapes = [(problem.block if space.by_products else step, problem.n) for space in (problem.x, problem.z)]
    if getattr(_thread, "shapes", None) != shapes:
        _thread.shapes, _thread.buffers = shapes, [np.empty(shape) for shape in shapes]
    buffers: list[Array] = _thread.buffers
    return buffers


class _Ranks:
    families = frozenset({"ranks"})

    def __init__(self, problem: Problem, size: int, ordered: OrderedRows) -> None:
        n_test, n_k = problem.n_test, len(problem.ks)
        self.problem, self.out = problem, np.zeros((n_k, size, neighbors.WIDTH))
        self.tolerances = problem.x.tolerance, problem.z.tolerance
        self.open = ranks.RankRows(problem, self.out, ordered)
        self.is_quick = sum(problem.ks) <= neighbors.MAX_NEIGHBORS and not problem.families & RelativeRows.families
        self.quick_columns = np.zeros((n_k, 3, n_test if self.is_quick else 0))
        self.singles = np.empty((2, problem.n), dtype=np.float32)

    def add(self, x: Array, z: Array, i: int, row: int) -> None:
        groups, signs, out = self.problem.groups, self.problem.signs, self.out[:, row : row + len(x)]
        is_open = np.full((len(self.out), len(x)), 0 if self.is_quick else neighbors.ALL_OPEN, dtype=np.uint8)
        for keys in (x, z) if self.problem.n_test else ():
            keys[np.arange(len(x)), np.arange(i, i + len(x))] = np.inf  # no point is its own neighbor
        for index, k in enumerate(self.problem.ks if self.is_quick else ()):
            of_k = self.singles, self.quick_columns[index], out[index], is_open[index]
            neighbors.rank_rows((x, z), i, k, self.tolerances, groups, signs, *of_k)
        if is_open.any():
            self.open.add(x, z, i, row, np.ascontiguousarray(is_open.T))

    def close(self, part: Part) -> None:
        columns = self.open.columns
        if self.is_quick:
            columns += np.moveaxis(self.quick_columns, 2, 0)
        part.rows["ranks"], part.columns["ranks"] = self.out.swapaxes(0, 1), columns


class _Triplets:
    families = frozenset({"triplets"})

    def __init__(self, problem: Problem, size: int) -> None:
        self.problem, self.tolerances = problem, (problem.x.tolerance, problem.z.tolerance)
        self.out, self.columns = np.empty(size), np.zeros(problem.n_test)

    def add(self, x: Array, z: Array, i: int, row: int) -> None:
        problem, tolerances = self.problem, self.tolerances
        size = problem.triplet_candidates
        if size == problem.M and any(tolerances):  # all candidates: exact keys for an exact value
            x, z = (np.stack([s.exact_keys(q) for q in range(i, i + len(x))]) for s in (problem.x, problem.z))
            tolerances = 0.0, 0.0
        sample = problem.places[i : i + len(x)], problem.order, *tolerances, problem.n_test, problem.groups
        scratch = np.empty(size, dtype=np.int64), np.empty((3, size))
        triplets.triplet_rows(x, z, i, *sample, *scratch, self.columns, self.out[row : row + len(x)])

    def close(self, part: Part) -> None:
        part.rows["triplets"], part.columns["triplets"] = self.out, self.columns


class _Pairs:
    families = frozenset({"moments", "shepard"})

    def __init__(self, problem: Problem, size: int) -> None:
        look = problem.first_look
        assert look is not None
        self.task = pairs.PairTask(
            *(problem.x.root, problem.z.root, problem.x.factor, problem.z.factor),
            *(look.scale, problem.unit, problem.m, problem.n_test),
            *("shepard" in problem.families, look.factor),
            *(look.a.low, look.a.per_unit, look.b.low, look.b.per_unit),
            *look.tails,
        )
        cells = max(len(look.a.table), len(look.b.table))
        self.tables = look.a.edges, look.b.edges, look.a.table, look.b.table
        self.counts, self.influence = np.zeros((2, cells), dtype=np.int64), np.zeros(problem.n_test)
        self.scratch = np.zeros((4, pairs.STRETCH_CANDIDATES))
        self.places = np.empty((2, pairs.STRETCH_CANDIDATES), dtype=np.uint32)
        self.shared, self.alone = np.zeros((2, size, moments.N_MOMENTS))
        self.extremes, self.ranked = np.tile([np.inf, -np.inf], (size, 1)), np.zeros((size, 2))
        self.others = np.zeros((max(0, problem.n_test - problem.m), moments.N_MOMENTS))
        self.tails = np.empty(0), np.empty(0, dtype=np.int32), np.empty(0, dtype=np.int32)
        self.used = 0

    def add(self, x: Array, z: Array, i: int, row: int) -> None:
        block = slice(row, row + len(x))
        rows = self.shared[block], self.alone[block], self.extremes[block], self.ranked[block]
        sums = self.counts, self.influence, self.scratch, self.places
        done = 0
        while done < len(x):
            done, self.used = pairs.pair_rows(
                x, z, i, done, self.task, *self.tables, *sums, *rows, *self.tails, self.used
            )
            if done < len(x):
                ratios, partners, owners = self.tails
                more = self.used, x.shape[1]
                self.tails = grown(ratios, *more), grown(partners, *more), grown(owners, *more)
        if len(self.others):  # as queries, whose candidates are these queries
            task, spare = self.task._replace(m=0, n_test=0, ranked=False), np.zeros((2, len(self.others), 2))
            x, z = (np.ascontiguousarray(keys[:, self.task.m : self.task.n_test].T) for keys in (x, z))
            rows = self.others, self.others, spare[0], spare[1]
            pairs.pair_rows(x, z, 0, 0, task, *self.tables, *sums, *rows, *self.tails, 0)

    def close(self, part: Part) -> None:
        part.rows["ratios"] = self.extremes
        with np.errstate(over="ignore", invalid="ignore"):  # squares of ratios may be infinite
            part.rows["moments"] = self.shared + self.alone
            part.totals["moments"] = self.shared.sum(axis=0) / 2 + self.alone.sum(axis=0)
        part.columns["others"] = self.others
        if self.task.ranked:
            part.rows["ranked"] = self.ranked
            part.totals["counts"], part.columns["influence"] = self.counts, self.influence
            ratios, partners, owners = (values[: self.used].copy() for values in self.tails)
            part.rows |= {"tail ratios": ratios, "tail i": owners, "tail j": partners}


BY_ORDER = _Ranks, RelativeRows, AreaRows  # they need the orders of candidates
