"""What one pytest process shares: whether distbench is on, and where fits are kept."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

import pytest

from pytest_distbench._options import REASON, RETRAIN, UPDATE, flag_of, from_line, is_on, option_value
from pytest_distbench._xdist import shared_folder

if TYPE_CHECKING:
    from distbench.suites.fits import FitCache

__all__ = ["REASON", "RETRAIN", "UPDATE", "enabled", "fits_of", "rerun_line", "retrains", "updates"]

_FITS: pytest.StashKey[FitCache] = pytest.StashKey()


def enabled(config: pytest.Config) -> bool:
    """Say whether distbench tests run."""
    return is_on(config)


def retrains(config: pytest.Config) -> bool:
    """Say whether suites fit anew what they have stored rows of."""
    return bool(option_value(config, "retrain"))


def updates(config: pytest.Config) -> bool:
    """Say whether suites store the rows that they measure."""
    return bool(option_value(config, "update"))


def rerun_line(item: pytest.Item, option: str = "", lead: str = "rerun") -> str:
    """Return the command that runs an item again from where pytest was called, with one more option.

    Node ids are relative to pytest's root folder, and name no file at all for an installed suite.
    """
    path, here = item.path, item.config.invocation_params.dir
    shown = path.relative_to(here) if path.is_relative_to(here) else path
    _, colons, rest = item.nodeid.partition("::")
    words = ["pytest", option or "--distbench", *_said_on_the_line(item.config), f"{shown.as_posix()}{colons}{rest}"]
    return f"{lead}: {shlex.join(words)}"


def _said_on_the_line(config: pytest.Config) -> list[str]:
    """Return the options of the command line that decide what a test does."""
    said = []
    for name in ("limit", "undecided", "seed", "encoder"):
        found = from_line(config, name) or []
        said += [f"{flag_of(name)}={value}" for value in ([found] if isinstance(found, str) else found)]
    return said


def fits_of(config: pytest.Config) -> FitCache:
    """Return the fits of this process, which suites, claims and tests share; workers of xdist share the codes."""
    if _FITS not in config.stash:
        from distbench.suites.fits import FitCache

        config.stash[_FITS] = FitCache(shared=shared_folder(config))
    return config.stash[_FITS]
