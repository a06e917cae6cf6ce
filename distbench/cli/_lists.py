"""Lists of data sets, baselines and suites, as text or JSON."""

from __future__ import annotations

import importlib.util
import textwrap
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeVar

from distbench.cli._common import print_document, print_text, width_or_terminal
from distbench.errors import InputError

__all__ = ["is_installed", "needs_line", "print_list", "usable"]

T = TypeVar("T")
INDENT = "  "
Entry = Mapping[str, Any]


def usable(table: Mapping[str, T]) -> tuple[dict[str, T], list[str]]:
    """Return the entries of a table, and an error of one line for each of a package's entries that cannot be used."""
    entries, mistakes = {}, []
    for name in table:
        try:
            entries[name] = table[name]
        except InputError as error:
            mistakes.append(" ".join(str(error).split()))
    return entries, mistakes


def is_installed(packages: Iterable[str]) -> bool:
    """Return whether packages are installed, without importing them."""
    return all(importlib.util.find_spec(package) is not None for package in packages)


def needs_line(entry: Entry) -> str:
    """Return which packages an entry needs besides distbench."""
    packages = ", ".join(entry["needs"])
    return f"needs {packages}: {'' if entry['installed'] else 'not '}installed" if packages else ""


def print_list(
    kind: str,
    entries: Sequence[Entry],
    mistakes: Sequence[str],
    lines_of: Callable[[Entry], Iterable[str]],
    as_json: bool,
    width: int | None,
    mistake: str = "note",
) -> None:
    """Print entries as JSON, or as names with lines below them; also print mistakes to standard error."""
    for line in mistakes:
        print_text(f"{mistake}: {line}", err=True)
    if as_json:
        print_document({kind: entries, "mistakes": mistakes})
        return
    wrapper = textwrap.TextWrapper(
        width_or_terminal(width),
        initial_indent=INDENT,
        subsequent_indent=INDENT * 2,
        break_long_words=False,
        break_on_hyphens=False,
    )
    blocks = ["\n".join([entry["name"], *map(wrapper.fill, filter(None, lines_of(entry)))]) for entry in entries]
    print_text("\n\n".join(blocks))
