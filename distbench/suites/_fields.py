"""Checks of single values in a suite file: each returns the value it was given, or raises SuiteError."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from distbench._util.text import did_you_mean, shortened
from distbench.errors import SuiteError
from distbench.suites._lines import KeyPath, Lines

__all__ = [
    "Field",
    "TomlLocation",
    "boolean",
    "integer",
    "integers",
    "measure",
    "not_negative",
    "number",
    "positive_integer",
    "positive_integers",
    "positive_integers_or_none",
    "refuse_unknown",
    "table",
    "tables",
    "take",
    "text",
    "verdict",
]

REQUIRED = object()
VERDICTS = ("borne out", "refuted", "undecided")
MEASURES = ("principal_angle", "floor", "collapse")


@dataclass(frozen=True)
class TomlLocation:
    """A place in a suite file, for error messages.

    Attributes
    ----------
    file : str
        Its name.
    lines : Lines
        Where its keys stand.
    keys : str
        The place as messages have it: ``encoder 1.limits.stress``.
    path : tuple
        The same as the lines have it.
    """

    file: str
    lines: Lines = field(default_factory=Lines, compare=False, repr=False)
    keys: str = ""
    path: KeyPath = ()

    @property
    def line(self) -> int:
        """The line of the key; of the table around it, where the key is not there."""
        return self.lines.of(self.path)

    def at(self, key: str, number: int | None = None) -> TomlLocation:
        """Return the place of a key in here; ``number`` counts from 1 in an array of tables."""
        path = (*self.path, key) if number is None else (*self.path, key, number - 1)
        shown = key if number is None else f"{key} {number}"
        return TomlLocation(self.file, self.lines, f"{self.keys}.{shown}" if self.keys else shown, path)

    def element(self, number: int) -> TomlLocation:
        """Return the place of an element of a list, from 0: it has a line of its own, and the list's name."""
        return replace(self, path=(*self.path, number))

    def error(self, message: str, key: str = "") -> SuiteError:
        """Return the error that says what is wrong here, with the line of a key in here where one is given."""
        line = self.lines.of((*self.path, key)) if key else self.line
        return SuiteError(shortened(": ".join(part for part in (f"{self.file}:{line}", self.keys, message) if part)))


@dataclass(frozen=True)
class Field:
    """How a key's value is checked, and what holds when it is missing."""

    check: Callable[[Any, TomlLocation], Any]
    default: Any = REQUIRED


def take(found: Mapping[str, Any], known: Mapping[str, Field], where: TomlLocation) -> dict[str, Any]:
    """Return the checked values of a table, by key, with defaults for what is missing."""
    refuse_unknown(found, known, where)
    values = {}
    for key, one in known.items():
        if key in found:
            values[key] = one.check(found[key], where.at(key))
        elif one.default is REQUIRED:
            raise where.error(f"{key} is missing; add it")
        else:
            values[key] = one.default
    return values


def refuse_unknown(found: Mapping[str, Any], known: Collection[str], where: TomlLocation) -> None:
    """Raise SuiteError for a key that is none of those known."""
    for key in found:
        if key not in known:
            raise where.error(f"unknown key {key!r}; {did_you_mean(key, known)}", key)


def text(value: Any, where: TomlLocation) -> str:
    """Accept a string with something in it."""
    if not isinstance(value, str) or not value.strip():
        raise where.error(f"found {value!r}; give a text in quotes")
    return value


def integer(value: Any, where: TomlLocation) -> int:
    """Accept an integer from 0."""
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise where.error(f"found {value!r}; give an integer from 0")
    return value


def positive_integer(value: Any, where: TomlLocation) -> int:
    """Accept an integer from 1."""
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise where.error(f"found {value!r}; give an integer from 1")
    return value


def number(value: Any, where: TomlLocation) -> float:
    """Accept a finite number."""
    try:
        if not isinstance(value, bool) and isinstance(value, int | float) and math.isfinite(value):
            return float(value)
    except OverflowError:  # a whole number of more digits than a float can have
        pass
    raise where.error(f"found {value!r}; give a number")


def not_negative(value: Any, where: TomlLocation) -> float:
    """Accept a finite number from 0."""
    if number(value, where) < 0:
        raise where.error(f"found {value!r}; give a number from 0")
    return float(value)


def boolean(value: Any, where: TomlLocation) -> bool:
    """Accept true or false."""
    if not isinstance(value, bool):
        raise where.error(f"found {value!r}; give true or false")
    return value


def integers(value: Any, where: TomlLocation) -> tuple[int, ...]:
    """Accept a list of different integers from 0."""
    return _list_of(integer, value, where)


def positive_integers(value: Any, where: TomlLocation) -> tuple[int, ...]:
    """Accept a list of different integers from 1."""
    return _list_of(positive_integer, value, where)


def positive_integers_or_none(value: Any, where: TomlLocation) -> tuple[int, ...]:
    """Accept a list of different integers from 1, or an empty list."""
    return () if value == [] else positive_integers(value, where)


def _list_of(check: Callable[[Any, TomlLocation], int], value: Any, where: TomlLocation) -> tuple[int, ...]:
    if not isinstance(value, list) or not value:
        raise where.error(f"found {value!r}; give a list of integers, such as [2, 8]")
    checked = tuple(check(item, where.element(number)) for number, item in enumerate(value))
    if len(set(checked)) < len(checked):
        raise where.error(f"found {value!r}; name each once")
    return checked


def table(value: Any, where: TomlLocation) -> Mapping[str, Any]:
    """Accept a table."""
    if not isinstance(value, Mapping):
        raise where.error(f"found {value!r}; give a table: {{name = value}}")
    return value


def tables(value: Any, where: TomlLocation) -> tuple[Mapping[str, Any], ...]:
    """Accept an array of tables."""
    if not isinstance(value, list) or not all(isinstance(item, Mapping) for item in value):
        raise where.error(f"not an array of tables; write [[{where.keys}]], with two brackets")
    return tuple(value)


def verdict(value: Any, where: TomlLocation) -> str:
    """Accept what a claim may be expected to be."""
    if value not in VERDICTS:
        raise where.error(f"found {value!r}; give one of {', '.join(map(repr, VERDICTS))}")
    return str(value)


def measure(value: Any, where: TomlLocation) -> str:
    """Accept what a claim can be about beside a metric of an encoder."""
    if value not in MEASURES:
        raise where.error(f"found {value!r}; give one of {', '.join(map(repr, MEASURES))}")
    return str(value)
