"""Gathers all statistics in one pass over (query block x candidates); memory does not grow with the queries.

A job computes the sums of consecutive queries. The cuts between jobs do not depend on the executor, and results are
added in the order of the jobs. So the result is the same to the last bit wherever the jobs run.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from distbench._util.distances import PRECOMPUTED
from distbench.engine.assemble import assemble
from distbench.engine.canonical_order import canonical_order, inverse, row_of_distances
from distbench.engine.density import DensityFamily
from distbench.engine.job import release_buffers, run_job
from distbench.engine.labels import LabelsFamily
from distbench.engine.parallel.blas import one_blas_thread
from distbench.engine.parallel.executors import Workers, workers_for
from distbench.engine.parallel.progress import track
from distbench.engine.partial_sums import OptionalStatistic, Part, merge
from distbench.engine.problem import FAMILIES, Problem
from distbench.engine.relative_ranks import RelativeFamily
from distbench.engine.rnx_curve import OrderCurvesFamily
from distbench.engine.sampled_pairs import SampledPairsFamily
from distbench.engine.searches import FoundFamily, Search
from distbench.engine.spaces import space_of
from distbench.engine.statistics import Statistics

__all__ = ["gather"]

Indices = NDArray[np.int64]

DRAWING = frozenset({"moments", "shepard", "triplets", SampledPairsFamily.name})  # families that draw candidates
OPTIONAL_STATISTICS: dict[str, OptionalStatistic] = {
    family.name: family
    for family in (
        RelativeFamily(),
        OrderCurvesFamily(),
        SampledPairsFamily(),
        DensityFamily(),
        LabelsFamily(),
        FoundFamily(),
    )
}


def gather(
    X: NDArray[Any],
    Z: NDArray[Any],
    X_ref: NDArray[Any] | None = None,
    Z_ref: NDArray[Any] | None = None,
    *,
    k: int | Sequence[int],
    include_queries: bool = True,
    families: frozenset[str] = FAMILIES,
    distance_x: str = "euclidean",
    distance_z: str = "euclidean",
    judged: Indices | None = None,
    labels: Indices | None = None,
    labels_ref: Indices | None = None,
    groups: Indices | None = None,
    sigma: float = 0.1,
    searches: Iterable[Search] = (),
    executor: Any = None,
    threads: int | None = None,
    progress: bool | None = None,
) -> Statistics:
    """Return the statistics of queries among candidates; X and Z are arrays or memory maps that are already checked.

    Parameters
    ----------
    k : int or sequence of int
        Number of nearest neighbors. Several numbers are gathered in one pass: the statistics that depend on k are then
        those of the first, and `Statistics.at` gives those of another.
    include_queries : bool
        Whether the other test points are candidates. Without a reference they always are.
    families : frozenset of str
        The statistics to gather, named in `FAMILIES` and `OPTIONAL_STATISTICS`.
    distance_x, distance_z : str
        One of `distbench._util.distances.CODE_DISTANCES`.
    judged : ndarray of int, optional
        The rows of X that are queries. Default: all.
    groups : ndarray of int, optional
        The group of each row of X. Changes in a query's row when points of its own group are removed are left out of
        columns and signed sums: a group is left out as a whole, with its rows.
    sigma : float
        Width of the kernel with which densities are estimated.
    searches : iterable of Search
        What the family ``"found"`` looks up. Ranks at k answer the search for k among k.
    executor, threads
        As for `distbench.engine.parallel.executors.workers_for`. Default: one thread per core.
    progress : bool, optional
        As for `distbench.engine.parallel.progress.track`.
    """
    ks = tuple(dict.fromkeys([k] if isinstance(k, (int, np.integer)) else k))
    known = {Search(k, k) for k in ks} if "ranks" in families else set()
    searches = tuple(dict.fromkeys(search for search in searches if search not in known))
    families = families if searches else families - {FoundFamily.name}
    among_queries = include_queries or X_ref is None
    rows = np.arange(len(X)) if judged is None else np.asarray(judged, dtype=np.int64)
    all_judged = judged is None
    if not among_queries and not all_judged:
        X, Z, all_judged = X[rows], Z[rows], True
    order = None if all_judged else np.concatenate([rows, np.setdiff1d(np.arange(len(X)), rows)])
    first_candidate = 0 if among_queries else len(rows)
    problem = Problem(
        x=space_of([X] if X_ref is None else [X, X_ref], order, first_candidate, distance_x),
        z=space_of([Z] if Z_ref is None else [Z, Z_ref], order, first_candidate, distance_z),
        m=len(rows),
        n_test=len(X) if among_queries else 0,
        ks=ks,
        families=families | {"moments"} if "shepard" in families else families,
        canonical=_canonical(_in_order(X, X_ref, distance_x), _in_order(Z, Z_ref, distance_z), rows, order, families),
        sigma=sigma,
        searches=searches,
    )
    if labels is not None:
        candidates = [labels if order is None else labels[order]] if among_queries else []
        candidates += [] if labels_ref is None else [labels_ref]
        problem.labels_queries, problem.labels_candidates = labels[rows], np.concatenate(candidates)
    if groups is not None:
        groups = np.concatenate([groups[rows], np.delete(groups, rows)]) if among_queries else groups[rows]
    problem.groups = np.arange(problem.n_test) if groups is None or not among_queries else groups
    try:
        with one_blas_thread():
            if problem.families & {"moments", "shepard"}:
                problem.look()  # before workers get a copy of the problem
            with workers_for(problem, executor, threads) as workers:
                return replace(_run(problem, rows, order, workers, progress), groups=groups)
    finally:
        release_buffers()  # if jobs ran in this thread


def _in_order(
    points: NDArray[Any], references: NDArray[Any] | None, distance: str
) -> tuple[NDArray[Any], NDArray[Any] | None]:
    """Return what stands for the test points and for the reference points in their canonical order."""
    if references is not None and distance == PRECOMPUTED:
        references = row_of_distances(points[:, -len(references) :].T, distance)
    return row_of_distances(points, distance), references


def _canonical(
    points: tuple[NDArray[Any], NDArray[Any] | None],
    codes: tuple[NDArray[Any], NDArray[Any] | None],
    rows: Indices,
    order: Indices | None,
    families: frozenset[str],
) -> Indices:
    """Return `Problem.canonical` for queries at `rows` of the test points, which the spaces hold in this `order`.

    References keep their order for families that draw no sample of candidates: to find it takes time.
    """
    canonical = canonical_order(points[0], codes[0])
    if order is not None:
        canonical = inverse(order)[canonical]
        canonical = np.concatenate([canonical[canonical < len(rows)], canonical[canonical >= len(rows)]])
    if points[1] is None:
        return canonical
    others = canonical_order(points[1], codes[1]) if families & DRAWING else np.arange(len(points[1]))
    return np.concatenate([canonical, len(canonical) + others])


def _run(problem: Problem, rows: Indices, order: Indices | None, workers: Workers, progress: bool | None) -> Statistics:
    families, jobs = problem.families, _jobs(problem.m)

    def run(function: Any, arguments: Sequence[Any], jobs: list[range] = jobs) -> Part:
        results = workers.run(function, arguments)
        return merge(track(results, [len(job) for job in jobs], progress=progress))

    in_job = any(OPTIONAL_STATISTICS[name].passes == 0 for name in families - FAMILIES)
    merged = run(run_job, jobs) if families & FAMILIES or in_job else Part()
    extras = {}
    for name in sorted(families - FAMILIES):
        family, state, passed = OPTIONAL_STATISTICS[name], None, merged
        for index in range(family.passes):
            own_jobs = _jobs(problem.m, family.least_jobs)
            passed = run(_run_pass, [(name, job, state, index) for job in own_jobs], own_jobs)
            if index + 1 < family.passes:
                state = family.between(problem, passed, state, index)
        extras[name] = family.finish(problem, passed, state)
    return assemble(problem, merged, extras, rows, order)


def _jobs(m: int, least: int = 16) -> list[range]:
    """Cut the queries into jobs; the cuts depend only on the number of queries."""
    size = int(np.clip(-(-m // least), 32, 256))
    return [range(start, min(start + size, m)) for start in range(0, m, size)]


def _run_pass(problem: Problem, arguments: tuple[str, range, Any, int]) -> Part:
    name, rows, state, index = arguments
    return OPTIONAL_STATISTICS[name].part(problem, rows, state, index)
