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
from distbench.engine.overlap import BEYOND, EXACT, NEXT, class_of, classify, overlap_rows, scratch
from distbench.engine.random_signs import SKETCHES, Signs

__all__ = ["add_rows"]

Array = NDArray[np.float64]
Indices = NDArray[np.int64]
Places = NDArray[np.int32]
Flags = NDArray[np.uint8]


@kernel
def untied_rows(
    query: int,
    candidates: int,
    ks: Indices,
    reach: Indices,
    is_open: Flags,
    order: Places,
    less: Places,
    order_there: Places,
    less_there: Places,
    groups: Indices,
    signs: Signs,
    columns: Array,
    out: Array,
    signed: Array,
    sums: Array,
) -> None:
    """Do what `tied_rows` does, for queries without ties, all k in one sweep.

    reach : (B,) the largest k that is open, less than the number of candidates; 0 for other queries. sums : (2, K)
    scratch.
    """
    n_test, n_k = len(columns), len(ks)
    farther, following = sums[0], sums[1]
    for row in range(len(order)):
        most, own_group = reach[row], groups[query + row] if n_test else -1
        if most == 0:
            continue
        for index in range(n_k):
            farther[index] = 0.0
            if is_open[row, index]:
                following[index] = less_there[row, order[row, ks[index]]]
                out[row, index, 1] = -1.0
        for place in range(candidates - 1, -1, -1):
            p = order_there[row, place]
            nearer, is_column = less[row, p], groups[p] != own_group if p < n_test else False
            if nearer >= most:
                if is_column:
                    columns[p, 0] -= farther[0]
                for index in range(1, n_k if is_column else 1):
                    columns[p, index] -= farther[index]
                continue
            for index in range(n_k):
                k, change = ks[index], -farther[index]
                if nearer < k and is_open[row, index]:
                    if out[row, index, 1] < 0.0:
                        out[row, index, 1] = p
                        out[row, index, 2] = place + 1.0
                    if place >= k:
                        change -= place + 1.0 - k
                        out[row, index, 0] += place + 1.0 - k
                        farther[index] += 1.0
                    behind = following[index] + (place >= following[index]) - k
                    change += behind if behind > 0.0 else 0.0
                    for sketch in range(SKETCHES if is_column else 0):
                        signed[row, index, sketch] += change * (2.0 * ((signs[p] >> sketch) & 1) - 1.0)
                if is_column:
                    columns[p, index] += change


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
    groups: Indices,
    signs: Signs,
    columns: Array,
    out: Array,
    signed: Array,
    rooms: Indices,
    classes: Array,
) -> None:
    """Write sum_j w_j max(0, r_j - k) of queries from `query` on; the neighbors j are ranked in the other space.

    Adds the change of the sums when test candidate p is removed to ``columns[p]``, and those of neighbors, with random
    signs, to `signed`. is_open : (B, K) where 0, nothing is written. columns : (n_test, 2 K), first the
    changes that are whole numbers: their sums are exact, however they are found. out : (B, K, 3) the sum,
    the neighbor with the largest rank, and that rank; zeros before. signed : (B, K, SKETCHES), zeros before.
    rooms, classes : `scratch` of classes.
    """
    n_test, n_k, ends, weights, rest = len(columns), len(ks), rooms[0], classes[0], classes[1]
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
            # the change if a candidate is removed that is no member and nearer than all members so far, and its column
            change, at, stop = 0.0, index, candidates
            while stop > 0:
                p = order_there[row, stop - 1]
                start, members = int(np.int64(less_there[row, p])), 0.0
                if start == stop - 1 and less[row, p] >= ends[2]:  # the usual case
                    if p < n_test and groups[p] != own_group:
                        columns[p, at] += change
                    stop = start
                    continue
                for place in range(start, stop):
                    c = class_of(less[row, order_there[row, place]], ends)
                    members += c < BEYOND
                    count[c] += 1.0
                effects[BEYOND] = change
                if members > 0.0:
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
                    if p < n_test and groups[p] != own_group:
                        c = class_of(less[row, p], ends)
                        effect = effects[c]
                        columns[p, index + (0 if effect == np.floor(effect) else n_k)] += effect
                        for sketch in range(SKETCHES if c < NEXT else 0):
                            signed[row, index, sketch] += effect * (2.0 * ((signs[p] >> sketch) & 1) - 1.0)
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
        rest: tuple[Any, ...] = *fixed, *scratch()
        if side < 2:
            here, there = orders[1 - side], orders[side]
            reach = (ks * (wanted > 0)).max(axis=1)
            is_tied = (here.state | there.state > 0) | (reach >= candidates)
            reach[is_tied] = 0
            if reach.any():
                sweep = here.order, here.less, there.order, there.less
                fixed = *fixed, np.empty((2, n_k))
                untied_rows(query, candidates, ks, reach, wanted, *sweep, *fixed)
            wanted_tied = wanted * is_tied[:, None]
            if wanted_tied.any():
                tied_rows(query, candidates, ks, wanted_tied, *here[:3], *there[:3], *rest)
        else:
            both, exact = np.stack([ks, ks], axis=1), np.full(n_k, EXACT)
            rows, names = np.arange(query, query + size), np.arange(keys_x.shape[1])[None]
            overlap_rows(rows, names, candidates, both, exact, wanted, keys_x, *orders[0], *orders[1], *rest)
        index, row = np.nonzero(wanted.T)
        width = 3 if side < 2 else 1
        out[index, row, first : first + width] = sums[row, index, :width]
        out[index, row, SIGNED + side * SKETCHES : SIGNED + (side + 1) * SKETCHES] = signed[row, index]
