"""Limits BLAS to one thread, because blocks of queries already run in parallel."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from threadpoolctl import ThreadpoolController

__all__ = ["one_blas_thread"]

_lock = threading.Lock()
_inside = 0
_controller: Any = None
_limits: Any = None


@contextmanager
def one_blas_thread() -> Iterator[None]:
    """Limit BLAS to one thread. Contexts may be nested, also across threads."""
    global _inside, _limits, _controller
    with _lock:
        if _inside == 0:
            if (
                _controller is None
            ):  # finding libraries takes milliseconds, so it is done once; numpy's is loaded by now
                _controller = ThreadpoolController()
            _free(_controller)
            _limits = _controller.limit(limits=1, user_api="blas")
        _inside += 1
    try:
        yield
    finally:
        with _lock:
            _inside -= 1
            if _inside == 0 and _limits is not None:
                _free(_controller)
                _limits.restore_original_limits()
                _free(_controller)


def _free(controller: Any) -> None:
    """Let any thread change the limits: newer versions of threadpoolctl ignore all threads but the first."""
    for library in controller.lib_controllers:
        clear = getattr(library, "clear_controlling_thread", None)
        if clear is not None:
            clear(force=True)
