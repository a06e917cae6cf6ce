"""Errors in pytest's report: the message and the line of the test, without a traceback."""

from __future__ import annotations

import sysconfig
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from distbench._util.text import plain_text
from distbench.errors import EncoderError, InputError, MissingDependencyError, PreservationError
from pytest_distbench._record import RAISED
from pytest_distbench._seen import with_better_scores
from pytest_distbench._session import relative_path

if TYPE_CHECKING:
    from _pytest._code.code import Traceback, TracebackEntry

    from distbench.evaluation.report import Report
    from distbench.evaluation.scores import ReferenceScore
    from distbench.suites.check_flow import Check

__all__ = ["Broken", "broken_lines", "check_lines", "is_ours", "is_report", "shorten", "shorten_summary"]

PYTHON = Path(sysconfig.get_path("stdlib"))
SHARED_OPTIONS = ("distance_x", "distance_z", "queries", "seed")  # a baseline is evaluated with them too
MAX_OTHER_SEEDS = 1  # seeds after the first whose values a message shows


class Broken(NamedTuple):
    """The limits that an encoder of a suite breaks with a seed."""

    seed: int | None
    report: Report
    limits: Mapping[str, float]


def broken_lines(broken: Sequence[Broken], dataset: str, code_size: int, config: pytest.Config) -> list[str]:
    """Return which limits the first seed breaks, the values of other seeds, what others reach, and what to do.

    `broken` has an entry for each seed that breaks a limit, at least one.
    """
    from distbench._util.numbers import number
    from distbench.evaluation.failure_message import failure_lines
    from distbench.suites.reference_scores import stored_reference_scores

    (seed, report, limits), *others = broken
    references = stored_reference_scores(report, dataset, code_size, limits)
    references = with_better_scores(config, report, dataset, code_size, limits, references)
    text, *rest = failure_lines(report, limits, references, code_size)
    lines = [f"seed {seed}: {text}"]
    for other in others[:MAX_OTHER_SEEDS]:
        values = ", ".join(f"{metric} = {number(other.report[metric].value)}" for metric in other.limits)
        lines.append(f"  seed {other.seed} too: {values}")
    if len(others) > MAX_OTHER_SEEDS:
        lines.append(f"  and {len(others) - MAX_OTHER_SEEDS} more seeds")
    return [*lines, *rest]


def check_lines(check: Check, report: Report, broken: Mapping[str, float], config: pytest.Config) -> list[str]:
    """Return which limits a check breaks and where, what others reach, and what to do."""
    from distbench.encoders.resolve import framework_of
    from distbench.evaluation.failure_message import failure_lines

    size, references = check.code_size or report.code_size, _references(check, report, broken)
    references = with_better_scores(config, report, check.dataset or "", size, broken, references)
    return failure_lines(report, broken, references, size, framework_of(check.encoder))


def _references(check: Check, report: Report, metrics: Mapping[str, float]) -> Mapping[str, ReferenceScore]:
    from distbench.suites.reference_scores import fitted_reference_scores, stored_reference_scores

    if check.dataset is not None:
        return stored_reference_scores(report, check.dataset, check.code_size or report.code_size, metrics)
    if "precision" in check.options:  # with it, the number of test points depends on the encoder
        return {}
    options: dict[str, Any] = {name: check.options[name] for name in SHARED_OPTIONS if name in check.options}
    options["include_queries"] = check.include_queries
    if is_report(check.encoder):
        if report.judged is not None:  # a sample of test points, whose seed is not known
            return {}
        options = {"distance_x": report.distance_x, "distance_z": report.distance_z}
        options["include_queries"] = report.n_reference != report.M
    return fitted_reference_scores(report, metrics, options)


def is_report(encoder: Any) -> bool:
    """Return whether an argument is a report, which is not measured again."""
    from distbench.evaluation.report import Report

    return isinstance(encoder, Report)


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
    shown: Any = call.excinfo.getrepr(style="value", chain=False)
    entries = getattr(getattr(shown, "reprtraceback", None), "reprentries", [])
    if entry is not None and entries:
        entries[-1].lines.append(f"at {relative_path(item.path, item.config)}:{entry.lineno + 1}")
        entries[-1].lines[:0] = _encoder_traceback(call.excinfo.value)
    shorten_summary(shown, call.excinfo.value)
    report.longrepr = shown


def _encoder_traceback(error: BaseException) -> list[str]:
    """Return the frames of the user's code in the traceback of an encoder's error; an empty list if there are none."""
    cause = error.__cause__
    if not isinstance(error, EncoderError) or cause is None or cause.__traceback__ is None:
        return []
    info = pytest.ExceptionInfo.from_exception(cause)
    if not _users_frames(info):
        return []  # frames of packages add nothing to the message; --full-trace shows them
    shown = info.getrepr(style="long", tbfilter=_users_frames, chain=False)
    return [*map(plain_text, str(shown).splitlines()), ""]


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


def shorten_summary(shown: Any, error: BaseException) -> None:
    """Let pytest's short summary name the encoder and its first broken limit."""
    crash = getattr(shown, "reprcrash", None)
    if crash is not None:
        first, *rest = str(error).split("\n")
        encoder, is_limit, _ = first.partition(" (codes of ")
        crash.message = f"{encoder}: {rest[0].strip()}" if is_limit and rest else first
