"""A broken limit in pytest's report: its message and the line of the test, without a traceback."""

from __future__ import annotations

import sysconfig
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from distbench.errors import EncoderError, InputError, MissingDependencyError, PreservationError
from pytest_distbench._record import RAISED

if TYPE_CHECKING:
    from _pytest._code.code import Traceback, TracebackEntry

    from distbench.evaluation.report import Report

__all__ = ["Broken", "broken_lines", "shorten", "shorten_summary"]

OURS = ("distbench", "pytest_distbench")
PYTHON = Path(sysconfig.get_path("stdlib"))
MAX_SEEDS = 1  # that are named besides the first


class Broken(NamedTuple):
    """The limits that an encoder of a suite breaks with a seed."""

    seed: int | None
    report: Report
    limits: Mapping[str, float]


def broken_lines(broken: Sequence[Broken], dataset: str, code_size: int) -> list[str]:
    """Return which limits the first seed breaks, the values of others, what baselines reach, and what to do.

    `broken` has an entry for each seed, at least one. `dataset` and `code_size` say which baselines to look up.
    """
    from distbench._util.numbers import number
    from distbench.evaluation.text import failure_lines
    from distbench.suites.reference_scores import stored_reference_scores

    (seed, report, limits), *others = broken
    references = stored_reference_scores(report, dataset, code_size, limits)
    text, *rest = failure_lines(report, limits, references, code_size)
    lines = [f"seed {seed}: {text}"]
    for other in others[:MAX_SEEDS]:
        values = ", ".join(f"{metric} = {number(other.report[metric].value)}" for metric in other.limits)
        lines.append(f"  seed {other.seed} too: {values}")
    if len(others) > MAX_SEEDS:
        lines.append(f"  and {len(others) - MAX_SEEDS} more seeds")
    return [*lines, *rest]


def shorten(item: pytest.Item, call: pytest.CallInfo[Any], report: pytest.TestReport) -> None:
    """Replace the traceback of a broken limit or a refused input by its message and the line of the test.

    An error that the encoder raised is shown first, with the encoder's lines. Errors that the fixture did not raise
    stay as they are, and so do all with ``--full-trace`` or ``--tb=native``.
    """
    if call.excinfo is None or not report.failed or call.excinfo.value is not item.stash.get(RAISED, None):
        return
    option = item.config.option  # with -p no:terminal it has neither
    if getattr(option, "fulltrace", False) or getattr(option, "tbstyle", "auto") == "native":
        return
    if not isinstance(call.excinfo.value, PreservationError | InputError | MissingDependencyError):
        return
    entry = next((entry for entry in reversed(call.excinfo.traceback) if entry.path == item.path), None)
    shown: Any = call.excinfo.getrepr(style="value", chain=False)
    entries = getattr(getattr(shown, "reprtraceback", None), "reprentries", [])
    if entry is not None and entries:
        path, here = item.path, item.config.invocation_params.dir
        where = path.relative_to(here) if path.is_relative_to(here) else path
        entries[-1].lines.append(f"at {where}:{entry.lineno + 1}")
        entries[-1].lines[:0] = _own_error(call.excinfo.value)
    shorten_summary(shown, call.excinfo.value)
    report.longrepr = shown


def _own_error(error: BaseException) -> list[str]:
    """Return the traceback of what an encoder raised, without the frames that called it; or no lines."""
    cause = error.__cause__
    if not isinstance(error, EncoderError) or cause is None or cause.__traceback__ is None:
        return []
    info = pytest.ExceptionInfo.from_exception(cause)
    if not _users_frames(info):
        return []  # frames of packages add nothing to the message; --full-trace shows them
    shown = info.getrepr(style="long", tbfilter=_users_frames, chain=False)
    return [*str(shown).splitlines(), ""]


def _users_frames(info: pytest.ExceptionInfo[BaseException]) -> Traceback:
    """Return the frames in the user's code: neither in distbench, nor in a package, nor in Python."""
    return info.traceback.filter(_is_users)


def _is_users(entry: TracebackEntry) -> bool:
    path, module = Path(entry.path), str(entry.frame.f_globals.get("__name__", "")).partition(".")[0]
    installed = {"site-packages", "dist-packages"} & set(path.parts)
    return path.is_file() and not (installed or path.is_relative_to(PYTHON) or module in OURS)


def shorten_summary(shown: Any, error: BaseException) -> None:
    """Let pytest's short summary name the encoder and its first broken limit."""
    crash = getattr(shown, "reprcrash", None)
    if crash is not None:
        first, *rest = str(error).split("\n")
        encoder, is_limit, _ = first.partition(" (codes of ")
        crash.message = f"{encoder}: {rest[0].strip()}" if is_limit and rest else first
