"""Errors in pytest's report: the message and the line of the test, without a traceback."""

from __future__ import annotations

import re
import sysconfig
from collections.abc import Sequence
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any

import pytest

from distbench._util.text import plain_lines, plain_text, shortened
from distbench.errors import EncoderError, InputError, MissingDependencyError, PreservationError
from pytest_distbench._record import RAISED
from pytest_distbench._session import relative_path

if TYPE_CHECKING:
    from _pytest._code.code import Traceback, TracebackEntry

__all__ = ["is_ours", "plain_message", "shorten"]

PYTHON = Path(sysconfig.get_path("stdlib"))
_SIZE = re.compile(r" \((codes of \d+|[\d,]+ bytes a point)\)$")


def shorten(item: pytest.Item, call: pytest.CallInfo[Any], report: pytest.TestReport) -> None:
    """Replace the traceback of an error that the fixture raised by its message and the line of the test.

    An error that the encoder raised comes first, with the encoder's lines. With ``--full-trace`` or ``--tb=native``
    nothing changes.
    """
    if call.excinfo is None or not report.failed or call.excinfo.value is not item.stash.get(RAISED, None):
        return
    option = item.config.option  # with -p no:terminal it has neither of these attributes
    if getattr(option, "fulltrace", False) or getattr(option, "tbstyle", "auto") == "native":
        return
    if not isinstance(call.excinfo.value, PreservationError | InputError | MissingDependencyError):
        return
    entry = next((entry for entry in reversed(call.excinfo.traceback) if entry.path == item.path), None)
    place = [] if entry is None else [f"at {relative_path(item.path, item.config)}:{entry.lineno + 1}"]
    report.longrepr = plain_message(call.excinfo, _encoder_traceback(call.excinfo.value), place)


def _encoder_traceback(error: BaseException) -> list[str]:
    """Return the frames of the user's code in the traceback of an encoder's error; an empty list if there are none."""
    cause = error.__cause__
    if not isinstance(error, EncoderError) or cause is None or cause.__traceback__ is None:
        return []
    info = pytest.ExceptionInfo.from_exception(cause)
    if not _users_frames(info):
        return []  # frames of packages add nothing to the message; --full-trace shows them
    shown = info.getrepr(style="long", tbfilter=_users_frames, chain=False)
    return [*map(shortened, str(shown).split("\n")), ""]


def _users_frames(info: pytest.ExceptionInfo[BaseException]) -> Traceback:
    """Return the frames in the user's code: not those of distbench, installed packages and Python."""
    return info.traceback.filter(_is_users)


def _is_users(entry: TracebackEntry) -> bool:
    path = Path(entry.path)
    installed = {"site-packages", "dist-packages"} & set(path.parts)
    return path.is_file() and not (installed or path.is_relative_to(PYTHON) or is_ours(entry.frame.raw))


def is_ours(frame: FrameType) -> bool:
    """Return whether a frame is of distbench's code."""
    return str(frame.f_globals.get("__name__", "")).partition(".")[0] in ("distbench", "pytest_distbench")


def plain_message(excinfo: pytest.ExceptionInfo[BaseException], above: Sequence[str], below: Sequence[str]) -> Any:
    """Return what pytest shows of an error: its message between other lines, all of them safe to print.

    The short summary names the encoder and its first broken limit.
    """
    shown: Any = excinfo.getrepr(style="value", chain=False)
    for entry in getattr(getattr(shown, "reprtraceback", None), "reprentries", []):
        entry.lines[:] = plain_lines("\n".join([*above, *entry.lines, *below])).split("\n")
    crash = getattr(shown, "reprcrash", None)
    if crash is not None:
        first, *rest = map(plain_text, str(excinfo.value).split("\n"))
        subject, is_limit, _ = first.rpartition(" does not meet ")
        encoder = _SIZE.sub("", subject)
        crash.message = f"{encoder}: {rest[0].strip()}" if is_limit and rest else first
    return shown
