"""The order of a query's candidates by their keys, as far as it is needed.

Candidates are counted in buckets of equal width. Only buckets that hold a candidate whose rank is asked for are
sorted: the few with the nearest candidates and with the neighbors of the other space, or all of them. Candidates with
equal keys are a group: `less` of them are nearer, and `upto` are nearer or tied.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from distbench.engine._jit import counting, kernel

__all__ = ["MARKED", "SORTED", "Order", "cut", "new_order", "sort_around", "sort_nearest"]

Array = NDArray[np.float64]
Places = NDArray[np.int32]
Buckets = NDArray[np.uint16]

EMPTY, WANTED, SORTED, MARKED = 0, 1, 2, 3  # states of a bucket
CANDIDATES_PER_BUCKET = 1
MAX_BUCKETS = (1 << 16) - 2
SAMPLE = 64  # candidates whose keys tell the width of the buckets
STEP_CANDIDATES = 64  # compared with one bucket at a time
MANY_SHARE = 1 / 6  # if more candidates are wanted, all are sorted at once
REACH = 8  # a bucket of so many candidates at most is sorted by comparing each with as many on both sides
FEW = 24  # sorted by insertion


class Order(NamedTuple):
    """The candidates of one query in one space; a query that is a candidate itself is left out."""

    bucket: Buckets  # (n,) of each candidate; that of the query itself is one more than the last
    scale: Array  # (3,) the least key, buckets per unit, and 1 if all buckets are sorted and no keys are equal
    start: Places  # (buckets + 2,) the number of candidates in lower buckets
    state: NDArray[np.uint8]  # (buckets,)
    cursor: Places  # (buckets + 1,) scratch
    order: Places  # (n,) the candidates by their keys, in sorted buckets
    values: Array  # (n,) their keys
    less: Places  # (n,) of each candidate in a sorted bucket: how many are nearer
    upto: Places  # (n,) and how many are nearer or tied
    raw: Array  # (n + 2 REACH,) scratch: keys by bucket
    near: Array  # (n,) scratch
    items: Places  # (n,) scratch


def new_order(n: int) -> Order:
    """Return room for the orders of queries with n candidates."""
    buckets = int(np.clip(n // CANDIDATES_PER_BUCKET, 1, MAX_BUCKETS))
    raw = np.full(n + 2 * REACH, np.inf)
    raw[:REACH] = -np.inf
    return Order(
        bucket=np.empty(n, dtype=np.uint16),
        scale=np.empty(3),
        start=np.empty(buckets + 2, dtype=np.int32),
        state=np.zeros(buckets, dtype=np.uint8),
        cursor=np.empty(buckets + 1, dtype=np.int32),
        order=np.empty(n, dtype=np.int32),
        values=np.empty(n),
        less=np.empty(n, dtype=np.int32),
        upto=np.empty(n, dtype=np.int32),
        raw=raw,
        near=np.empty(n),
        items=np.empty(n, dtype=np.int32),
    )


@counting
def _least(keys: Array) -> float:
    least = np.inf
    for p in range(len(keys)):
        least = keys[p] if keys[p] < least else least
    return least


@counting
def _largest(keys: Array) -> float:
    largest = -np.inf
    for p in range(len(keys)):
        largest = keys[p] if keys[p] > largest else largest
    return largest


@kernel
def _top(keys: Array, least: float, largest: float) -> float:
    """Return the upper end of the buckets: few candidates are farther, and these share the last bucket."""
    first, second = least, least
    for p in range(0, len(keys), max(1, len(keys) // SAMPLE)):
        key = keys[p]
        if key > second:
            second = key
            if second > first:
                first, second = second, first
    return min(largest, second + (second - least))


@kernel
def cut(keys: Array, skip: int, order: Order) -> None:
    """Count the candidates of a query in buckets; its own key, at `skip` (or -1), is infinite."""
    buckets = len(order.state)
    low, top = _least(keys), np.float64(buckets - 1)
    if skip >= 0:
        keys[skip] = low
    per_unit = buckets / (_top(keys, low, _largest(keys)) - low)
    if not 0.0 < per_unit < 1e300:
        per_unit = 0.0
    order.scale[0], order.scale[1], order.scale[2] = low, per_unit, 0.0
    for p in range(len(keys)):
        place = (keys[p] - low) * per_unit
        order.bucket[p] = np.uint16(place if place < top else top)
    if skip >= 0:
        order.bucket[skip], keys[skip] = buckets, np.inf
    start = order.start
    start[:] = 0
    shifted = start[1:]
    for p in range(len(keys)):
        shifted[order.bucket[p]] += 1
    for b in range(1, buckets + 2):
        start[b] += start[b - 1]
    order.state[:] = EMPTY


@kernel
def _key_bucket(scale: Array, top: int, key: float) -> int:
    """Return the bucket of a key; `top` is the last."""
    place = (key - scale[0]) * scale[1]
    return int(max(0.0, place)) if place < top else top


@counting
def _any_upto(bucket: Buckets, last: int) -> bool:
    edge, count = np.uint16(last), np.uint16(0)
    for p in range(len(bucket)):
        count += np.uint16(1) if bucket[p] <= edge else np.uint16(0)
    return bool(count > 0)


@kernel
def _sort_wanted(keys: Array, order: Order, first: int, last: int, wanted: int) -> None:
    """Sort the wanted buckets, which are between two; or all, if the candidates that are `wanted` are many."""
    if wanted > MANY_SHARE * len(keys):
        _sort_all(keys, order)
        return
    bucket, state, start, cursor, places = order.bucket, order.state, order.start, order.cursor, order.order
    top = len(state) - 1
    for b in range(first, last + 1):
        cursor[b] = start[b]
    for begin in range(0, len(keys), STEP_CANDIDATES):
        end = min(len(keys), begin + STEP_CANDIDATES)
        if last < top and not _any_upto(bucket[begin:end], last):
            continue
        for p in range(begin, end):
            b = bucket[p]
            if b <= last and state[b] == WANTED:
                place = cursor[b]
                places[place], order.values[place] = p, keys[p]
                cursor[b] = place + 1
    for b in range(first, last + 1):
        if state[b] == WANTED:
            state[b] = SORTED
            if start[b + 1] > start[b]:
                _sort(order.values, places, order.less, order.upto, start[b], start[b + 1])


@kernel
def sort_nearest(keys: Array, order: Order, count: int, tolerance: float) -> int:
    """Sort at least the `count` nearest candidates; return how many may be among them or tied with the next.

    ``order.order`` then has them first.
    """
    place = min(count, order.start[len(order.state)] - 1)  # of the next
    last = 0
    while order.start[last + 1] <= place:
        last += 1
    order.state[: last + 1] = WANTED
    _sort_wanted(keys, order, 0, last, order.start[last + 1])
    p = order.order[place]
    if tolerance == 0.0:
        return int(order.upto[p])
    edge = keys[p] * (1.0 + 2.0 * tolerance)
    top = _key_bucket(order.scale, len(order.state) - 1, edge)
    wanted = 0
    for b in range(last + 1, top + 1):
        if order.state[b] == EMPTY:
            order.state[b] = WANTED
            wanted += order.start[b + 1] - order.start[b]
    if wanted:
        _sort_wanted(keys, order, last + 1, top, wanted)
    place = int(order.upto[p])
    while place < order.start[top + 1] and keys[order.order[place]] <= edge:
        place += 1
    return place


@kernel
def sort_around(keys: Array, order: Order, members: Places, tolerance: float) -> None:
    """Sort the buckets of some candidates, and of those whose keys are so near that rounding may exchange them."""
    state, wanted, top = order.state, 0, len(order.state) - 1
    for p in members:
        first = last = int(order.bucket[p])
        if tolerance > 0.0:
            first = _key_bucket(order.scale, top, keys[p] * (1.0 - tolerance))
            last = _key_bucket(order.scale, top, keys[p] * (1.0 + tolerance))
        for b in range(first, last + 1):
            if state[b] == EMPTY:
                state[b] = WANTED
                wanted += order.start[b + 1] - order.start[b]
    _sort_wanted(keys, order, 0, top, wanted)


@kernel
def _sort_all(keys: Array, order: Order) -> None:
    """Sort all buckets; those of few candidates at once, without branches that depend on their keys."""
    n, buckets = len(keys), len(order.state)
    bucket, cursor, items, raw, near = order.bucket, order.cursor, order.items, order.raw[REACH:], order.near
    less, upto, places = order.less, order.upto, order.order
    cursor[:] = order.start[: buckets + 1]
    for p in range(n):
        b = bucket[p]
        place = cursor[b]
        items[place], raw[place] = p, keys[p]
        cursor[b] = place + 1
    _compare_near(order.raw, near)
    ties = 0
    for t in range(order.start[buckets]):
        code, p = int(near[t]), items[t]
        ties |= code >> 8
        first, before = t + 1 - REACH + (code & 255), (code >> 8) & 255
        less[p], upto[p], places[first + before] = first, first + before + 1 + (code >> 16), p
    for b in range(buckets):
        start, stop = order.start[b], order.start[b + 1]
        order.state[b] = SORTED
        if stop - start > REACH:
            places[start:stop], order.values[start:stop] = items[start:stop], raw[start:stop]
            ties |= _sort(order.values, places, less, upto, start, stop) != stop - start
    order.scale[2] = 0.0 if ties else 1.0


@counting
def _compare_near(raw: Array, near: Array) -> None:
    """Write how many of the keys within `REACH` are less, plus 256 (or 65,536) times the equal ones before (behind)."""
    for t in range(len(near)):
        key, code = raw[t + REACH], 0.0
        for step in range(1, REACH):
            before, behind = raw[t + REACH - step], raw[t + REACH + step]
            code += (1.0 if before < key else 0.0) + (1.0 if behind < key else 0.0)
            code += (256.0 if before == key else 0.0) + (65536.0 if behind == key else 0.0)
        near[t] = code


@kernel
def _sort(values: Array, items: Places, less: Places, upto: Places, start: int, stop: int) -> int:
    """Sort the candidates at some places, `items`, by their `values`; find their groups, and return how many."""
    if stop - start <= FEW:
        _insert(values, items, start, stop)
    else:
        _sort_parts(values, items, start, stop)
    groups = 0
    while start < stop:
        groups += 1
        end = start + 1
        while end < stop and values[end] == values[start]:
            end += 1
        for place in range(start, end):
            less[items[place]], upto[items[place]] = start, end
        start = end
    return groups


@kernel
def _sort_parts(values: Array, items: Places, start: int, stop: int) -> None:
    """Sort in three parts around a middle value, then each part."""
    open_parts = np.empty((64, 2), dtype=np.int64)
    waiting = 0
    while True:
        if stop - start <= FEW:
            _insert(values, items, start, stop)
            if waiting == 0:
                return
            waiting -= 1
            start, stop = open_parts[waiting]
            continue
        a, b, c = values[start], values[(start + stop) >> 1], values[stop - 1]
        middle = max(min(a, b), min(max(a, b), c))
        low, high, place = start, stop, start
        while place < high:
            value = values[place]
            if value < middle:
                values[place], values[low] = values[low], value
                items[place], items[low] = items[low], items[place]
                low += 1
                place += 1
            elif value > middle:
                high -= 1
                values[place], values[high] = values[high], value
                items[place], items[high] = items[high], items[place]
            else:
                place += 1
        if low - start < stop - high:  # the smaller part first, so that few parts wait
            open_parts[waiting, 0], open_parts[waiting, 1] = high, stop
            stop = low
        else:
            open_parts[waiting, 0], open_parts[waiting, 1] = start, low
            start = high
        waiting += 1


@kernel
def _insert(values: Array, items: Places, start: int, stop: int) -> None:
    for place in range(start + 1, stop):
        value, item = values[place], items[place]
        before = place - 1
        while before >= start and values[before] > value:
            values[before + 1], items[before + 1] = values[before], items[before]
            before -= 1
        values[before + 1], items[before + 1] = value, item
