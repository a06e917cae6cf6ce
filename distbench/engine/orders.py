"""The order of queries' candidates by their keys, in both spaces: of all, or of the nearest.

Candidates are dealt out to buckets of equal width and then sorted by insertion, which has little left to do.
Candidates with equal keys are a group: `less` of them are nearer, and `upto` are nearer or tied. Keys may be rounded;
those whose order is in doubt are computed again.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from distbench.engine._jit import counting, inner, kernel
from distbench.engine.point_space import Space
from distbench.engine.problem import Problem

__all__ = ["Buckets", "Order", "OrderedRows", "bucket_of", "cut", "insert", "settle"]

Array = NDArray[np.float64]
Indices = NDArray[np.int64]
Places = NDArray[np.int32]
Flags = NDArray[np.uint8]
Rows = TypeVar("Rows", bound=tuple[Any, ...])

BUCKETS_PER_CANDIDATE = 2, 4  # where the nearest are wanted, and where all are
MAX_BUCKETS = (1 << 16) - 2
SAMPLE = 64  # candidates whose keys tell the width of the buckets
CROWDED, CROWD = 16, 0.75  # buckets of equal width do not serve if so large a share is in a 16th of them
BITS = 2.0**53  # more than the bits of a number grow if it is doubled
FEW_CANDIDATES = 4096  # to order all of so few takes less time than to compile what else is needed
FEW_PER_WANTED = 8  # candidates for each that is wanted; if there are not more, all are ordered
TIED, IN_DOUBT, ALL_IN_DOUBT, UNSORTED = 1, 2, 4, 8  # bits of a row's state
ROOM_FOR_DOUBTS = 1 << 12  # in each space, for a few queries


class Order(NamedTuple):
    """The nearest candidates of some queries in one space; where all are wanted, a query's own place comes last."""

    order: Places  # (B, n) the candidates by their keys
    less: Places  # (B, n) of each candidate: how many are nearer; n of those that are not ordered
    upto: Places  # (B, n) and how many are nearer or tied
    state: Flags  # (B,) bits


class Buckets(NamedTuple):
    """The buckets of all candidates of some queries in one space; a query's own place has the last one."""

    of: NDArray[np.uint16]  # (B, n)
    start: Places  # (B, buckets + 2) how many candidates are in earlier ones
    scale: Array  # (B, 3) the smallest key, buckets per unit of keys, and whether keys stand for their bits
    found: Places  # (B, 2) how many candidates are dealt out, and the most in a bucket


@inner
def bucket_of(key: float, low: float, per_unit: float, top: float) -> int:
    """Return the bucket of a key, of those from 0 to `top`."""
    place = (key - low) * per_unit
    place = place if place < top else top
    return int(np.int64(place if place > 0.0 else 0.0))


@counting
def _extent(values: Array) -> tuple[float, float]:
    """Return the least and the largest of some numbers."""
    low, high = np.inf, -np.inf
    for p in range(len(values)):
        low = values[p] if values[p] < low else low
        high = values[p] if values[p] > high else high
    return low, high


@counting
def deal(
    keys: Array,
    first: int,
    own: bool,
    most: int,
    margin: float,
    state: Flags,
    of: NDArray[np.uint16],
    start: Places,
    scale: Array,
    found: Places,
    following: Places,
    line: Array,
    order: Places,
) -> None:
    """Write the nearest candidates in the order of their buckets to `order`, in rows that have a state.

    Written are at least `most` of them, and all whose keys exceed theirs by a share of at most `margin`. Queries that
    are candidates come last; their own keys are overwritten. of, start, scale, found : see `Buckets`. following :
    (buckets + 2,) and line : (n,) scratch.
    """
    n, buckets = keys.shape[1], start.shape[1] - 2
    for row in range(len(keys)):
        if not state[row]:
            continue
        skip = first + row if own else n
        if own and n > 1:
            keys[row, skip] = keys[row, 0 if skip else 1]  # so that loops need not leave it out
        values, bucket, counts, top = keys[row], of[row], start[row], np.float64(buckets - 1)
        low, high = _extent(values)
        largest, second = low, low  # of a sample: few candidates are farther, and these share the last bucket
        for p in range(0, n, n // SAMPLE + 1):
            if values[p] > second:
                second = values[p]
                if second > largest:
                    largest, second = second, largest
        span = second + (second - low)
        per_unit = buckets / ((high if high < span else span) - low)
        per_unit = per_unit if 0.0 < per_unit < 1e300 else 0.0
        crowded = 0
        for p in range(0, n, n // SAMPLE + 1):
            crowded += 1 if (values[p] - low) * per_unit * CROWDED < top else 0
        is_log = low >= 0.0 and crowded > CROWD * (n // (n // SAMPLE + 1))
        if is_log:  # buckets are steps of the logarithm, nearly: the bits of a number grow like it
            bits, values = values.view(np.int64), line
            for p in range(n):
                values[p] = np.float64(bits[p] if bits[p] > 0 else 0)  # those of -0.0 are negative
            low, high = _extent(values)
            per_unit = buckets / (high - low) if high > low else 0.0
        for p in range(n):
            place = (values[p] - low) * per_unit
            bucket[p] = np.uint16(place if place < top else top)
        if own:
            bucket[skip] = buckets
        for b in range(buckets + 2):
            counts[b] = 0
        for p in range(n):
            counts[bucket[p] + 1] += 1
        for b in range(1, buckets + 2):
            counts[b] += counts[b - 1]
        last = buckets
        if most < n - own and per_unit > 0.0:  # the bucket that holds the last one wanted, and what is in doubt
            last, behind = 0, buckets - 1
            while last < behind:
                middle = (last + behind) // 2
                last, behind = (last, middle) if counts[middle + 1] >= most else (middle + 1, behind)
            edge = low + (last + 1) / per_unit
            edge += margin * (BITS if is_log else edge)
            behind = bucket_of(edge, low, per_unit, top)
            last = behind if behind > last else last + 1
            last = last if last < buckets else buckets - 1
        scale[row, 0], scale[row, 1], scale[row, 2] = low, per_unit, is_log
        fullest = 0
        for b in range(last + 1):
            following[b] = counts[b]
            size = counts[b + 1] - counts[b]
            fullest = size if size > fullest else fullest
        found[row, 0], found[row, 1] = counts[last + 1] - (own if last == buckets else 0), fullest
        for p in range(n):
            if bucket[p] <= last:
                place = following[bucket[p]]
                order[row, place] = p
                following[bucket[p]] = place + 1


@inner
def insert(values: Array, places: Places, count: int, fullest: int) -> None:
    """Sort values, and places with them, that are farther from their place than `fullest` in few cases (Shell 1959)."""
    gap = max(1, fullest // 8)
    while gap > 0:
        for place in range(gap, count):
            if values[np.uint64(place)] < values[np.uint64(place - gap)]:
                key, p, before = values[place], places[place], place
                while before >= gap and values[before - gap] > key:
                    values[before], places[before] = values[before - gap], places[before - gap]
                    before -= gap
                values[before], places[before] = key, p
        gap = max(1, gap * 4 // 9) if gap > 1 else 0


@kernel
def sort_rows(
    keys: Array,
    tolerance: float,
    found: Places,
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
        error, candidates = tolerance if state[row] == UNSORTED else 0.0, found[row, 0]
        ordered, own_keys = order[row], keys[row]
        for place in range(candidates):  # unsigned indexes: the loop runs in vector registers
            values[np.uint64(place)] = own_keys[np.uint64(ordered[np.uint64(place)])]
        insert(values, order[row], candidates, found[row, 1])
        ties, close = 0, 0
        for place in range(1, candidates):
            gap = values[np.uint64(place)] - values[np.uint64(place - 1)]
            ties += 1 if gap == 0.0 else 0
            close += 1 if gap <= error * values[place] else 0
        state[row] = TIED if ties else 0
        for p in range(n if candidates < n else 0):
            less[row, p] = upto[row, p] = n
        start = 0
        for place in range(candidates):
            at = np.uint64(ordered[np.uint64(place)])
            less[row, at], upto[row, at] = place, place + 1
        while ties and start < candidates:
            stop = start + 1
            while stop < candidates and values[stop] == values[start]:
                stop += 1
            for place in range(start, stop):
                p = order[row, place]
                less[row, p], upto[row, p] = start, stop
            start = stop
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


def settle(
    find: Callable[[Flags], int], space: Space, keys: Array, i: int, wanted: NDArray[np.bool_], doubts: Places
) -> Flags:
    """Call `find` on wanted queries from i on until no key of theirs is in doubt; return which have ties.

    find : writes the state of rows that have one, and what is in doubt to `doubts`; returns how many.
    """
    state, tied = np.where(wanted, np.uint8(UNSORTED), np.uint8(0)), np.zeros(len(keys), dtype=np.uint8)
    while state.any():
        before = state > 0
        used = find(state)
        tied[before] = state[before] & TIED
        state &= ~np.uint8(TIED)
        if used:
            rows, columns = doubts[:, :used].astype(np.int64)
            keys[rows, columns] = space.pair_keys(i + rows, columns)
        for row in np.flatnonzero(state == ALL_IN_DOUBT).tolist():
            keys[row] = space.exact_keys(i + row)
    return tied


class OrderedRows:
    """Orders the candidates of a few queries at a time in both spaces, once for all who ask.

    most : how many of the nearest are wanted.
    """

    def __init__(self, problem: Problem, most: int) -> None:
        self.spaces, self.own, self.candidates = (problem.x, problem.z), problem.n_test > 0, problem.M
        self.most = most if max(FEW_CANDIDATES, FEW_PER_WANTED * most) < problem.M else problem.M
        self.values, self.doubts = np.empty(problem.n), np.empty((2, ROOM_FOR_DOUBTS), dtype=np.int32)
        self.n_buckets = int(np.clip(BUCKETS_PER_CANDIDATE[self.most == problem.M] * problem.n, 1, MAX_BUCKETS))
        self.following = np.empty(self.n_buckets + 2, dtype=np.int32)
        self.room: list[tuple[Order, Buckets]] = []
        self.orders: tuple[Order, ...] = ()
        self.buckets: tuple[Buckets, ...] = ()
        self.size, self.first, self.done = 0, -1, np.empty(0, dtype=np.bool_)

    def order(self, x: Array, z: Array, i: int, wanted: NDArray[np.bool_]) -> tuple[Order, ...]:
        """Return the orders by the keys of queries from i on, of those that are wanted, in both spaces."""
        if len(x) > self.size:
            self.size = len(x)
            self.room = [(_orders(x.shape), _buckets(x.shape, self.n_buckets)) for _ in self.spaces]
        if len(x) != len(self.done):
            cuts = ((cut(order, x), cut(buckets, x)) for order, buckets in self.room)
            self.orders, self.buckets = zip(*cuts, strict=True)
        if i != self.first:
            self.first, self.done = i, np.zeros(len(x), dtype=np.bool_)
        rest = wanted & ~self.done
        if rest.any():
            for side, keys in enumerate((x, z)):
                self._order(side, keys, i, rest)
            self.done |= wanted
        return self.orders

    def _order(self, side: int, keys: Array, i: int, wanted: NDArray[np.bool_]) -> None:
        space, (order, less, upto, state), buckets = self.spaces[side], self.orders[side], self.buckets[side]
        of = np.where(wanted, np.uint8(UNSORTED), np.uint8(0)), *buckets
        deal(keys, i, self.own, self.most, 2 * space.tolerance, *of, self.following, self.values, order)

        def find(state: Flags) -> int:
            rest = buckets.found, order, less, upto, state, self.values, self.doubts
            return sort_rows(keys, space.tolerance, *rest)

        state[wanted] = settle(find, space, keys, i, wanted, self.doubts)[wanted]


def cut(rows: Rows, like: Array) -> Rows:
    """Return the first rows of all arrays of a tuple, as many as another has."""
    return type(rows)(*(each[: len(like)] for each in rows))


def _orders(shape: tuple[int, int]) -> Order:
    order, less, upto = np.empty((3, *shape), dtype=np.int32)
    return Order(order, less, upto, np.zeros(shape[0], dtype=np.uint8))


def _buckets(shape: tuple[int, int], buckets: int) -> Buckets:
    of, start = np.empty(shape, dtype=np.uint16), np.empty((shape[0], buckets + 2), dtype=np.int32)
    return Buckets(of, start, np.empty((shape[0], 3)), np.empty((shape[0], 2), dtype=np.int32))
