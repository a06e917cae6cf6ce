"""Rank statistics of queries without ties: nearest candidates, their ranks, and the changes when one is removed.

Candidates are compared in single precision, eight or sixteen at a time, and in double precision if they are too close
for that. A tie, or a gap smaller than the rounding of the keys, leaves ranks open. `distbench.engine.ranks` computes
them, from the order of the candidates.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from distbench.engine._jit import counting, inner, kernel
from distbench.engine.counts import BLOCK_CANDIDATES, SINGLE_ROUNDING, ranks_below
from distbench.engine.random_signs import SKETCHES, Signs, add_signed, same_group

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
    "any_upto",
    "rank_rows",
]

Array = NDArray[np.float64]
Singles = NDArray[np.float32]
Indices = NDArray[np.int64]

MAX_NEIGHBORS = 64  # for more in all, counting below as many thresholds costs too much

# Columns of the output of `rank_rows`: for each side the sum of excess ranks, the worst neighbor and its rank; then the
# number of common neighbors; then, for each of these three sums, its changes when neighbors are removed one at a time,
# added up with random signs.
TRUST, CONTINUITY, OVERLAP, SIGNED = 0, 3, 6, 7
WIDTH = SIGNED + 3 * SKETCHES
TRUST_OPEN, CONTINUITY_OPEN, OVERLAP_OPEN, ALL_OPEN = 1, 2, 4, 7


@counting
def any_upto(keys: Singles, edge: np.float32) -> bool:
    """Return whether any key is at most `edge`; a sum without a branch runs in vector registers."""
    count = np.float32(0)
    for p in range(len(keys)):
        count += np.float32(1) if keys[p] <= edge else np.float32(0)
    return bool(count > 0)


@kernel
def nearest(keys: Array, singles: Singles, candidates: Indices, best: Array) -> None:
    """Write the candidates with the smallest keys, nearest first, to `candidates`, and their keys to `best`."""
    count = len(candidates)
    for place in range(count):
        best[place], candidates[place] = np.inf, -1
    edge = np.float32(np.inf)
    for start in range(0, len(keys), BLOCK_CANDIDATES):
        stop = min(len(keys), start + BLOCK_CANDIDATES)
        if not any_upto(singles[start:stop], edge):
            continue
        for p in range(start, stop):
            key = keys[p]
            if key < best[count - 1]:
                place = count - 1
                while place > 0 and best[place - 1] > key:
                    best[place], candidates[place] = best[place - 1], candidates[place - 1]
                    place -= 1
                best[place], candidates[place] = key, p
        edge = np.float32(best[count - 1] * (1.0 + SINGLE_ROUNDING))


@kernel
def _is_decided(best: Array, k: int, tolerance: float) -> bool:
    """Return whether the two gaps behind the k-th key are larger than the rounding of keys."""
    for place in range(k - 1, min(k + 1, len(best) - 1)):
        if not best[place + 1] - best[place] > tolerance * best[place + 1]:
            return False
    return True


@inner
def _excess_ranks(
    query: int,
    members: Indices,
    others: NDArray[np.uint8],
    keys: Array,
    singles: Singles,
    k: int,
    tolerance: float,
    groups: Indices,
    place: Singles,
    columns: Array,
    signs: Signs,
    out: Array,
    signed: Array,
) -> bool:
    """Sum the excess ranks by `keys` of the k nearest in the other space, the `members`; return False for a tie.

    ``members[k]`` moves up if a member is removed. `others` (n,) is 1 for the k nearest by `keys`. Writes the sum, the
    worst neighbor and its rank to `out`. When a candidate is removed, farther members move up by one rank: their number
    is added to `place`. Other changes when a member is removed are added to `columns`, and all of its changes, with
    random signs, to `signed`.
    """
    owners = np.empty(k + 1, dtype=np.int64)
    count = 0
    for t in range(k):
        if not others[members[t]]:
            owners[count] = members[t]
            count += 1
    owners[count] = members[k]
    room = 4 * (count // 4 + 1)
    marks, counts = np.empty((3, room), dtype=np.float32), np.empty((3, room))
    if not ranks_below(keys, singles, owners[: count + 1], tolerance, place, marks, counts):
        return False
    total, worst, worst_rank = 0.0, members[0], 0.0
    for t in range(count):
        rank = counts[2, t] + 1.0
        total += rank - k
        if rank > worst_rank:
            worst, worst_rank = owners[t], rank
    out[0], out[1], out[2] = total, worst, worst_rank
    rank_next = counts[2, count] + 1.0
    for t in range(k):
        member = members[t]
        if member >= len(columns) or same_group(groups, query, member):
            continue
        behind = 1.0 if keys[member] < keys[members[k]] else 0.0
        change, moved = max(0.0, rank_next - behind - k), 0.0  # members[k] takes the place of a removed member
        for u in range(count):
            if owners[u] == member:
                change -= counts[2, u] + 1.0 - k
            elif keys[owners[u]] > keys[member]:
                moved += 1.0
        columns[member] += change
        add_signed(change - moved, signs[member], signed)
    for p in range(len(groups)):  # a point of the query's group never leaves without the query
        if groups[p] == groups[query]:
            for u in range(count):
                place[p] -= np.float32(1) if keys[owners[u]] > keys[p] else np.float32(0)
    return True


@inner
def _overlap(
    query: int,
    near_x: Indices,
    near_z: Indices,
    in_x: NDArray[np.uint8],
    in_z: NDArray[np.uint8],
    k: int,
    groups: Indices,
    columns: Array,
    signs: Signs,
    signed: Array,
) -> float:
    """Return the number of common neighbors; add its changes when a neighbor is removed to `columns` and `signed`."""
    next_x, next_z, n_test = near_x[k], near_z[k], len(columns)
    gain_x, gain_z = float(in_z[next_x]), float(in_x[next_z])
    both = -1.0 + gain_x + gain_z + (1.0 if next_x == next_z else 0.0)
    common = 0.0
    for t in range(k):
        common += in_z[near_x[t]]
        if near_x[t] < n_test and not same_group(groups, query, near_x[t]):
            change = both if in_z[near_x[t]] else gain_x
            columns[near_x[t]] += change
            add_signed(change, signs[near_x[t]], signed)
        if near_z[t] < n_test and not in_x[near_z[t]] and not same_group(groups, query, near_z[t]):
            columns[near_z[t]] += gain_z
            add_signed(gain_z, signs[near_z[t]], signed)
    return common


@kernel
def rank_rows(
    keys_x: Array,
    keys_z: Array,
    first_query: int,
    k: int,
    tolerance_x: float,
    tolerance_z: float,
    groups: Indices,
    signs: Signs,
    near: NDArray[np.uint8],
    singles: Singles,
    places: Singles,
    columns: Array,
    out: Array,
    is_open: NDArray[np.uint8],
) -> None:
    """Write the rank statistics of a block's queries to `out`; add to `columns` their changes without each test point.

    Sets the keys of queries that are candidates to infinity.

    near : (2, n) zeros, before and after the call. singles : (2, n) scratch. columns : (3, n_test). places :
    (2, n_test) how many neighbors' ranks fall when each test point is removed; the caller subtracts them from the first
    two rows of `columns`. is_open : which statistics ties leave open (`TRUST_OPEN`, `CONTINUITY_OPEN`, `OVERLAP_OPEN`);
    they are not written.
    """
    n, n_test = keys_x.shape[1], columns.shape[1]
    singles_x, singles_z = singles[0], singles[1]
    near_x, near_z = np.empty(k + 2, dtype=np.int64), np.empty(k + 2, dtype=np.int64)
    best_x, best_z = np.empty(k + 2), np.empty(k + 2)
    for row in range(len(keys_x)):
        x, z = keys_x[row], keys_z[row]
        if n_test:
            x[first_query + row] = z[first_query + row] = np.inf  # no point is its own neighbor
        is_open[row] = ALL_OPEN
        signed = out[row][SIGNED:]
        for place in range(len(signed)):
            signed[place] = 0.0
        for p in range(n):
            singles_x[p] = x[p]
            singles_z[p] = z[p]
        nearest(x, singles_x, near_x, best_x)
        nearest(z, singles_z, near_z, best_z)
        if not (_is_decided(best_x, k, tolerance_x) and _is_decided(best_z, k, tolerance_z)):
            continue
        for t in range(k):
            near[0, near_x[t]] = near[1, near_z[t]] = 1
        sides = 0
        for side in range(2):
            space = x if side == 0 else z
            if not _excess_ranks(
                first_query + row,
                near_z if side == 0 else near_x,
                near[side],
                space,
                singles_x if side == 0 else singles_z,
                k,
                tolerance_x if side == 0 else tolerance_z,
                groups,
                places[side],
                columns[side],
                signs,
                out[row][3 * side : 3 * side + 3],
                signed[SKETCHES * side : SKETCHES * (side + 1)],
            ):
                sides |= TRUST_OPEN if side == 0 else CONTINUITY_OPEN
        of_overlap = groups, columns[2], signs, signed[2 * SKETCHES :]
        out[row][OVERLAP] = _overlap(first_query + row, near_x, near_z, near[0], near[1], k, *of_overlap)
        is_open[row] = sides
        for t in range(k):
            near[0, near_x[t]] = near[1, near_z[t]] = 0
