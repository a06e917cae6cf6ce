"""Tables of names: our own rows, and those that other packages add by entry points.

The modules of a package fill a `Registry`: each adds its own rows when it is imported. So a new data set or baseline is
one new file, and nothing else names it.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import redirect_stdout, suppress
from functools import cache
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from pkgutil import iter_modules
from threading import RLock
from typing import Any, Generic, TypeVar

from distbench._util.text import did_you_mean, first_line, raised
from distbench.errors import InputError

__all__ = ["EntryPointTable", "PluginWarning", "Registry"]

T = TypeVar("T")
_points = cache(entry_points)  # reading those of all packages costs milliseconds


class PluginWarning(UserWarning):
    """What a package adds to distbench cannot be used; all else can."""


class EntryPointTable(Mapping[str, T], Generic[T]):
    """Names and what they stand for: ours first, then what packages add, which is loaded when it is first needed.

    Each entry point that cannot be used gives one warning, and takes no other down. Asking for its name raises
    InputError, which says why.

    Parameters
    ----------
    kind : str
        What an entry is called in messages, such as ``"data set"``.
    group : str
        The group of entry points.
    adopt : callable
        Called with a name and what its entry point stands for; returns the entry, or raises InputError.
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
        """Return the error for an unknown name: what was found, and what was probably meant or what there is."""
        return f"no {self._kind} is called {name!r}; {did_you_mean(str(name), list(self))}"

    def own(self) -> Mapping[str, T]:
        """Return our entries, without those that packages add."""
        return self._entries

    def _theirs(self) -> Mapping[str, T]:
        with self._lock:
            if self._added is None:
                self._added = {}  # a package that looks here while it is loaded sees what is ours
                self._load()
            return self._added

    def _load(self) -> None:
        added: dict[str, T] = {}
        points = _points().select(group=self._group)
        for point in sorted(points, key=lambda point: (point.name, _package(point))):
            try:
                if point.name in self.own() or point.name in added:
                    raise InputError(f"the name {point.name!r} is taken; give it another")
                added[point.name] = self._adopt(point.name, _loaded(point))
            except InputError as error:
                source = f"package {_package(point)}: entry point {point.name!r} ({point.value}) of {self._group}"
                line = f"{source}: {error}"
                with suppress(PluginWarning):  # where warnings are errors: what is ours works all the same
                    warnings.warn(line, PluginWarning, stacklevel=2)
                if point.name not in self.own():
                    self._refused[point.name] = line
        self._added = added

    def __getitem__(self, name: str) -> T:
        own = self.own()
        return own[name] if name in own else self._theirs()[name]

    def __contains__(self, name: object) -> bool:
        if name in self.own() or name in self._theirs():
            return True
        if name in self._refused:
            raise InputError(self._refused[str(name)])
        return False

    def __iter__(self) -> Iterator[str]:
        return iter([*self.own(), *self._theirs()])

    def __len__(self) -> int:
        return len(self.own()) + len(self._theirs())


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

    def own(self) -> Mapping[str, T]:
        """Return our entries, without those that packages add."""
        if not self._filled:
            for module in iter_modules(import_module(self._package).__path__):
                if not module.name.startswith("_"):
                    import_module(f"{self._package}.{module.name}")
            self._entries = dict(sorted(self._entries.items()))
            self._filled = True
        return self._entries


def _package(point: EntryPoint) -> str:
    return "unknown" if point.dist is None else point.dist.name


def _loaded(point: EntryPoint) -> Any:
    try:
        with redirect_stdout(sys.stderr):  # what a package prints is no part of a command's output
            return point.load()
    except (Exception, SystemExit) as error:  # whatever it is, the others are to be loaded
        reason = first_line(error) if isinstance(error, ImportError | AttributeError) else raised(error)
        raise InputError(f"cannot be loaded: {reason}; mend or uninstall the package") from error
