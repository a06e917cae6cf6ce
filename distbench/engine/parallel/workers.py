"""Ways of running jobs in order: here, on threads, on processes, on an executor of which nothing is known."""

from __future__ import annotations

import itertools
import os
import tempfile
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import BrokenExecutor, CancelledError, Executor, Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any, Self, TypeVar

from distbench.engine.parallel.pickling import PickledProblem, pack, pack_into
from distbench.errors import DistbenchError, InputError

__all__ = [
    "AnyWorkers",
    "PoolThreads",
    "Processes",
    "SerialWorkers",
    "Threads",
    "Workers",
    "job_raised",
    "job_text",
    "run_parcel",
]

Job = TypeVar("Job")
Result = TypeVar("Result")
Function = Callable[[Any, Any], Any]

AHEAD = 2  # jobs under way or waiting to be taken, per worker


class Workers(ABC):
    """Whoever runs jobs; a context."""

    count: int

    def __init__(self, problem: Any) -> None:
        self._problem = problem

    def run(self, function: Callable[[Any, Job], Result], jobs: Sequence[Job]) -> Iterator[Result]:
        """Yield ``function(problem, job)`` in the order of the jobs.

        Few are under way at a time, so that memory stays flat.
        """
        todo = iter(jobs)
        waiting: deque[tuple[Job, Any]] = deque()
        try:
            waiting.extend((job, self._submit(function, job)) for job in itertools.islice(todo, AHEAD * self.count))
            while waiting:
                result = self._result(function, *waiting.popleft())
                waiting.extend((job, self._submit(function, job)) for job in itertools.islice(todo, 1))
                yield result
        finally:
            for _, future in waiting:
                future.cancel()

    @abstractmethod
    def _submit(self, function: Function, job: Any) -> Any:
        """Start a job and return its future."""

    @abstractmethod
    def _result(self, function: Function, job: Any, future: Any) -> Any:
        """Wait for a job and return what it found."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._problem = None  # it may be large


class SerialWorkers(Workers):
    """No workers: each job is done when its result is asked for."""

    count = 1

    def _submit(self, function: Function, job: Any) -> Any:
        return Future[Any]()

    def _result(self, function: Function, job: Any, future: Any) -> Any:
        return function(self._problem, job)


class Threads(Workers):
    """Threads of our own."""

    def __init__(self, problem: Any, count: int) -> None:
        super().__init__(problem)
        self.count = count

    def __enter__(self) -> Self:
        self._pool = ThreadPoolExecutor(self.count, thread_name_prefix="distbench")
        return self

    def _submit(self, function: Function, job: Any) -> Any:
        return self._pool.submit(function, self._problem, job)

    def _result(self, function: Function, job: Any, future: Any) -> Any:
        return future.result()

    def __exit__(self, *_: object) -> None:
        self._pool.shutdown(cancel_futures=True)
        super().__exit__()


class PoolThreads(Workers):
    """Somebody's executor whose workers share this process's memory."""

    def __init__(self, problem: Any, executor: Executor) -> None:
        super().__init__(problem)
        self.count = int(getattr(executor, "_max_workers", None) or os.cpu_count() or 1)
        self._executor = executor

    def _submit(self, function: Function, job: Any) -> Any:
        return self._started(function, self._problem, job)

    def _started(self, *call: Any) -> Any:
        try:
            return self._executor.submit(*call)
        except BrokenExecutor as error:
            raise _broken(self._executor, error) from error
        except RuntimeError as error:
            raise InputError("executor", str(error), "pass one that is open") from error

    def _result(self, function: Function, job: Any, future: Any) -> Any:
        try:
            return future.result()
        except DistbenchError:
            raise
        except BrokenExecutor as error:
            raise _broken(self._executor, error) from error
        except CancelledError as error:
            raise DistbenchError(f"executor: {job_text(job)} was cancelled by somebody else; run it again") from error
        except Exception as error:
            raise job_raised(job, error) from error


def _broken(executor: Executor, error: Exception) -> DistbenchError:
    return DistbenchError(
        f"executor: a worker of {type(executor).__name__} died ({error}); it may have run out of memory, or the "
        "script may lack `if __name__ == '__main__':`; pass a new executor (fewer workers), or none for threads"
    )


def job_raised(job: Any, error: BaseException) -> DistbenchError:
    """Return the error that says which job raised what."""
    return DistbenchError(f"executor: {job_text(job)} raised {type(error).__name__}: {error}")


def job_text(job: Any) -> str:
    """Return what a job is called in errors."""
    return f"the job of queries {job.start} to {job.stop - 1}" if isinstance(job, range) else f"job {job!r}"


class AnyWorkers(PoolThreads):
    """An executor of which nothing is known: the problem goes with each job, and is opened once a process."""

    _parcel: PickledProblem

    def __enter__(self) -> Self:
        self._parcel = pack(self._problem)
        return self

    def __exit__(self, *_: object) -> None:
        self._parcel.forget()
        super().__exit__()

    def _submit(self, function: Function, job: Any) -> Any:
        return self._started(run_parcel, function, self._parcel, job)


class Processes(AnyWorkers):
    """Processes of this machine: the problem goes through a file that all of them map."""

    def __enter__(self) -> Self:
        # Workers may still hold the files when we are done, which some systems do not like.
        self._folder = tempfile.TemporaryDirectory(prefix="distbench-", ignore_cleanup_errors=True)
        self._parcel = pack_into(Path(self._folder.name), self._problem)
        return self

    def __exit__(self, *_: object) -> None:
        super().__exit__()
        self._folder.cleanup()


def run_parcel(function: Callable[[Any, Job], Result], parcel: PickledProblem, job: Job) -> Result:
    """Do a job in a worker process."""
    return function(parcel.open(), job)
