"""The decorator of every compiled kernel."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba

__all__ = ["kernel"]

F = TypeVar("F", bound=Callable[..., Any])


def kernel(function: F) -> F:
    """Compile `function` on first call, without the interpreter lock, cached on disk where that is possible.

    No fast-math: reordered or fused sums would give equal rows unequal distances.
    """
    try:
        return cast(F, numba.njit(nogil=True, cache=True)(function))
    except RuntimeError:  # no writable cache directory: compile once a process instead
        return cast(F, numba.njit(nogil=True)(function))
