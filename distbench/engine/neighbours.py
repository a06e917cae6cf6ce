"""Rank statistics of one query where nothing ties: nearest candidates, ranks by counting, and leave-one-out effects.

Candidates are compared in single precision, eight or sixteen at a time; what single precision cannot tell apart is
compared in double, and a query for which that does not settle the order either (a tie, or less than the rounding
of the keys apart) is left to `distbench.engine.ranks`, which is slower and exact.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from distbench.engine._jit import counting, kernel
from distbench.engine.signs import SKETCHES, add_signed

__all__ = [
    "CONTINUITY",
    "CONTINUITY_LEFT",
    "MANY_NEIGHBOURS",
    "OVERLAP",
    "OVERLAP_LEFT",
    "SIGNED",
    "TRUST",
    "TRUST_LEFT",
    "WIDTH",
    "rank_rows",
]

Array = NDArray[np.float64]
Singles = NDArray[np.float32]
Indices = NDArray[np.int64]

MANY_NEIGHBOURS = 64  # beyond, counting below each of k thresholds is no longer cheap
SINGLE = 2.4e-7  # two units in the last place of single precision
BLOCK = 64  # candidates that are compared with an edge at once

# columns of what `rank_rows` writes: sum of excess ranks, worst neighbour and its rank, for both sides; common
# neighbours; then, for both sides and common neighbours, what single neighbours' absences change, with random signs
TRUST, CONTINUITY, OVERLAP, SIGNED = 0, 3, 6, 7
WIDTH = SIGNED + 3 * SKETCHES
TRUST_LEFT, CONTINUITY_LEFT, OVERLAP_LEFT = 1, 2, 4
STRETCH = 2048  # candidates that are counted against all marks while they are in the first-level cache


@counting
def _any_upto(keys: Singles, edge: np.float32) -> bool:
    count = np.float32(0)
    for p in range(len(keys)):
        count += np.float32(1) if keys[p] <= edge else np.float32(0)
    return bool(count > 0)


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
def _four_steps(
    keys: Singles, low: Singles, high: Singles, weights: Singles, place: Singles, below: Singles, upto: Singles
) -> None:
    """Count keys below four low and four high marks; add the weights of low marks above each key to `place`."""
    one, zero = np.float32(1), np.float32(0)
    l0, l1, l2, l3 = low[0], low[1], low[2], low[3]
    h0, h1, h2, h3 = high[0], high[1], high[2], high[3]
    w0, w1, w2, w3 = weights[0], weights[1], weights[2], weights[3]
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
        place[p] += (w0 * s0 + w1 * s1) + (w2 * s2 + w3 * s3)
    below[0] += b0
    below[1] += b1
    below[2] += b2
    below[3] += b3
    upto[0] += u0
    upto[1] += u1
    upto[2] += u2
    upto[3] += u3


@kernel
def _count(keys: Singles, marks: Singles, n_test: int, place: Singles, counts: Singles) -> None:
    """Count the keys below each mark; add for each test candidate the weights of the marks above it to `place`.

    marks : (3, T) low marks, high marks and weights, T a multiple of 4. counts : (2, T) keys below both.
    """
    elsewhere = np.empty(STRETCH, dtype=np.float32)
    for t in range(marks.shape[1]):
        counts[0, t] = counts[1, t] = 0
    start = 0
    while start < len(keys):
        stop = min(start + STRETCH, n_test if start < n_test else len(keys))
        own = place[start:stop] if start < n_test else elsewhere[: stop - start]
        for t in range(0, marks.shape[1], 4):
            _four_steps(
                keys[start:stop],
                marks[0][t : t + 4],
                marks[1][t : t + 4],
                marks[2][t : t + 4],
                own,
                counts[0][t : t + 4],
                counts[1][t : t + 4],
            )
        start = stop


@counting
def _any_between(keys: Singles, low: np.float32, high: np.float32) -> bool:
    count = np.float32(0)
    for p in range(len(keys)):
        count += np.float32(1) if keys[p] >= low and keys[p] <= high else np.float32(0)
    return bool(count > 0)


@kernel
def _settle(
    keys: Array, singles: Singles, own: int, tolerance: float, mark: np.float32, weight: np.float32, place: Singles
) -> int:
    """Return how many of the keys that single precision cannot tell from a mark are below it, or -1 for a tie.

    Adds `weight` to the `place` of those that are test candidates.
    """
    target = keys[own]
    high = np.float32(target * (1.0 + 2 * SINGLE))
    below = 0
    for start in range(0, len(keys), BLOCK):
        stop = min(len(keys), start + BLOCK)
        if not _any_between(singles[start:stop], mark, high):
            continue
        for p in range(start, stop):
            if singles[p] >= mark and singles[p] <= high and p != own:
                if abs(keys[p] - target) <= tolerance * target:
                    return -1
                if keys[p] < target:
                    below += 1
                    if p < len(place):
                        place[p] += weight
    return below


@kernel
def _apart(best: Array, k: int, tolerance: float) -> bool:
    """Say whether the k nearest, the next and the rest are parted beyond doubt."""
    for place in range(k - 1, min(k + 1, len(best) - 1)):
        if not best[place + 1] - best[place] > tolerance * best[place + 1]:
            return False
    return True


@kernel
def _ranks_below(
    keys: Array, singles: Singles, owners: Indices, tolerance: float, place: Singles, marks: Singles, counts: Singles
) -> bool:
    """Find how many keys are below those of each owner (``counts[0]``), or return False where a tie leaves it open.

    Adds for each test candidate how many owners, but the last, are beyond it to `place`; nothing where it fails.
    """
    size, n_test, zero = len(owners), len(place), np.float32(0)
    for t in range(marks.shape[1]):
        target = keys[owners[t]] if t < size else -np.inf
        marks[0, t], marks[1, t] = target * (1.0 - SINGLE), target * (1.0 + SINGLE)
        marks[2, t] = 1.0 if t < size - 1 else 0.0
    tied = False
    for _ in range(2):
        _count(singles, marks, n_test, place, counts)
        if tied:
            return False
        for adding in range(2):  # nothing is added before all ties are found
            for t in range(size):
                if counts[1, t] - counts[0, t] != 1.0 and not tied:
                    weight = marks[2, t] if adding else zero
                    extra = _settle(keys, singles, owners[t], tolerance, marks[0, t], weight, place)
                    tied = extra < 0
                    if adding:
                        counts[0, t] += extra
        if not tied:
            return True
        for t in range(size):  # count once more, to take back what was added
            marks[2, t] = -marks[2, t]
    return False


@kernel
def _side(
    members: Indices,
    others: NDArray[np.uint8],
    keys: Array,
    singles: Singles,
    k: int,
    tolerance: float,
    place: Singles,
    columns: Array,
    out: Array,
    signed: Array,
) -> bool:
    """Sum the excess ranks (by `keys`) of the k `members`; `members[k]` is next in line.

    others : (n,) 1 for the k nearest by `keys`. Writes sum, worst neighbour and its rank to `out`. Adds the number of
    members each absence moves up to `place`, what else the absence of a member changes to `columns`, and all that it
    changes, with random signs, to `signed`.
    """
    owners = np.empty(k + 1, dtype=np.int64)
    count = 0
    for t in range(k):
        if not others[members[t]]:
            owners[count] = members[t]
            count += 1
    owners[count] = members[k]
    room = 4 * (count // 4 + 1)
    marks, counts = np.empty((3, room), dtype=np.float32), np.empty((2, room), dtype=np.float32)
    if not _ranks_below(keys, singles, owners[: count + 1], tolerance, place, marks, counts):
        return False
    total, worst, worst_rank = 0.0, members[0], 0.0
    for t in range(count):
        rank = counts[0, t] + 1.0
        total += rank - k
        if rank > worst_rank:
            worst, worst_rank = owners[t], rank
    out[0], out[1], out[2] = total, worst, worst_rank
    rank_next = counts[0, count] + 1.0
    for t in range(k):
        member = members[t]
        if member >= len(columns):
            continue
        behind = 1.0 if keys[member] < keys[members[k]] else 0.0
        change, moved = max(0.0, rank_next - behind - k), 0.0  # the next in line takes a leaving member's place
        for u in range(count):
            if owners[u] == member:
                change -= counts[0, u] + 1.0 - k
            elif keys[owners[u]] > keys[member]:
                moved += 1.0
        columns[member] += change
        add_signed(change - moved, member, signed)
    return True


@kernel
def _overlap(
    near_x: Indices,
    near_z: Indices,
    in_x: NDArray[np.uint8],
    in_z: NDArray[np.uint8],
    k: int,
    columns: Array,
    signed: Array,
) -> float:
    """Return the number of common neighbours; add what each absence changes in it to `columns` and `signed`."""
    next_x, next_z, n_test = near_x[k], near_z[k], len(columns)
    gain_x, gain_z = float(in_z[next_x]), float(in_x[next_z])
    both = -1.0 + gain_x + gain_z + (1.0 if next_x == next_z else 0.0)
    common = 0.0
    for t in range(k):
        common += in_z[near_x[t]]
        if near_x[t] < n_test:
            change = both if in_z[near_x[t]] else gain_x
            columns[near_x[t]] += change
            add_signed(change, near_x[t], signed)
        if near_z[t] < n_test and not in_x[near_z[t]]:
            columns[near_z[t]] += gain_z
            add_signed(gain_z, near_z[t], signed)
    return common


@kernel
def rank_rows(
    keys_x: Array,
    keys_z: Array,
    first_query: int,
    k: int,
    tolerance_x: float,
    tolerance_z: float,
    near: NDArray[np.uint8],
    singles: Singles,
    places: Singles,
    columns: Array,
    out: Array,
    left: NDArray[np.uint8],
) -> None:
    """Write the rank statistics of a block's queries to `out` and add their leave-one-out effects to `columns`.

    The keys of queries that are candidates become infinite.

    near : (2, n) zeros, and zeros again afterwards. singles : (2, n) scratch. columns : (3, n_test). places :
    (2, n_test) to be taken from the first two columns at the end: how many ranks of neighbours each test point's
    absence lowers. left : which of `TRUST_LEFT`, `CONTINUITY_LEFT` and `OVERLAP_LEFT` ties leave open; there nothing
    is written and nothing added.
    """
    n, n_test = keys_x.shape[1], columns.shape[1]
    singles_x, singles_z = singles[0], singles[1]
    near_x, near_z = np.empty(k + 2, dtype=np.int64), np.empty(k + 2, dtype=np.int64)
    best_x, best_z = np.empty(k + 2), np.empty(k + 2)
    for row in range(len(keys_x)):
        x, z = keys_x[row], keys_z[row]
        if n_test:
            x[first_query + row] = z[first_query + row] = np.inf  # no point is its own neighbour
        left[row] = TRUST_LEFT | CONTINUITY_LEFT | OVERLAP_LEFT
        signed = out[row][SIGNED:]
        for place in range(len(signed)):
            signed[place] = 0.0
        if k > MANY_NEIGHBOURS:
            continue
        for p in range(n):
            singles_x[p] = x[p]
            singles_z[p] = z[p]
        nearest(x, singles_x, near_x, best_x)
        nearest(z, singles_z, near_z, best_z)
        if not (_apart(best_x, k, tolerance_x) and _apart(best_z, k, tolerance_z)):
            continue
        for t in range(k):
            near[0, near_x[t]] = near[1, near_z[t]] = 1
        found = 0
        for side in range(2):
            space = x if side == 0 else z
            if not _side(
                near_z if side == 0 else near_x,
                near[side],
                space,
                singles_x if side == 0 else singles_z,
                k,
                tolerance_x if side == 0 else tolerance_z,
                places[side],
                columns[side],
                out[row][3 * side : 3 * side + 3],
                signed[SKETCHES * side : SKETCHES * (side + 1)],
            ):
                found |= TRUST_LEFT if side == 0 else CONTINUITY_LEFT
        out[row][OVERLAP] = _overlap(near_x, near_z, near[0], near[1], k, columns[2], signed[2 * SKETCHES :])
        left[row] = found
        for t in range(k):
            near[0, near_x[t]] = near[1, near_z[t]] = 0
