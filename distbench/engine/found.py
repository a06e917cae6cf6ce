"""How many of the candidates that a search found count as near, as `distbench.engine.searches` says."""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray

from distbench.engine._jit import kernel
from distbench.engine.overlap import reach
from distbench.engine.parallel.blas import one_blas_thread
from distbench.engine.point_space import Space
from distbench.engine.searches import Search, growths_of
from distbench.engine.shortlists import Nearest, shortlists
from distbench.engine.single_keys import SingleKeys

__all__ = ["found_counts"]

Array = NDArray[np.float64]
Indices = NDArray[np.int64]

JOB_QUERIES = 256


def found_counts(space: Space, found: Indices, searches: Sequence[Search]) -> Array:
    """Return what counts for each query and search, as an array (m, S, 2): of the found ones, and of all candidates.

    space : the queries, which are no candidates, and the candidates. found : (m, R) candidates, each at most once in a
    row; -1 for none. Of tied candidates the expected number counts.
    """
    out = np.empty((len(found), len(searches), 2))
    sizes, growths = np.array([search[:2] for search in searches]), growths_of(searches, space)
    wanted = [Nearest(SingleKeys(space), int(sizes[:, 0].max()), max(0.0, float(growths.max()) - 1))]

    def job(start: int) -> None:
        for queries, (near,) in shortlists(wanted, np.arange(start, min(start + JOB_QUERIES, len(found)))):
            keys = space.from_zero(near.keys, queries)
            for row, query in enumerate(queries.tolist()):
                _count(found[query], near.places[row], keys[row], sizes, growths, out[query])

    with one_blas_thread(), ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        list(pool.map(job, range(0, len(found), JOB_QUERIES)))
    return out


@kernel
def _count(found: Indices, places: Indices, keys: Array, sizes: Indices, growths: Array, out: Array) -> None:
    """Write to `out` (S, 2) how many of the first sizes[:, 1] found ones count, and how many of all candidates."""
    n = len(sizes)
    edges, shares = np.empty(n), np.ones(n)  # the largest key that counts, and the share of one with this key
    for j in range(n):
        k = sizes[j, 0]
        edges[j] = np.partition(keys, k - 1)[k - 1]
        if growths[j] >= 0.0:
            edges[j] = reach(edges[j], growths[j])
        less, tied = 0, 0
        for key in keys:
            less += 1 if key < edges[j] else 0
            tied += 1 if key == edges[j] else 0
        if growths[j] < 0.0:
            shares[j] = (k - less) / tied
        out[j, 0], out[j, 1] = 0.0, less + shares[j] * tied
    for r in range(len(found)):
        for p in range(len(places)):
            if places[p] == found[r]:
                for j in range(n):
                    if r < sizes[j, 1]:
                        out[j, 0] += 1.0 if keys[p] < edges[j] else (shares[j] if keys[p] == edges[j] else 0.0)
