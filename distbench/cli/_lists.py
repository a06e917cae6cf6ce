"""Lists of what there is, as text: a name, what it is, and lines below it."""

from __future__ import annotations

import importlib.util
import textwrap
from collections.abc import Iterable, Mapping
from typing import TypeVar

from distbench.errors import InputError

__all__ = ["is_installed", "listing", "need", "usable"]

T = TypeVar("T")
INDENT = "  "


def usable(table: Mapping[str, T]) -> tuple[list[tuple[str, T]], list[str]]:
    """Return the entries of a table, and a line for each that a package adds and that cannot be used."""
    found, wrong = [], []
    for name in table:
        try:
            found.append((name, table[name]))
        except InputError as error:
            wrong.append(" ".join(str(error).split()))
    return found, wrong


def need(packages: Iterable[str], installed: bool) -> str:
    """Return what an entry needs as a line; nothing where it needs no more than distbench."""
    told = ", ".join(packages)
    return f"needs {told}: {'' if installed else 'not '}installed" if told else ""


def listing(entries: Iterable[tuple[str, Iterable[str]]], width: int) -> str:
    """Return entries as text: the name, and below it its lines, indented and wrapped."""
    blocks = []
    for name, lines in entries:
        told = [
            textwrap.fill(
                line,
                width,
                initial_indent=INDENT,
                subsequent_indent=INDENT * 2,
                break_long_words=False,
                break_on_hyphens=False,
            )
            for line in lines
            if line
        ]
        blocks.append("\n".join([name, *told]))
    return "\n\n".join(blocks)


def is_installed(package: str) -> bool:
    """Say whether a package can be found; it is not imported."""
    return importlib.util.find_spec(package) is not None
