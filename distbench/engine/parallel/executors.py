"""Jobs on threads, on any `concurrent.futures.Executor`, or on a Dask cluster; results in the order of the jobs."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from typing import Any, TypeVar

from distbench.engine.parallel.dask import DaskWorkers
from distbench.engine.parallel.workers import AnyWorkers, PoolThreads, Processes, SerialWorkers, Threads, Workers
from distbench.errors import InputError

__all__ = ["Workers", "run_jobs", "workers_for"]

Job = TypeVar("Job")
Result = TypeVar("Result")


def run_jobs(
    function: Callable[[Any, Job], Result],
    jobs: Sequence[Job],
    problem: Any,
    executor: Any = None,
    threads: int | None = None,
) -> Iterator[Result]:
    """Yield ``function(problem, job)`` for each job, in order.

    Parameters
    ----------
    function : callable
        Pure; importable by name where workers are other processes.
    jobs : sequence
        Small things that pickle.
    problem, executor, threads
        As for `workers_for`.

    Raises
    ------
    InputError
        If `executor` is no executor, or is shut down.
    DistbenchError
        If a worker died or a job raised on an executor: says which and what to do. Without an executor, what a
        job raises is passed on.
    """
    return _run_once(workers_for(problem, executor, threads), function, jobs)


def _run_once(workers: Workers, function: Callable[[Any, Job], Result], jobs: Sequence[Job]) -> Iterator[Result]:
    with workers:
        yield from workers.run(function, jobs)


def workers_for(problem: Any, executor: Any = None, threads: int | None = None) -> Workers:
    """Return workers that know a problem; a context, for one or more rounds of jobs on the same problem.

    Parameters
    ----------
    problem : object
        What all jobs read. It is sent once to each worker of a process pool or a Dask cluster; memory maps of named
        files are sent as the file's name and opened again.
    executor : concurrent.futures.Executor or distributed.Client, optional
        Where jobs run. It is left open. Default: threads of this process.
    threads : int, optional
        How many, without an executor. Default: one a core.

    Raises
    ------
    InputError
        If `executor` is no executor, or not connected.
    """
    if executor is None:
        count = threads or os.cpu_count() or 1
        return SerialWorkers(problem) if count == 1 else Threads(problem, count)
    distributed = sys.modules.get("distributed")  # whoever passes a client has imported it
    if distributed is not None:
        client = getattr(executor, "_client", executor)
        if isinstance(client, distributed.Client):
            return DaskWorkers(problem, client, getattr(executor, "_kwargs", {}))
    if isinstance(executor, ThreadPoolExecutor):
        return PoolThreads(problem, executor)
    if isinstance(executor, ProcessPoolExecutor):
        return Processes(problem, executor)
    if isinstance(executor, Executor):
        return AnyWorkers(problem, executor)
    raise InputError(
        "executor", f"found {type(executor).__name__}", "pass a concurrent.futures.Executor or a distributed.Client"
    )
