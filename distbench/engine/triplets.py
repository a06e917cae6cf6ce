"""One query's triplets: whether the order of two candidates by input distance holds by code distance."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from distbench.engine._jit import kernel
from distbench.engine.sorting import argsort

__all__ = ["MAX_CANDIDATES", "add_triplets"]

Array = NDArray[np.float64]

MAX_CANDIDATES = 4096  # beyond, each query is judged on this many sampled candidates


@kernel
def _dense_ranks(values: Array) -> tuple[NDArray[np.int64], NDArray[np.int64], int]:
    """Return the sorting order, each value's place among the distinct values (from 1), and their number."""
    order = argsort(values)
    ranks = np.empty(len(values), dtype=np.int64)
    level = 0
    for p in range(len(order)):
        if p == 0 or values[order[p]] != values[order[p - 1]]:
            level += 1
        ranks[order[p]] = level
    return order, ranks, level


@kernel
def _prefix(tree: NDArray[np.int64], place: int) -> int:
    """Return the sum of a Fenwick tree's entries 1..place."""
    total = 0
    while place > 0:
        total += tree[place]
        place &= place - 1
    return total


@kernel
def _balance(a: Array, b: Array) -> NDArray[np.int64]:
    """Return, for each candidate, the sum over all others of sign(a - a') sign(b - b'), in O(M log M)."""
    n = len(a)
    order, _, _ = _dense_ranks(a)
    _, rank_b, n_levels = _dense_ranks(b)
    size = np.zeros(n_levels + 1, dtype=np.int64)
    for level in rank_b:
        size[level] += 1
    upto_b = np.cumsum(size)
    tree = np.zeros(n_levels + 1, dtype=np.int64)
    balance = np.zeros(n, dtype=np.int64)
    start = 0
    while start < n:
        stop = start
        while stop < n and a[order[stop]] == a[order[start]]:
            stop += 1
        for p in order[start:stop]:  # those with smaller a: smaller b agrees, larger b disagrees
            level = rank_b[p]
            balance[p] += _prefix(tree, level - 1) - (start - _prefix(tree, level))
        for p in order[start:stop]:
            place = rank_b[p]
            while place <= n_levels:
                tree[place] += 1
                place += place & -place
        for p in order[start:stop]:  # those with larger a: larger b agrees, smaller b disagrees
            level = rank_b[p]
            larger = (n - upto_b[level]) - (stop - _prefix(tree, level))
            balance[p] += larger - (upto_b[level - 1] - _prefix(tree, level - 1))
        start = stop
    return balance


@kernel
def add_triplets(a: Array, b: Array, candidates: NDArray[np.int64], n_test: int, columns: Array) -> float:
    """Return the share of a query's triplets whose order is kept (ties count 1/2).

    Adds to ``columns[j]`` how much the share changes when test candidate j is taken away.
    """
    balance = _balance(a[candidates], b[candidates])
    n = len(candidates)
    total = 0.0
    for value in balance:
        total += value
    total /= 2.0  # each pair was counted from both ends
    share = 0.5 + total / (n * (n - 1.0))
    for p in range(n):
        if candidates[p] < n_test:
            columns[candidates[p]] += 0.5 + (total - balance[p]) / ((n - 1.0) * (n - 2.0)) - share
    return share
