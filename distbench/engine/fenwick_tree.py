"""Fenwick trees: sums of the first entries of an array, whose entries change."""

from __future__ import annotations

from typing import Any

from numpy.typing import NDArray

from distbench.engine._jit import inner

__all__ = ["tree_add", "tree_sum"]


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
