"""One folder for all workers of pytest-xdist, so that each recipe is fitted once on a machine."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

__all__ = ["SharedFolder", "is_worker", "shared_folder"]

FOLDER = "distbench_shared"


class SharedFolder:
    """The controller's side: makes the folder when the first worker starts, removes it at the end."""

    def __init__(self) -> None:
        self._folder = ""

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: Any) -> None:
        """Tell a worker of xdist which folder it is."""
        if not self._folder:
            import tempfile

            try:
                self._folder = tempfile.mkdtemp(prefix="distbench-")
            except OSError:  # no place for it: each worker fits for itself
                return
        node.workerinput[FOLDER] = self._folder

    def pytest_unconfigure(self) -> None:
        """Remove the folder with all that is in it."""
        if self._folder:
            import shutil

            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder = ""


def is_worker(config: pytest.Config) -> bool:
    """Say whether this process is a worker of xdist."""
    return hasattr(config, "workerinput")


def shared_folder(config: pytest.Config) -> Path | None:
    """Return the folder that this worker shares with the others; None where there is none, as on another machine."""
    folder = getattr(config, "workerinput", {}).get(FOLDER, "")
    return Path(folder) if folder and Path(folder).is_dir() else None
