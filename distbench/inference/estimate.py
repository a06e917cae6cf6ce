"""Estimates: values with the data behind their intervals, and the differences, means and intervals of these."""

from __future__ import annotations

import math
import statistics
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

__all__ = ["CONFIDENCE", "Estimate", "difference_of_intervals", "mean_arrays", "mean_of", "mean_of_intervals"]

Interval = tuple[float, float] | tuple[None, None]
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
        The statistic without each point in turn, or without each group of points, shape (G,); None if no honest
        interval follows (worst cases).
    interaction : ndarray of shape (m, sketches) or None
        The part that `leave_one_out` counts twice; see `distbench.inference.jackknife.jackknife_standard_error`.
    bounds : tuple of float
        Least and largest possible value.
    rows : int or None
        Number of single scores, each within the bounds, whose mean is the value; None if it is no such mean.
    draws : tuple of (float, int)
        Standard deviation over draws of a stochastic encoder's codes, and the number of draws, for each encoder that
        the value depends on.
    losses : ndarray of shape (rows,) or None
        What each single score is short of the best possible one, if it is known.
    failure : float
        The least that a failure takes from a single score; 0 if it is not known.
    """

    value: float
    leave_one_out: Array | None = None
    interaction: Array | None = None
    bounds: tuple[float, float] = UNBOUNDED
    rows: int | None = None
    draws: tuple[tuple[float, int], ...] = ()
    losses: Array | None = None
    failure: float = 0.0

    @classmethod
    def of_metric(
        cls,
        metric: str,
        value: float,
        leave_one_out: Array | None,
        interaction: Array | None = None,
        points: Array | None = None,
        counts: tuple[int, int, int] | None = None,
        draws: tuple[tuple[float, int], ...] = (),
    ) -> Estimate:
        """Return the estimate of a metric with its bounds.

        `points` and `counts`, the numbers k of neighbors, M of candidates and m of queries, are used for means of
        single points' scores only.
        """
        from distbench.metrics import METRICS

        known = METRICS[metric]
        if counts is None or not known.is_mean_of_points:
            return cls(value, leave_one_out, interaction, known.bounds, draws=draws)
        low, high = known.bounds
        best = high if known.direction == "up" else low
        m, losses = counts[2], None
        if leave_one_out is not None and len(leave_one_out) < m:  # points of a group fail together
            m, points = len(leave_one_out), None
        if points is not None and known.has_isolated_failures:
            losses = abs(best - points)
        elif value == best:
            import numpy as np

            losses = np.zeros(m)
        unknown = high - low if value in known.bounds else 0.0  # without a failure, nothing is known of their size
        failure = unknown if known.least_failure is None else known.least_failure(*counts)
        return cls(value, leave_one_out, interaction, known.bounds, m, draws, losses, failure)

    @staticmethod
    def mean(estimates: Sequence[Estimate]) -> Estimate:
        """Return the mean of estimates on the same points, such as those of one recipe over its training seeds."""
        return Estimate(
            mean_of([estimate.value for estimate in estimates]),
            mean_arrays([estimate.leave_one_out for estimate in estimates]),
            mean_arrays([estimate.interaction for estimate in estimates]),
            estimates[0].bounds,
            estimates[0].rows,
            tuple((sd / len(estimates), count) for estimate in estimates for sd, count in estimate.draws),
            mean_arrays([estimate.losses for estimate in estimates]),
            estimates[0].failure,
        )

    def __sub__(self, other: Estimate) -> Estimate:
        """Return the paired difference, point by point; 0 if neither value is finite."""
        finite = math.isfinite(self.value) or math.isfinite(other.value)
        return Estimate(
            self.value - other.value if finite else 0.0,
            _difference(self.leave_one_out, other.leave_one_out),
            _difference(self.interaction, other.interaction),
            draws=(*self.draws, *other.draws),
        )

    def interval(self, confidence: float = CONFIDENCE) -> Interval:
        """Return the interval over samples of test points (and draws), or (None, None) if there is no honest one."""
        from distbench.inference.jackknife import add_draws, allow_unseen_failures, jackknife_interval

        arrays = self.interaction, self.losses
        ends = jackknife_interval(self.value, self.leave_one_out, confidence, self.bounds, *arrays, self.failure)
        if self.rows is not None:
            ends = allow_unseen_failures(ends, self.value, self.failure, self.rows, confidence, self.bounds)
        for sd, count in self.draws:
            ends = add_draws(ends, self.value, sd, count, confidence, self.bounds)
        return ends


def _difference(a: Array | None, b: Array | None) -> Array | None:
    if a is None or b is None or a.shape != b.shape:
        return None
    import numpy as np

    with np.errstate(invalid="ignore"):  # infinite without a point in both: no interval follows
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
    """Return the mean of at least one number: infinite if some are, nan if some are infinite of either sign."""
    if all(map(math.isfinite, values)):
        return statistics.fmean(values)
    return sum(values) / len(values)  # fmean refuses infinities of both signs


def mean_of_intervals(intervals: Sequence[Ends]) -> Ends:
    """Return the means of lower and of upper ends of intervals over the same points, None if an end is missing.

    The result is no narrower than the interval of the mean.
    """
    low, high = ([ends[side] for ends in intervals] for side in (0, 1))
    return _mean_end(low), _mean_end(high)


def _mean_end(ends: Sequence[float | None]) -> float | None:
    known = [end for end in ends if end is not None]
    return mean_of(known) if known and len(known) == len(ends) else None


def difference_of_intervals(a: float, interval_a: Ends, b: float, interval_b: Ends) -> Interval:
    """Return the interval of a - b from those of the independent values a and b, or (None, None) if one is missing.

    This is the method of variance estimates recovery.

    References
    ----------
    .. [1] G. Y. Zou and A. Donner (2008), Construction of confidence limits about effect measures.
    """
    (low_a, high_a), (low_b, high_b) = interval_a, interval_b
    if low_a is None or high_a is None or low_b is None or high_b is None or not math.isfinite(a - b):
        return None, None
    return (a - b) - math.hypot(a - low_a, high_b - b), (a - b) + math.hypot(high_a - a, b - low_b)
