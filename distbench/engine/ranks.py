"""Rank statistics of queries, with ties, from the orders of their candidates; and their changes without single ones.

A tied rank counts the mean over the places of its group; neighbors are weighted by the classes of
`distbench.engine.overlap`.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from distbench.engine._jit import inner, kernel
from distbench.engine.levels import LeveledRows, Levels
from distbench.engine.neighbors import CONTINUITY, OVERLAP, SIGNED, TRUST
from distbench.engine.orders import Order, OrderedRows
from distbench.engine.overlap import BEYOND, EXACT, NEXT, class_of, classify, overlap_rows, scratch
from distbench.engine.problem import Problem
from distbench.engine.random_signs import SKETCHES, Signs

__all__ = ["RankRows"]

Array = NDArray[np.float64]
Indices = NDArray[np.int64]
Places = NDArray[np.int32]
Flags = NDArray[np.uint8]


@inner
def _add_changes(level: Places, groups: Indices, own_group: int, changes: NDArray[Any], columns: NDArray[Any]) -> None:
    """Add the changes of each candidate's level to its columns; a point of the query's group never leaves alone."""
    width, flat, flat_changes = columns.shape[1], columns.reshape(-1), changes.reshape(-1)
    for p in range(len(columns)):
        if groups[p] != own_group:
            place, at = p * width, int(level[p]) * width
            for index in range(width):  # unsigned indexes: the loop runs in vector registers
                flat[np.uint64(place + index)] += flat_changes[np.uint64(at + index)]


@kernel
def untied_rows(
    query: int,
    ks: Indices,
    reach: Indices,
    is_open: Flags,
    order: Places,
    less: Places,
    order_there: Places,
    less_there: Places,
    level: Places,
    sizes: Places,
    groups: Indices,
    signs: Signs,
    whole: Places,
    out: Array,
    signed: Array,
    sums: Places,
    changes: Places,
) -> None:
    """Do what `tied_rows` does, for queries without ties, all k in one sweep; changes are whole numbers.

    reach : (B,) the largest k that is open, less than the number of candidates; 0 for other queries. whole : (n_test,
    K). sums : (2, K) scratch. changes : (levels, K) scratch.
    """
    n_test, n_k = len(whole), len(ks)
    farther, following = sums[0], sums[1]
    for row in range(len(order)):
        most, own_group, size = reach[row], groups[query + row] if n_test else -1, sizes[row, 0]
        if most == 0:
            continue
        for index in range(n_k):
            farther[index] = changes[2 * size, index] = 0
            if is_open[row, index]:
                following[index] = less_there[row, order[row, ks[index]]]
                out[row, index, 1] = -1.0
        for place in range(size - 1, -1, -1):
            p, own = np.uint64(order_there[row, place]), 2 * size + 1 + place
            nearer, rank = less[row, p], less_there[row, p] + 1
            is_column = groups[p] != own_group if np.int64(p) < n_test else False
            for index in range(n_k):
                k, change = ks[index], -farther[index]
                if nearer < k and is_open[row, index]:
                    if out[row, index, 1] < 0.0:
                        out[row, index, 1], out[row, index, 2] = p, rank
                    if rank > k:
                        change -= rank - k
                        out[row, index, 0] += rank - k
                        farther[index] += 1
                    behind = following[index] + (rank > following[index]) - k
                    change += behind if behind > 0 else 0
                    for sketch in range(SKETCHES if is_column else 0):
                        signed[row, index, sketch] += change * (2.0 * ((signs[p] >> sketch) & 1) - 1.0)
                changes[own, index], changes[2 * place, index] = change, -farther[index]
        _add_changes(level[row], groups, own_group, changes, whole)


@inner
def _excess(less: int, equal: int, k: int) -> float:
    """Return the mean of max(0, place - k) over the places that `equal` tied candidates behind `less` fill.

    Callers pass integers of 64 bits, for which alone it is compiled.
    """
    first, last = (less if less > k else k) + 1, less + equal
    return (last - first + 1) * (first + last - 2 * k) / 2 / equal if last >= first and equal > 0 else 0.0


@kernel
def tied_rows(
    query: int,
    candidates: int,
    ks: Indices,
    is_open: Flags,
    order: Places,
    less: Places,
    upto: Places,
    order_there: Places,
    less_there: Places,
    upto_there: Places,
    level: Places,
    sizes: Places,
    groups: Indices,
    signs: Signs,
    columns: Array,
    out: Array,
    signed: Array,
    rooms: Indices,
    classes: Array,
    changes: Array,
) -> None:
    """Write sum_j w_j max(0, r_j - k) of queries from `query` on; the neighbors j are ranked in the other space.

    Adds the change of the sums when test candidate p is removed to ``columns[:, p]``, and those of neighbors, with
    random signs, to `signed`. is_open : (B, K) where 0, nothing is written. order_there, level, sizes : see
    `distbench.engine.levels`. columns : (K, n_test, 2), first the changes that are whole numbers: their sums are exact,
    however they are found. out : (B, K, 3) the sum, the neighbor with the largest rank, and that rank; zeros before.
    signed : (B, K, SKETCHES), zeros before. rooms, classes : `scratch` of classes. changes : (levels, 2) scratch.
    """
    n_test, n_k, ends, weights, rest = columns.shape[1], len(ks), rooms[0], classes[0], classes[1]
    sums, far, count, effects = rest[0], rest[1], rest[2], rest[3]
    for row in range(len(order)):
        own_group = groups[query + row] if n_test else -1
        for index in range(n_k):
            if not is_open[row, index]:
                continue
            k = ks[index]
            classify(k, candidates, order[row], less[row], upto[row], ends, weights)
            worst, worst_rank = -1.0, -1.0
            for c in range(4):
                sums[c] = far[c] = count[c] = 0.0
            for place in range(ends[2]):
                p = order[row, place]
                below, equal = int(np.int64(less_there[row, p])), upto_there[row, p] - less_there[row, p]
                sums[class_of(place, ends)] += _excess(below, equal, k)
                rank = below + (equal + 1) / 2
                if place < ends[1] and (rank > worst_rank or (rank == worst_rank and p < worst)):
                    worst, worst_rank = np.float64(p), rank
            value = weights[BEYOND, 0] * sums[0] + weights[BEYOND, 1] * sums[1] + weights[BEYOND, 2] * sums[2]
            out[row, index, 0] = value
            out[row, index, 1] = worst
            out[row, index, 2] = worst_rank
            # the change if a candidate is removed that is no member and nearer than all members so far
            change, stop, group = 0.0, sizes[row, 0], sizes[row, 1]
            _write(changes, 2 * group, change)
            while stop > 0:
                p, start, members = order_there[row, stop - 1], stop, 0.0
                below, upto_group = int(np.int64(less_there[row, p])), upto_there[row, p]
                while start > 0 and less_there[row, order_there[row, start - 1]] == below:
                    start -= 1
                    c = class_of(less[row, order_there[row, start]], ends)
                    members += c < BEYOND
                    count[c] += 1.0
                group -= 1
                for v in range(4):
                    effects[v] = change
                if members > 0.0:
                    equal = upto_group - below
                    term = _excess(below, equal, k)
                    drop_tied = term - _excess(below, equal - 1, k)
                    drop = term - _excess(below - 1, equal, k)
                    for v in range(4):
                        if v < BEYOND and count[v] == 0.0:  # no member of the group is of this class
                            continue
                        effects[v] = -value
                        for c in range(3):
                            effects[v] += weights[v, c] * (sums[c] - far[c] - count[c] * drop_tied)
                        if v < BEYOND:
                            effects[v] -= weights[v, v] * (term - drop_tied)
                    change = 0.0
                    for c in range(3):
                        far[c] += count[c] * drop
                        change -= weights[BEYOND, c] * far[c]
                for c in range(4):
                    count[c] = 0.0
                _write(changes, 2 * group + 1, effects[BEYOND])
                _write(changes, 2 * group, change)
                for place in range(start, stop):
                    p = order_there[row, place]
                    c = class_of(less[row, p], ends)
                    _write(changes, 2 * sizes[row, 1] + 1 + place, effects[c])
                    for sketch in range(SKETCHES if c < NEXT and p < n_test and groups[p] != own_group else 0):
                        signed[row, index, sketch] += effects[c] * (2.0 * ((signs[p] >> sketch) & 1) - 1.0)
                stop = start
            _add_changes(level[row], groups, own_group, changes, columns[index])


@inner
def _write(changes: Array, at: int, change: float) -> None:
    is_whole = change == np.floor(change)
    changes[at, 0], changes[at, 1] = (change, 0.0) if is_whole else (0.0, change)


class RankRows:
    """Rank statistics of a job's queries, and the changes of their sums without each test point.

    rows : (K, size, WIDTH), see `distbench.engine.neighbors`.
    """

    def __init__(self, problem: Problem, rows: Array, ordered: OrderedRows) -> None:
        n_k, n_test = len(problem.ks), problem.n_test
        self.problem, self.rows, self.ordered, self.ks = problem, rows, ordered, np.array(problem.ks)
        self.leveled = LeveledRows(problem, ordered, int(self.ks.max()) + 1)
        self.whole, self.in_whole = np.zeros((2, n_test, n_k), dtype=np.int32), 0
        self.changes, self.overlaps = np.zeros((2, n_k, n_test, 2)), np.zeros((n_test, 2 * n_k))
        self.room = np.empty((0, n_k), dtype=np.int32), np.empty((0, 2))

    def add(self, x: Array, z: Array, i: int, row: int, is_open: Flags) -> None:
        """Add queries from i on with keys x and z; is_open : (B, K) bits of the statistics that are not known."""
        orders = self.ordered.order(x, z, i, np.asarray(is_open.any(axis=1)))
        for side, first in enumerate((TRUST, CONTINUITY, OVERLAP)):
            wanted = np.asarray(is_open & np.uint8(1 << side))
            if not wanted.any():
                continue
            sums = np.zeros((len(x), len(self.ks), 3)), np.zeros((len(x), len(self.ks), SKETCHES))
            if first == OVERLAP:
                self._overlaps(x, i, wanted, orders, sums)
            else:
                found = self.leveled.find(side, (x, z)[side], i, np.asarray(wanted.any(axis=1)))
                self._excess(side, i, wanted, orders[1 - side], found, sums)
            place, index = np.nonzero(wanted)
            width, signed = 1 if first == OVERLAP else 3, SIGNED + side * SKETCHES
            self.rows[index, row + place, first : first + width] = sums[0][place, index, :width]
            self.rows[index, row + place, signed : signed + SKETCHES] = sums[1][place, index]

    def _excess(self, side: int, i: int, wanted: Flags, here: Order, found: Levels, sums: tuple[Array, Array]) -> None:
        reach = (self.ks * (wanted > 0)).max(axis=1)
        is_tied = ((here.state | found.state) > 0) | (reach >= self.problem.M)
        reach[is_tied] = 0
        levels = int((found.sizes[wanted.any(axis=1)] @ [1, 2]).max()) + 1
        if levels > len(self.room[1]):
            self.room = np.empty((levels, len(self.ks)), dtype=np.int32), np.empty((levels, 2))
        of_points = self.problem.groups, self.problem.signs
        if reach.any():
            self._make_room(len(wanted))
            rest: tuple[Any, ...] = *here[:2], *found[:2], *found[3:5], *of_points, self.whole[side], *sums
            rest = *rest, np.empty((2, len(self.ks)), dtype=np.int32), self.room[0]
            untied_rows(i, self.ks, reach, wanted, *rest)
        wanted = np.asarray(wanted * is_tied[:, None])
        if wanted.any():
            rest = *here[:3], *found[:5], *of_points, self.changes[side], *sums, *scratch()
            tied_rows(i, self.problem.M, self.ks, wanted, *rest, self.room[1])

    def _overlaps(self, x: Array, i: int, wanted: Flags, orders: tuple[Order, ...], sums: tuple[Array, Array]) -> None:
        both, exact = np.stack([self.ks, self.ks], axis=1), np.full(len(self.ks), EXACT)
        queries, names = np.arange(i, i + len(x)), np.arange(x.shape[1])[None]
        of_points = self.problem.groups, self.problem.signs, self.overlaps
        rest: tuple[Any, ...] = *orders[0], *orders[1], *of_points, *sums, *scratch()
        overlap_rows(queries, names, self.problem.M, both, exact, wanted, x, *rest)

    def _make_room(self, rows: int) -> None:
        """Empty the whole numbers before more rows could exceed their 32 bits; a row adds less than 4 n."""
        self.in_whole += 4 * rows * self.problem.n
        if self.in_whole >= 1 << 31:
            self.changes[..., 0] += np.swapaxes(self.whole, 1, 2)
            self.whole[:], self.in_whole = 0, 4 * rows * self.problem.n

    @property
    def columns(self) -> Array:
        """The changes of the three sums, as an array (n_test, K, 3)."""
        excess = self.whole + np.swapaxes(self.changes[..., 0] + self.changes[..., 1], 1, 2)
        overlaps = self.overlaps[:, : len(self.ks)] + self.overlaps[:, len(self.ks) :]
        return np.stack([*excess, overlaps], axis=2)
