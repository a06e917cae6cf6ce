"""The formats of ``--distbench-report``. Every run of the plugin loads this module, so it imports little."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from distbench._util.registry import EntryPointTable
from distbench._util.text import short_repr
from distbench.errors import InputError

if TYPE_CHECKING:
    from distbench.results.run import RunResults

__all__ = ["FILES", "FORMATS", "SIGNS", "render_added"]

FILES = {"term": "", "md": "distbench.md", "json": "distbench.json", "html": "distbench.html", "github": ""}
"""The default file of each format of distbench."""
SIGNS = {
    "term": "Report of distbench\n",
    "md": "<!-- report of distbench -->",
    "html": '<meta name="generator" content="distbench">',
}
"""What files of these formats begin with: no other file is replaced."""

Render = Callable[["RunResults"], str]


def _adopt(name: str, render: Any) -> Render:
    if not callable(render):
        raise InputError(f"found {type(render).__name__}; give a function that takes a run and returns text")
    if not name.replace("-", "").replace("_", "").isalnum():
        raise InputError(f"the name {name!r} cannot stand before a path; use letters, digits, - and _")
    return render  # type: ignore[no-any-return]


FORMATS: EntryPointTable[str | Render] = EntryPointTable("report", "distbench.reports", _adopt, FILES)


def render_added(kind: str, run: RunResults) -> str:
    """Return a run as text in a format that a package adds; raise InputError if its function returns no text."""
    render = FORMATS[kind]
    text = render if isinstance(render, str) else render(run)
    if not isinstance(text, str):
        raise InputError(f"report {kind!r}", f"found {short_repr(text)}", "return text")
    return text
