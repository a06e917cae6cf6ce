"""Rank statistics of one query where nothing ties: nearest candidates, ranks by counting, and leave-one-out effects.

Candidates are compared in single precision, eight or sixteen at a time; what single precision cannot tell apart is
compared in double, and a query for which that does not settle the order either (a tie, or less than the rounding
of the keys apart) is left to `distbench.engine.ranks`, which is slower and exact.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from distbench.engine._jit import counting, kernel

__all__ = ["MANY_NEIGHBOURS", "TRUST", "WIDTH", "rank_rows"]

Array = NDArray[np.float64]
Singles = NDArray[np.float32]
Indices = NDArray[np.int64]

MANY_NEIGHBOURS = 64  # beyond, counting below each of k thresholds is no longer cheap
SINGLE = 2.4e-7  # two units in the last place of single precision
BLOCK = 32  # candidates whose minimum is compared at once

# columns of what `rank_rows` writes: sum of excess ranks, worst neighbour and its rank, for both sides; common
# neighbours; sum of squares of what the absence of each test candidate changes in them
TRUST, CONTINUITY, OVERLAP, SQUARES = 0, 3, 6, 7
WIDTH = 8


@counting
def _any_upto(keys: Singles, edge: np.float32) -> bool:
    count = np.float32(0)
    for p in range(len(keys)):
        count += np.float32(1) if keys[p] <= edge else np.float32(0)
    return count > 0


@kernel
def nearest(keys: Array, singles: Singles, who: Indices, best: Array) -> None:
    """Write the candidates with the smallest keys, nearest first, to `who`, and their keys to `best`."""
    count = len(who)
    for place in range(count):
        best[place], who[place] = np.inf, -1
    edge = np.float32(np.inf)
    for start in range(0, len(keys), BLOCK):
        stop = min(len(keys), start + BLOCK)
        if not _any_upto(singles[start:stop], edge):
            continue
        for p in range(start, stop):
            key = keys[p]
            if key < best[count - 1]:
                place = count - 1
                while place > 0 and best[place - 1] > key:
                    best[place], who[place] = best[place - 1], who[place - 1]
                    place -= 1
                best[place], who[place] = key, p
        edge = np.float32(best[count - 1] * (1.0 + SINGLE))


@counting
def _four_steps(keys: Singles, low: Singles, high: Singles, place: Singles, out: Singles) -> None:
    """Count keys below four low and four high marks; add the number of low marks above each key to `place`."""
    one, zero = np.float32(1), np.float32(0)
    l0, l1, l2, l3 = low[0], low[1], low[2], low[3]
    h0, h1, h2, h3 = high[0], high[1], high[2], high[3]
    b0, b1, b2, b3 = zero, zero, zero, zero
    u0, u1, u2, u3 = zero, zero, zero, zero
    for p in range(len(keys)):
        key = keys[p]
        s0 = one if key < l0 else zero
        s1 = one if key < l1 else zero
        s2 = one if key < l2 else zero
        s3 = one if key < l3 else zero
        b0 += s0
        b1 += s1
        b2 += s2
        b3 += s3
        u0 += one if key < h0 else zero
        u1 += one if key < h1 else zero
        u2 += one if key < h2 else zero
        u3 += one if key < h3 else zero
        place[p] += (s0 + s1) + (s2 + s3)
    out[0], out[1], out[2], out[3] = b0, b1, b2, b3
    out[4], out[5], out[6], out[7] = u0, u1, u2, u3


@counting
def _two_steps(keys: Singles, low: np.float32, high: np.float32) -> tuple[np.float32, np.float32]:
    """Count keys below a low and a high mark."""
    one, zero = np.float32(1), np.float32(0)
    below, upto = zero, zero
    for p in range(len(keys)):
        below += one if keys[p] < low else zero
        upto += one if keys[p] < high else zero
    return below, upto


@kernel
def _rank_of(keys: Array, singles: Singles, own: int, tolerance: float) -> int:
    """Return the rank of one candidate, or 0 where a tie leaves it open."""
    target = keys[own]
    low, high = np.float32(target * (1.0 - SINGLE)), np.float32(target * (1.0 + SINGLE))
    below, upto = _two_steps(singles, low, high)
    rank = np.int64(below) + 1
    if upto - below != 1.0:
        extra = _settle(keys, singles, own, tolerance, low, 0, singles)
        return 0 if extra < 0 else rank + extra
    return rank


@kernel
def _settle(keys: Array, singles: Singles, own: int, tolerance: float, mark: float, n_test: int, place: Singles) -> int:
    """Return how many of the keys that single precision cannot tell from a mark are below it, or -1 for a tie."""
    target = keys[own]
    low, high = np.float32(target * (1.0 - 2 * SINGLE)), np.float32(target * (1.0 + 2 * SINGLE))
    edge = np.float32(mark)
    below = 0
    for p in range(len(keys)):
        if low <= singles[p] <= high and p != own and not singles[p] < edge:
            if abs(keys[p] - target) <= tolerance * target:
                return -1
            if keys[p] < target:
                below += 1
                if p < n_test:
                    place[p] += np.float32(1)
    return below


@kernel
def _count_below(
    keys: Array, singles: Singles, owners: Indices, tolerance: float, n_test: int, place: Singles, below: Indices
) -> bool:
    """Count the keys below those of each owner; add for each test candidate how many owners are beyond it.

    Returns False where a tie leaves the count open.
    """
    low, high = np.empty(4, dtype=np.float32), np.empty(4, dtype=np.float32)
    counts, more = np.zeros(8, dtype=np.float32), np.zeros(8, dtype=np.float32)
    elsewhere = np.empty(0 if n_test == len(keys) else len(keys) - n_test, dtype=np.float32)
    for start in range(0, len(owners), 4):
        size = min(4, len(owners) - start)
        for t in range(4):
            low[t], high[t] = -np.inf, -np.inf
        for t in range(size):
            target = keys[owners[start + t]]
            low[t], high[t] = np.float32(target * (1.0 - SINGLE)), np.float32(target * (1.0 + SINGLE))
        _four_steps(singles[:n_test], low, high, place, counts)
        if n_test < len(keys):
            _four_steps(singles[n_test:], low, high, elsewhere, more)
            for t in range(8):
                counts[t] += more[t]
        for t in range(size):
            own = owners[start + t]
            below[start + t] = np.int64(counts[t])
            if counts[4 + t] - counts[t] != 1.0:
                extra = _settle(keys, singles, own, tolerance, low[t], n_test, place)
                if extra < 0:
                    return False
                below[start + t] += extra
    return True


@kernel
def _apart(best: Array, k: int, tolerance: float) -> bool:
    """Say whether the k nearest, the next and the rest are parted beyond doubt."""
    for place in range(k - 1, min(k + 1, len(best) - 1)):
        if not best[place + 1] - best[place] > tolerance * best[place + 1]:
            return False
    return True


@kernel
def _side(
    members: Indices,
    others: NDArray[np.uint8],
    keys: Array,
    singles: Singles,
    k: int,
    tolerance: float,
    n_test: int,
    place: Singles,
    effect: Array,
    out: Array,
) -> bool:
    """Sum the excess ranks (by `keys`) of the k `members`; `members[k]` is next in line.

    others : (n,) 1 for the k nearest by `keys`. Writes sum, worst neighbour and its rank to `out`, the number of
    members each absence moves up to `place`, and what else the absence of each member changes to `effect` (k,).
    """
    owners = np.empty(k, dtype=np.int64)
    count = 0
    for member in members[:k]:
        if not others[member]:
            owners[count] = member
            count += 1
    below = np.empty(count, dtype=np.int64)
    if not _count_below(keys, singles, owners[:count], tolerance, n_test, place, below):
        return False
    rank_next = _rank_of(keys, singles, members[k], tolerance)
    if rank_next == 0:
        return False
    total, worst, worst_rank = 0.0, members[0], 0.0
    for t in range(count):
        rank = below[t] + 1.0
        total += rank - k
        if rank > worst_rank:
            worst, worst_rank = owners[t], rank
    for t in range(k):  # the next in line takes a leaving member's place
        behind = 1.0 if keys[members[t]] < keys[members[k]] else 0.0
        effect[t] = max(0.0, rank_next - behind - k)
    for t in range(count):
        for u in range(k):
            if members[u] == owners[t]:
                effect[u] -= below[t] + 1.0 - k
    out[0], out[1], out[2] = total, worst, worst_rank
    return True


@kernel
def _overlap(near_x: Indices, in_z: NDArray[np.uint8], k: int) -> float:
    common = 0.0
    for member in near_x[:k]:
        common += in_z[member]
    return common


@kernel
def _overlap_effects(
    near_x: Indices, near_z: Indices, in_x: NDArray[np.uint8], in_z: NDArray[np.uint8], n_test: int, columns: Array
) -> float:
    """Add what each absence changes in the number of common neighbours; return the sum of its squares."""
    k = len(near_x) - 1
    next_x, next_z = near_x[k], near_z[k]
    gain_x, gain_z = float(in_z[next_x]), float(in_x[next_z])
    both = -1.0 + gain_x + gain_z + (1.0 if next_x == next_z else 0.0)
    squares = 0.0
    for member in near_x[:k]:
        if member < n_test:
            change = both if in_z[member] else gain_x
            columns[member] += change
            squares += change * change
    for member in near_z[:k]:
        if member < n_test and not in_x[member]:
            columns[member] += gain_z
            squares += gain_z * gain_z
    return squares


@kernel
def _rank_row(
    keys_x: Array,
    singles_x: Singles,
    keys_z: Array,
    singles_z: Singles,
    k: int,
    tolerances: tuple[float, float],
    n_test: int,
    marks: NDArray[np.uint8],
    places: Singles,
    columns: Array,
    out: Array,
) -> bool:
    """Write one query's rank statistics to `out` and add its leave-one-out effects to `columns` (3, n_test).

    marks : (2, n) zeros, and zeros again afterwards. places : (2, n_test) to be taken from the first two columns at
    the end: how many ranks of neighbours each test point's absence lowers. Returns False, with nothing added, where
    ties leave an order open.
    """
    near_x, near_z = np.empty(k + 2, dtype=np.int64), np.empty(k + 2, dtype=np.int64)
    best = np.empty(k + 2)
    nearest(keys_x, singles_x, near_x, best)
    if not _apart(best, k, tolerances[0]):
        return False
    nearest(keys_z, singles_z, near_z, best)
    if not _apart(best, k, tolerances[1]):
        return False
    for t in range(k):
        marks[0, near_x[t]] = 1
        marks[1, near_z[t]] = 1
    effects = np.empty((2, k))
    trust, continuity = out[TRUST:CONTINUITY], out[CONTINUITY:OVERLAP]
    settled = _side(near_z, marks[0], keys_x, singles_x, k, tolerances[0], n_test, places[0], effects[0], trust)
    if not settled:
        _take_back(near_z, marks[0], keys_x, singles_x, k, tolerances[0], n_test, places[0], effects[0], trust)
    elif not _side(near_x, marks[1], keys_z, singles_z, k, tolerances[1], n_test, places[1], effects[1], continuity):
        settled = False
        _take_back(near_z, marks[0], keys_x, singles_x, k, tolerances[0], n_test, places[0], effects[0], trust)
        _take_back(near_x, marks[1], keys_z, singles_z, k, tolerances[1], n_test, places[1], effects[1], continuity)
    if settled:
        out[OVERLAP] = _overlap(near_x, marks[1], k)
        out[SQUARES] = _overlap_effects(near_x[: k + 1], near_z[: k + 1], marks[0], marks[1], n_test, columns[2])
        _add_effects(near_z, near_x, n_test, effects, columns)
    for t in range(k):
        marks[0, near_x[t]] = 0
        marks[1, near_z[t]] = 0
    return settled


@kernel
def _take_back(
    members: Indices,
    others: NDArray[np.uint8],
    keys: Array,
    singles: Singles,
    k: int,
    tolerance: float,
    n_test: int,
    place: Singles,
    effect: Array,
    out: Array,
) -> None:
    """Undo what `_side` added to `place`, by doing it again elsewhere: whole numbers, so exactly."""
    again = np.zeros(n_test, dtype=np.float32)
    _side(members, others, keys, singles, k, tolerance, n_test, again, effect, out)
    for p in range(n_test):
        place[p] -= again[p]


@kernel
def _add_effects(
    members_trust: Indices, members_continuity: Indices, n_test: int, effects: Array, columns: Array
) -> None:
    for t in range(effects.shape[1]):
        if members_trust[t] < n_test:
            columns[0, members_trust[t]] += effects[0, t]
        if members_continuity[t] < n_test:
            columns[1, members_continuity[t]] += effects[1, t]


@kernel
def rank_rows(
    keys_x: Array,
    keys_z: Array,
    first_query: int,
    k: int,
    tolerances: tuple[float, float],
    n_test: int,
    marks: NDArray[np.uint8],
    places: Singles,
    columns: Array,
    out: Array,
    left: NDArray[np.bool_],
) -> None:
    """Write the rank statistics of a block's queries to `out`; mark in `left` those whose order ties leave open.

    The keys of queries that are candidates become infinite. For the other arguments see `_rank_row`.
    """
    n = keys_x.shape[1]
    singles_x, singles_z = np.empty(n, dtype=np.float32), np.empty(n, dtype=np.float32)
    for row in range(len(keys_x)):
        x, z = keys_x[row], keys_z[row]
        if n_test:
            x[first_query + row] = z[first_query + row] = np.inf  # no point is its own neighbour
        for p in range(n):
            singles_x[p] = x[p]
            singles_z[p] = z[p]
        left[row] = k > MANY_NEIGHBOURS or not _rank_row(
            x, singles_x, z, singles_z, k, tolerances, n_test, marks, places, columns, out[row]
        )
