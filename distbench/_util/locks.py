"""One process at a time for what is read, changed and written back, so that of two runs none loses the other's rows."""

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

    The lock is a file among those for a while, named after the folder, so that nothing is left beside the results; a
    process that is killed lets go. A thread that has the lock may ask for it again. Where there are no locks this does
    nothing, and of two runs at once the last one's file stays.

    Parameters
    ----------
    path : Path
        The file; its folder is made where there is none.
    wait : float
        Seconds.

    Raises
    ------
    OSError
        Another process or thread has not let go in that time, or the folder cannot be made.
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
