"""Estimates: values with the data behind their intervals, and the differences, means and intervals of these."""

from __future__ import annotations

import math
import statistics
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

__all__ = ["CONFIDENCE", "Estimate", "mean_arrays", "mean_of"]

Interval = tuple[float, float] | tuple[None, None]
Bounds = tuple[float, float]
Replicates = tuple[tuple[float, int], ...]
Ends = tuple[float | None, float | None]

CONFIDENCE = 0.95
UNBOUNDED = (-math.inf, math.inf)


@dataclass(frozen=True, eq=False)
class Estimate:
    """A statistic of the test points, or a difference or mean of such statistics on the same points.

    Attributes
    ----------
    value : float
        The statistic on all points.
    leave_one_out : ndarray of shape (m,) or None
        The statistic without each point in turn, or without each group of points, shape (G,); None if they
        give no valid interval (worst cases).
    interaction : ndarray of shape (m, sketches) or None
        The part that `leave_one_out` counts twice; see `distbench.inference.jackknife.jackknife_standard_error`.
    bounds : tuple of float
        Least and largest possible value.
    rows : int or None
        Number of single scores, each within the bounds, whose mean is the value; None if it is not such a mean.
    replicates : tuple of (float, int)
        For each encoder that the value depends on, the standard deviation and the number of the values that were
        averaged: over draws of a stochastic encoder's codes, or over training seeds of a recipe.
    losses : ndarray of shape (rows,) or None
        The distance of each single score from the best possible score, if it is known.
    failure : float
        The smallest loss of a single score that is not the best possible one; 0 if it is not known.
    ends : tuple of (float, float) or (None, None)
        A 95 % interval over test points, for a value whose leave-one-out values were not kept.
    """

    value: float
    leave_one_out: Array | None = None
    interaction: Array | None = None
    bounds: tuple[float, float] = UNBOUNDED
    rows: int | None = None
    replicates: Replicates = ()
    losses: Array | None = None
    failure: float = 0.0
    ends: Interval = (None, None)

    @classmethod
    def of_metric(
        cls,
        metric: str,
        value: float,
        leave_one_out: Array | None,
        interaction: Array | None = None,
        points: Array | None = None,
        counts: tuple[int, int, int] | None = None,
        replicates: Replicates = (),
        ends: Ends = (None, None),
    ) -> Estimate:
        """Return the estimate of a metric with its bounds.

        `points` are the points' single scores, `counts` the numbers k of neighbors (of metrics without their own), M
        of candidates and m of queries. Both are used only if the metric is a mean of single points' scores.
        """
        from distbench.metrics import METRICS

        known = METRICS.get(metric)  # None: the package with a stored row's metric is not installed
        if known is None:
            return cls(value, leave_one_out, interaction, replicates=replicates, ends=_interval(*ends))
        plain = cls(value, leave_one_out, interaction, known.bounds, replicates=replicates, ends=_interval(*ends))
        if counts is None or not known.is_mean_of_points:
            return plain
        low, high = known.bounds
        counts = (known.at(counts[0]), *counts[1:])
        m, losses = counts[2], None
        if leave_one_out is not None and len(leave_one_out) < m:  # points of a group fail together
            m, points = len(leave_one_out), None
        if points is not None and known.has_isolated_failures:
            losses = abs(known.best - points)
        elif value == known.best:
            import numpy as np

            losses = np.zeros(m)
        unknown = high - low if value in known.bounds else 0.0  # no failure was seen, so its size is unknown
        failure = unknown if known.least_failure is None else known.least_failure(*counts)
        return replace(plain, rows=m, losses=losses, failure=failure)

    @staticmethod
    def mean(estimates: Sequence[Estimate]) -> Estimate:
        """Return the mean of a recipe over its training seeds, on the same points, with the variance of training.

        The spread over seeds includes the spread over draws of codes. A single estimate is returned unchanged: it is
        that of one fitted encoder. Without leave-one-out values, the interval's ends are the means of the lower and of
        the upper ends; this interval is never narrower.
        """
        if len(estimates) == 1:
            return estimates[0]
        values = [estimate.value for estimate in estimates]
        without = mean_arrays([estimate.leave_one_out for estimate in estimates])
        ends = [estimate._points_interval() for estimate in estimates] if without is None else []
        known = [(low, high) for low, high in ends if low is not None and high is not None]
        is_known = bool(ends) and len(known) == len(ends)
        return Estimate(
            mean_of(values),
            without,
            mean_arrays([estimate.interaction for estimate in estimates]),
            estimates[0].bounds,
            estimates[0].rows,
            _replicates(values),
            mean_arrays([estimate.losses for estimate in estimates]),
            estimates[0].failure,
            (mean_of([low for low, _ in known]), mean_of([high for _, high in known])) if is_known else (None, None),
        )

    def __sub__(self, other: Estimate) -> Estimate:
        """Return the difference, 0 if neither value is finite.

        It is paired point by point if both have leave-one-out values. Otherwise its interval is that of independent
        values, which is wider on the same points. If no test point shows a difference, others may still differ by the
        least loss of a point, and the interval allows for them.
        """
        finite = math.isfinite(self.value) or math.isfinite(other.value)
        without = _difference(self.leave_one_out, other.leave_one_out)
        return Estimate(
            self.value - other.value if finite else 0.0,
            without,
            _difference(self.interaction, other.interaction),
            rows=self.rows if self.rows == other.rows else None,
            replicates=(*self.replicates, *other.replicates),
            failure=max(self.failure, other.failure),
            ends=(None, None) if without is not None else self._independent_difference(other),
        )

    def _independent_difference(self, other: Estimate) -> Interval:
        """Return the interval over points of a difference by the method of variance estimates recovery.

        References
        ----------
        .. [1] G. Y. Zou and A. Donner (2008), Construction of confidence limits about effect measures.
        """
        (low_a, high_a), (low_b, high_b) = self._points_interval(), other._points_interval()
        value = self.value - other.value
        if low_a is None or high_a is None or low_b is None or high_b is None or not math.isfinite(value):
            return None, None
        below, above = (
            math.hypot(self.value - low_a, high_b - other.value),
            math.hypot(high_a - self.value, other.value - low_b),
        )
        return value - below, value + above

    def unpaired(self) -> Estimate:
        """Return the estimate with its interval over points, but without leave-one-out values to pair it by."""
        return replace(self, leave_one_out=None, interaction=None, ends=self._points_interval())

    def interval(self, confidence: float = CONFIDENCE) -> Interval:
        """Return the interval over samples of test points and replicates, or (None, None) if there is no valid one."""
        from distbench.inference.jackknife import add_replicates

        ends = self._points_interval(confidence)
        for sd, count in self.replicates:
            ends = add_replicates(ends, self.value, sd, count, confidence, self.bounds)
        return ends

    def _points_interval(self, confidence: float = CONFIDENCE) -> Interval:
        from distbench.inference.jackknife import allow_unseen_failures, jackknife_interval

        if self.leave_one_out is None:
            return _at_confidence(self.ends, self.value, confidence, self.bounds)
        arrays = self.interaction, self.losses
        ends = jackknife_interval(self.value, self.leave_one_out, confidence, self.bounds, *arrays, self.failure)
        if self.rows is None:
            return ends
        return allow_unseen_failures(ends, self.value, self.failure, self.rows, confidence, self.bounds)

    def p_value(self, threshold: float = 0.0) -> float | None:
        """Return the smallest alpha whose interval of confidence 1 - alpha excludes a threshold, or None.

        Its relative error is at most 1 %, and it is at least 1e-12. It is None if there is no interval.
        """
        if self.interval()[0] is None:
            return None
        # logarithms of alphas whose intervals contain, and exclude, the threshold
        contains, excludes = math.log(1e-12), 0.0
        while excludes - contains > 0.01:
            middle = (contains + excludes) / 2
            low, high = self.interval(-math.expm1(middle))
            if low is None or high is None or low <= threshold <= high:
                contains = middle
            else:
                excludes = middle
        return math.exp(excludes)


def _difference(a: Array | None, b: Array | None) -> Array | None:
    if a is None or b is None or a.shape != b.shape:
        return None
    import numpy as np

    with np.errstate(invalid="ignore"):  # inf - inf is nan, which gives no interval
        return np.asarray(a - b)


def mean_arrays(arrays: Sequence[Array | None]) -> Array | None:
    """Return the mean of arrays of one shape; None if an array is missing or has another shape."""
    known = [array for array in arrays if array is not None]
    if len(known) == len(arrays) == 1:
        return known[0]
    if len(known) < max(1, len(arrays)) or len({array.shape for array in known}) > 1:
        return None
    import numpy as np

    mean: Any = np.mean(known, axis=0)
    return mean  # type: ignore[no-any-return]


def mean_of(values: Collection[float]) -> float:
    """Return the mean of at least one number: infinite if some are infinite, nan if they have both signs."""
    if all(map(math.isfinite, values)):
        return statistics.fmean(values)
    return sum(values) / len(values)  # fmean refuses infinities of both signs


def _replicates(values: Sequence[float]) -> Replicates:
    """Return the standard deviation and the number of values; nothing if they are equal or infinite."""
    known = len(values) > 1 and all(map(math.isfinite, values)) and len(set(values)) > 1
    return ((statistics.stdev(values), len(values)),) if known else ()


def _interval(low: float | None, high: float | None) -> Interval:
    return (None, None) if low is None or high is None else (low, high)


def _at_confidence(ends: Interval, value: float, confidence: float, bounds: Bounds) -> Interval:
    """Return a 95 % interval at another confidence: its half widths grow as those of a normal distribution."""
    low, high = ends
    if low is None or high is None or confidence == CONFIDENCE:
        return ends
    normal = statistics.NormalDist()
    factor = normal.inv_cdf((1 + confidence) / 2) / normal.inv_cdf((1 + CONFIDENCE) / 2)
    return max(bounds[0], value - factor * (value - low)), min(bounds[1], value + factor * (high - value))
