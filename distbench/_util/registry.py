"""Tables of names: entries of distbench, and entries that other packages add with entry points.

The modules of a package fill a `Registry`: each adds entries when it is imported. So a new data set or baseline is just
one new file.
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
_points = cache(entry_points)  # reading the entry points of all packages takes milliseconds


class PluginWarning(UserWarning):
    """Something that another package adds to distbench cannot be used; everything else can."""


class EntryPointTable(Mapping[str, T], Generic[T]):
    """Entries by name: those of distbench (`builtin`) first, then those of other packages, loaded on first use.

    If an entry point cannot be used, a warning says so, and looking up its name raises InputError with the reason; all
    other entries stay usable. `kind` names an entry in messages, such as ``"data set"``. `adopt` takes the name and
    the object of an entry point in `group`, and returns the entry or raises InputError.
    """

    def __init__(self, kind: str, group: str, adopt: Callable[[str, Any], T], builtin: Mapping[str, T]) -> None:
        self._kind, self._group, self._adopt = kind, group, adopt
        self._entries: dict[str, T] = dict(builtin)
        self._added: dict[str, T] | None = None
        self._refused: dict[str, str] = {}
        self._lock = RLock()

    def hint(self, name: object) -> str:
        """Return the message for an unknown name, with the most similar name or else all names."""
        return f"no {self._kind} is called {name!r}; {self.advice(name)}"

    def advice(self, name: object) -> str:
        """Return the known name that is most similar to an unknown one, or else all names, as advice."""
        return did_you_mean(str(name), list(self))

    def builtin(self) -> Mapping[str, T]:
        """Return the entries of distbench alone."""
        return self._entries

    def _external(self) -> Mapping[str, T]:
        with self._lock:
            if self._added is None:
                self._added = {}  # a package that uses this table while it is loaded sees distbench's entries
                self._load()
            return self._added

    def _load(self) -> None:
        added: dict[str, T] = {}
        points = _points().select(group=self._group)
        for point in sorted(points, key=lambda point: (point.name, _package(point))):
            try:
                if point.name in self.builtin() or point.name in added:
                    raise InputError(f"the name {point.name!r} is taken; give it another")
                added[point.name] = self._adopt(point.name, _loaded(point))
            except InputError as error:
                source = f"package {_package(point)}: entry point {point.name!r} ({point.value}) of {self._group}"
                line = f"{source}: {error}"
                # Warnings may be turned into errors, and distbench must work all the same.
                with suppress(PluginWarning):
                    warnings.warn(line, PluginWarning, stacklevel=2)
                if point.name not in self.builtin():
                    self._refused[point.name] = line
        self._added = added

    def __getitem__(self, name: str) -> T:
        builtin = self.builtin()
        return builtin[name] if name in builtin else self._external()[name]

    def __contains__(self, name: object) -> bool:
        if name in self.builtin() or name in self._external():
            return True
        if name in self._refused:
            raise InputError(self._refused[str(name)])
        return False

    def __iter__(self) -> Iterator[str]:
        return iter([*self.builtin(), *self._external()])

    def __len__(self) -> int:
        return len(self.builtin()) + len(self._external())


class Registry(EntryPointTable[T]):
    """A table whose entries are in the public modules (no leading underscore) of a package, imported on first use.

    `package` is the package's full name and also the group of entry points; `kind` and `adopt` are as for
    `EntryPointTable`.
    """

    def __init__(self, package: str, kind: str, adopt: Callable[[str, Any], T]) -> None:
        super().__init__(kind, package, adopt, {})
        self._package = package
        self._filled = False

    def add(self, name: str, entry: T) -> None:
        """Add an entry of distbench; raise ValueError if the name is taken."""
        if name in self._entries:
            raise ValueError(f"{self._kind} {name!r} is registered twice: give one of them another name")
        self._entries[name] = entry

    def builtin(self) -> Mapping[str, T]:
        """Return the entries of distbench alone."""
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
        with redirect_stdout(sys.stderr):  # so that what a package prints is not in a command's output
            return point.load()
    except (Exception, SystemExit) as error:  # the others are still loaded
        reason = first_line(error) if isinstance(error, ImportError | AttributeError) else raised(error)
        raise InputError(f"cannot be loaded: {reason}; repair or uninstall the package") from error
