"""State of one pytest process: its cache of fits, whether it is a worker of xdist, the command that reruns a test."""

from __future__ import annotations

import re
import shlex
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pytest_distbench._options import flag_of, from_ini, from_line, ini_of
from pytest_distbench._settings import settings_of

if TYPE_CHECKING:
    from distbench.suites.fits import FitCache

__all__ = ["accept_line", "fits_of", "is_worker", "node_id", "relative_path", "remove_kept_fits", "rerun_line"]

SHARED_FOLDER = "distbench-fits"
_FITS: pytest.StashKey[FitCache] = pytest.StashKey()


def node_id(item: pytest.Item) -> str:
    """Return an item's node id without the group that xdist appends to it (``--dist loadgroup``), which no file has."""
    own = f"{item.parent.nodeid}::{item.name}" if item.parent is not None else item.nodeid
    return own if item.nodeid.startswith(f"{own}@") else item.nodeid


def rerun_line(item: pytest.Item, option: str = "", lead: str = "rerun") -> str:
    """Return `lead` and the command that runs an item again where pytest was called, with an added option.

    A node id is not enough: it is relative to pytest's root folder, and for an installed suite it names no file.
    """
    shown = relative_path(item.path, item.config)
    _, colons, rest = node_id(item).partition("::")
    words = ["pytest", option or "--distbench", *_options(item.config), f"{shown.as_posix()}{colons}{rest}"]
    return f"{lead}: {_command(words)}"


def _command(words: Sequence[str]) -> str:
    """Return a command for a shell in which no signs ``##`` follow each other: CI services obey ``##vso[``."""
    return re.sub("#(?=#)", "#''", shlex.join(words))  # they are in quotes, which end and begin again between them


def accept_line(config: pytest.Config, path: Path, *, whole: bool, selected: bool) -> str:
    """Return the command that stores the results of a run in `path`, in place of those that it was compared with.

    A partial run keeps rows of other tests. So the command is for a run of all tests, unless this run is `whole`; or
    for the tests of this run in a new file, which then takes the place of the old one, if they are all that the old
    one has (`selected`).
    """
    here, root = config.invocation_params.dir, config.rootpath
    moves = not (whole or selected) and here != root
    words = ["pytest", "--distbench", *_options(config)]
    for name in ("compare", "compare-fail"):
        if from_ini(config, name):
            words += ["-o", f"{ini_of(name)}="]
    if selected and not whole and config.args_source is pytest.Config.ArgsSource.ARGS:
        words += ["--pyargs"] * bool(config.option.pyargs) + config.args
    shown = path if moves else relative_path(path, config)
    new = f"{shown}.new" if selected and not whole else f"{shown}"
    words.append(f"{flag_of('report')}=json:{new}")
    first = ["cd", str(root)] if moves else []
    last = ["mv", new, str(shown)] if new != str(shown) else []
    return " && ".join(_command(part) for part in (first, words, last) if part)


def relative_path(path: Path, config: pytest.Config) -> Path:
    """Return a path relative to the folder where pytest was called, if it is inside."""
    here = config.invocation_params.dir
    return path.relative_to(here) if path.is_relative_to(here) else path


def _options(config: pytest.Config) -> list[str]:
    """Return the options of the command line that change what a test does."""
    options = []
    for name in ("limit", "undecided", "seed", "encoder"):
        values = from_line(config, name) or []
        options += [f"{flag_of(name)}={value}" for value in ([values] if isinstance(values, str) else values)]
    return options


def fits_of(config: pytest.Config) -> FitCache:
    """Return the cache of fits that suites, claims and tests of this process share; xdist workers share the codes."""
    if _FITS not in config.stash:
        from distbench.suites.fits import FitCache

        config.stash[_FITS] = FitCache(shared=_shared_folder(config))
    return config.stash[_FITS]


def is_worker(config: pytest.Config) -> bool:
    """Return whether this process is a worker of xdist."""
    return hasattr(config, "workerinput")


def _shared_folder(config: pytest.Config) -> Path | None:
    """Return the folder in which the processes of this run share codes; None for a process that shares none.

    A run with ``--distbench-update`` has it in pytest's cache, so that an update after an interrupted one does not fit
    again. Other runs have it only for xdist workers: a temporary folder, which pytest removes after three more runs.
    """
    if kept := _kept_folder(config):
        return kept
    temporary = getattr(config.option, "basetemp", None)
    if not is_worker(config) or temporary is None or not Path(temporary).name.startswith("popen-"):
        return None
    folder = Path(temporary).parent / SHARED_FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _kept_folder(config: pytest.Config) -> Path | None:
    cache = getattr(config, "cache", None)
    return cache.mkdir(SHARED_FOLDER) if cache is not None and settings_of(config).update else None


def remove_kept_fits(config: pytest.Config) -> None:
    """Remove the codes that an update kept, after it has reached its end."""
    if folder := _kept_folder(config):
        shutil.rmtree(folder, ignore_errors=True)
