"""Rank statistics of a query, with ties, and their changes when single candidates are removed.

Ties follow the definition: candidates tied at the k-th distance share the remaining places with equal weight; a tied
rank counts the mean over the places of its group. The candidates of a query fall into four classes: nearer than the
k-th distance (NEAR), tied with it (TIED), at the next larger distance (NEXT: they move up when a nearer candidate is
removed) and BEYOND. The weight of a candidate depends only on its class, its rank on the number of nearer ones.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from distbench.engine._jit import kernel
from distbench.engine.ordered_rows import BEYOND, Scratch, add_by_bucket, order_row
from distbench.engine.orders import MARKED, SORTED, Order
from distbench.engine.random_signs import SKETCHES, Signs, add_signed, same_group

__all__ = [
    *("CONTINUITY", "NEXT", "OVERLAP", "SIGNED", "TRUST", "WIDTH"),
    *("classify", "last_member", "overlap", "rank_rows"),
]

Array = NDArray[np.float64]
Indices = NDArray[np.int64]
Classes = NDArray[np.uint8]
Doubts = NDArray[np.int32]

NEAR, TIED, NEXT = 0, 1, 2  # and BEYOND

# Columns of the output of `rank_rows`: for each side the sum of excess ranks, the worst neighbor and its rank; then the
# number of common neighbors; then, for each of these three sums, its changes when neighbors are removed one at a time,
# added up with random signs.
TRUST, CONTINUITY, OVERLAP, SIGNED = 0, 3, 6, 7
WIDTH = SIGNED + 3 * SKETCHES


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
def last_member(order: Order, k: int) -> int:
    """Return how many candidates are among the k nearest, or may be if one is removed."""
    upto = int(order.upto[order.order[k - 1]])
    return int(order.upto[order.order[k]]) if upto == k and k < order.start[len(order.state)] else upto


@kernel
def classify(order: Order, k: int, classes: Classes) -> tuple[NDArray[np.int32], Array]:
    """Write the classes of the k nearest, and of those that may be if one is removed; return these and the weights."""
    kth = order.order[k - 1]
    near, upto, stop = order.less[kth], order.upto[kth], last_member(order, k)
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
def overlap(
    members_x: NDArray[np.int32],
    classes_x: Classes,
    weights_x: Array,
    members_z: NDArray[np.int32],
    classes_z: Classes,
    weights_z: Array,
    last_x: int,
    query: int,
    groups: Indices,
    signs: Signs,
    columns: Array,
    signed: Array,
) -> float:
    """Return the expected number of common neighbors; add neighbors' effects to `columns` and `signed`.

    The classes of `members_x` are at most `last_x`.
    """
    count, change, value = np.zeros((4, 4)), np.zeros((4, 4)), 0.0
    for p in members_z:
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
            if (which == 1 and classes_x[p] <= last_x) or (classes_x[p] >= NEXT and classes_z[p] >= NEXT):
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
    tolerances: tuple[float, float],
    scratch: Scratch,
    is_open: NDArray[np.uint8],
    doubts: NDArray[np.int32],
    used: Indices,
    ks: Indices,
    groups: Indices,
    signs: Signs,
    columns: Array,
    out: Array,
) -> None:
    """Write the rank statistics of open queries to `out`; add to `columns` their changes without each test point.

    ks : numbers of neighbors. columns : (len(ks), 3, n_test). out : (len(ks), B, WIDTH). The other arguments are those
    of `distbench.engine.orders.order_row`.
    """
    n_test = columns.shape[2]
    for row in range(len(keys_x)):
        query = first_query + row
        if is_open[row]:
            of_row = row, query if n_test else -1, ks.max()
            order_row(keys_x[row], keys_z[row], *of_row, tolerances, scratch, is_open, doubts, used)
            if not is_open[row]:
                for index in range(len(ks)):
                    _add_ranks(query, ks[index], scratch, groups, signs, columns[index], out[index, row])


@kernel
def _add_ranks(query: int, k: int, scratch: Scratch, groups: Indices, signs: Signs, columns: Array, out: Array) -> None:
    x, z, classes_x, classes_z, table = scratch
    out[SIGNED:] = 0.0
    members_x, weights_x = classify(x, k, classes_x)
    members_z, weights_z = classify(z, k, classes_z)
    fixed = query, groups, signs
    side_x, side_z = (members_x, classes_x, weights_x), (members_z, classes_z, weights_z)
    trust, continuity, common = out[SIGNED:].reshape(3, SKETCHES)
    _excess_ranks(*side_z, x, k, *fixed, table, columns[0], out[TRUST:], trust)
    _excess_ranks(*side_x, z, k, *fixed, table, columns[1], out[CONTINUITY:], continuity)
    out[OVERLAP] = overlap(*side_x, *side_z, NEXT, *fixed, columns[2], common)
    classes_x[members_x] = BEYOND
    classes_z[members_z] = BEYOND
