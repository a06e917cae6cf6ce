"""The order of queries' candidates by their keys, in both spaces.

Candidates are dealt out to buckets of equal width, of which there are more than candidates, and then sorted by
insertion, which has little left to do. Candidates with equal keys are a group: `less` of them are nearer, and `upto`
are nearer or tied. Keys may be rounded; those whose order is in doubt are computed again.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from distbench.engine._jit import counting, kernel
from distbench.engine.problem import Problem

__all__ = ["Order", "OrderedRows"]

Array = NDArray[np.float64]
Indices = NDArray[np.int64]
Places = NDArray[np.int32]
Flags = NDArray[np.uint8]

BUCKETS_PER_CANDIDATE = 4
MAX_BUCKETS = (1 << 16) - 2
SAMPLE = 64  # candidates whose keys tell the width of the buckets
MAX_SHIFTS = 16  # for each candidate; if insertion moves more, numpy sorts the keys
TIED, IN_DOUBT, ALL_IN_DOUBT, UNSORTED = 1, 2, 4, 8  # bits of a row's state
ROOM_FOR_DOUBTS = 1 << 12  # in each space, for a few queries


class Order(NamedTuple):
    """The candidates of some queries in one space; a query that is a candidate itself is the last."""

    order: Places  # (B, n) the candidates by their keys
    less: Places  # (B, n) of each candidate: how many are nearer
    upto: Places  # (B, n) and how many are nearer or tied
    state: Flags  # (B,) bits


@counting
def deal(
    keys: Array, first: int, own: bool, state: Flags, bucket: NDArray[np.uint16], start: Places, order: Places
) -> None:
    """Write the candidates in the order of their buckets to `order`, in rows that have a state.

    Queries that are candidates come last; their own keys are overwritten. bucket : (n,) scratch. start : (buckets + 2,)
    scratch.
    """
    n, buckets = keys.shape[1], len(start) - 2
    for row in range(len(keys)):
        if not state[row]:
            continue
        skip = first + row if own else n
        if own and n > 1:
            keys[row, skip] = keys[row, 0 if skip else 1]  # so that loops need not leave it out
        values, low, high, top = keys[row], np.inf, -np.inf, np.float64(buckets - 1)
        for p in range(n):
            low = values[p] if values[p] < low else low
            high = values[p] if values[p] > high else high
        largest, second = low, low  # of a sample: few candidates are farther, and these share the last bucket
        for p in range(0, n, n // SAMPLE + 1):
            if values[p] > second:
                second = values[p]
                if second > largest:
                    largest, second = second, largest
        span = second + (second - low)
        per_unit = buckets / ((high if high < span else span) - low)
        per_unit = per_unit if 0.0 < per_unit < 1e300 else 0.0
        for p in range(n):
            place = (values[p] - low) * per_unit
            bucket[p] = np.uint16(place if place < top else top)
        if own:
            bucket[skip] = buckets
        for b in range(buckets + 2):
            start[b] = 0
        for p in range(n):
            start[bucket[p] + 1] += 1
        for b in range(1, buckets + 2):
            start[b] += start[b - 1]
        for p in range(n):
            place = start[bucket[p]]
            order[row, place] = p
            start[bucket[p]] = place + 1


@kernel
def sort_rows(
    keys: Array,
    candidates: int,
    tolerance: float,
    order: Places,
    less: Places,
    upto: Places,
    state: Flags,
    values: Array,
    doubts: Places,
) -> int:
    """Sort the rows that have a state, find groups, and write their new state; return the number of doubts.

    Candidates whose keys differ by no more than rounding are listed in `doubts` (2, room): rows and candidates; the
    keys of rows that were in doubt are exact. values : (n,) scratch.
    """
    n, used = keys.shape[1], 0
    for row in range(len(keys)):
        if not state[row]:
            continue
        error = tolerance if state[row] == UNSORTED else 0.0
        for place in range(candidates):  # loops of one kind each: they run in vector registers
            values[place] = keys[row, order[row, place]]
        shifts = MAX_SHIFTS * n
        for place in range(1, candidates):
            if values[place] < values[place - 1]:
                key, p, before = values[place], order[row, place], place
                while before > 0 and values[before - 1] > key:
                    values[before], order[row, before] = values[before - 1], order[row, before - 1]
                    before -= 1
                values[before], order[row, before] = key, p
                shifts -= place - before
                if shifts < 0:
                    break
        if shifts < 0:
            state[row] = UNSORTED
            continue
        ties, close = 0, 0
        for place in range(1, candidates):
            gap = values[place] - values[place - 1]
            ties += 1 if gap == 0.0 else 0
            close += 1 if gap <= error * values[place] else 0
        state[row] = TIED if ties else 0
        start = 0
        for place in range(candidates):
            p = order[row, place]
            less[row, p], upto[row, p] = place, place + 1
        while ties and start < candidates:
            stop = start + 1
            while stop < candidates and values[stop] == values[start]:
                stop += 1
            for place in range(start, stop):
                p = order[row, place]
                less[row, p], upto[row, p] = start, stop
            start = stop
        if candidates < n:
            less[row, order[row, candidates]] = upto[row, order[row, candidates]] = n
        if error == 0.0 or close == 0:
            continue
        if used + 2 * close > doubts.shape[1]:
            state[row] = ALL_IN_DOUBT
            continue
        state[row] |= IN_DOUBT
        for place in range(1, candidates):
            if values[place] - values[place - 1] <= error * values[place]:
                for step in range(2):
                    doubts[0, used], doubts[1, used] = row, order[row, place - step]
                    used += 1
    return used


class OrderedRows:
    """Orders the candidates of a few queries at a time in both spaces, once for all who ask."""

    def __init__(self, problem: Problem) -> None:
        n = problem.n
        self.spaces, self.own, self.candidates = (problem.x, problem.z), problem.n_test > 0, problem.M
        buckets = int(np.clip(BUCKETS_PER_CANDIDATE * n, 1, MAX_BUCKETS))
        self.bucket, self.start = np.empty(n, dtype=np.uint16), np.empty(buckets + 2, dtype=np.int32)
        self.values, self.doubts = np.empty(n), np.empty((2, ROOM_FOR_DOUBTS), dtype=np.int32)
        self.room, self.state = np.empty((2, 3, 0, n), dtype=np.int32), np.empty((2, 0), dtype=np.uint8)
        self.first, self.done = -1, np.empty(0, dtype=np.bool_)

    def order(self, x: Array, z: Array, i: int, wanted: NDArray[np.bool_]) -> tuple[Order, Order]:
        """Return the orders by the keys of queries from i on, of those that are wanted, in both spaces."""
        size = len(x)
        if size > self.room.shape[2]:
            self.room = np.empty((2, 3, *x.shape), dtype=np.int32)
        if i != self.first:
            self.first, self.done, self.state = i, np.zeros(size, dtype=np.bool_), np.zeros((2, size), dtype=np.uint8)
        rest = wanted & ~self.done
        if rest.any():
            for side, keys in enumerate((x, z)):
                self._order(side, keys, i, rest)
            self.done |= wanted
        x_room, z_room = self.room[:, :, :size]
        return Order(x_room[0], x_room[1], x_room[2], self.state[0]), Order(
            z_room[0], z_room[1], z_room[2], self.state[1]
        )

    def _order(self, side: int, keys: Array, i: int, wanted: NDArray[np.bool_]) -> None:
        space, (order, less, upto) = self.spaces[side], self.room[side, :, : len(keys)]
        state = np.where(wanted, np.uint8(UNSORTED), np.uint8(0))
        deal(keys, i, self.own, state, self.bucket, self.start, order)
        while state.any():
            before, of_rows = state > 0, (order, less, upto, state)
            used = sort_rows(keys, self.candidates, space.tolerance, *of_rows, self.values, self.doubts)
            self.state[side, before] = state[before] & TIED
            state &= ~np.uint8(TIED)
            for row in np.flatnonzero(state == UNSORTED).tolist():
                by_key = np.argsort(keys[row])
                order[row, : self.candidates] = by_key[by_key != i + row] if self.own else by_key
            rows, columns = self.doubts[:, :used].astype(np.int64)
            keys[rows, columns] = space.pair_keys(i + rows, columns)
            for row in np.flatnonzero(state == ALL_IN_DOUBT).tolist():
                keys[row] = space.exact_keys(i + row)
