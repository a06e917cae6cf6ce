"""One peer on one set of points, beside distbench and the bare matrix products, in a separate process.

``python benchmarks/_case.py JSON`` writes one JSON line when a call begins and one when it ends, so that the process
that started it can stop a call that takes too long and keep the earlier measurements.
"""

from __future__ import annotations

import contextlib
import ctypes
import dataclasses
import gc
import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TextIO

import numpy as np
from _adapters import PEERS, Peer
from numpy.typing import NDArray

__all__ = ["Case"]

LATENT = 8  # dimensions the points really have
SINGLE_FROM = 256  # columns: images, which come in float32
BLOCK = 1024  # rows of a bare product


@dataclasses.dataclass(frozen=True)
class Case:
    """What one process measures."""

    peer: str
    n: int
    d: int
    code_size: int
    k: int
    repeats: int
    budget: float  # seconds of the peer after which no repeat begins
    memory: int  # bytes of data the process may hold

    @property
    def dtype(self) -> str:
        return "float32" if self.d >= SINGLE_FROM else "float64"


def make_points(case: Case, n: int) -> tuple[NDArray[Any], NDArray[Any]]:
    """Draw ten blobs on a curved sheet with noise, and codes that keep part of their hidden coordinates.

    Returns
    -------
    tuple of ndarray
        Points (n, d) and codes (n, code_size), both of the case's dtype.
    """
    rng = np.random.default_rng([n, case.d, case.code_size])
    latent = 2 * rng.standard_normal((10, LATENT))[rng.integers(10, size=n)] + rng.standard_normal((n, LATENT))
    X = np.tanh(0.3 * latent @ rng.standard_normal((LATENT, case.d))) + 0.1 * rng.standard_normal((n, case.d))
    Z = latent @ rng.standard_normal((LATENT, case.code_size)) + 0.1 * rng.standard_normal((n, case.code_size))
    return X.astype(case.dtype), Z.astype(case.dtype)


def products(X: NDArray[Any], Z: NDArray[Any]) -> Callable[[], None]:
    """Return a call that forms X X' and Z Z' in float32, block by block: what every exact engine must do."""
    points = [np.ascontiguousarray(rows, dtype=np.float32) for rows in (X, Z)]
    out = np.empty((min(BLOCK, len(X)), len(X)), dtype=np.float32)

    def call() -> None:
        for rows in points:
            for start in range(0, len(rows), BLOCK):
                block = rows[start : start + BLOCK]
                np.matmul(block, rows.T, out=out[: len(block)])

    return call


def ours(X: NDArray[Any], Z: NDArray[Any], k: int, metrics: Any = "default") -> dict[str, float]:
    from distbench import evaluate_codes

    return evaluate_codes(X, Z, k=k, metrics=metrics).as_dict()


def _memory(field: str) -> int | None:
    """Return VmRSS or VmHWM in bytes; None if the system does not report it."""
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
    except OSError:
        return None
    return next((1024 * int(line.split()[1]) for line in lines if line.startswith(field)), None)


def _forget_peak() -> bool:
    """Return free memory to the system and reset the peak to the memory that is held now."""
    gc.collect()
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).malloc_trim(0)
    try:
        Path("/proc/self/clear_refs").write_text("5")
    except OSError:
        return False
    return True


class Events:
    """Reports events to the process that started this one."""

    def __init__(self, out: TextIO) -> None:
        self.out = out

    def say(self, **event: Any) -> None:
        print(json.dumps(event), file=self.out, flush=True)

    def fail(self, shown: str, error: Exception) -> None:
        self.say(failed=shown, message=str(error).strip().partition("\n")[0][:200])

    def measure(self, what: str, call: Callable[[], Any], *, counts: bool = True) -> float:
        """Call, and report seconds, peak bytes above start and values; return the seconds.

        The first call of full size faults in pages and grows pools: its memory counts, its time does not.
        """
        was_reset = _forget_peak()
        before = _memory("VmRSS")
        self.say(begin=what)
        start = time.perf_counter()
        values = call()
        seconds = time.perf_counter() - start
        peak = _memory("VmHWM")
        above = max(peak - before, 0) if was_reset and peak is not None and before is not None else None
        self.say(end=what, seconds=seconds, above=above, values=values, counts=counts)
        return seconds


def run(case: Case, events: Events) -> None:
    """Warm up all calls on few points, run each once in full, then measure them in turn."""
    peer = PEERS[case.peer]
    X, Z = make_points(case, case.n)
    calls: dict[str, Callable[[], Any]] = {"products": products(X, Z), "ours": lambda: ours(X, Z, case.k)}
    few = make_points(case, min(500, case.n))
    ours(*few, case.k)
    for counts in (False, True):  # before the peer, which may have to be stopped
        for what in ("products", "ours"):
            events.measure(what, calls[what], counts=counts)
    _say_others(peer, (X, Z), case.k, events)
    try:
        call = peer.load()
        call(*few, case.k)
        _in_turn(case, calls | {"peer": lambda: call(X, Z, case.k)}, events)
    except Exception as error:  # whatever a tool may raise is what the table shows
        events.fail(type(error).__name__, error)


def _in_turn(case: Case, calls: dict[str, Callable[[], Any]], events: Events) -> None:
    spent = events.measure("peer", calls["peer"], counts=False)
    for _ in range(case.repeats):
        for what in ("products", "ours"):
            events.measure(what, calls[what])
        spent += events.measure("peer", calls["peer"])
        if spent > case.budget:
            break


def _say_others(peer: Peer, points: tuple[Any, Any], k: int, events: Events) -> None:
    """Measure, outside of the timing, the peer's metrics that are not in the default set."""
    from distbench.metrics import METRICS

    names = [name for name in peer.metrics if name in METRICS and not METRICS[name].default]
    if names:
        events.say(others=ours(*points, k, metrics=names))


def _limit(memory: int) -> None:
    """Limit the memory of this process, so that too much raises an error."""
    with contextlib.suppress(ImportError, ValueError, OSError):
        import resource

        resource.setrlimit(resource.RLIMIT_DATA, (memory, memory))
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("1000")


def main() -> None:
    # Tools print what they like: standard output is kept for events.
    events = Events(os.fdopen(os.dup(1), "w"))
    os.dup2(2, 1)
    case = Case(**json.loads(sys.argv[1]))
    _limit(case.memory)
    events.say(begin="setup")
    try:
        run(case, events)
    except Exception as error:  # our own: said, so that a long run goes on
        events.fail(f"distbench: {type(error).__name__}", error)


if __name__ == "__main__":
    main()
