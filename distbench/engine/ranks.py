"""Rank statistics of a query, with ties, and their changes when single candidates are removed.

Ties follow the definition: candidates tied at the k-th distance share the remaining places with equal weight; a tied
rank counts the mean over the places of its group. The candidates of a query fall into four classes: nearer than the
k-th distance (NEAR), tied with it (TIED), at the next larger distance (NEXT: they move up when a nearer candidate is
removed) and BEYOND. The weight of a candidate depends only on its class, its rank on the number of nearer ones.

Keys may be rounded. Where the order of candidates that matters is in doubt, a query is left open, and its doubtful
candidates are listed; with exact keys of these, `rank_rows` is called again.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from distbench.engine._jit import kernel
from distbench.engine.orders import MARKED, SORTED, Order, cut, new_order, sort_around, sort_nearest
from distbench.engine.random_signs import SKETCHES, Signs, add_signed, same_group

__all__ = ["ALL_IN_DOUBT", "CONTINUITY", "OVERLAP", "SIGNED", "TRUST", "WIDTH", "Scratch", "new_scratch", "rank_rows"]

Array = NDArray[np.float64]
Indices = NDArray[np.int64]
Classes = NDArray[np.uint8]
Doubts = NDArray[np.int32]

NEAR, TIED, NEXT, BEYOND = 0, 1, 2, 3

# Columns of the output of `rank_rows`: for each side the sum of excess ranks, the worst neighbor and its rank; then the
# number of common neighbors; then, for each of these three sums, its changes when neighbors are removed one at a time,
# added up with random signs.
TRUST, CONTINUITY, OVERLAP, SIGNED = 0, 3, 6, 7
WIDTH = SIGNED + 3 * SKETCHES
IN_DOUBT, ALL_IN_DOUBT = 1, 2  # rows that are left open: with their doubtful candidates, or with all


class Scratch(NamedTuple):
    """Room for the orders of one query in both spaces."""

    x: Order
    z: Order
    class_x: Classes  # (n,) BEYOND, before and after
    class_z: Classes
    table: Array  # (buckets + 1,)


def new_scratch(n: int) -> Scratch:
    """Return room for queries with n candidates."""
    x, z = new_order(n), new_order(n)
    class_x, class_z = np.full((2, n), BEYOND, dtype=np.uint8)
    return Scratch(x, z, class_x, class_z, np.empty(len(x.state) + 1))


@kernel
def _list_doubts(
    keys: Array, order: Order, members: NDArray[np.int32], tolerance: float, row: int, doubts: Doubts, used: int
) -> int:
    """List the row and the number of members and others between which rounding decides; -1 if there is no room."""
    for p in members:
        reach, before = tolerance * keys[p], used
        for step in (-1, 1):
            bucket, place = int(order.bucket[p]), order.less[p] - (1 if step < 0 else 0)
            while True:
                while bucket >= 0 and place < order.start[bucket]:
                    bucket -= 1
                while bucket < len(order.state) and place >= order.start[bucket + 1]:
                    bucket += 1
                if bucket < 0 or bucket == len(order.state) or order.state[bucket] != SORTED:
                    break
                other = order.order[place]
                if not abs(keys[other] - keys[p]) <= reach:
                    break
                if other != p:
                    if used + 2 > doubts.shape[1]:
                        return -1
                    doubts[0, used], doubts[1, used] = row, other
                    used += 1
                place += step
        if used > before:
            doubts[0, used], doubts[1, used] = row, p
            used += 1
    return used


@kernel
def _weights(k: int, near: int, tied: int, after: int) -> Array:
    """Return (4, 4) weights: ``weights[v, c]`` is that of class c as a neighbor when a candidate of class v is removed.

    The last row (class BEYOND) has the weights without a removal.
    """
    weights = np.zeros((4, 4))
    weights[:, NEAR] = 1.0
    open_places = k - near  # places that the tied share
    weights[NEXT:, TIED] = open_places / tied
    if tied > open_places:
        weights[TIED, TIED] = open_places / (tied - 1)
        weights[NEAR, TIED] = (open_places + 1) / tied
    else:  # all tied candidates have a place: if one is removed, the next group moves up
        weights[:NEXT, TIED] = 1.0
        weights[:NEXT, NEXT] = 1.0 / after
    return weights


@kernel
def classify(order: Order, k: int, classes: Classes) -> tuple[NDArray[np.int32], Array]:
    """Write the classes of the k nearest, and of those that may be if one is removed; return these and the weights."""
    kth = order.order[k - 1]
    near, upto = order.less[kth], order.upto[kth]
    stop = upto
    if upto == k and k < order.start[len(order.state)]:
        stop = order.upto[order.order[k]]
    for place in range(stop):
        classes[order.order[place]] = NEAR if place < near else (TIED if place < upto else NEXT)
    return order.order[:stop], _weights(k, near, upto - near, max(1, stop - upto))


@kernel
def _excess(less: int, equal: int, k: int) -> float:
    """Return the mean of max(0, place - k) over the places that `equal` tied candidates behind `less` fill."""
    first = max(less, k) + 1
    last = less + equal
    if last < first or equal <= 0:
        return 0.0
    return (last - first + 1) * (first + last - 2 * k) / 2 / equal


@kernel
def _excess_ranks(
    members: NDArray[np.int32],
    classes: Classes,
    weights: Array,
    there: Order,
    k: int,
    query: int,
    groups: Indices,
    signs: Signs,
    table: Array,
    columns: Array,
    out: Array,
    signed: Array,
) -> None:
    """Write sum_j w_j max(0, r_j - k) to ``out[0]``; the neighbors j are `members`, their ranks r_j those of `there`.

    Adds the change of the sum when test candidate p is removed to ``columns[p]``, and those of neighbors, with random
    signs, to `signed`. Writes the neighbor with the largest rank, and that rank, to ``out[1:]``.
    """
    sums, value, worst, worst_rank = np.zeros(4), 0.0, -1, -1.0
    for p in members:
        less, upto = there.less[p], there.upto[p]
        there.state[there.bucket[p]] = MARKED
        sums[classes[p]] += _excess(less, upto - less, k)
        rank = (less + 1 + upto) / 2
        if classes[p] < NEXT and (rank > worst_rank or (rank == worst_rank and p < worst)):
            worst, worst_rank = p, rank
    for c in range(NEXT + 1):
        value += weights[BEYOND, c] * sums[c]
    out[0], out[1], out[2] = value, worst, worst_rank
    if there.scale[2] and len(members) == k + 1 and classes[members[k]] == NEXT:
        following = there.less[members[k]]
        _add_untied(classes, there.order, there.values, following, k, query, groups, columns)
        for p in members:
            there.state[there.bucket[p]] = SORTED
            if classes[p] < NEXT and p < len(columns) and not same_group(groups, query, p):
                add_signed(there.values[there.less[p]], signs[p], signed)
        return
    farther, count, effects = np.zeros(4), np.zeros(4), np.zeros(4)  # by class
    change = 0.0  # if a candidate is removed that is no member and nearer than all members so far
    state, start, order, table[len(there.state)] = there.state, there.start, there.order, 0.0
    for b in range(len(state) - 1, -1, -1):
        if state[b] != MARKED:
            table[b] = change
            continue
        table[b], state[b] = 0.0, SORTED
        stop = start[b + 1]
        while stop > start[b]:
            last = order[stop - 1]
            less, only = there.less[last], classes[last]
            equal, effects[BEYOND] = stop - less, change
            if equal == 1:
                count[only] = 1.0
            else:
                for place in range(less, stop):
                    count[classes[order[place]]] += 1.0
            if count[BEYOND] < equal:
                term = _excess(less, equal, k)
                drop_tied, drop = term - _excess(less, equal - 1, k), term - _excess(less - 1, equal, k)
                for v in range(only if equal == 1 else 0, only + 1 if equal == 1 else 4):
                    effects[v] = -value
                    for c in range(NEXT + 1):
                        effects[v] += weights[v, c] * (sums[c] - farther[c] - count[c] * drop_tied)
                    if v < NEXT:
                        effects[v] -= weights[v, v] * (term - drop_tied)
                change = 0.0
                for c in range(NEXT + 1):
                    farther[c] += count[c] * drop
                    change -= weights[BEYOND, c] * farther[c]
            for place in range(less, stop):
                p = order[place]
                count[classes[p]] = 0.0
                if p < len(columns) and not same_group(groups, query, p):
                    effect = effects[classes[p]]
                    columns[p] += effect
                    if classes[p] < NEXT:
                        add_signed(effect, signs[p], signed)
            stop = less
    add_by_bucket(table, there.bucket, query, groups, columns)


@kernel
def _add_untied(
    classes: Classes,
    order: NDArray[np.int32],
    changes: Array,
    following: int,
    k: int,
    query: int,
    groups: Indices,
    columns: Array,
) -> None:
    """Add to `columns` the changes of a sum of excess ranks without ties; write them to `changes` by place.

    following : place of the candidate that becomes a neighbor if one is removed.
    """
    farther = 0.0  # members that are no neighbors, farther than the candidate
    for place in range(len(order) - (1 if len(columns) else 0) - 1, -1, -1):
        p = order[place]
        member, excess = 1.0 if classes[p] < NEXT else 0.0, max(0.0, place + 1.0 - k)
        gain = max(0.0, following + (0.0 if place < following else 1.0) - k)
        change = member * (gain - excess) - farther
        farther += member if place >= k else 0.0
        changes[place] = change
        if p < len(columns) and not same_group(groups, query, p):
            columns[p] += change


@kernel
def add_by_bucket(table: Array, bucket: NDArray[np.uint16], query: int, groups: Indices, columns: Array) -> None:
    """Add to each test candidate, but those of the query's group, the number of its bucket in a table."""
    if len(groups) == 0:
        for p in range(len(columns)):
            columns[p] += table[bucket[p]]
    else:
        for p in range(len(columns)):
            if groups[p] != groups[query]:
                columns[p] += table[bucket[p]]


@kernel
def _overlap(
    members_x: NDArray[np.int32],
    classes_x: Classes,
    weights_x: Array,
    members_z: NDArray[np.int32],
    classes_z: Classes,
    weights_z: Array,
    query: int,
    groups: Indices,
    signs: Signs,
    columns: Array,
    signed: Array,
) -> float:
    """Return the expected number of common neighbors; add neighbors' effects to `columns` and `signed`."""
    count, change, value = np.zeros((4, 4)), np.zeros((4, 4)), 0.0
    for p in members_x:
        count[classes_x[p], classes_z[p]] += 1.0
    for u in range(3, -1, -1):
        for v in range(3, -1, -1):
            total = 0.0
            for cx in range(3):
                for cz in range(3):
                    left = count[cx, cz] - (1.0 if cx == u and cz == v else 0.0)
                    total += left * weights_x[u, cx] * weights_z[v, cz]
            if u == BEYOND and v == BEYOND:
                value = total
            change[u, v] = total - value
    for which in range(2):
        for p in members_x if which == 0 else members_z:
            if (which == 1 and classes_x[p] != BEYOND) or (classes_x[p] >= NEXT and classes_z[p] >= NEXT):
                continue
            if p < len(columns) and not same_group(groups, query, p):
                effect = change[classes_x[p], classes_z[p]]
                columns[p] += effect
                add_signed(effect, signs[p], signed)
    return value


@kernel
def rank_rows(
    keys_x: Array,
    keys_z: Array,
    first_query: int,
    ks: Indices,
    tolerances: tuple[float, float],
    groups: Indices,
    signs: Signs,
    scratch: Scratch,
    columns: Array,
    out: Array,
    is_open: NDArray[np.uint8],
    doubts: Doubts,
    used: Indices,
) -> None:
    """Write the rank statistics of open queries to `out`; add to `columns` their changes without each test point.

    Sets the keys of queries that are candidates to infinity.

    columns : (len(ks), 3, n_test). out : (len(ks), B, WIDTH). is_open : (B,) which queries to look at; those that
    rounding leaves in doubt stay open. doubts : (2, 2, room) for each space, rows and numbers of candidates that are in
    doubt; `used` (2,) of them are written.
    """
    x, z = scratch.x, scratch.z
    n_test, most = columns.shape[2], ks.max()
    for row in range(len(keys_x)):
        if not is_open[row]:
            continue
        keys = keys_x[row], keys_z[row]
        query = first_query + row
        skip = query if n_test else -1
        if n_test:
            keys[0][skip] = keys[1][skip] = np.inf  # no point is its own neighbor
        cut(keys[0], skip, x)
        cut(keys[1], skip, z)
        near_x = x.order[: sort_nearest(keys[0], x, most, tolerances[0])]
        near_z = z.order[: sort_nearest(keys[1], z, most, tolerances[1])]
        sort_around(keys[0], x, near_z, tolerances[0])
        sort_around(keys[1], z, near_x, tolerances[1])
        is_open[row] = 0
        for side in range(2):
            if tolerances[side] == 0.0:
                continue
            order, before = (x, used[0]) if side == 0 else (z, used[1])
            for members in (near_x, near_z):
                more = _list_doubts(keys[side], order, members, tolerances[side], row, doubts[side], used[side])
                if more < 0:
                    is_open[row] = ALL_IN_DOUBT
                    break
                used[side] = more
            if used[side] > before:
                is_open[row] = max(is_open[row], IN_DOUBT)
        if is_open[row]:
            continue
        for index in range(len(ks)):
            k = ks[index]
            row_out, sums = out[index, row], columns[index]
            row_out[SIGNED:] = 0.0
            signed = row_out[SIGNED:]
            members_x, weights_x = classify(x, k, scratch.class_x)
            members_z, weights_z = classify(z, k, scratch.class_z)
            fixed = query, groups, signs
            side_z, side_x = (members_z, scratch.class_z, weights_z), (members_x, scratch.class_x, weights_x)
            _excess_ranks(*side_z, x, k, *fixed, scratch.table, sums[0], row_out[TRUST:], signed[:SKETCHES])
            _excess_ranks(
                *side_x, z, k, *fixed, scratch.table, sums[1], row_out[CONTINUITY:], signed[SKETCHES : 2 * SKETCHES]
            )
            row_out[OVERLAP] = _overlap(*side_x, *side_z, *fixed, sums[2], signed[2 * SKETCHES :])
            scratch.class_x[members_x] = BEYOND
            scratch.class_z[members_z] = BEYOND
