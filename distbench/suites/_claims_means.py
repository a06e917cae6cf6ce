"""Means over training seeds, and their intervals over test points."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from distbench.results.leaderboard_rows import mean_of
from distbench.suites._bench import Run

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["CONFIDENCE", "Mean", "interval", "over_seeds"]

CONFIDENCE = 0.95


@dataclass(frozen=True)
class Mean:
    """A score's mean over training seeds, and what its interval over test points comes from."""

    value: float
    leave_one_out: NDArray[Any] | None
    interaction: NDArray[Any] | None

    def less(self, other: Mean) -> Mean:
        """Return the difference to another mean, test point by test point."""
        return Mean(
            self.value - other.value,
            _difference(self.leave_one_out, other.leave_one_out),
            _difference(self.interaction, other.interaction),
        )


def over_seeds(runs: Sequence[Run], metric: str) -> Mean:
    """Return the mean of a metric over runs, judged on the same test points."""
    scores = [run.report[metric] for run in runs]
    return Mean(
        mean_of([float(score.value) for score in scores]),
        _mean([score.leave_one_out for score in scores]),
        _mean([score.interaction for score in scores]),
    )


def interval(mean: Mean, metric: str | None = None, m: int = 0) -> tuple[float, float] | None:
    """Return the 95 % interval of a mean, or None where there is no honest one.

    Parameters
    ----------
    mean : Mean
        Of a metric, or a difference of two.
    metric : str, optional
        Its name; of a difference there is none.
    m : int
        Test points that it is a mean of, where it is one.
    """
    from distbench.evaluation.measure import MEANS
    from distbench.inference.intervals import jackknife_interval
    from distbench.metrics import METRICS

    single = m if metric is not None and METRICS[metric].family in MEANS else None
    bounds = (-math.inf, math.inf) if metric is None else METRICS[metric].bounds
    low, high = jackknife_interval(mean.value, mean.leave_one_out, CONFIDENCE, bounds, mean.interaction, single)
    return None if low is None or high is None else (low, high)


def _difference(one: NDArray[Any] | None, two: NDArray[Any] | None) -> NDArray[Any] | None:
    return None if one is None or two is None else one - two


def _mean(arrays: Sequence[NDArray[Any] | None]) -> NDArray[Any] | None:
    import numpy as np

    known = [array for array in arrays if array is not None]
    return np.mean(known, axis=0) if known and len(known) == len(arrays) else None
