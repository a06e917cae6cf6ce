"""What other packages add to our tables, by entry points: read when a table is first looked through."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable, Collection
from contextlib import redirect_stdout, suppress
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import Any, TypeVar

from distbench.errors import InputError
from distbench.wording import first_line, raised

__all__ = ["GROUPS", "PluginWarning", "added"]

GROUPS = ("distbench.metrics", "distbench.datasets", "distbench.baselines", "distbench.reports")

T = TypeVar("T")


class PluginWarning(UserWarning):
    """What a package adds to distbench cannot be used; all else can."""


def added(group: str, own: Collection[str], adopt: Callable[[str, Any], T]) -> tuple[dict[str, T], dict[str, str]]:
    """Load what packages add to a table.

    Each entry that cannot be used gives one warning, and takes no other down.

    Parameters
    ----------
    group : str
        One of `GROUPS`.
    own : collection of str
        Names that are ours and cannot be taken.
    adopt : callable
        Is given a name and what was loaded; returns the entry, or raises InputError.

    Returns
    -------
    found : dict of str to object
        Entries by name, sorted.
    refused : dict of str to str
        One line for each name that nothing stands for: package, entry point, what is wrong.
    """
    found: dict[str, T] = {}
    refused: dict[str, str] = {}
    for point in _points().get(group, ()):
        try:
            if point.name in own or point.name in found:
                raise InputError(f"the name {point.name!r} is taken; give it another")
            found[point.name] = adopt(point.name, _loaded(point))
        except InputError as error:
            line = f"package {_package(point)}: entry point {point.name!r} ({point.value}) of {group}: {error}"
            _warn(line)
            if point.name not in own:
                refused[point.name] = line
    return found, {name: line for name, line in refused.items() if name not in found}


@cache
def _points() -> dict[str, list[EntryPoint]]:
    """Return the entry points of our groups; reading those of all packages costs milliseconds, so once."""
    every = entry_points()
    return {
        group: sorted(every.select(group=group), key=lambda point: (point.name, _package(point))) for group in GROUPS
    }


def _package(point: EntryPoint) -> str:
    return "unknown" if point.dist is None else point.dist.name


def _loaded(point: EntryPoint) -> Any:
    try:
        with redirect_stdout(sys.stderr):  # what a package prints is no part of a command's output
            return point.load()
    except (Exception, SystemExit) as error:  # whatever it is, the others are to be loaded
        said = first_line(error) if isinstance(error, ImportError | AttributeError) else raised(error)
        raise InputError(f"cannot be loaded: {said}; mend or uninstall the package") from error


def _warn(line: str) -> None:
    with suppress(PluginWarning):  # where warnings are errors: what is ours works all the same
        warnings.warn(line, PluginWarning, stacklevel=2)
