"""Locks a folder, so that only one process at a time changes its files, and no run loses the rows of another."""

from __future__ import annotations

import contextlib
import hashlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

__all__ = ["WAIT_SECONDS", "locked"]

WAIT_SECONDS = 120.0


@contextlib.contextmanager
def locked(path: Path, wait: float = WAIT_SECONDS) -> Iterator[None]:
    """Lock the folder of a file against other processes and threads of this machine; make it if it is missing.

    Raises OSError if another process or thread still has the lock after `wait` seconds, or the folder cannot be made.
    The lock is a file in the system's folder for temporary files, so that no lock files lie among results. It is
    reentrant, and it is released if its process is killed. If the system cannot lock files, nothing is locked, and the
    last of two simultaneous runs wins.
    """
    from filelock import FileLock, Timeout

    folder = path.resolve().parent
    folder.mkdir(parents=True, exist_ok=True)
    name = f"distbench-{hashlib.sha256(os.fsencode(folder)).hexdigest()}.lock"
    with contextlib.ExitStack() as stack:
        try:
            lock = FileLock(Path(tempfile.gettempdir()) / name, is_singleton=True)
            stack.enter_context(lock.acquire(timeout=wait))
        except Timeout:
            raise TimeoutError(
                f"{folder}: another process or thread has been writing there for {wait:g} s; wait for it, or end it, "
                "and run again"
            ) from None
        except (OSError, NotImplementedError):  # no support for locks, or a lock of another user
            pass
        yield
