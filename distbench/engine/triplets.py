"""Triplets of a query and two candidates: whether codes keep the order of the two distances."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from distbench.engine._jit import counting, inner, kernel
from distbench.engine.random_signs import same_group

__all__ = ["candidates_per_query", "triplet_rows"]

Array = NDArray[np.float64]
Indices = NDArray[np.int64]

MAX_COMPARISONS = 3e8  # over all queries; if there were more, candidates are sampled
MIN_CANDIDATES, MAX_CANDIDATES = 128, 1024  # sampled for a query


def candidates_per_query(m: int, M: int) -> int:
    """Return how many of the M candidates each of m queries is compared with."""
    return min(M, int(np.clip(np.sqrt(MAX_COMPARISONS / m), MIN_CANDIDATES, MAX_CANDIDATES)))


@counting
def _balance(a: Array, b: Array, tolerance_a: float, tolerance_b: float, out: Array) -> None:
    """Write, for each candidate, the sum over all others of sign(a - a') sign(b - b')."""
    for j in range(len(a)):
        low_a, high_a = a[j] * (1.0 - tolerance_a), a[j] * (1.0 + tolerance_a)
        low_b, high_b = b[j] * (1.0 - tolerance_b), b[j] * (1.0 + tolerance_b)
        total = 0.0
        for l in range(len(a)):  # noqa: E741 - the letter of the definition
            sign_a = (1.0 if a[l] > high_a else 0.0) - (1.0 if a[l] < low_a else 0.0)
            sign_b = (1.0 if b[l] > high_b else 0.0) - (1.0 if b[l] < low_b else 0.0)
            total += sign_a * sign_b
        out[j] = total


@inner
def _add_triplets(
    a: Array,
    b: Array,
    i: int,
    start: int,
    order: Indices,
    tolerances: tuple[float, float],
    n_test: int,
    groups: Indices,
    scratch: Array,
    columns: Array,
) -> float:
    """Return the share of query i's triplets whose order is kept (ties count 1/2).

    Adds the change of the share when test candidate j is removed to ``columns[j]``. order : candidates in a random
    order; those from place `start` on are used, except the query. scratch : (3, candidates).
    """
    n = scratch.shape[1]
    sampled = np.empty(n, dtype=np.int64)
    place = start
    for p in range(n):
        if order[place] == i:
            place = place + 1 if place + 1 < len(order) else 0
        sampled[p] = order[place]
        scratch[0, p], scratch[1, p] = a[sampled[p]], b[sampled[p]]
        place = place + 1 if place + 1 < len(order) else 0
    balance = scratch[2]
    _balance(scratch[0], scratch[1], tolerances[0], tolerances[1], balance)
    total = 0.0
    for p in range(n):
        total += balance[p]
    total /= 2.0  # each pair was counted from both ends
    share: float = 0.5 + total / (n * (n - 1.0))
    for p in range(n):
        if sampled[p] < n_test and not same_group(groups, i, sampled[p]):
            columns[sampled[p]] += 0.5 + (total - balance[p]) / ((n - 1.0) * (n - 2.0)) - share
    return share


@kernel
def triplet_rows(
    keys_x: Array,
    keys_z: Array,
    first_query: int,
    places: Indices,
    order: Indices,
    size: int,
    tolerances: tuple[float, float],
    n_test: int,
    groups: Indices,
    columns: Array,
    out: Array,
) -> None:
    """Write the shares of a block's queries, each with `size` candidates, to `out`; see `_add_triplets`.

    places : (B,) numbers of the queries, which choose the part of `order` that is used.
    """
    scratch = np.empty((3, size))
    for row in range(len(keys_x)):
        i = first_query + row
        skipped = i if n_test else -1
        start = places[row] * size % len(order)
        fixed = order, tolerances, n_test, groups
        out[row] = _add_triplets(keys_x[row], keys_z[row], skipped, start, *fixed, scratch, columns)
