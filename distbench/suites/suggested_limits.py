"""Limits that a run suggests for an encoder, how often it should meet them, and simple baselines that meet them too."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from distbench._util.numbers import interval, number
from distbench.inference.suggestion import share_met, suggested_limit
from distbench.inference.verdicts import is_met
from distbench.suites.reference_scores import fitted_reference_scores, options_of_references

if TYPE_CHECKING:
    from distbench.evaluation.report import Report
    from distbench.evaluation.scores import Score
    from distbench.suites.check_flow import Check

__all__ = ["DEFAULT_METRICS", "SuggestedLimit", "as_ini", "as_python", "suggested_limits", "suggestion_table"]

DEFAULT_METRICS = ("continuity", "scaled_stress")
SIMPLE = ("random_projection", "pca")
HEAD = ("metric", "value", "95% interval", "limit", "met again", "also met by")
RIGHT = ("value", "limit", "met again")


@dataclass(frozen=True)
class SuggestedLimit:
    """A limit on a metric.

    Attributes
    ----------
    score : Score
        The value and the interval that it comes from.
    limit : float
        Two half widths of the interval away from the value, on the worse side, rounded.
    share_met : float
        How often the value on as many new test points meets it.
    simple : dict of str to float
        The values of simple baselines of the same code size, by their names.
    """

    score: Score
    limit: float
    share_met: float
    simple: Mapping[str, float]

    @property
    def met_by(self) -> list[str]:
        """The simple baselines that meet the limit: if there is one, the limit demands little."""
        return [name for name, value in self.simple.items() if is_met(value, self.limit, self.score.direction)]


def suggested_limits(check: Check, report: Report, metrics: Collection[str]) -> list[SuggestedLimit]:
    """Return a limit for each metric whose value in the report has an interval."""
    from distbench.metrics import METRICS

    limits: dict[str, float] = {}
    for name in metrics:
        score = report[name]
        limit = suggested_limit(score.value, score.low, score.high, score.direction, METRICS[name].bounds)
        limits |= {} if limit is None else {name: limit}
    values = _simple_values(check, report, limits)
    return [
        SuggestedLimit(
            score=report[name],
            limit=limit,
            share_met=_share_met(report[name], limit, report.confidence),
            simple={encoder: by_metric[name] for encoder, by_metric in values.items() if name in by_metric},
        )
        for name, limit in limits.items()
    ]


def _share_met(score: Score, limit: float, confidence: float) -> float:
    return share_met(score.value, score.low, score.high, limit, score.direction, confidence)


def _simple_values(check: Check, report: Report, metrics: Collection[str]) -> dict[str, dict[str, float]]:
    options = options_of_references(check, report)
    if options is None or not metrics:
        return {}
    scores = {name: fitted_reference_scores(report, metrics, options, name) for name in SIMPLE}
    return {name: {metric: score.value for metric, score in found.items()} for name, found in scores.items()}


def _row(one: SuggestedLimit) -> tuple[str, ...]:
    score, sign = one.score, ">=" if one.score.direction == "up" else "<="
    none = "none" if one.simple else "not measured"
    met_by = ", ".join(f"{name} ({number(one.simple[name])})" for name in one.met_by)
    values = score.metric, number(score.value), interval(score.low, score.high)
    return (*values, f"{sign} {one.limit:g}", f"{one.share_met:.1%}", met_by or none)


def suggestion_table(limits: Sequence[SuggestedLimit]) -> list[str]:
    """Return the lines of a table of limits."""
    from tabulate import tabulate

    align = ["right" if name in RIGHT else "left" for name in HEAD]
    return tabulate(map(_row, limits), headers=HEAD, disable_numparse=True, colalign=align).splitlines()


def as_python(limits: Sequence[SuggestedLimit]) -> str:
    """Return limits as arguments of a check."""
    plain = [f"{one.score.metric}={one.limit:g}" for one in limits if one.score.metric.isidentifier()]
    others = {one.score.metric: one.limit for one in limits if not one.score.metric.isidentifier()}
    return ", ".join([*plain, *([f"limits={others}"] if others else [])])


def as_ini(limits: Sequence[SuggestedLimit]) -> str:
    """Return limits as a setting of ``pyproject.toml``."""
    texts = ", ".join(f'"{one.score.metric}:{one.limit:g}"' for one in limits)
    return f"distbench_limit = [{texts}]"
