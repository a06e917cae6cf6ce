"""Runs of pytest in forked processes, which need not load numpy, scipy and scikit-learn each time.

A server of ``multiprocessing`` loads them and the library once, and each run is a fork of it. The plugin is not loaded
before the fork: each run loads it and rewrites its assertions, as any process does.
"""

from __future__ import annotations

import atexit
import multiprocessing
import multiprocessing.forkserver  # here, since pytester unloads what a test has imported, and with it the server
import multiprocessing.popen_forkserver
import os
import signal
import subprocess
import sys
from dataclasses import dataclass

LOADED = (
    "pytest",
    "numba",
    "scipy.special",
    "scipy.linalg",
    "scipy.spatial",
    "sklearn.decomposition",
    "tabulate",
    "distbench.evaluation.evaluate",
    "distbench.evaluation.failure_message",
    "distbench.results.leaderboard",
    "distbench.suites",
)
# Environment variables that an interpreter and its libraries read once, when they start.
READ_AT_START = ("PYTHON", "NUMBA", "OMP", "OPENBLAS", "MKL", "LD_", "KERAS", "TF_")
OTHERS = "-p no:hypothesispytest -p no:zarr -p no:anyio"  # plugins of test dependencies, slow to load


def read_at_start(environment) -> dict[str, str]:
    """Return the variables of an environment that take no effect after a fork."""
    return {name: value for name, value in environment.items() if name.startswith(READ_AT_START)}


def clean_path() -> list[str]:
    """Return the module search path of a new interpreter, without its first folder."""
    code = "import sys; print(*sys.path[1:], sep='\\n')"
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.splitlines()


@dataclass(frozen=True)
class Order:
    """A run of ``python -m pytest``, or of some code: arguments, folder, environment and output files."""

    arguments: tuple[str, ...]
    folder: str
    environment: dict[str, str]
    stdout: str
    stderr: str
    path: list[str]
    own_group: bool = False  # so that all of its processes can be killed together
    code: str = ""

    def run(self) -> None:
        """Turn this process, a fork, into the run."""
        if self.own_group:
            os.setsid()
        for name, stream in ((self.stdout, 1), (self.stderr, 2)):
            os.dup2(os.open(name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), stream)
        os.chdir(self.folder)
        os.environ.clear()
        os.environ.update(self.environment)
        sys.argv[:] = ["pytest", *self.arguments]
        sys.path[:] = [self.folder, *self.path]
        import numpy as np
        import pytest

        np.random.seed()  # noqa: NPY002 - runs share no random state, like new processes
        try:
            if not self.code:
                sys.exit(pytest.console_main())
            exec(self.code, {"__name__": "__main__"})
        finally:
            sys.stdout.flush()
            atexit._run_exitfuncs()  # multiprocessing does not run these


class Run:
    """A started run, with the methods of ``subprocess.Popen`` that pytester uses."""

    stdin = None

    def __init__(self, order: Order) -> None:
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload([*LOADED, __name__])
        self._process = context.Process(target=order.run)
        self._process.start()

    def wait(self, timeout: float | None = None) -> int | None:
        self._process.join(timeout)
        if self._process.exitcode is None:
            raise subprocess.TimeoutExpired("pytest", timeout or 0)
        return self._process.exitcode

    def kill(self) -> None:
        self._process.kill()

    def kill_group(self) -> None:
        """Kill a run with its own process group, and all processes that it has started."""
        try:
            os.killpg(self._process.pid, signal.SIGKILL)
        except ProcessLookupError:  # it has not made its group yet
            self._process.kill()
        self._process.join()
