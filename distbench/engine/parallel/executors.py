"""Runs jobs on threads, on any `concurrent.futures.Executor` or on a Dask cluster; yields results in job order."""

from __future__ import annotations

import itertools
import os
import sys
import tempfile
import warnings
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import BrokenExecutor, CancelledError, Executor, ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Self, TypeVar

from distbench.engine.parallel.pickling import PickledProblem
from distbench.errors import DistbenchError, InputError

__all__ = ["Workers", "workers_for"]

Job = TypeVar("Job")
Result = TypeVar("Result")
Function = Callable[[Any, Any], Any]

JOBS_PER_WORKER = 2  # submitted at a time


def workers_for(problem: Any, executor: Any = None, threads: int | None = None) -> Workers:
    """Return a context that runs jobs of `problem` on an `executor`, which stays open, or on new threads.

    The problem is sent once to each worker of a process pool or a Dask cluster; a memory map of a named file is sent as
    the file's name and opened again. Raises InputError if `executor` is not an executor, or is not connected.
    """
    if executor is None:
        return Workers(problem, threads or os.cpu_count() or 1)
    distributed = sys.modules.get("distributed")  # a caller who has a client has imported it
    client = getattr(executor, "_client", executor)
    if distributed is not None and isinstance(client, distributed.Client):
        return _on_dask(problem, client, getattr(executor, "_kwargs", {}))
    if isinstance(executor, Executor):
        return _ExecutorWorkers(problem, executor)
    raise InputError(
        "executor", f"found {type(executor).__name__}", "pass a concurrent.futures.Executor or a distributed.Client"
    )


class Workers:
    """Runs jobs on `count` new threads, or in the calling thread if `count` is 1."""

    def __init__(self, problem: Any, count: int) -> None:
        self._problem, self.count = problem, count
        self._cleanup = ExitStack()

    def run(self, function: Callable[[Any, Job], Result], jobs: Sequence[Job]) -> Iterator[Result]:
        """Yield ``function(problem, job)`` in the order of the jobs; a few at a time are submitted, to save memory.

        `function` may not change its arguments, and other processes must be able to import it; jobs must be picklable.
        If a worker dies or a job fails on an executor, a DistbenchError names the job. Without an executor, the job's
        error is raised unchanged.
        """
        rest = iter(jobs)
        pending: deque[tuple[Job, Any]] = deque()
        try:
            first = itertools.islice(rest, JOBS_PER_WORKER * self.count)
            pending.extend((job, self._submit(function, job)) for job in first)
            while pending:
                result = self._result(function, *pending.popleft())
                pending.extend((job, self._submit(function, job)) for job in itertools.islice(rest, 1))
                yield result
        finally:
            for _, future in pending:
                if future is not None:
                    future.cancel()

    def _submit(self, function: Function, job: Any) -> Any:
        return None if self.count == 1 else self._pool.submit(function, self._problem, job)

    def _result(self, function: Function, job: Any, future: Any) -> Any:
        return function(self._problem, job) if future is None else future.result()

    def __enter__(self) -> Self:
        self._pool = ThreadPoolExecutor(self.count, thread_name_prefix="distbench")
        self._cleanup.callback(self._pool.shutdown, cancel_futures=True)
        return self

    def __exit__(self, *_: object) -> None:
        self._problem = None  # so that a Dask cluster drops its copies
        self._cleanup.close()


class _ExecutorWorkers(Workers):
    """Runs jobs on the caller's executor. Threads share the problem; processes on this machine share its files."""

    def __init__(self, problem: Any, executor: Any, count: int | None = None, client: Any = None) -> None:
        super().__init__(problem, count or int(getattr(executor, "_max_workers", None) or os.cpu_count() or 1))
        self._executor, self._client = executor, client

    def __enter__(self) -> Self:
        if not isinstance(self._executor, ThreadPoolExecutor):
            folder = None
            if isinstance(self._executor, ProcessPoolExecutor):
                # Workers may still hold the files at the end; some systems then cannot delete them.
                owner = tempfile.TemporaryDirectory(prefix="distbench-", ignore_cleanup_errors=True)
                folder = Path(self._cleanup.enter_context(owner))
            self._problem = PickledProblem(self._problem, folder)
            self._cleanup.callback(self._problem.forget)
        if self._client is not None:
            with warnings.catch_warnings():
                # Dask advises to scatter large data, but cannot restore scattered data if their workers die.
                warnings.simplefilter("ignore")
                self._problem = self._client.submit(_return, self._problem, **self._executor._kwargs)
        return self

    def _submit(self, function: Function, job: Any) -> Any:
        try:
            return self._executor.submit(_run, function, self._problem, job)
        except BrokenExecutor as error:
            raise self._failure(job, error) from error
        except RuntimeError as error:
            raise InputError("executor", str(error), "pass an executor that is open") from error

    def _result(self, function: Function, job: Any, future: Any) -> Any:
        try:
            return future.result()
        except DistbenchError:
            raise
        except Exception as error:
            raise self._failure(job, error) from error

    def _failure(self, job: Any, error: BaseException) -> DistbenchError:
        name = f"the job of queries {job.start} to {job.stop - 1}" if isinstance(job, range) else f"job {job!r}"
        if isinstance(error, BrokenExecutor):
            return DistbenchError(
                f"executor: a worker of {type(self._executor).__name__} died ({error}); it may have run out of memory, "
                "or the script may lack `if __name__ == '__main__':`; pass a new executor (fewer workers), or none "
                "for threads"
            )
        if type(error).__name__ == "KilledWorker":
            return DistbenchError(
                f"executor: {name} was lost with several Dask workers that died; "
                "give workers more memory, or look into their logs"
            )
        if isinstance(error, CancelledError):
            return DistbenchError(f"executor: {name} was cancelled from outside; run it again")
        return DistbenchError(f"executor: {name} raised {type(error).__name__}: {error}")


def _on_dask(problem: Any, client: Any, options: dict[str, Any]) -> _ExecutorWorkers:
    if client.asynchronous:
        raise InputError("executor", "found an asynchronous Client", "pass Client(address) without asynchronous=True")
    if client.status != "running":
        raise InputError("executor", f"found a Client that is {client.status}", "pass one that is connected")
    count = sum(client.nthreads().values())
    if not count:
        found = "found a Dask cluster without workers"
        raise InputError("executor", found, "wait for one (Client.wait_for_workers)")
    return _ExecutorWorkers(problem, client.get_executor(**{**options, "pure": False}), count, client)


def _return(problem: Any) -> Any:
    return problem


def _run(function: Function, problem: Any, job: Any) -> Any:
    return function(problem.open() if isinstance(problem, PickledProblem) else problem, job)
