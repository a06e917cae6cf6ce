"""Ranks by counting: how many keys are below those of a few candidates, in one pass over all keys.

Single precision is compared first, many keys at a time; keys that it cannot tell apart are compared in double.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from distbench.engine._jit import counting, kernel

__all__ = ["BLOCK", "SINGLE", "ranks_below"]

Array = NDArray[np.float64]
Singles = NDArray[np.float32]
Indices = NDArray[np.int64]

SINGLE = 2.4e-7  # two units in the last place of single precision
BLOCK = 64  # candidates that are compared with an edge at once
STRETCH = 2048  # candidates that are counted against all marks while they are in the first-level cache


@counting
def _four_steps(
    keys: Singles, low: Singles, high: Singles, weights: Singles, place: Singles, below: Array, upto: Array
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
def _count(keys: Singles, marks: Singles, n_test: int, place: Singles, counts: Array) -> None:
    """Count the keys below each mark; add for each test candidate the weights of the marks above it to `place`.

    marks : (3, T) low marks, high marks and weights, T a multiple of 4. counts : (3, T), of which the first two rows
    become the numbers of keys below both marks.
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
def ranks_below(
    keys: Array, singles: Singles, owners: Indices, tolerance: float, place: Singles, marks: Singles, counts: Array
) -> bool:
    """Find how many keys are below those of each owner (``counts[2]``), or return False where a tie leaves it open.

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
                # below the normal numbers of single precision a mark can round to the owner's own key
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
        for t in range(size):  # count once more, to take back what was added
            marks[2, t] = -marks[2, t]
    return False
