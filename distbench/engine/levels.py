"""Where all candidates of a query stand, in one space, among its members: the nearest by the other space.

Members with equal keys are a group. The level of a candidate is 2 g if it is nearer than group g of the members and
farther than the one before, and 2 g + 1 if it is tied with group g; each member has a level of its own behind these.
Most candidates are in a bucket without members, which tells their level.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from distbench.engine._jit import inner, kernel
from distbench.engine.orders import (
    ALL_IN_DOUBT,
    BITS,
    IN_DOUBT,
    TIED,
    UNSORTED,
    OrderedRows,
    bucket_of,
    cut,
    insert,
    settle,
)
from distbench.engine.problem import Problem

__all__ = ["LeveledRows", "Levels"]

Array = NDArray[np.float64]
Indices = NDArray[np.int64]
Places = NDArray[np.int32]
Flags = NDArray[np.uint8]

FEW, FEW_MEMBERS = 4, 64  # groups that are looked through one by one; members that are sorted as they come


class Levels(NamedTuple):
    """The levels of candidates in one space, and the order of the members there."""

    order: Places  # (B, n) the members by their keys
    less: Places  # (B, n) of each member: how many candidates are nearer
    upto: Places  # (B, n) and how many are nearer or tied
    level: Places  # (B, n) of each candidate; of the member at place t: 2 * groups + 1 + t
    sizes: Places  # (B, 2) how many members, and how many groups
    state: Flags  # (B,) TIED if a candidate is tied with a member


@inner
def _deal(members: Places, size: int, bucket: NDArray[np.uint16], start: Places, order: Places) -> int:
    """Write the members in the order of their buckets to `order`; return the largest number in a bucket."""
    fullest = 0
    for b in range(len(start)):
        start[np.uint64(b)] = 0
    for t in range(size):
        start[np.uint64(bucket[members[t]]) + np.uint64(1)] += 1
    for b in range(1, len(start)):
        fullest = max(fullest, start[b])
        start[b] += start[b - 1]
    for t in range(size):
        at = np.uint64(bucket[members[t]])
        order[start[at]] = members[t]
        start[at] += 1
    return fullest


@inner
def _add_doubt(row: int, p: int, q: int, used: int, doubts: Places) -> int:
    """List two candidates of a row if there is room; return how many are listed, or would be."""
    if used + 2 <= doubts.shape[1]:
        doubts[0, used] = doubts[0, used + 1] = row
        doubts[1, used], doubts[1, used + 1] = p, q
    return used + 2


@kernel
def level_rows(
    keys: Array,
    tolerance: float,
    most: int,
    members: Places,
    upto_here: Places,
    of: NDArray[np.uint16],
    start: Places,
    scale: Array,
    order: Places,
    less: Places,
    upto: Places,
    level: Places,
    sizes: Places,
    state: Flags,
    values: Array,
    rooms: Places,
    doubts: Places,
) -> int:
    """Write the levels of rows that have a state, and their new state; return the number of doubts.

    members : (B, n) by their keys in the other space, those tied with number `most` included. values : (n,) scratch.
    rooms : (4, 2 n or buckets, + 2) scratch. doubts : see `sort_rows`.
    """
    n, buckets, used = keys.shape[1], start.shape[1] - 2, 0
    table, stops, starts, counts = rooms[0], rooms[1], rooms[2], rooms[3]
    for row in range(len(keys)):
        if not state[row]:
            continue
        error, before = tolerance if state[row] == UNSORTED else 0.0, used
        size, bucket, candidates = upto_here[row, members[row, most - 1]], of[row], keys[row]
        there, own_level = order[row], level[row]
        low, per_unit, top = scale[row, 0], scale[row, 1], np.float64(buckets - 1)
        fullest = size
        for t in range(size):
            there[t] = members[row, t]
        if size > FEW_MEMBERS:
            fullest = _deal(members[row], size, bucket, table[: buckets + 2], there)
        for place in range(size):
            values[place] = candidates[there[place]]
        insert(values, there, size, fullest)
        groups, done = 0, 0
        for place in range(size):
            if place == 0 or values[place] > values[groups - 1]:
                values[groups], starts[groups] = values[place], place
                groups += 1
        starts[groups] = size
        for g in range(groups):  # keys that were in doubt may belong to the next bucket
            own = int(bucket[there[starts[g]]])
            key, reach = values[g], 2.0 * tolerance * values[g]
            if scale[row, 2] > 0.0:
                key, reach = np.float64(candidates.view(np.int64)[there[starts[g]]]), 2.0 * tolerance * BITS
            first = min(own, bucket_of(key - reach, low, per_unit, top))
            last = max(own, bucket_of(key + reach, low, per_unit, top))
            counts[2 * g] = start[row, first] - start[row, done] if first > done else 0
            counts[2 * g + 1] = starts[g + 1] - starts[g]
            if error > 0.0:
                for place in range(max(1, starts[g]), starts[g + 1]):
                    if place > starts[g] or values[g] - values[g - 1] <= error * values[g]:
                        used = _add_doubt(row, there[place - 1], there[place], used, doubts)
            for b in range(done, first):
                table[np.uint64(b)] = 2 * g
            for b in range(max(done, first), last + 1):
                table[np.uint64(b)] = -1 - g
            for b in range(first, last + 1):
                stops[np.uint64(b)] = g + 1
            done = max(done, last + 1)
        for b in range(done, buckets + 1):
            table[np.uint64(b)] = 2 * groups
        for p in range(n):
            own_level[np.uint64(p)] = table[np.uint64(bucket[np.uint64(p)])]
        for place in range(size):
            own_level[there[place]] = 2 * groups + 1 + place
        for p in range(n):
            if own_level[p] >= 0:
                continue
            key, g, stop = candidates[p], -1 - own_level[p], stops[bucket[p]]
            while stop - g > FEW:
                middle = (g + stop) // 2
                g, stop = (middle + 1, stop) if values[middle] < key else (g, middle)
            while g < stop and values[g] < key:
                g += 1
            is_tied = g < groups and values[g] == key
            own_level[p] = 2 * g + is_tied
            counts[2 * g + is_tied] += 1
            if error > 0.0:
                if g > 0 and key - values[g - 1] <= error * key:
                    used = _add_doubt(row, p, there[starts[g - 1]], used, doubts)
                if g < groups and values[g] - key <= error * values[g]:
                    used = _add_doubt(row, p, there[starts[g]], used, doubts)
        below, ties = 0, 0
        for g in range(groups):
            below += counts[2 * g]
            equal = counts[2 * g + 1]
            ties += equal - 1
            for place in range(starts[g], starts[g + 1]):
                p = there[place]
                less[row, p], upto[row, p] = below, below + equal
            below += equal
        sizes[row, 0], sizes[row, 1] = size, groups
        state[row] = TIED if ties else 0
        if used > before:
            state[row] |= IN_DOUBT
        if used > doubts.shape[1]:
            used, state[row] = before, ALL_IN_DOUBT
    return used


@kernel
def walk_rows(
    candidates: int,
    most: int,
    members: Places,
    less_here: Places,
    upto_here: Places,
    order_there: Places,
    upto_there: Places,
    state_there: Flags,
    is_wanted: NDArray[np.bool_],
    order: Places,
    level: Places,
    sizes: Places,
) -> None:
    """Write the levels of wanted rows whose candidates are all ordered in both spaces, as `level_rows` does."""
    for row in range(len(members)):
        if not is_wanted[row]:
            continue
        size, own_level = upto_here[row, members[row, most - 1]], level[row]
        ordered, place, found, groups = order_there[row], 0, 0, 0
        for place in range(0 if state_there[row] else candidates):  # no branches: half of them would be guessed wrong
            p = np.uint64(ordered[np.uint64(place)])
            order[row, np.uint64(found)] = p
            own_level[p] = 2 * found
            found += 1 if less_here[row, p] < size else 0
            groups = found
        while state_there[row] and place < candidates:
            first, start, stop = found, place, upto_there[row, ordered[place]]
            for place in range(start, stop):
                p = np.uint64(ordered[place])
                order[row, np.uint64(found)] = p
                found += 1 if less_here[row, p] < size else 0
            is_group = 1 if found > first else 0
            for place in range(start, stop):
                own_level[ordered[place]] = 2 * groups + is_group
            groups, place = groups + is_group, stop
        for place in range(size):
            own_level[order[row, place]] = 2 * groups + 1 + place
        if candidates < len(own_level):
            own_level[ordered[candidates]] = 2 * groups
        sizes[row, 0], sizes[row, 1] = size, groups


class LeveledRows:
    """Finds the levels of the candidates of a few queries at a time in both spaces, once both are ordered."""

    def __init__(self, problem: Problem, ordered: OrderedRows, most: int) -> None:
        n = problem.n
        self.ordered, self.most = ordered, min(most, problem.M)
        self.room = self.found = _levels((0, n))
        self.scratch = np.empty((4, 2 + max(2 * n, len(ordered.following))), dtype=np.int32)

    def find(self, side: int, keys: Array, i: int, wanted: NDArray[np.bool_]) -> Levels:
        """Return the levels of the candidates of wanted queries from i on, in the space of a side with these keys."""
        ordered = self.ordered
        here, buckets, space = ordered.orders[1 - side], ordered.buckets[side], ordered.spaces[side]
        if len(keys) > len(self.room.order):
            self.room = _levels(keys.shape)
        if len(keys) != len(self.found.order):
            self.found = cut(self.room, keys)
        found = self.found

        if ordered.most == ordered.candidates:
            there = ordered.orders[side]
            given = here.order, here.less, here.upto, there.order, there.upto, there.state
            walk_rows(ordered.candidates, self.most, *given, wanted, found.order, found.level, found.sizes)
            return found._replace(less=there.less, upto=there.upto, state=there.state)

        def find(state: Flags) -> int:
            rest = here.order, here.upto, *buckets[:3], *found[:5], state, ordered.values, self.scratch, ordered.doubts
            return level_rows(keys, space.tolerance, self.most, *rest)

        return found._replace(state=settle(find, space, keys, i, wanted, ordered.doubts))


def _levels(shape: tuple[int, int]) -> Levels:
    sizes, state = np.empty((shape[0], 2), dtype=np.int32), np.empty(shape[0], dtype=np.uint8)
    order, less, upto, level = np.empty((4, *shape), dtype=np.int32)
    return Levels(order, less, upto, level, sizes, state)
