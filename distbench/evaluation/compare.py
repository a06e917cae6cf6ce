"""Compares two reports on the same points, point by point."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from distbench._util.float_errors import with_default_float_errors
from distbench._util.imports import imported
from distbench.errors import InputError
from distbench.evaluation.failure_message import setting
from distbench.evaluation.report import Report, Score

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Difference", "Differences", "compare"]


@dataclass(frozen=True)
class Difference:
    """The difference of two encoders in one metric on the same test points.

    Parameters
    ----------
    metric : str
        Name of the metric.
    value : float
        Value of the first report minus that of the second.
    low, high : float or None
        Interval of the difference, by the paired jackknife; None if there is no valid one.
    better : {"a", "b"} or None
        The better report, if the interval excludes 0.
    """

    metric: str
    value: float
    low: float | None
    high: float | None
    better: Literal["a", "b"] | None


class Differences(dict[str, Difference]):
    """The differences of two encoders by metric: a dict that prints as a table.

    Parameters
    ----------
    differences : mapping of str to Difference
        Differences by metric.
    report_a, report_b : Report
        The reports on both encoders.
    """

    def __init__(self, differences: Mapping[str, Difference], report_a: Report, report_b: Report) -> None:
        super().__init__(differences)
        self.encoders = report_a.encoder, report_b.encoder
        self.scores = report_a.scores, {name: report_b[name] for name in differences}
        self.confidence = report_a.confidence
        self._setting = setting(report_a)

    def title(self) -> str:
        """Return the names of both encoders, the numbers of points and candidates, and k."""
        return f"fitted encoders a = {self.encoders[0]}, b = {self.encoders[1]}; {self._setting}"

    def to_frame(self) -> pd.DataFrame:
        """Return the differences as a pandas frame with one row for each metric.

        Returns
        -------
        pandas.DataFrame
            Index ``metric``; columns ``a`` and ``b`` (values), ``value`` (a - b), ``low`` and ``high`` (interval of
            a - b), ``direction`` and ``better`` ("a", "b", or None).

        Raises
        ------
        MissingDependencyError
            If pandas is not installed.
        """
        frame: pd.DataFrame = imported("distbench.evaluation.tables:differences_frame")(self)
        return frame

    def __str__(self) -> str:
        return str(imported("distbench.evaluation.tables:differences_text")(self))

    def _repr_html_(self) -> str:
        return str(imported("distbench.evaluation.tables:differences_html")(self))

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        printer.text("Differences(...)" if cycle else str(self))


@with_default_float_errors
def compare(report_a: Report, report_b: Report) -> Differences:
    """Compare two fitted encoders on the same test points, in every metric that both reports have.

    Intervals are over test points: they say whether these two encoders differ, not whether one recipe is better when
    it is trained again.

    Parameters
    ----------
    report_a, report_b : Report
        Reports on the same test and reference points, in the same order, with the same k and the same queries.

    Returns
    -------
    Differences
        A dict of `Difference` by metric; `print` shows it as a table.

    Raises
    ------
    InputError
        If the reports differ in points, groups, evaluated rows, k, distances or confidence, or share no metric.

    Examples
    --------
    >>> import distbench
    >>> data = distbench.load_dataset("digits")
    >>> a, b = (
    ...     distbench.evaluate(distbench.fit_baseline(name, data.train, code_size=8), data.test, metrics="continuity")
    ...     for name in ("pca", "random_projection")
    ... )
    >>> distbench.compare(a, b)["continuity"].better
    'a'
    """
    for name, report in (("report_a", report_a), ("report_b", report_b)):
        if not isinstance(report, Report):
            raise InputError(name, f"found {type(report).__name__}", "pass a report of distbench.evaluate")
    both = "report_a, report_b"
    for name in ("k", "m", "M", "n_reference", "confidence", "distance_x", "distance_z"):
        a, b = getattr(report_a, name), getattr(report_b, name)
        if a != b:
            raise InputError(both, f"found {name} = {a} and {b}", "evaluate both in the same way")
    if not np.array_equal(report_a.rows_judged(), report_b.rows_judged()):
        raise InputError(both, "found different test points evaluated", "pass the same queries and seed to both")
    if report_a.fingerprint != report_b.fingerprint:
        raise InputError(both, "found different points", "evaluate both on the same points in the same order")
    groups = [None if report.groups is None else report.groups.fingerprint() for report in (report_a, report_b)]
    if groups[0] != groups[1]:
        raise InputError(both, "found different groups of test points", "pass the same groups to both")
    differences = {
        name: _difference(report_a[name], report_b[name], report_a.confidence) for name in report_a if name in report_b
    }
    if not differences:
        raise InputError(both, "found no metric that both have", "evaluate both with the same metrics=")
    return Differences(differences, report_a, report_b)


def _difference(a: Score, b: Score, confidence: float) -> Difference:
    estimate = a.estimate() - b.estimate()
    low, high = estimate.interval(confidence)
    better: Literal["a", "b"] | None = None
    if low is not None and high is not None and not low <= 0 <= high:
        better = "a" if (estimate.value > 0) == (a.direction == "up") else "b"
    return Difference(a.metric, estimate.value, low, high, better)
