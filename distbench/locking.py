"""One process at a time for what is read, changed and written back, so that of two runs none loses the other's rows."""

from __future__ import annotations

import contextlib
import hashlib
import os
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

__all__ = ["LONGEST_WAIT", "locked"]

LONGEST_WAIT = 120.0
PAUSE = 0.02


@contextlib.contextmanager
def locked(path: Path, wait: float = LONGEST_WAIT) -> Iterator[None]:
    """Keep the other processes that ask from a file, and all else in its folder, while this one changes it.

    The folder itself is locked, so that no further file is left in it; a process that is killed lets go. Where folders
    cannot be locked (some network drives) this does nothing, and of two runs at once the last one's file stays.

    Parameters
    ----------
    path : Path
        The file; its folder is made where there is none.
    wait : float
        Seconds.

    Raises
    ------
    OSError
        Another process has not let go in that time, or the folder cannot be made.
    """
    folder = path.resolve().parent
    folder.mkdir(parents=True, exist_ok=True)
    with _lock_of_folder(folder, wait) if os.name == "posix" else _lock_beside(folder, wait):
        yield


@contextlib.contextmanager
def _lock_of_folder(folder: Path, wait: float) -> Iterator[None]:
    import fcntl

    try:
        descriptor = os.open(folder, os.O_RDONLY)
    except OSError:  # it may be written and not read
        yield
        return
    try:
        end = time.monotonic() + wait  # no wall clock, which may be set back meanwhile
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > end:
                    raise _waited(folder, wait) from None
                time.sleep(PAUSE)
            except OSError:  # the file system has no locks
                break
        yield
    finally:
        os.close(descriptor)  # which lets go


@contextlib.contextmanager
def _lock_beside(folder: Path, wait: float) -> Iterator[None]:
    """Where folders cannot be opened: by a file among those for a while, named after the folder."""
    from filelock import FileLock, Timeout

    name = hashlib.sha256(os.fsencode(folder)).hexdigest()
    try:
        with FileLock(Path(tempfile.gettempdir()) / f"distbench-{name}.lock", timeout=wait):
            yield
    except Timeout:
        raise _waited(folder, wait) from None


def _waited(folder: Path, wait: float) -> OSError:
    return TimeoutError(
        f"{folder}: another process has been writing there for {wait:g} s; wait for it, or end it, and run again"
    )
