"""Where the keys of a TOML text stand: ``tomllib`` reads values and forgets their lines.

This is no second parser: it walks over a text that ``tomllib`` has accepted, and tells nothing where it loses its way.
"""

from __future__ import annotations

import re
import tomllib
from bisect import bisect_right
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import cached_property

__all__ = ["KeyPath", "Lines", "locate"]

KeyPath = tuple[str | int, ...]
"""Keys, and places from 0 in arrays: ``("encoder", 0, "limits", "stress")``."""

_BLANK = re.compile(r"(?:[ \t\n]|#[^\n]*)*")
_KEY = re.compile(r"""[A-Za-z0-9_-]+|"(?:[^"\\\n]|\\.)*"|'[^'\n]*'""")
# A multi-line string may end in up to two quotes of its own before the three that close it.
_STRING = re.compile(
    r''''{3}(?:(?!'{3}).)*'{3}'{0,2}|'[^'\n]*'|"{3}(?:\\.|(?!"{3}).)*"{3}"{0,2}|"(?:[^"\\\n]|\\.)*"''', re.DOTALL
)
_BARE = re.compile(r"[^,\]}#\n]+")  # numbers, dates (with a space in them) and booleans


class Lines:
    """Finds the lines of a text's keys, when first asked for one."""

    def __init__(self, text: str = "") -> None:
        self._text = text

    def of(self, path: KeyPath) -> int:
        """Return the line of a key; of the nearest table around it that has one, else 1."""
        while path and path not in self._found:
            path = path[:-1]
        return self._found.get(path, 1)

    @cached_property
    def _found(self) -> Mapping[KeyPath, int]:
        return locate(self._text)


def locate(text: str) -> dict[KeyPath, int]:
    """Return the line, from 1, of each key and array element of a TOML text.

    A table made by dotted keys or by the headers of others stands where it is named first.
    """
    walk = _Walk(text)
    with suppress(_LostError, RecursionError):  # what was found so far is right
        walk.document()
    return walk.found


class _LostError(Exception):
    """The text is not what this walk can follow."""


class _Walk:
    def __init__(self, text: str) -> None:
        self.text = text.replace("\r\n", "\n")
        self.position = 0
        self.found: dict[KeyPath, int] = {}
        self._ends = [match.start() for match in re.finditer("\n", self.text)]
        self._tables: dict[KeyPath, int] = {}  # arrays of tables: how many there are so far

    def document(self) -> None:
        table: KeyPath = ()
        self._skip()
        while self.position < len(self.text):
            table = self._header() if self._next("[") else self._pair(table)
            self._skip()

    def _header(self) -> KeyPath:
        line = self._line()
        is_array = self.text.startswith("[[", self.position)
        self.position += 1 + is_array
        path: KeyPath = ()
        *outer, last = self._keys()
        for key in outer:
            path = self._note((*path, key), line)
            if path in self._tables:
                path = (*path, self._tables[path] - 1)
        path = self._note((*path, last), line)
        if is_array:
            self._tables[path] = self._tables.get(path, 0) + 1
            path = (*path, self._tables[path] - 1)
        self.found[path] = line  # the header itself, rather than one of a table in it that came before
        self._take("]")
        if is_array:
            self._take("]")
        return path

    def _pair(self, table: KeyPath) -> KeyPath:
        line, path = self._line(), table
        for key in self._keys():
            path = self._note((*path, key), line)
        self._take("=")
        self._value(path)
        return table

    def _keys(self) -> list[str]:
        keys = []
        while True:
            self._skip()
            keys.append(_plain(self._match(_KEY)))
            self._skip()
            if not self._next("."):
                return keys
            self.position += 1

    def _value(self, path: KeyPath) -> None:
        self._skip()
        if self._next("["):
            self._array(path)
        elif self._next("{"):
            self._items("}", lambda number: self._pair(path))
        else:
            self._match(_STRING if self._next('"') or self._next("'") else _BARE)

    def _array(self, path: KeyPath) -> None:
        def element(number: int) -> None:
            self._value(self._note((*path, number), self._line()))

        self._items("]", element)

    def _items(self, end: str, item: Callable[[int], object]) -> None:
        self.position += 1
        number = 0
        self._skip()
        while not self._next(end):
            item(number)
            number += 1
            self._skip()
            if self._next(","):
                self.position += 1
                self._skip()
        self.position += 1

    def _note(self, path: KeyPath, line: int) -> KeyPath:
        self.found.setdefault(path, line)
        return path

    def _line(self) -> int:
        return bisect_right(self._ends, self.position - 1) + 1

    def _next(self, sign: str) -> bool:
        return self.text.startswith(sign, self.position)

    def _take(self, sign: str) -> None:
        self._skip()
        if not self._next(sign):
            raise _LostError
        self.position += 1

    def _skip(self) -> None:
        self._match(_BLANK)

    def _match(self, pattern: re.Pattern[str]) -> str:
        match = pattern.match(self.text, self.position)
        if match is None:
            raise _LostError
        self.position = match.end()
        return match.group()


def _plain(key: str) -> str:
    """Return a key without its quotes and escapes."""
    return next(iter(tomllib.loads(f"{key} = 0"))) if key[0] in "\"'" else key
