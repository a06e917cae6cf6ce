"""Kernels that count: keys below the keys of a few candidates, and Fenwick trees.

Keys are compared in single precision, many at a time, and in double precision if they are too close for that.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from distbench.engine._jit import counting, inner, kernel

__all__ = ["BLOCK_CANDIDATES", "SINGLE_ROUNDING", "ranks_below", "tree_add", "tree_sum"]

Array = NDArray[np.float64]
Singles = NDArray[np.float32]
Indices = NDArray[np.int64]

SINGLE_ROUNDING = 2.4e-7  # two units in the last place of single precision
BLOCK_CANDIDATES = 64  # compared with one threshold at a time
STRETCH_CANDIDATES = 2048  # counted against all marks while they are in the first-level cache


@counting
def _four_steps(
    keys: Singles, low: Singles, high: Singles, weights: Singles, place: Singles, below: Array, upto: Array
) -> None:
    """Count the keys below four low and four high marks; add the weights of low marks above a key to its `place`."""
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


@inner
def _count(keys: Singles, marks: Singles, n_test: int, place: Singles, counts: Array) -> None:
    """Count the keys below each mark; add to each test candidate's `place` the weights of the low marks above it.

    marks : (3, T) low marks, high marks and weights; T is a multiple of 4. counts : (3, T); its first two rows become
    the numbers of keys below the low and the high marks.
    """
    unused = np.empty(STRETCH_CANDIDATES, dtype=np.float32)
    for t in range(marks.shape[1]):
        counts[0, t] = counts[1, t] = 0
    start = 0
    while start < len(keys):
        stop = min(start + STRETCH_CANDIDATES, n_test if start < n_test else len(keys))
        places = place[start:stop] if start < n_test else unused[: stop - start]
        for t in range(0, marks.shape[1], 4):
            _four_steps(
                keys[start:stop],
                marks[0][t : t + 4],
                marks[1][t : t + 4],
                marks[2][t : t + 4],
                places,
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


@inner
def _settle(
    keys: Array, singles: Singles, owner: int, tolerance: float, low: np.float32, weight: np.float32, place: Singles
) -> int:
    """Return how many keys in doubt are below the owner's key, or -1 for a tie; single precision leaves them in doubt.

    These are the keys between `low` and the owner's key rounded up. Adds `weight` to the `place` of the test candidates
    with lower keys.
    """
    target = keys[owner]
    high = np.float32(target * (1.0 + 2 * SINGLE_ROUNDING))
    below = 0
    for start in range(0, len(keys), BLOCK_CANDIDATES):
        stop = min(len(keys), start + BLOCK_CANDIDATES)
        if not _any_between(singles[start:stop], low, high):
            continue
        for p in range(start, stop):
            if singles[p] >= low and singles[p] <= high and p != owner:
                if abs(keys[p] - target) <= tolerance * target:
                    return -1
                if keys[p] < target:
                    below += 1
                    if p < len(place):
                        place[p] += weight
    return below


@kernel
def ranks_below(
    keys: Array, singles: Singles, owners: Indices, tolerance: float, place: Singles, marks: Singles, counts: Array
) -> bool:
    """Write how many keys are below each owner's key to ``counts[2]``; return False if there is a tie.

    Without a tie, adds to each test candidate's `place` how many owners, except the last, are farther.
    """
    size, n_test, zero = len(owners), len(place), np.float32(0)
    for t in range(marks.shape[1]):
        target = keys[owners[t]] if t < size else -np.inf
        marks[0, t], marks[1, t] = target * (1.0 - SINGLE_ROUNDING), target * (1.0 + SINGLE_ROUNDING)
        marks[2, t] = 1.0 if t < size - 1 else 0.0
    tied = False
    for _ in range(2):
        _count(singles, marks, n_test, place, counts)
        if tied:
            return False
        for adding in range(2):  # nothing is added before all ties are found
            for t in range(size):
                # very small marks can round to the owner's own key
                inside = marks[0, t] < singles[owners[t]] and singles[owners[t]] < marks[1, t]
                if not tied and not (inside and counts[1, t] - counts[0, t] == 1.0):
                    weight = marks[2, t] if adding else zero
                    extra = _settle(keys, singles, owners[t], tolerance, marks[0, t], weight, place)
                    tied = extra < 0
                    if adding:
                        counts[2, t] = counts[0, t] + extra
                elif adding:
                    counts[2, t] = counts[0, t]
        if not tied:
            return True
        for t in range(size):  # count again with negative weights, which undoes what was added
            marks[2, t] = -marks[2, t]
    return False


@inner
def tree_add(tree: NDArray[Any], place: int, value: float) -> None:
    """Add `value` to entry `place` of a Fenwick tree; entries are numbered from 1."""
    while place < len(tree):
        tree[place] += value
        place += place & -place


@inner
def tree_sum(tree: NDArray[Any], place: int) -> Any:
    """Return the sum of a Fenwick tree's entries 1..place."""
    total = tree[0]  # always 0
    while place > 0:
        total += tree[place]
        place &= place - 1
    return total
