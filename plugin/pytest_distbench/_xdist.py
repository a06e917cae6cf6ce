"""One folder for all workers of pytest-xdist, so that each recipe is fitted once on a machine."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

__all__ = ["SharedFolder", "is_worker", "made_folder", "shared_folder"]

FOLDER = "distbench_shared"
PREFIX = "distbench"
LOCK = ".run"


class SharedFolder:
    """The controller's side: makes the folder when the first worker starts, removes it at the end."""

    def __init__(self) -> None:
        self._folder = ""
        self._lock: int | None = None

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: Any) -> None:
        """Tell a worker of xdist which folder it is."""
        if not self._folder:
            try:
                self._folder, self._lock = made_folder()
            except OSError:  # no place for it: each worker fits for itself
                return
        node.workerinput[FOLDER] = self._folder

    def pytest_unconfigure(self) -> None:
        """Remove the folder with all that is in it."""
        if self._folder:
            _remove(self._folder)
            self._folder = ""
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None


def made_folder() -> tuple[str, int | None]:
    """Make a folder that bears this process's number, and remove those whose process was killed and left them.

    Returns
    -------
    tuple of str and int
        The folder; and what keeps other runs from removing it until it is closed, None where files have no locks.

    Raises
    ------
    OSError
        There is no place for it.
    """
    import re
    import tempfile

    start = f"{PREFIX}-{_machine()}-"
    for other in Path(tempfile.gettempdir()).glob(f"{start}*"):
        found = re.fullmatch(rf"{re.escape(start)}(\d+)-\w+", other.name)
        if found and _is_gone(int(found[1])):
            _remove_if_left(other)
    folder = tempfile.mkdtemp(prefix=f"{start}{os.getpid()}-")
    descriptor = os.open(Path(folder) / LOCK, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
    if _is_locked_by_us(descriptor):
        return folder, descriptor
    os.close(descriptor)
    return folder, None


def _machine() -> str:
    """Return this machine's name, fit for the name of a file."""
    import platform
    import re

    return re.sub(r"\W+", "-", platform.node())[:32]


def _is_gone(process: int) -> bool:
    """Say whether there is no process of that number on this machine; no where that cannot be asked."""
    if os.name != "posix":  # elsewhere asking may end the process
        return False
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return True
    except (OSError, OverflowError):
        return False
    return False


def _remove_if_left(folder: Path) -> None:
    """Remove a folder of a run of this user that lives nowhere.

    That there is no process of its number is not enough: in another container with the same folder of temporary files
    and the same name, it may live. Its lock is held as long as it does, and tells its folders from others of that name.
    """
    try:
        if folder.is_symlink() or folder.stat().st_uid != os.geteuid():
            return
        descriptor = os.open(folder / LOCK, os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:  # no folder of ours
        return
    try:
        if _is_locked_by_us(descriptor):
            _remove(str(folder))
    finally:
        os.close(descriptor)


def _is_locked_by_us(descriptor: int) -> bool:
    if os.name != "posix":
        return False
    import fcntl

    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:  # another run's; or the file system has no locks
        return False
    return True


def _remove(folder: str) -> None:
    """Remove a folder with all that is in it; a link, or another user's folder, stays."""
    import shutil

    shutil.rmtree(folder, ignore_errors=True)


def is_worker(config: pytest.Config) -> bool:
    """Say whether this process is a worker of xdist."""
    return hasattr(config, "workerinput")


def shared_folder(config: pytest.Config) -> Path | None:
    """Return the folder that this worker shares with the others; None where there is none, as on another machine."""
    folder = getattr(config, "workerinput", {}).get(FOLDER, "")
    return Path(folder) if folder and Path(folder).is_dir() else None
