"""One pass over (query block x candidates), in jobs; memory is flat in the number of queries.

Jobs are runs of queries, the same for any executor, and are summed in their order: the result depends neither on
who did them nor on the machine's load, to the last bit.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from distbench.engine.assemble import assemble
from distbench.engine.job import release_rooms, run_job
from distbench.engine.optional_statistics import EXTRA, ExtraFamily
from distbench.engine.parallel.blas import one_blas_thread
from distbench.engine.parallel.executors import workers_for
from distbench.engine.parallel.progress import track
from distbench.engine.partial_sums import Merged, Part, merge
from distbench.engine.point_space import Space
from distbench.engine.problem import FAMILIES, EngineRequest, Problem
from distbench.engine.statistics import Statistics

__all__ = ["gather"]

Indices = NDArray[np.int64]


def gather(
    X: NDArray[Any],
    Z: NDArray[Any],
    X_ref: NDArray[Any] | None = None,
    Z_ref: NDArray[Any] | None = None,
    *,
    k: int,
    include_queries: bool = True,
    families: frozenset[str] = FAMILIES,
    distance_x: str = "euclidean",
    distance_z: str = "euclidean",
    judged: Indices | None = None,
    labels: Indices | None = None,
    labels_ref: Indices | None = None,
    sigma: float = 0.1,
    executor: Any = None,
    threads: int | None = None,
    progress: bool | None = None,
) -> Statistics:
    """Gather the statistics of queries (X, Z) against their candidates.

    Parameters
    ----------
    X, Z : ndarray of shape (m, d) and (m, dim)
        Query points and their codes, checked; memory maps are read block by block.
    X_ref, Z_ref : ndarray, optional
        Reference points and their codes.
    k : int
        Number of nearest neighbours.
    include_queries : bool
        Whether the other queries are candidates; always so without a reference.
    families : frozenset of str
        Which statistics to gather, of `FAMILIES` and of `distbench.engine.optional_statistics.EXTRA`.
    distance_x, distance_z : str
        Of `distbench.engine.point_space.DISTANCES`.
    judged : ndarray of int, optional
        The rows of X that are judged. Default: all.
    labels, labels_ref : ndarray of int, optional
        Labels of X and of X_ref.
    sigma : float
        Of the density's kernel.
    executor : concurrent.futures.Executor or distributed.Client, optional
        Where jobs run. Default: threads.
    threads : int, optional
        Without an executor. Default: one a core.
    progress : bool, optional
        Whether to show how far the pass is; default: where it takes long and there is a terminal.
    """
    among_queries = include_queries or X_ref is None
    rows = np.arange(len(X)) if judged is None else np.asarray(judged, dtype=np.int64)
    everything = judged is None
    if not among_queries and not everything:
        X, Z, everything = X[rows], Z[rows], True
    order = None if everything else np.concatenate([rows, np.setdiff1d(np.arange(len(X)), rows)])
    first = 0 if among_queries else len(rows)
    same = frozenset({"moments"}) if "shepard" in families else frozenset()
    problem = Problem(
        x=Space([X] if X_ref is None else [X, X_ref], order, first, distance_x),
        z=Space([Z] if Z_ref is None else [Z, Z_ref], order, first, distance_z),
        m=len(rows),
        n_test=len(X) if among_queries else 0,
        asked=_questions(k, families | same, sigma, labels, labels_ref, order, rows, among_queries),
    )
    try:
        with one_blas_thread():
            return _gather(problem, rows, order, executor, threads, progress)
    finally:
        release_rooms()  # where jobs ran in this thread


def _questions(
    k: int,
    families: frozenset[str],
    sigma: float,
    labels: Indices | None,
    labels_ref: Indices | None,
    order: Indices | None,
    rows: Indices,
    among_queries: bool,
) -> EngineRequest:
    if labels is None:
        return EngineRequest(k, families, sigma)
    own = labels if order is None else labels[order]
    candidates = [own] if among_queries else []
    if labels_ref is not None:
        candidates.append(labels_ref)
    return EngineRequest(k, families, sigma, labels[rows], np.concatenate(candidates))


def _gather(
    problem: Problem, rows: Indices, order: Indices | None, executor: Any, threads: int | None, progress: bool | None
) -> Statistics:
    families = problem.asked.families
    extras = [EXTRA[name] for name in sorted(families - FAMILIES)]
    if families & {"moments", "shepard"}:
        problem.look()
    jobs = _jobs(problem.m)
    with workers_for(problem, executor, threads) as workers:

        def run(function: Any, things: Sequence[Any]) -> Iterator[Part]:
            return track(workers.run(function, things), [len(rows) for rows in jobs], progress=progress)

        merged = merge(run(run_job, jobs)) if families & FAMILIES else Merged()
        found = {family.name: _extra(problem, family, jobs, run) for family in extras}
    return assemble(problem, merged, found, rows, order)


def _jobs(m: int) -> list[range]:
    """Cut queries into jobs, by their number alone."""
    size = int(np.clip(-(-m // 16), 32, 256))
    return [range(start, min(start + size, m)) for start in range(0, m, size)]


def _run_extra(problem: Problem, job: tuple[str, range, Any, int]) -> Part:
    name, rows, state, index = job
    return EXTRA[name].part(problem, rows, state, index)


def _extra(problem: Problem, family: ExtraFamily, jobs: list[range], run: Any) -> Any:
    """Run all passes of a family that is not part of the common pass."""
    state: Any = None
    for index in range(family.passes):
        merged = merge(run(_run_extra, [(family.name, rows, state, index) for rows in jobs]))
        if index + 1 < family.passes:
            state = family.between(problem, merged, state, index)
    return family.finish(problem, merged, state)
