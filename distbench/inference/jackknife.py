"""Confidence intervals by the jackknife over points.

The resampling unit is the point, never the pair: pairs that share a point are not independent, and an interval
over pairs is several times too narrow. Leaving out a point takes away its row and its column.

The delete-one jackknife counts the joint effect of two points twice (Efron & Stein 1981: the k-th order of Hoeffding's
decomposition k times). For smooth statistics of all pairs this is negligible. For nearest neighbors it is up to half of
the variance, at any number of points, since the scores of some queries depend strongly on one candidate. If the engine
returns how each candidate's removal changes each query's score, what is counted twice is subtracted once. Where nearly
all points score 1, what is left is a small difference of large numbers, and the variance of the single points' scores
is used instead.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from numbers import Real
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

from distbench._util.text import short_repr
from distbench.errors import InputError

__all__ = [
    "LEAST_SHARE",
    "add_replicates",
    "allow_unseen_failures",
    "check_confidence",
    "degrees_of_freedom",
    "jackknife_interval",
    "jackknife_standard_error",
]

Array = NDArray[np.float64]
Interval = tuple[float, float] | tuple[None, None]

LEAST_SHARE = 0.4
"""Share of the jackknife's variance that always stays: interactions are at most about half of it."""

FEW_FAILURES = 3.5  # a loss is large if it is more than this many times the least loss
ROUNDING = 1e-12  # relative: values this near to a bound count as at it


def check_confidence(confidence: Any) -> float:
    """Return a confidence as a float. Raises InputError unless it is above 0 and below 1."""
    if isinstance(confidence, bool) or not isinstance(confidence, Real) or not 0 < float(confidence) < 1:
        raise InputError("confidence", f"found {short_repr(confidence)}", "pass a number between 0 and 1, e.g. 0.95")
    return float(confidence)


def jackknife_standard_error(leave_one_out: Array, interaction: Array | None = None) -> Array:
    r"""Return the delete-one jackknife's standard error, less the part that it counts twice.

    The last axis of `leave_one_out` is of points; statistics along the others are computed at once.

    .. math:: \sqrt{\frac{m - 1}{m} \sum_p (T_{(-p)} - \bar T)^2 - \sum_{i,p} c_{ip}^2}

    with c_ip the change of the statistic through query i alone when candidate p leaves. Each column of `interaction`
    holds sum_p s_p c_ip for independent random signs s_p, the same for all encoders on the same points: its sum of
    squares estimates that of c, and it can be averaged and subtracted like the statistic. The corrected variance is at
    least 0.4 of the first term.

    References
    ----------
    .. [1] B. Efron and C. Stein (1981), The jackknife estimate of variance.
    """
    m = leave_one_out.shape[-1]
    variance = (m - 1) / m * np.sum((leave_one_out - leave_one_out.mean(axis=-1, keepdims=True)) ** 2, axis=-1)
    if interaction is not None:
        counted_twice = np.sum(np.mean(np.asarray(interaction) ** 2, axis=-1), axis=-1)
        variance = np.maximum(variance - counted_twice, LEAST_SHARE * variance)
    return np.asarray(np.sqrt(variance))


def jackknife_interval(
    value: float,
    leave_one_out: Array | None,
    confidence: float = 0.95,
    bounds: tuple[float, float] = (-np.inf, np.inf),
    interaction: Array | None = None,
    losses: Array | None = None,
    failure: float = 0.0,
) -> Interval:
    """Return the interval of a statistic, or (None, None) if there is no valid one.

    ``value -+ t SE``, with t the quantile of Student's distribution with at most m - 1 degrees of freedom, on the scale
    log(T - low) for a statistic with a lower bound, and on the logit for one with two. None for fewer than two points,
    and for an infinite statistic. `losses`, for a mean of single scores, are the distances of these from the best
    possible one, and `failure` is the least loss; see `_variance_near_perfect`.
    """
    if leave_one_out is None or len(leave_one_out) < 2:
        return None, None
    if not (np.isfinite(value) and np.isfinite(leave_one_out).all()):
        return None, None
    size = max(abs(value), float(np.abs(leave_one_out).max()))
    if size > 0 and not 1e-100 < size < 1e100:  # squares would leave the range of numbers
        scaled = None if interaction is None else interaction / size
        within = bounds[0] / size, bounds[1] / size
        low, high = jackknife_interval(value / size, leave_one_out / size, confidence, within, scaled)
        return (None, None) if low is None or high is None else (low * size, high * size)
    scale = _scale(bounds, value, leave_one_out)
    center, without = scale.forward(value), scale.forward(leave_one_out)
    if interaction is not None:
        interaction = interaction * scale.slope(value)
    quantile = float(stdtrit(degrees_of_freedom(leave_one_out), (1 + confidence) / 2))
    variance = float(jackknife_standard_error(without, interaction)) ** 2
    if losses is not None:
        variance = _variance_near_perfect(variance, scale.slope(value) * losses, scale.slope(value) * failure)
    half = quantile * np.sqrt(variance)
    low, high = np.clip([scale.back(center - half), scale.back(center + half)], *bounds)
    return float(min(low, value)), float(max(high, value))  # there and back, rounding may pass the value


def add_replicates(
    interval: Interval,
    value: float,
    sd: float,
    count: int,
    confidence: float = 0.95,
    bounds: tuple[float, float] = (-np.inf, np.inf),
) -> Interval:
    r"""Return an interval over points with the variance of a mean over replicates added.

    Replicates are draws e of a stochastic encoder's codes, or trainings of a recipe with other seeds. The value is the
    mean of the statistic T over S replicates on the same points p. It varies by

    .. math:: Var(\bar T) = Var_p(E_e[T \mid p]) + E_p[Var_e(T \mid p)] / S

    over samples of points and replicates. The jackknife over points, of the mean over replicates, estimates the first
    term. It includes the part of the second term that is independent noise of single points, but nothing that all codes
    of a replicate share. The second term is estimated by s^2 / S, with s the standard deviation of the S values, and
    added: the interval is never too narrow, and with independent noise too wide by at most the second term. Half widths
    add like standard errors, each with its quantile of Student's distribution, S - 1 degrees of freedom for the
    replicates. For normal values with independent estimates of their variances, this has at least the stated
    confidence.

    References
    ----------
    .. [1] S. K. Banerjee (1960), Approximate confidence interval for linear functions of means of k populations when
       the population variances are not equal.
    """
    low, high = interval
    if low is None or high is None:
        return None, None
    half = float(stdtrit(count - 1, (1 + confidence) / 2)) * sd / count**0.5
    low, high = value - np.hypot(value - low, half), value + np.hypot(high - value, half)
    return float(max(low, bounds[0])), float(min(high, bounds[1]))


def allow_unseen_failures(
    interval: Interval,
    value: float,
    failure: float,
    count: int,
    confidence: float = 0.95,
    bounds: tuple[float, float] = (-np.inf, np.inf),
) -> Interval:
    r"""Return an interval that reaches at least as far as failures that no point shows.

    .. math:: value \mp \delta (1 - (\alpha / 2)^{1 / n}), \quad \alpha = 1 - confidence

    The second factor is the exact bound on the share of points that fail if none of n does (Clopper and Pearson 1934);
    `failure` is :math:`\delta`, the least that one failure takes from a point's score. So a perfect score has an
    interval, and the interval of an imperfect score reaches at least as far. Rare failures that are much larger
    are not covered as long as no point shows one.

    Parameters
    ----------
    interval : tuple of float or None
        The interval over points.
    value : float
        The mean of the points' scores.
    failure : float
        Least loss of a point that fails.
    count : int
        Number n of points, or of groups of points.
    confidence : float
        The interval's confidence.
    bounds : tuple of float
        Least and largest possible value.

    Returns
    -------
    tuple of float or None
        The ends; None if `interval` has none.

    References
    ----------
    .. [1] C. J. Clopper and E. S. Pearson (1934), The use of confidence or fiducial limits illustrated in the case of
       the binomial.
    """
    low, high = interval
    if low is None or high is None:
        return None, None
    reach = failure * (1 - ((1 - confidence) / 2) ** (1 / count))
    return float(max(min(low, value - reach), bounds[0])), float(min(max(high, value + reach), bounds[1]))


def _variance_near_perfect(variance: float, losses: Array, failure: float) -> float:
    r"""Return the variance of a mean, given the jackknife's, with the variance s^2 / m of the m points' scores.

    .. math:: (1 - p) V + p \min(\max(V, s^2 / m), (1 + 3 q) s^2 / m)

    with V the jackknife's variance, p the share of points without a loss, and q the share that points with large losses
    have in the sum of squared losses. If few points fail, and each loses little, removing any of about k other
    points changes a failure. The jackknife counts a failure about k times, and subtracting the surplus leaves mostly
    noise; but such failures are nearly independent of each other, so that s^2 / m is their variance. A point that loses
    much may also be a wrong neighbor of other points, which at most doubles its effect, as in a mean over pairs
    (Hoeffding 1948).
    """
    share, squares = float(np.mean(losses == 0)), losses**2
    of_points = float(np.var(losses, ddof=1)) / len(losses)
    large = float(squares[losses > FEW_FAILURES * failure].sum() / squares.sum()) if share < 1 else 0.0
    return (1 - share) * variance + share * min(max(variance, of_points), (1 + 3 * large) * of_points)


def degrees_of_freedom(leave_one_out: Array) -> Array:
    """Return the degrees of freedom of the standard error, as above: fewer if a few points make up much of it.

    The variance of a mean of squares is (kurtosis - 1) / m of its square, that of a chi-square 2 / f for f degrees
    of freedom (Satterthwaite 1946). Between 3 and m - 1; m - 1 for fewer than five points.
    """
    m = leave_one_out.shape[-1]
    squares = (leave_one_out - leave_one_out.mean(axis=-1, keepdims=True)) ** 2
    total = squares.sum(axis=-1, keepdims=True)
    kurtosis = m * np.sum((squares / np.where(total == 0, 1, total)) ** 2, axis=-1)
    return np.asarray(np.clip(2 * m / np.maximum(kurtosis - 1, 1e-9), 3, m - 1))


@dataclass(frozen=True)
class _Scale:
    """The scale on which an interval is symmetric: a statistic near a bound is skewed."""

    forward: Callable[[Any], Any]
    back: Callable[[Any], Any]
    slope: Callable[[float], float]


_PLAIN = _Scale(lambda v: v, lambda v: v, lambda v: 1.0)


def _scale(bounds: tuple[float, float], value: float, leave_one_out: Array) -> _Scale:
    """Return the logarithm above a lower bound, the logit between two, and no change at a bound or without one."""
    low, high = bounds
    if not np.isfinite(low):
        return _PLAIN
    values = np.append(leave_one_out, value)
    # values within rounding of a bound are at the bound: their logarithms would be those of rounding errors
    rounding = ROUNDING * max(abs(low), abs(high) if np.isfinite(high) else 0.0)
    if (values <= low + rounding).any() or (values >= high - rounding).any():
        return _PLAIN
    if not np.isfinite(high):
        return _Scale(lambda v: np.log(v - low), lambda w: low + _exp(w), lambda v: 1 / (v - low))
    return _Scale(
        lambda v: np.log((v - low) / (high - v)),
        lambda w: high - (high - low) / (1 + _exp(w)),
        lambda v: (high - low) / ((v - low) * (high - v)),
    )


def _exp(value: float) -> float:
    return float(np.exp(np.clip(value, -700, 700)))
