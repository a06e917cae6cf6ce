"""One pass over (query block x candidates), in threads; memory is flat in the number of queries.

Work is cut into tasks of whole queries, the same for any number of threads, and summed in the order of the tasks:
the result does not depend on the machine's load, to the last bit.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray

from distbench.engine import shepard
from distbench.engine.distances import to_unit_scale
from distbench.engine.gathered import Gathered
from distbench.engine.merge import merge
from distbench.engine.task import FAMILIES, Part, Problem, run_task

__all__ = ["FAMILIES", "gather"]

Array = NDArray[np.float64]

TASK = 64  # queries


def gather(
    X: Array,
    Z: Array,
    X_ref: Array | None = None,
    Z_ref: Array | None = None,
    *,
    k: int,
    include_queries: bool = True,
    families: frozenset[str] = FAMILIES,
    threads: int | None = None,
) -> Gathered:
    """Gather the statistics of queries (X, Z) against their candidates.

    Parameters
    ----------
    X, Z : ndarray of shape (m, d) and (m, dim)
        Query points and their codes, checked.
    X_ref, Z_ref : ndarray, optional
        Reference points and their codes.
    k : int
        Number of nearest neighbours.
    include_queries : bool
        Whether the other queries are candidates; always so without a reference.
    families : frozenset of str
        Which statistics to gather, of `FAMILIES`.
    threads : int, optional
        Default: one a core.
    """
    among_queries = include_queries or X_ref is None
    m = len(X)
    x, unit_x = to_unit_scale(X if X_ref is None else np.vstack([X, X_ref]))
    z, unit_z = to_unit_scale(Z if Z_ref is None else np.vstack([Z, Z_ref]))
    columns_x, columns_z = np.ascontiguousarray(x.T), np.ascontiguousarray(z.T)
    with_pairs = bool(families & {"moments", "shepard"})
    first = 0 if among_queries else m
    problem = Problem(
        x=np.ascontiguousarray(columns_x[:, first:]),
        z=np.ascontiguousarray(columns_z[:, first:]),
        queries_x=x[:m],
        queries_z=z[:m],
        n_test=m - first,
        k=k,
        families=families,
        pilot=shepard.pilot(columns_x, columns_z, m, among_queries) if with_pairs else None,
    )
    unit = float(np.ldexp(1.0, int(np.clip(unit_z - unit_x, -1000, 1000))))
    return merge(problem, _run(problem, threads or os.cpu_count() or 1), unit)


def _run(problem: Problem, threads: int) -> Iterator[Part]:
    starts = range(0, len(problem.queries_x), TASK)
    if threads == 1 or len(starts) == 1:
        yield from (run_task(problem, start, TASK) for start in starts)
        return
    with ThreadPoolExecutor(threads) as pool:
        yield from pool.map(lambda start: run_task(problem, start, TASK), starts)
