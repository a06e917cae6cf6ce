"""The values of a metric over the test points of each group."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from distbench._util.text import did_you_mean, short_repr
from distbench.errors import InputError
from distbench.evaluation.scores import GroupScore, Score
from distbench.inference.estimate import Estimate
from distbench.metrics import METRICS

if TYPE_CHECKING:
    from distbench.evaluation.report import Report

__all__ = ["by_group"]

MIN_POINTS = 5  # of a group; with fewer, a standard error says little about skewed scores


def by_group(report: Report, metric: Any) -> list[GroupScore]:
    """Return the scores of the groups, worst first; see `Report.by_group`.

    The interval of a group assumes that the scores of its points are independent of each other, for these candidates.
    It does not include the spread of a stochastic encoder's draws.
    """
    if report.groups is None:
        raise InputError("groups", "found none in this report", "evaluate with groups=, one label for each test point")
    if not isinstance(metric, str) or metric not in report:
        found = f"found {short_repr(metric)}, which was not measured"
        raise InputError("metric", found, did_you_mean(str(metric), report))
    metric = report[metric].metric
    points = _points(report[metric])
    if points is None:
        known = [name for name, score in report.items() if _points(score) is not None]
        found = f"found {metric!r}, which is not a mean of single points' scores"
        raise InputError("metric", found, f"pass {', '.join(known) or 'a metric that is such a mean, and measure it'}")
    codes = report.groups.codes[report.rows_judged()]
    scores = [
        _group_score(report, metric, label, points[codes == code])
        for code, label in enumerate(report.groups.labels)
        if (codes == code).any()
    ]
    return sorted(scores, key=lambda score: score.value, reverse=report[metric].direction == "down")


def _points(score: Score) -> Any:
    """Return the scores of single points if the value of the metric is their mean, else None."""
    metric = METRICS[score.metric]
    return score.points if metric.is_mean_of_points or metric.family == "model" else None


def _group_score(report: Report, metric: str, label: Any, points: Any) -> GroupScore:
    n, value = len(points), float(points.mean())
    if n < MIN_POINTS:
        return GroupScore(label, value, None, None, n)
    without = np.asarray((points.sum() - points) / (n - 1))
    low, high = Estimate.of_metric(metric, value, without, None, points, (report.k, report.M, n)).interval(
        report.confidence
    )
    return GroupScore(label, value, low, high, n)
