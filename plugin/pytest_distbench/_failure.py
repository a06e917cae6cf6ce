"""What the message of a broken limit says: the limit, what other encoders reach, and what to do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from pytest_distbench._seen import with_better_scores

if TYPE_CHECKING:
    from distbench.evaluation.report import Report
    from distbench.suites.check_flow import Check

__all__ = ["Broken", "Message", "broken_message", "check_message", "is_report"]

MAX_OTHER_SEEDS = 1  # seeds after the first whose values a message shows


class Broken(NamedTuple):
    """The limits that an encoder of a suite breaks with a seed."""

    seed: int | None
    report: Report
    limits: Mapping[str, float]


class Message(NamedTuple):
    """The lines of a message; ``advice`` are those of them that say what others reach, and what to do."""

    lines: list[str]
    advice: list[str]


def broken_message(broken: Sequence[Broken], dataset: str, code_size: int, config: pytest.Config) -> Message:
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
    return Message([*lines, *rest], rest)


def check_message(check: Check, report: Report, broken: Mapping[str, float], config: pytest.Config) -> Message:
    """Return which limits a check breaks and where, what others reach, and what to do."""
    from distbench.encoders.resolve import framework_of
    from distbench.evaluation.failure_message import failure_lines
    from distbench.suites.reference_scores import reference_scores

    size, references = check.code_size or report.code_size, reference_scores(check, report, broken)
    references = with_better_scores(config, report, check.dataset or "", size, broken, references)
    text, *advice = failure_lines(report, broken, references, size, framework_of(check.encoder))
    return Message([text, *advice], advice)


def is_report(encoder: Any) -> bool:
    """Return whether an argument is a report, which is not measured again."""
    from distbench.evaluation.report import Report

    return isinstance(encoder, Report)
