"""What the tests of one pytest process share: options, fits, and the command that reruns a test."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

import pytest

from pytest_distbench._options import flag_of, from_line, option_value
from pytest_distbench._xdist import shared_folder

if TYPE_CHECKING:
    from distbench.suites.fits import FitCache

__all__ = ["fits_of", "rerun_line", "retrains", "updates"]

_FITS: pytest.StashKey[FitCache] = pytest.StashKey()


def retrains(config: pytest.Config) -> bool:
    """Return whether suites fit again even where they have stored rows."""
    return bool(option_value(config, "retrain"))


def updates(config: pytest.Config) -> bool:
    """Return whether suites store the rows that they measure."""
    return bool(option_value(config, "update"))


def rerun_line(item: pytest.Item, option: str = "", lead: str = "rerun") -> str:
    """Return the command that runs an item again in the folder where pytest was called, with one more option.

    A node id alone would not do: it is relative to pytest's root folder, and for an installed suite it names no file.
    """
    path, here = item.path, item.config.invocation_params.dir
    shown = path.relative_to(here) if path.is_relative_to(here) else path
    _, colons, rest = item.nodeid.partition("::")
    words = ["pytest", option or "--distbench", *_options(item.config), f"{shown.as_posix()}{colons}{rest}"]
    return f"{lead}: {shlex.join(words)}"


def _options(config: pytest.Config) -> list[str]:
    """Return the options of the command line that change what a test does."""
    options = []
    for name in ("limit", "undecided", "seed", "encoder"):
        values = from_line(config, name) or []
        options += [f"{flag_of(name)}={value}" for value in ([values] if isinstance(values, str) else values)]
    return options


def fits_of(config: pytest.Config) -> FitCache:
    """Return the fits of this process, which suites, claims and tests share; workers of xdist share the codes."""
    if _FITS not in config.stash:
        from distbench.suites.fits import FitCache

        config.stash[_FITS] = FitCache(shared=shared_folder(config))
    return config.stash[_FITS]
