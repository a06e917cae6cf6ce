"""One process at a time may read, change and write back a file, so that no run loses the rows of another."""

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
    """Keep other processes and threads of this machine from a file, and all else in its folder, while it changes.

    The lock is a temporary file named after the folder, so that nothing is left beside the results; when a process is
    killed, its lock is free. A thread that has the lock may ask for it again. Where files cannot be locked this does
    nothing: of two runs at once the file of the last one stays.

    Parameters
    ----------
    path : Path
        The file; its folder is made where there is none.
    wait : float
        Seconds.

    Raises
    ------
    OSError
        Another process or thread still has the lock after that time, or the folder cannot be made.
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
        except (OSError, NotImplementedError):  # no locks here, or another user's
            pass
        yield
