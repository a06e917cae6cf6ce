"""What workers of pytest-xdist share, so that each recipe is fitted once on a machine."""

from __future__ import annotations

from pathlib import Path

import pytest

__all__ = ["is_worker", "shared_folder"]

FOLDER = "distbench-fits"


def is_worker(config: pytest.Config) -> bool:
    """Return whether this process is a worker of xdist."""
    return hasattr(config, "workerinput")


def shared_folder(config: pytest.Config) -> Path | None:
    """Return the folder that this worker shares with the others of its run; None where there is none.

    It lies in pytest's folder of temporary files, in which xdist gives each worker on this machine a folder of its own;
    pytest removes what runs before the last three left there.
    """
    own = getattr(config.option, "basetemp", None)
    if not is_worker(config) or own is None or not Path(own).name.startswith("popen-"):
        return None
    folder = Path(own).parent / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    return folder
