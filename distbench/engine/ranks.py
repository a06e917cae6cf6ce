"""Rank statistics of queries, with ties, from the orders of their candidates; and their changes without single ones.

A tied rank counts the mean over the places of its group; neighbors are weighted by the classes of
`distbench.engine.overlap`.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from distbench.engine._jit import inner, kernel
from distbench.engine.neighbors import CONTINUITY, OVERLAP, SIGNED, TRUST
from distbench.engine.orders import Order
from distbench.engine.overlap import BEYOND, EXACT, NEXT, class_of, classify, overlap_rows
from distbench.engine.random_signs import SKETCHES, Signs

__all__ = ["add_rows"]

Array = NDArray[np.float64]
Indices = NDArray[np.int64]
Places = NDArray[np.int32]
Flags = NDArray[np.uint8]


@inner
def _excess(less: int, equal: int, k: int) -> float:
    """Return the mean of max(0, place - k) over the places that `equal` tied candidates behind `less` fill."""
    first = max(less, k) + 1
    last = less + equal
    if last < first or equal <= 0:
        return 0.0
    return (last - first + 1) * (first + last - 2 * k) / 2 / equal


@kernel
def excess_rows(
    query: int,
    candidates: int,
    ks: Indices,
    is_open: Flags,
    order: Places,
    less: Places,
    upto: Places,
    state: Flags,
    order_there: Places,
    less_there: Places,
    upto_there: Places,
    state_there: Flags,
    groups: Indices,
    signs: Signs,
    columns: Array,
    out: Array,
    signed: Array,
) -> None:
    """Write sum_j w_j max(0, r_j - k) of queries from `query` on; the neighbors j are ranked in the other space.

    Adds the change of the sums when test candidate p is removed to ``columns[p]``, and those of neighbors, with random
    signs, to `signed`. is_open : (B, K) where 0, nothing is written. columns : (n_test, 2 K), first the
    changes that are whole numbers: their sums are exact, however they are found. out : (B, K, 3) the sum,
    the neighbor with the largest rank, and that rank. signed : (B, K, SKETCHES).
    """
    n_test, n_k, at = len(columns), len(ks), 0
    ends, weights = np.empty(3, dtype=np.int64), np.empty((4, 4))
    farther, following = np.empty(n_k), np.empty(n_k)
    sums, far, count, effects = np.empty(4), np.empty(4), np.empty(4), np.empty(4)
    for row in range(len(order)):
        own_group = groups[query + row] if len(groups) else -1
        most = 0
        for index in range(n_k):
            if is_open[row, index]:
                most = max(most, ks[index])
        if most == 0:
            continue
        if not (state[row] or state_there[row] or most >= candidates):  # no ties: all k in one sweep
            for index in range(n_k):
                farther[index] = 0.0
                if is_open[row, index]:
                    following[index] = less_there[row, order[row, ks[index]]]
                    out[row, index, 0], out[row, index, 1], out[row, index, 2] = 0.0, -1.0, 0.0
            far_first = 0.0
            for place in range(candidates - 1, -1, -1):
                p = order_there[row, place]
                is_column = p < n_test and (len(groups) == 0 or groups[p] != own_group)
                if less[row, p] >= most:
                    if is_column and n_k == 1:
                        columns[p, 0] -= far_first
                    elif is_column:
                        for index in range(n_k):
                            columns[p, index] -= farther[index]
                    continue
                for index in range(n_k):
                    k, change = ks[index], -farther[index]
                    if less[row, p] < k and is_open[row, index]:
                        if out[row, index, 1] < 0.0:
                            out[row, index, 1], out[row, index, 2] = p, place + 1.0
                        excess = max(0.0, place + 1.0 - k)
                        change += max(0.0, following[index] + (0.0 if place < following[index] else 1.0) - k) - excess
                        out[row, index, 0] += excess
                        farther[index] += 1.0 if place >= k else 0.0
                        if is_column:
                            for sketch in range(SKETCHES):
                                signed[row, index, sketch] += change if (signs[p] >> sketch) & 1 else -change
                    if is_column:
                        columns[p, index] += change
                far_first = farther[0]
            continue
        for index in range(n_k):
            if not is_open[row, index]:
                continue
            k = ks[index]
            classify(k, candidates, order[row], less[row], upto[row], ends, weights)
            value, worst, worst_rank = 0.0, -1, -1.0
            for c in range(4):
                sums[c] = far[c] = count[c] = 0.0
            for place in range(ends[2]):
                p = order[row, place]
                below, equal = less_there[row, p], upto_there[row, p] - less_there[row, p]
                sums[class_of(place, ends)] += _excess(below, equal, k)
                rank = below + (equal + 1) / 2
                if place < ends[1] and (rank > worst_rank or (rank == worst_rank and p < worst)):
                    worst, worst_rank = p, rank
            for c in range(3):
                value += weights[BEYOND, c] * sums[c]
            out[row, index, 0], out[row, index, 1], out[row, index, 2] = value, worst, worst_rank
            # the change if a candidate is removed that is no member and nearer than all members so far, and its column
            change, at, stop = 0.0, index, candidates
            while stop > 0:
                p = order_there[row, stop - 1]
                start, members = less_there[row, p], 0
                if start == stop - 1 and less[row, p] >= ends[2]:  # the usual case
                    if p < n_test and (len(groups) == 0 or groups[p] != own_group):
                        columns[p, at] += change
                    stop = start
                    continue
                for place in range(start, stop):
                    c = class_of(less[row, order_there[row, place]], ends)
                    members += 1 if c < BEYOND else 0
                    count[c] += 1.0
                effects[BEYOND] = change
                if members:
                    term = _excess(start, stop - start, k)
                    drop_tied = term - _excess(start, stop - start - 1, k)
                    drop = term - _excess(start - 1, stop - start, k)
                    for v in range(4):
                        effects[v] = -value
                        for c in range(3):
                            effects[v] += weights[v, c] * (sums[c] - far[c] - count[c] * drop_tied)
                        if v < BEYOND:
                            effects[v] -= weights[v, v] * (term - drop_tied)
                    change = 0.0
                    for c in range(3):
                        far[c] += count[c] * drop
                        change -= weights[BEYOND, c] * far[c]
                at = index + (0 if change == np.floor(change) else n_k)
                for c in range(4):
                    count[c] = 0.0
                for place in range(start, stop):
                    p = order_there[row, place]
                    c = class_of(less[row, p], ends)
                    if p < n_test and (len(groups) == 0 or groups[p] != own_group):
                        columns[p, index + (0 if effects[c] == np.floor(effects[c]) else n_k)] += effects[c]
                        if c < NEXT:
                            for sketch in range(SKETCHES):
                                signed[row, index, sketch] += effects[c] if (signs[p] >> sketch) & 1 else -effects[c]
                stop = start


def add_rows(
    keys_x: Array,
    orders: tuple[Order, Order],
    query: int,
    candidates: int,
    ks: Indices,
    is_open: Flags,
    groups: Indices,
    signs: Signs,
    columns: Array,
    out: Array,
) -> None:
    """Write the rank statistics of queries from `query` on to `out`; add their changes to `columns`.

    is_open : (K, B) bits of the statistics that are not known, see `distbench.engine.neighbors`. columns : (3, n_test,
    2 K). out : (K, B, WIDTH).
    """
    n_k, size = is_open.shape
    for side, first in enumerate((TRUST, CONTINUITY, OVERLAP)):
        wanted = np.ascontiguousarray(is_open.T & (1 << side))
        sums, signed = np.zeros((size, n_k, 3)), np.zeros((size, n_k, SKETCHES))
        fixed: tuple[Any, ...] = groups, signs, columns[side], sums, signed
        if side < 2:
            excess_rows(query, candidates, ks, wanted, *orders[1 - side], *orders[side], *fixed)
        else:
            both, exact = np.stack([ks, ks], axis=1), np.full(n_k, EXACT)
            rows, names = np.arange(query, query + size), np.arange(keys_x.shape[1])[None]
            overlap_rows(rows, names, candidates, both, exact, wanted, keys_x, *orders[0], *orders[1], *fixed)
        index, row = np.nonzero(wanted.T)
        width = 3 if side < 2 else 1
        out[index, row, first : first + width] = sums[row, index, :width]
        out[index, row, SIGNED + side * SKETCHES : SIGNED + (side + 1) * SKETCHES] = signed[row, index]
