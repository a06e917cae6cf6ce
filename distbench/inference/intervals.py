"""Confidence intervals by the jackknife over points.

The resampling unit is the point, never the pair: pairs that share a point are not independent, and an interval
over pairs is several times too narrow. Leaving out a point takes away its row and its column.
"""

from __future__ import annotations

from numbers import Real
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import t as student

from distbench.errors import InputError

__all__ = ["check_confidence", "jackknife_interval", "jackknife_standard_error"]

Array = NDArray[np.float64]


def check_confidence(confidence: Any) -> float:
    """Return `confidence`, or raise InputError unless it is between 0 and 1."""
    if isinstance(confidence, bool) or not isinstance(confidence, Real) or not 0 < float(confidence) < 1:
        raise InputError(f"confidence: found {confidence!r}; pass a number between 0 and 1, e.g. 0.95")
    return float(confidence)


def jackknife_standard_error(leave_one_out: Array) -> float:
    r"""Return the delete-one jackknife's standard error.

    .. math:: \sqrt{\frac{m - 1}{m} \sum_p (T_{(-p)} - \bar T)^2}

    Parameters
    ----------
    leave_one_out : ndarray of shape (m,)
        The statistic without point p.

    Returns
    -------
    float

    References
    ----------
    B. Efron and C. Stein (1981), The jackknife estimate of variance.
    """
    m = len(leave_one_out)
    return float(np.sqrt((m - 1) / m * np.sum((leave_one_out - leave_one_out.mean()) ** 2)))


def jackknife_interval(
    value: float,
    leave_one_out: Array | None,
    confidence: float = 0.95,
    bounds: tuple[float, float] = (-np.inf, np.inf),
) -> tuple[float, float] | tuple[None, None]:
    """Return the interval of a statistic, or (None, None) where there is no honest one.

    Parameters
    ----------
    value : float
        The statistic on all points.
    leave_one_out : ndarray of shape (m,) or None
        The statistic without each point. For a paired comparison pass differences, point by point.
    confidence : float
        Share of samples of test points whose interval should hold the truth.
    bounds : tuple of float
        Range of the statistic; the interval does not leave it.

    Returns
    -------
    low, high : float or None
        ``value -+ t SE``, t the quantile of Student's distribution with m - 1 degrees of freedom. None for fewer
        than two points, and where the statistic is infinite.
    """
    if leave_one_out is None or len(leave_one_out) < 2:
        return None, None
    if not (np.isfinite(value) and np.isfinite(leave_one_out).all()):
        return None, None
    half = float(student.ppf((1 + confidence) / 2, len(leave_one_out) - 1)) * jackknife_standard_error(leave_one_out)
    low, high = np.clip([value - half, value + half], *bounds)
    return float(low), float(high)
