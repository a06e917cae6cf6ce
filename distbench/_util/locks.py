"""One process at a time for what is read, changed and written back, so that of two runs none loses the other's rows."""

from __future__ import annotations

import contextlib
import hashlib
import os
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

__all__ = ["LONGEST_WAIT", "locked"]

LONGEST_WAIT = 120.0
PAUSE = 0.02
_held: set[tuple[int, int, Path]] = set()
"""Process, thread and folder: who has a lock asks for it again, as a function that calls another does, and goes on."""


@contextlib.contextmanager
def locked(path: Path, wait: float = LONGEST_WAIT) -> Iterator[None]:
    """Keep others that ask from a file, and all else in its folder, while this thread changes it.

    The folder itself is locked, so that no further file is left in it; a process that is killed lets go. Where folders
    cannot be locked (some network drives) this does nothing, and of two runs at once the last one's file stays. What
    is locked by the same thread already stays locked until the first of them ends.

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
    folder = path.resolve().parent
    folder.mkdir(parents=True, exist_ok=True)
    holder = (os.getpid(), threading.get_ident(), folder)
    if holder in _held:
        yield
        return
    with _lock_of_folder(folder, wait) if os.name == "posix" else _lock_beside(folder, wait):
        _held.add(holder)
        try:
            yield
        finally:
            _held.discard(holder)


@contextlib.contextmanager
def _lock_of_folder(folder: Path, wait: float) -> Iterator[None]:
    import fcntl

    try:
        descriptor = os.open(folder, os.O_RDONLY)
    except OSError:  # it may be written and not read
        yield
        return
    process = os.getpid()
    try:
        _wait_for(descriptor, folder, wait)
        yield
    finally:
        if os.getpid() == process:  # a forked child that comes here must not let go for its parent
            with contextlib.suppress(OSError):
                fcntl.flock(descriptor, fcntl.LOCK_UN)  # closing alone would leave it to forked children
        os.close(descriptor)


def _wait_for(descriptor: int, folder: Path, wait: float) -> None:
    import fcntl

    end = time.monotonic() + wait  # no wall clock, which may be set back meanwhile
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            if time.monotonic() > end:
                raise _waited(folder, wait) from None
            time.sleep(PAUSE)
        except OSError:  # the file system has no locks
            return


@contextlib.contextmanager
def _lock_beside(folder: Path, wait: float) -> Iterator[None]:
    """Where folders cannot be opened: by a file among those for a while, named after the folder."""
    from filelock import FileLock, Timeout

    name = hashlib.sha256(os.fsencode(folder)).hexdigest()
    lock = FileLock(Path(tempfile.gettempdir()) / f"distbench-{name}.lock", timeout=wait)
    try:
        lock.acquire()
    except Timeout:
        raise _waited(folder, wait) from None
    try:
        yield
    finally:
        lock.release()


def _waited(folder: Path, wait: float) -> OSError:
    return TimeoutError(
        f"{folder}: another process or thread has been writing there for {wait:g} s; wait for it, or end it, and run "
        "again"
    )
