"""Kernels that count: places of values among levels, Fenwick trees."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from distbench.engine._jit import kernel

__all__ = ["find_places", "tree_add", "tree_sum"]

Array = NDArray[np.float64]
Indices = NDArray[np.int64]


@kernel
def find_places(values: Array, levels: Array, place: NDArray[np.int32]) -> tuple[Indices, Indices]:
    """Write each value's place among ascending `levels`; return how many values are below and up to each level.

    The place of a value is 2u + 1 if it equals level u, 2u if u is the next larger level, and 2U if no level is larger.
    """
    n_levels = len(levels)
    count = np.zeros(2 * n_levels + 1, dtype=np.int64)
    top = levels[n_levels - 1]
    for p in range(len(values)):
        value = values[p]
        if value > top:
            place[p] = 2 * n_levels
            continue
        low, high = 0, n_levels - 1
        while low < high:
            middle = (low + high) >> 1
            if levels[middle] < value:
                low = middle + 1
            else:
                high = middle
        place[p] = 2 * low + (1 if levels[low] == value else 0)
        count[place[p]] += 1
    upto = np.cumsum(count[: 2 * n_levels])
    return upto[::2].copy(), upto[1::2].copy()


@kernel
def tree_add(tree: NDArray[Any], place: int, value: float) -> None:
    """Add `value` to entry `place` of a Fenwick tree; entries are numbered from 1."""
    while place < len(tree):
        tree[place] += value
        place += place & -place


@kernel
def tree_sum(tree: NDArray[Any], place: int) -> Any:
    """Return the sum of a Fenwick tree's entries 1..place."""
    total = tree[0]  # always 0
    while place > 0:
        total += tree[place]
        place &= place - 1
    return total
