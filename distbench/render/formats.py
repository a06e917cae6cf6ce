"""The types of reports that are ours. Loaded by every run of the plugin, so it imports nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from distbench._util.registry import EntryPointTable
from distbench._util.text import short_repr
from distbench.errors import InputError

if TYPE_CHECKING:
    from distbench.results.run import RunResults

__all__ = ["FORMATS", "OURS", "rendered"]


OURS = {"term": "", "md": "distbench.md", "json": "distbench.json", "html": "distbench.html", "github": ""}
"""By type, the file that a report goes to where none is named."""


Render = Callable[["RunResults"], str]


def _adopt(name: str, found: Any) -> Render:
    if not callable(found):
        raise InputError(f"found {type(found).__name__}; give a function of an outcome that returns text")
    if not name.replace("-", "").replace("_", "").isalnum():
        raise InputError(f"the name {name!r} cannot be written before a path; give one of letters, digits, - and _")
    render: Render = found
    return render


FORMATS: EntryPointTable[str | Render] = EntryPointTable("report", "distbench.reports", _adopt, OURS)


def rendered(kind: str, outcome: RunResults) -> str:
    """Return a run as text in the form that a package adds.

    Parameters
    ----------
    kind : str
        Name of the entry point.
    outcome : RunResults
        What the run found.

    Raises
    ------
    InputError
        The function returned no text.
    """
    render = FORMATS[kind]
    text = render if isinstance(render, str) else render(outcome)
    if not isinstance(text, str):
        raise InputError(f"report {kind!r}", f"found {short_repr(text)}", "return text")
    return text
