"""Jobs that worker processes can import."""

from __future__ import annotations

import os
import signal
import time

import numpy as np


def total(problem, job):
    time.sleep(problem.get("seconds", 0))
    return float(np.asarray(problem["points"][job.start : job.stop], dtype=float).sum()) * problem["factor"].sum()


def is_mapped(problem, job):
    base = problem["points"]
    while isinstance(base, np.ndarray):
        base = base.base
    return type(base).__name__ == "mmap"


def is_writable(problem, job):
    return all(problem[name].flags.writeable for name in ("points", "factor"))


def opened(problem, job):
    time.sleep(0.05)
    return os.getpid(), id(problem)


def fails(problem, job):
    if job.start >= 30:
        raise ZeroDivisionError("nothing left")
    return job.start


def dies(problem, job):
    if job.start == 30:
        os.kill(os.getpid(), signal.SIGKILL)
    return job.start
