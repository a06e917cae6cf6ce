"""Decorators that compile kernels with numba."""

from __future__ import annotations

import gc
from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba
from numba.core import event

__all__ = ["counting", "inner", "kernel"]

F = TypeVar("F", bound=Callable[..., Any])

# Reordered sums run in vector registers, but their last bits change, so they must not decide ties.
REORDER = {"reassoc", "nsz", "nnan"}


class _WithoutCollector(event.Listener):  # type: ignore[misc,unused-ignore]
    """Stops the garbage collector while kernels are compiled: it takes a tenth of that time, since objects are many.

    Kernels that others call are compiled in their midst. One thread compiles at a time.
    """

    depth, was_enabled = 0, False

    def on_start(self, event: Any) -> None:
        if self.depth == 0 and event.data["dispatcher"].py_func.__module__.startswith("distbench."):
            self.was_enabled = gc.isenabled()
            gc.disable()
        self.depth += 1

    def on_end(self, event: Any) -> None:
        self.depth -= 1
        if self.depth == 0 and self.was_enabled:
            gc.enable()
            self.was_enabled = False


event.register("numba:compile", _WithoutCollector())  # type: ignore[no-untyped-call,unused-ignore]


def _compile(function: F, fastmath: Any, from_python: bool = True) -> F:
    options = {"nogil": True, "error_model": "numpy", "fastmath": fastmath}
    options |= {"no_cfunc_wrapper": True, "no_cpython_wrapper": not from_python}  # each takes time to compile
    try:
        return cast(F, numba.njit(cache=from_python, **options)(function))
    except RuntimeError:  # no writable cache directory: compile in each process
        return cast(F, numba.njit(**options)(function))


def kernel(function: F) -> F:
    """Compile `function` on first call, without the interpreter lock, cached on disk if possible.

    No fast-math: reordered or fused sums would give equal rows unequal distances.
    """
    return _compile(function, False)


def inner(function: F) -> F:
    """Compile a kernel that only other kernels call; without a way in from Python, that takes less time."""
    return _compile(function, False, from_python=False)


def counting(function: F) -> F:
    """Compile a kernel whose sums may be reordered, because they are exact counts or decide no tie.

    The compiled code fixes the order, so the same input gives the same bits. No argument may hold NaN.
    """
    return _compile(function, REORDER)
