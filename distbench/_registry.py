"""A table that fills itself: every public module of a package adds its own rows when it is imported.

So a new data set or baseline is one new file: nothing else names it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from importlib import import_module
from pkgutil import iter_modules
from typing import Generic, TypeVar

__all__ = ["Registry"]

T = TypeVar("T")


class Registry(Mapping[str, T], Generic[T]):
    """Names and what they stand for, found in the modules of one package when first asked for.

    Parameters
    ----------
    package : str
        Full name of the package whose public modules (no leading underscore) hold the entries.
    kind : str
        What an entry is called in messages, such as ``"data set"``.
    """

    def __init__(self, package: str, kind: str) -> None:
        self._package = package
        self._kind = kind
        self._entries: dict[str, T] = {}
        self._filled = False

    def add(self, name: str, entry: T) -> None:
        """Add one entry; a name that is taken raises ``ValueError``."""
        if name in self._entries:
            raise ValueError(f"{self._kind} {name!r} is registered twice: give one of them another name")
        self._entries[name] = entry

    def hint(self, name: object) -> str:
        """One line for an unknown name: what was found, what it may have meant, what there is."""
        near = get_close_matches(str(name), list(self), n=1)
        guess = f"; did you mean {near[0]!r}?" if near else ""
        return f"unknown {self._kind} {name!r}{guess} (known: {', '.join(self)})"

    def _fill(self) -> dict[str, T]:
        if not self._filled:
            for module in iter_modules(import_module(self._package).__path__):
                if not module.name.startswith("_"):
                    import_module(f"{self._package}.{module.name}")
            self._entries = dict(sorted(self._entries.items()))
            self._filled = True
        return self._entries

    def __getitem__(self, name: str) -> T:
        return self._fill()[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._fill())

    def __len__(self) -> int:
        return len(self._fill())
