"""Tables of names: our own rows, and those that other packages add by entry points.

Those of a `Registry` fill themselves: every public module of a package adds its own rows when it is imported. So a new
data set or baseline is one new file: nothing else names it.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import redirect_stdout, suppress
from difflib import get_close_matches
from functools import cache
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from pkgutil import iter_modules
from threading import RLock
from typing import Any, Generic, TypeVar

from distbench._util.text import first_line, raised
from distbench.errors import InputError

__all__ = ["GROUPS", "EntryPointTable", "PluginWarning", "Registry", "added"]


T = TypeVar("T")


class EntryPointTable(Mapping[str, T], Generic[T]):
    """Names and what they stand for: ours first, then what packages add, which is loaded when it is first needed.

    Asking for a name that a package adds and that cannot be used raises InputError, which says why.

    Parameters
    ----------
    kind : str
        What an entry is called in messages, such as ``"data set"``.
    group : str
        The group of entry points.
    adopt : callable
        Is given a name and what its entry point stands for; returns the entry, or raises InputError.
    own : mapping of str to object
        Our entries.
    """

    def __init__(self, kind: str, group: str, adopt: Callable[[str, Any], T], own: Mapping[str, T]) -> None:
        self._kind, self._group, self._adopt = kind, group, adopt
        self._entries: dict[str, T] = dict(own)
        self._added: dict[str, T] | None = None
        self._refused: dict[str, str] = {}
        self._lock = RLock()

    def hint(self, name: object) -> str:
        """One line for an unknown name: what was found, what it may have meant, what there is."""
        near = get_close_matches(str(name), list(self), n=1)
        guess = f"; did you mean {near[0]!r}?" if near else ""
        return f"unknown {self._kind} {name!r}{guess} (known: {', '.join(self)})"

    def own(self) -> Mapping[str, T]:
        """Return our entries, without those that packages add."""
        return self._own()

    def _own(self) -> dict[str, T]:
        return self._entries

    def _theirs(self) -> dict[str, T]:
        if self._added is None:
            with self._lock:
                if self._added is None:
                    self._added = {}  # a package that looks here while it is loaded sees what is ours
                    self._added, self._refused = added(self._group, self._own(), self._adopt)
        return self._added

    def __getitem__(self, name: str) -> T:
        own = self._own()
        return own[name] if name in own else self._theirs()[name]

    def __contains__(self, name: object) -> bool:
        if name in self._own() or name in self._theirs():
            return True
        if name in self._refused:
            raise InputError(self._refused[str(name)])
        return False

    def __iter__(self) -> Iterator[str]:
        return iter([*self._own(), *self._theirs()])

    def __len__(self) -> int:
        return len(self._own()) + len(self._theirs())


class Registry(EntryPointTable[T]):
    """A table whose own entries are found in the modules of one package when first asked for.

    Parameters
    ----------
    package : str
        Full name of the package whose public modules (no leading underscore) hold the entries; also the group of
        entry points.
    kind : str
        What an entry is called in messages, such as ``"data set"``.
    adopt : callable
        As for `EntryPointTable`.
    """

    def __init__(self, package: str, kind: str, adopt: Callable[[str, Any], T]) -> None:
        super().__init__(kind, package, adopt, {})
        self._package = package
        self._filled = False

    def add(self, name: str, entry: T) -> None:
        """Add one entry of ours; a name that is taken raises ``ValueError``."""
        if name in self._entries:
            raise ValueError(f"{self._kind} {name!r} is registered twice: give one of them another name")
        self._entries[name] = entry

    def _own(self) -> dict[str, T]:
        if not self._filled:
            for module in iter_modules(import_module(self._package).__path__):
                if not module.name.startswith("_"):
                    import_module(f"{self._package}.{module.name}")
            self._entries = dict(sorted(self._entries.items()))
            self._filled = True
        return self._entries


GROUPS = ("distbench.metrics", "distbench.datasets", "distbench.baselines", "distbench.reports")


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
