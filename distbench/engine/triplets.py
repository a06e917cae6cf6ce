"""Triplets of a query and two candidates: whether codes keep the order of the two distances."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from distbench.engine._jit import kernel

__all__ = ["candidates_per_query", "triplet_rows"]

Array = NDArray[np.float64]
Indices = NDArray[np.int64]

MAX_COMPARISONS = 3e8  # over all queries; if there were more, candidates are sampled
MIN_CANDIDATES, MAX_CANDIDATES = 128, 1024  # sampled for a query


def candidates_per_query(m: int, M: int) -> int:
    """Return how many of the M candidates each of m queries is compared with."""
    return min(M, int(np.clip(np.sqrt(MAX_COMPARISONS / m), MIN_CANDIDATES, MAX_CANDIDATES)))


@kernel
def triplet_rows(
    keys_x: Array,
    keys_z: Array,
    first_query: int,
    places: Indices,
    order: Indices,
    tolerance_x: float,
    tolerance_z: float,
    n_test: int,
    groups: Indices,
    sampled: Indices,
    scratch: Array,
    columns: Array,
    out: Array,
) -> None:
    """Write the share of each query's triplets whose order is kept (ties count 1/2) to `out`.

    Adds the change of the share when test candidate j is removed to ``columns[j]``. order : candidates in a random
    order, of which a query uses those from a place on, except itself. places : (B,) numbers of the queries, which
    choose that place. sampled, scratch : (size,) and (3, size), for the candidates of a query.
    """
    a, b, balance = scratch[0], scratch[1], scratch[2]
    n, size = len(order), len(sampled)
    for row in range(len(keys_x)):
        i, used, total, place = first_query + row, 0, 0.0, places[row] * size % n
        x, z, own_group = keys_x[row], keys_z[row], groups[i] if n_test else -1
        while used < size:
            p = order[place]
            place = place + 1 if place + 1 < n else 0
            if p != i or n_test == 0:
                sampled[used] = p
                a[used] = x[p]
                b[used] = z[p]
                used += 1
        for j in range(size):  # the sum over all others of sign(a - a') sign(b - b')
            low_a, high_a = a[j] * (1.0 - tolerance_x), a[j] * (1.0 + tolerance_x)
            low_b, high_b = b[j] * (1.0 - tolerance_z), b[j] * (1.0 + tolerance_z)
            kept = 0  # a whole number: such sums run in vector registers, and the rest is not reordered
            for l in range(size):  # noqa: E741 - the letter of the definition
                sign = 1 if b[l] > high_b else (-1 if b[l] < low_b else 0)
                kept += sign if a[l] > high_a else (-sign if a[l] < low_a else 0)
            balance[j] = kept
            total += kept / 2.0  # each pair is counted from both ends
        share = 0.5 + total / (size * (size - 1.0))
        out[row] = share
        for j in range(size):
            p = sampled[j]
            if p < n_test and groups[p] != own_group:
                columns[p] += 0.5 + (total - balance[j]) / ((size - 1.0) * (size - 2.0)) - share
