"""``distbench limits``: propose limits for an encoder, to be pasted into a test."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from distbench.cli import _common as common
from distbench.cli._options import evaluation_options, passed_options

if TYPE_CHECKING:
    from distbench.evaluation.scores import Score
    from distbench.suites.check_flow import Check, Outcome
    from distbench.suites.suggested_limits import SuggestedLimit

__all__ = ["command"]


@click.command(
    "limits",
    cls=common.Command,
    examples=[
        "distbench limits my_encoders:encode --data X_test.npy --reference X_train.npy",
        "distbench limits pca --dataset digits --code-size 8 --metrics continuity,knn_recall@100",
    ],
)
@evaluation_options
@common.json_option
def command(as_json: bool, **typed: Any) -> None:
    """Propose limits that ENCODER meets on new test points.

    ENCODER and the points are given as to 'distbench evaluate'. By default limits on continuity and scaled_stress are
    proposed. Each limit is two half widths of the interval away from the value, on the worse side.
    """
    from distbench.cli._checking import check_sources, run_check
    from distbench.suites.check_flow import Check
    from distbench.suites.suggested_limits import DEFAULT_METRICS, suggested_limits

    with common.running_user_code():
        check_sources(typed)
        options = passed_options(typed)
        if options["metrics"] == "default":
            options["metrics"] = DEFAULT_METRICS
        check, outcome = run_check(typed, Check(options=options))
        limits = suggested_limits(check, outcome.report, list(outcome.report))
    if as_json:
        common.print_document(_document(outcome, limits))
    else:
        common.print_text("\n".join(_lines(check, outcome, limits)))


def _lines(check: Check, outcome: Outcome, limits: Sequence[SuggestedLimit]) -> list[str]:
    from distbench.evaluation.failure_message import setting
    from distbench.suites.suggested_limits import SIMPLE, as_ini, as_python, suggestion_table

    report = outcome.report
    lines = [f"{report.encoder}: codes of {report.code_size}, {setting(report)}", ""]
    without = [name for name in report if name not in {one.score.metric for one in limits}]
    none = [f"no limit for {name}: {_why_none(report[name])}" for name in without]
    notes = [*none, *(f"note: {note}" for note in report.notes)]
    if not limits:
        return [*lines, *notes]
    points = "encoder, X_test, reference=X_train, " if report.m - 1 != report.M else "encoder, X_test, "
    return [
        *lines,
        *suggestion_table(limits),
        "",
        "limit: the value, made worse by two half widths of its interval",
        "met again: how often the value of a run on as many new test points meets it",
        f"also met by: the baselines {' and '.join(SIMPLE)}, if they meet it; such a limit demands little",
        *notes,
        "",
        "in a test:",
        f"    distbench.check({points}{as_python(limits)})",
        "for all tests, in pyproject.toml:",
        "    [tool.pytest.ini_options]",
        f"    {as_ini(limits)}",
    ]


def _why_none(score: Score) -> str:
    return "it has no interval" if score.low is None else "its interval is too wide, or its value the worst possible"


def _document(outcome: Outcome, limits: Sequence[SuggestedLimit]) -> dict[str, Any]:
    report = outcome.report
    keys = ("metric", "direction", "value", "low", "high")
    return {
        "encoder": report.encoder,
        "code_size": report.code_size,
        "k": report.k,
        "m": report.m,
        "M": report.M,
        "notes": list(report.notes),
        "limits": [
            {key: getattr(one.score, key) for key in keys}
            | {"limit": one.limit, "share_met": one.share_met, "simple": dict(one.simple), "met_by": one.met_by}
            for one in limits
        ],
    }
