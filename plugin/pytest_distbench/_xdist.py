"""One folder for all workers of pytest-xdist, so that each recipe is fitted once on a machine."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

__all__ = ["SharedFolder", "is_worker", "made_folder", "shared_folder"]

FOLDER = "distbench_shared"
PREFIX = "distbench"


class SharedFolder:
    """The controller's side: makes the folder when the first worker starts, removes it at the end."""

    def __init__(self) -> None:
        self._folder = ""

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: Any) -> None:
        """Tell a worker of xdist which folder it is."""
        if not self._folder:
            try:
                self._folder = made_folder()
            except OSError:  # no place for it: each worker fits for itself
                return
        node.workerinput[FOLDER] = self._folder

    def pytest_unconfigure(self) -> None:
        """Remove the folder with all that is in it."""
        if self._folder:
            _remove(self._folder)
            self._folder = ""


def made_folder() -> str:
    """Make a folder that bears this process's number, and remove those whose process was killed and left them.

    Raises
    ------
    OSError
        There is no place for it.
    """
    import re
    import tempfile

    from distbench.files import is_gone, machine

    start = f"{PREFIX}-{machine()}-"
    for other in Path(tempfile.gettempdir()).glob(f"{start}*"):
        found = re.fullmatch(rf"{re.escape(start)}(\d+)-\w+", other.name)
        if found and is_gone(int(found[1])):
            _remove(str(other))
    return tempfile.mkdtemp(prefix=f"{start}{os.getpid()}-")


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
