"""How a broken limit looks in pytest's report: its own words and the test's line, without a traceback."""

from __future__ import annotations

import sysconfig
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from distbench.errors import EncoderError, InputError, MissingDependencyError, PreservationError
from pytest_distbench._record import RAISED

if TYPE_CHECKING:
    from _pytest._code.code import Traceback, TracebackEntry

    from distbench.evaluation.report import Report

__all__ = ["Broken", "broken_lines", "shorten", "shorten_summary"]

OURS = ("distbench", "pytest_distbench")
PYTHON = Path(sysconfig.get_path("stdlib"))
MOST_SEEDS = 1  # that are named beside the one that is shown


@dataclass(frozen=True)
class Broken:
    """The limits that an encoder of a suite breaks when it is trained with a seed."""

    seed: int | None
    report: Report
    limits: Mapping[str, float]


def broken_lines(found: Sequence[Broken], dataset: str, code_size: int) -> list[str]:
    """Return where the first seed breaks its limits, what the others have, what baselines reach, and what to do.

    Parameters
    ----------
    found : sequence of Broken
        One a seed, at least one.
    dataset, code_size
        Where baselines are looked up.
    """
    from distbench._util.numbers import number
    from distbench.evaluation.text import advice, failure_text, reference_lines
    from distbench.suites.reference_scores import stored_reference_scores

    first, *others = found
    lines = [f"seed {first.seed}: {failure_text(first.report, first.limits)}"]
    for other in others[:MOST_SEEDS]:
        values = ", ".join(f"{metric} = {number(other.report[metric].value)}" for metric in other.limits)
        lines.append(f"  seed {other.seed} too: {values}")
    if len(others) > MOST_SEEDS:
        lines.append(f"  and {len(others) - MOST_SEEDS} more seeds")
    best = stored_reference_scores(first.report, dataset, code_size, first.limits)
    return [*lines, *reference_lines(best, code_size), advice(first.report, first.limits, best)]


def shorten(item: pytest.Item, call: pytest.CallInfo[Any], report: pytest.TestReport) -> None:
    """Replace the traceback of a broken limit, or of an input that a check refused, by what it says and where.

    An encoder's own error is shown before, with the encoder's own lines.

    Only of errors that the fixture raised, and not under ``--full-trace`` or ``--tb=native``.
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
    """Return the lines of what an encoder raised, without the frames that called it; none where it did not."""
    cause = error.__cause__
    if not isinstance(error, EncoderError) or cause is None or cause.__traceback__ is None:
        return []
    found = pytest.ExceptionInfo.from_exception(cause)
    if not _users_own(found):
        return []  # packages' frames say nothing that the message does not; --full-trace shows them
    own = found.getrepr(style="long", tbfilter=_users_own, chain=False)
    return [*str(own).splitlines(), ""]


def _users_own(found: pytest.ExceptionInfo[BaseException]) -> Traceback:
    """Return the frames that are neither ours nor a package's nor Python's own."""
    return found.traceback.filter(_is_users)


def _is_users(entry: TracebackEntry) -> bool:
    path, module = Path(entry.path), str(entry.frame.f_globals.get("__name__", "")).partition(".")[0]
    installed = {"site-packages", "dist-packages"} & set(path.parts)
    return path.is_file() and not (installed or path.is_relative_to(PYTHON) or module in OURS)


def shorten_summary(shown: Any, error: BaseException) -> None:
    """Let pytest's short summary name the first limit, and whose it is."""
    crash = getattr(shown, "reprcrash", None)
    if crash is not None:
        crash.message = _in_short(str(error))


def _in_short(text: str) -> str:
    lines = text.split("\n")
    encoder, told, _ = lines[0].partition(" (codes of ")
    return f"{encoder}: {lines[1].strip()}" if told and len(lines) > 1 else lines[0]
