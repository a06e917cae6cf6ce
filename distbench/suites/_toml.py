"""Checks TOML tables against a dataclass; the ``msgspec.Meta`` of its annotations describes the values in errors."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import MISSING, dataclass, field, fields
from functools import cache
from typing import Any, get_args, get_type_hints

import msgspec

from distbench._util.text import did_you_mean, shortened
from distbench.errors import InputError, SuiteError

__all__ = ["KeyPath", "TomlLocation", "checked", "key_lines", "take"]

KeyPath = tuple[str | int, ...]
"""The keys that lead to a value; tables in arrays are numbered from 0: ``("encoder", 0, "limits", "stress")``."""

_NAME = r"""(?:[\w-]+|"[^"]*"|'[^']*')"""
_DOTTED = rf"{_NAME}(?:\s*\.\s*{_NAME})*"
_HEADER = re.compile(rf"(\[\[?)\s*({_DOTTED})\s*\]\]?\s*(?:#.*)?$")
_KEY = re.compile(rf"({_DOTTED})\s*=")
_QUOTES = re.compile(r'"{3}|\'{3}')


@dataclass(frozen=True)
class TomlLocation:
    """A key in a TOML file, for error messages; ``lines`` are those of :func:`key_lines`."""

    file: str = ""
    lines: Mapping[KeyPath, int] = field(default_factory=dict, repr=False)
    path: KeyPath = ()

    def at(self, *keys: str | int) -> TomlLocation:
        """Return the location of a key below this one; tables in an array are numbered from 0."""
        return TomlLocation(self.file, self.lines, (*self.path, *keys))

    @property
    def line(self) -> int:
        """The line of the key, or of the nearest table around it whose line is known."""
        paths = (self.path[:length] for length in range(len(self.path), 0, -1))
        return next((self.lines[path] for path in paths if path in self.lines), 1)

    def error(self, found: str, advice: str = "", *, key: str = "") -> SuiteError:
        """Return an error at this key; it shows the line of `key`, which is below this key, if that is given."""
        line = self.at(key).line if key else self.line
        keys = "".join(f" {part + 1}" if isinstance(part, int) else f".{part}" for part in self.path).removeprefix(".")
        place = f"{self.file}:{line}: {keys}" if keys else f"{self.file}:{line}"
        return SuiteError(shortened(place), shortened(found), shortened(advice))

    @contextmanager
    def raised_here(self, argument: str = "") -> Iterator[None]:
        """Turn an InputError of the block into an error at this key; it leaves out the argument's name `argument`."""
        try:
            yield
        except InputError as error:
            named = error.argument and error.argument != argument
            raise self.error(f"{error.argument}: {error.found}" if named else error.found, error.advice) from None


def key_lines(text: str) -> dict[KeyPath, int]:
    """Return the line, from 1, of each table header and each ``key =`` at the start of a line."""
    lines: dict[KeyPath, int] = {}
    tables: Counter[KeyPath] = Counter()  # how many tables of each array have begun
    table: KeyPath = ()
    in_text = False  # whether the line begins inside a text of several lines
    for number, line in enumerate(map(str.strip, text.split("\n")), 1):
        if not in_text and (header := _HEADER.match(line)):
            table = ()
            for name in _names(header[2]):
                table = (*table, tables[table] - 1, name) if tables[table] else (*table, name)
            if header[1] == "[[":
                lines.setdefault(table, number)
                tables[table] += 1
                table = (*table, tables[table] - 1)
            lines[table] = number
        elif not in_text and (pair := _KEY.match(line)):
            path = table
            for name in _names(pair[1]):
                path = (*path, name)
                lines.setdefault(path, number)
        in_text ^= len(_QUOTES.findall(line)) % 2 == 1
    return lines


def _names(dotted: str) -> list[str]:
    return [name.strip("\"'") for name in re.findall(_NAME, dotted)]


def take(table: Mapping[str, Any], kind: type, where: TomlLocation) -> dict[str, Any]:
    """Return the checked values of a table by key, with the dataclass's defaults for missing keys.

    Raises SuiteError for an unknown key, a missing key without a default, or a wrong value.
    """
    types = _annotations(kind)
    for key in table:
        if key not in types:
            raise where.error(f"unknown key {key!r}", did_you_mean(key, types), key=key)
    values = {}
    for known in fields(kind):
        key = known.name
        if key in table:
            values[key] = checked(table[key], types[key], where.at(key))
        elif known.default is not MISSING:
            values[key] = known.default
        elif known.default_factory is not MISSING:
            values[key] = known.default_factory()
        else:
            raise where.error(f"{key} is missing", "add it")
    return values


@cache
def _annotations(kind: type) -> dict[str, Any]:
    return get_type_hints(kind, include_extras=True)


def checked(value: Any, kind: Any, where: TomlLocation) -> Any:
    """Return a value converted to its annotated type, or raise SuiteError."""
    try:
        result = msgspec.convert(value, kind)
    except msgspec.ValidationError:
        metas = (meta for part in (kind, *get_args(kind)) for meta in getattr(part, "__metadata__", ()))
        advice = next(meta.description for meta in metas)
        raise where.error(f"found {value!r}", f"give {advice}") from None
    if isinstance(result, tuple) and result and isinstance(result[0], int) and len(set(result)) < len(result):
        raise where.error(f"found {value!r}", "name each only once")
    return result
