"""Rank statistics of queries without ties: nearest candidates, their ranks, and the changes when one is removed.

Candidates are compared in single precision, eight or sixteen at a time, and in double precision if they are too close
for that. A tie, or a gap smaller than the rounding of the keys, leaves ranks open. `distbench.engine.ranks` computes
them, from the order of the candidates.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from distbench.engine._jit import counting
from distbench.engine.random_signs import SKETCHES, Signs

__all__ = [
    "ALL_OPEN",
    "CONTINUITY",
    "CONTINUITY_OPEN",
    "MAX_NEIGHBORS",
    "OVERLAP",
    "OVERLAP_OPEN",
    "SIGNED",
    "TRUST",
    "TRUST_OPEN",
    "WIDTH",
    "excess_ranks",
    "nearest",
    "overlaps",
    "rank_rows",
]

Single = np.float32
ZERO, ONE = np.float32(0), np.float32(1)
Array = NDArray[np.float64]
Singles = NDArray[np.float32]
Indices = NDArray[np.int64]
Flags = NDArray[np.uint8]

MAX_NEIGHBORS = 64  # for more in all, counting below as many thresholds costs too much
SINGLE_ROUNDING = 2.4e-7  # two units in the last place of single precision
BLOCK_CANDIDATES = 64  # compared with one threshold at a time
SMALL = 1e-44  # some units in the last place of the smallest numbers of single precision
STRETCH_CANDIDATES = 2048  # counted against all marks while they are in the first-level cache

# Columns of the statistics of a query: for each side the sum of excess ranks, the worst neighbor and its rank; then the
# number of common neighbors; then, for each of these three sums, its changes when neighbors are removed one at a time,
# added up with random signs.
TRUST, CONTINUITY, OVERLAP, SIGNED = 0, 3, 6, 7
WIDTH = SIGNED + 3 * SKETCHES
TRUST_OPEN, CONTINUITY_OPEN, OVERLAP_OPEN, ALL_OPEN = 1, 2, 4, 7


def rank_rows(
    keys: tuple[Array, Array],
    query: int,
    k: int,
    tolerances: tuple[float, float],
    groups: Indices,
    signs: Signs,
    singles: Singles,
    columns: Array,
    out: Array,
    is_open: Flags,
) -> None:
    """Write the rank statistics of queries from `query` on to `out`; add to `columns` their changes without each point.

    keys : of both spaces; infinity for a query that is a candidate. singles : (2, n) scratch. columns : (3, n_test).
    out : (B, WIDTH) zeros. is_open : (B,) zeros, set to the statistics that ties leave open (`TRUST_OPEN`,
    `CONTINUITY_OPEN`, `OVERLAP_OPEN`); they are not written.
    """
    near, best = np.empty((2, len(out), k + 2), dtype=np.int64), np.empty((2, len(out), k + 2))
    owners, marks = np.empty(k + 1, dtype=np.int64), np.empty((3, k + 1))
    for side in range(2):
        nearest(keys[side], k, tolerances[side], near[side], best[side], is_open)
    for side in range(2):
        space = keys[side], tolerances[side], best[side], near[1 - side]
        excess_ranks(side, query, k, *space, groups, signs, singles, owners, marks, columns[side], out, is_open)
    overlaps(query, k, *keys, best[0], best[1], near[0], near[1], groups, signs, columns[2], out, is_open)


@counting
def nearest(keys: Array, k: int, tolerance: float, near: Indices, best: Array, is_open: Flags) -> None:
    """Write the candidates with the smallest keys of each query to `near` (B, k + 2), nearest first.

    Their keys go to `best` (B, k + 2). is_open : set for queries if one of the two gaps behind the k-th key is no
    larger than the rounding of keys.
    """
    n, last = keys.shape[1], k + 1
    for row in range(len(keys)):
        x, places, smallest = keys[row], near[row], best[row]
        for place in range(k + 2):
            smallest[place] = np.inf
            places[place] = -1
        for start in range(0, n, BLOCK_CANDIDATES):
            stop, found = min(start + BLOCK_CANDIDATES, n), 0.0
            for p in range(start, stop):  # a sum without a branch runs in vector registers
                found += 1.0 if x[np.uint64(p)] < smallest[last] else 0.0
            if found == 0.0:
                continue
            for p in range(start, stop):
                key, place = x[p], last
                if key < smallest[last]:
                    while place > 0 and smallest[place - 1] > key:
                        smallest[place] = smallest[place - 1]
                        places[place] = places[place - 1]
                        place -= 1
                    smallest[place] = key
                    places[place] = p
        for place in range(k, k + 2):
            if smallest[place] * (1.0 - tolerance) <= smallest[place - 1] or places[k] < 0:
                is_open[row] = ALL_OPEN


@counting
def excess_ranks(
    side: int,
    query: int,
    k: int,
    keys: Array,
    tolerance: float,
    best: Array,
    near_there: Indices,
    groups: Indices,
    signs: Signs,
    singles: Singles,
    owners: Indices,
    marks: Array,
    columns: Array,
    out: Array,
    is_open: Flags,
) -> None:
    """Sum the excess ranks by `keys` of the k nearest in the other space, the members, for queries from `query` on.

    ``near_there[:, k]`` moves up if a member is removed. Adds to `columns` (n_test,) the changes when each test point
    is removed; those of members, with random signs, go to `out`, as the sum, the worst neighbor and its rank do. best :
    (B, k + 2) the smallest keys. singles : (2, n) scratch. owners, marks : (k + 1,) and (3, k + 1) scratch. A tie sets
    a bit of `is_open`.
    """
    n, n_test, at = keys.shape[1], len(columns), SIGNED + side * SKETCHES
    single, farther = singles[0], singles[1]
    low, high, less = marks[0], marks[1], marks[2]
    for row in range(len(keys)):
        if is_open[row] == ALL_OPEN:
            continue
        x, members, values = keys[row], near_there[row], out[row]
        kth, last, ties = best[row, k - 1], -1, 0.0
        for p in range(n):
            single[p] = x[p]
            farther[p] = 0.0
        for t in range(k + 1):
            p = members[t]
            key = x[p]
            if key > kth or t == k:  # those among the k nearest here have no excess, but the next one counts
                last += 1
                owners[last] = p
                low[last] = key * (1.0 - SINGLE_ROUNDING) - SMALL
                high[last] = key * (1.0 + SINGLE_ROUNDING) + SMALL
                less[last] = 0.0
        for start in range(0, n, STRETCH_CANDIDATES):
            stop = min(start + STRETCH_CANDIDATES, n)
            for t in range(last + 1):
                owner, bottom, top = owners[t], Single(low[t]), Single(high[t])
                weight, below, upto = Single(t < last), ZERO, ZERO
                for p in range(start, stop):
                    key_ = single[np.uint64(p)]
                    step = ONE if key_ < bottom else ZERO
                    below += step
                    upto += ONE if key_ < top else ZERO
                    farther[np.uint64(p)] += weight * step
                less[t] += below
                if upto - below == Single((owner >= start) & (owner < stop)):
                    continue
                target = x[owner]
                for p in range(start, stop):  # single precision leaves these in doubt
                    if single[p] >= bottom and single[p] <= top and p != owner:
                        gap = x[p] - target
                        ties += abs(gap) <= tolerance * target
                        less[t] += gap < 0.0
                        farther[p] += weight * Single(gap < 0.0)
        if ties > 0.0:
            is_open[row] |= 1 << side
            continue
        own_group = groups[query + row] if n_test else -1
        for p in range(n_test):  # a point of the query's group never leaves without the query
            columns[p] -= farther[p] * Single(groups[p] != own_group)
        total, worst, worst_rank = 0.0, members[0], 0.0
        for t in range(last):
            rank = less[t] + 1.0
            total += rank - k
            if rank > worst_rank:
                worst = owners[t]
                worst_rank = rank
        values[3 * side] = total
        values[3 * side + 1] = worst
        values[3 * side + 2] = worst_rank
        for t in range(k):
            p = members[t]
            if p >= n_test or groups[p] == own_group:
                continue
            key = x[p]  # the next one takes the place of a removed member
            change = max(0.0, less[last] + (key >= x[members[k]]) - k)
            moved = 0.0
            for u in range(last):
                moved += x[owners[u]] > key
                if owners[u] == p:
                    change -= less[u] + 1.0 - k
            columns[p] += change
            for sketch in range(SKETCHES):
                values[at + sketch] += (change - moved) * (2.0 * ((signs[p] >> sketch) & 1) - 1.0)


@counting
def overlaps(
    query: int,
    k: int,
    keys_x: Array,
    keys_z: Array,
    best_x: Array,
    best_z: Array,
    near_x: Indices,
    near_z: Indices,
    groups: Indices,
    signs: Signs,
    columns: Array,
    out: Array,
    is_open: Flags,
) -> None:
    """Write the numbers of common neighbors to `out`; add their changes when a neighbor is removed to `columns`."""
    n_test, at = len(columns), SIGNED + 2 * SKETCHES
    for row in range(len(near_x)):
        if is_open[row] & OVERLAP_OPEN:
            continue
        x, z, values = keys_x[row], keys_z[row], out[row]
        edge_x, edge_z, next_x, next_z = best_x[row, k - 1], best_z[row, k - 1], near_x[row, k], near_z[row, k]
        own_group = groups[query + row] if n_test else -1
        gain_x, gain_z = 1.0 * (z[next_x] <= edge_z), 1.0 * (x[next_z] <= edge_x)
        both = gain_x + gain_z - (next_x != next_z)
        for t in range(2 * k):
            p = near_x[row, t] if t < k else near_z[row, t - k]
            is_common = x[p] <= edge_x and z[p] <= edge_z
            if is_common and t >= k:
                continue
            values[OVERLAP] += is_common
            if p < n_test and groups[p] != own_group:
                change = both if is_common else (gain_x if t < k else gain_z)
                columns[p] += change
                for sketch in range(SKETCHES):
                    values[at + sketch] += change * (2.0 * ((signs[p] >> sketch) & 1) - 1.0)
