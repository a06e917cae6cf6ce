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
    """

    value: float
    leave_one_out: Array | None = None
    interaction: Array | None = None
    bounds: tuple[float, float] = UNBOUNDED
    rows: int | None = None
    draws: tuple[tuple[float, int], ...] = ()

    @classmethod
    def of_metric(
        cls,
        metric: str,
        value: float,
        leave_one_out: Array | None,
        interaction: Array | None = None,
        rows: int | None = None,
        draws: tuple[tuple[float, int], ...] = (),
    ) -> Estimate:
        """Return the estimate of a metric with its bounds; `rows` counts only for means of single points' scores."""
        from distbench.metrics import METRICS

        known = METRICS[metric]
        if rows is not None and leave_one_out is not None:
            rows = min(rows, len(leave_one_out))  # points of a group fail together: as many trials as groups
        return cls(value, leave_one_out, interaction, known.bounds, rows if known.is_mean_of_points else None, draws)

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
        from distbench.inference.jackknife import add_draws, jackknife_interval

        ends = jackknife_interval(self.value, self.leave_one_out, confidence, self.bounds, self.interaction, self.rows)
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
