"""Jobs on a Dask cluster, whose workers may die."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import CancelledError
from typing import Any, Self

from distbench.engine.parallel.pickling import pack
from distbench.engine.parallel.workers import Workers, job_raised, job_text, run_parcel
from distbench.errors import DistbenchError, InputError

__all__ = ["DaskWorkers"]

Function = Callable[[Any, Any], Any]

TRIES = 3  # of a job whose data a cluster lost


def _killed(job: Any) -> DistbenchError:
    return DistbenchError(
        f"executor: {job_text(job)} was on several Dask workers that died, one after the other; "
        "give workers more memory, or look into their logs"
    )


class DaskWorkers(Workers):
    """A Dask cluster: it moves jobs away from workers that die; data that died with them are sent again."""

    def __init__(self, problem: Any, client: Any, options: dict[str, Any]) -> None:
        if client.asynchronous:
            raise InputError(
                "executor", "found an asynchronous Client", "pass Client(address) without asynchronous=True"
            )
        if client.status != "running":
            raise InputError("executor", f"found a Client that is {client.status}", "pass one that is connected")
        self._client, self._options = client, {**options, "pure": False}
        super().__init__(problem)
        self._sent: Any = None

    def __enter__(self) -> Self:
        threads = self._client.nthreads()
        if not threads:
            raise InputError(
                "executor", "found a Dask cluster without workers", "wait for one (Client.wait_for_workers)"
            )
        self.count = sum(threads.values())
        self._parcel = pack(self._problem)
        self._send()
        return self

    def _send(self) -> None:
        # Scattered data cannot be computed again, so every worker gets a copy.
        try:
            workers = self._options.get("workers")
            self._sent = self._client.scatter(self._parcel, broadcast=True, hash=False, workers=workers)
        except (TimeoutError, OSError) as error:
            raise DistbenchError(f"executor: no Dask worker took the data ({error}); start workers again") from error

    def _submit(self, function: Function, job: Any) -> Any:
        return self._client.submit(run_parcel, function, self._sent, job, **self._options)

    def _result(self, function: Function, job: Any, future: Any) -> Any:
        for _ in range(TRIES):
            try:
                return future.result()
            except DistbenchError:
                raise
            except CancelledError as error:  # the last copy of the problem died with its worker
                lost: BaseException = error
                self._again()
                future = self._submit(function, job)
            except Exception as error:
                raise (_killed(job) if type(error).__name__ == "KilledWorker" else job_raised(job, error)) from error
        raise _killed(job) from lost

    def _again(self) -> None:
        if self._client.status != "running":
            raise DistbenchError(f"executor: the connection to the Dask scheduler is {self._client.status}")
        if self._sent.cancelled() or self._sent.status != "finished":
            self._send()

    def __exit__(self, *_: object) -> None:
        self._sent = None  # lets the cluster drop its copies
        self._parcel.forget()
        super().__exit__()
