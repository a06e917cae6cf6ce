"""How a broken limit looks in pytest's report: its own words and the test's line, without a traceback."""

from __future__ import annotations

from typing import Any

import pytest

from distbench.errors import InputError, PreservationError
from pytest_distbench._record import was_raised

__all__ = ["shorten"]


def shorten(item: pytest.Item, call: pytest.CallInfo[Any], report: pytest.TestReport) -> None:
    """Replace the traceback of a broken limit, or of an input that a check refused, by what it says and where.

    Only of errors that the fixture raised, and not under ``--full-trace`` or ``--tb=native``.
    """
    if call.excinfo is None or not report.failed or not was_raised(item, call.excinfo.value):
        return
    if item.config.option.fulltrace or item.config.option.tbstyle == "native":
        return
    if not isinstance(call.excinfo.value, PreservationError | InputError):
        return
    entry = next((entry for entry in reversed(call.excinfo.traceback) if entry.path == item.path), None)
    shown: Any = call.excinfo.getrepr(style="value", chain=False)
    entries = getattr(getattr(shown, "reprtraceback", None), "reprentries", [])
    if entry is not None and entries:
        path, here = item.path, item.config.invocation_params.dir
        where = path.relative_to(here) if path.is_relative_to(here) else path
        entries[-1].lines.append(f"at {where}:{entry.lineno + 1}")
    if getattr(shown, "reprcrash", None) is not None:
        shown.reprcrash.message = _in_short(str(call.excinfo.value))
    report.longrepr = shown


def _in_short(text: str) -> str:
    """Return a failure as one line for pytest's short summary: the first limit, and whose it is."""
    lines = text.split("\n")
    encoder, told, _ = lines[0].partition(" (codes of ")
    return f"{encoder}: {lines[1].strip()}" if told and len(lines) > 1 else lines[0]
