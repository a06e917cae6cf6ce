"""Distortion: how much the ratio of code to input distance varies over pairs."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from distbench.engine import Gathered
from distbench.engine.shepard import TAIL
from distbench.engine.signs import SKETCHES, add_partners
from distbench.engine.tails import Tail
from distbench.metrics._api import measure_one
from distbench.metrics._metric import Measured, Metric
from distbench.metrics._pairs import columns_of, from_moments

__all__ = ["METRICS", "contraction", "distortion", "distortion_q", "expansion", "sigma_distortion"]

Array = NDArray[np.float64]

OWNED = 0.25  # share of a tail that one point is part of, beyond which first order will not do
FEW = 3.0  # ratios in a tail, below which no slope can be told
TAKEN_OUT = 0.6  # of what pairs count twice: all of it leaves too little for the long tail of a quantile of few pairs
WINDOW = 4.0  # times fewer and more ratios, over which the slope of a quantile is taken


def _sigma(moments: Array, scale: float, unit: float) -> Array:
    del scale, unit  # free of scale
    s = columns_of(moments)
    with np.errstate(divide="ignore", invalid="ignore"):
        value = s["n_rho"] * (s["rho2"] / s["rho"]) / s["rho"] - 1
    # no ratio, or ratios too far apart for their squares: nothing is kept
    return np.where((s["rho"] > 0) & np.isfinite(s["rho2"]), np.maximum(value, 0.0), np.inf)


def _ratio(high: Any, low: Any) -> Any:
    """Return high / low, infinite where the least ratio is 0."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(np.asarray(low) > 0, np.divide(high, low), np.inf)


def _measure_sigma(gathered: Gathered) -> Measured:
    return from_moments(gathered, _sigma)


def _measure_worst(gathered: Gathered) -> Measured:
    assert gathered.moments is not None
    low, high = gathered.moments.ratios.T
    points = np.where(high >= 0, _ratio(high, low), 1.0)  # a query that coincides with all its candidates
    return Measured(value=float(_ratio(high.max(), low.min())), points=points)


def _measure_expansion(gathered: Gathered) -> Measured:
    assert gathered.moments is not None
    with np.errstate(over="ignore"):
        points = gathered.moments.unit * np.maximum(gathered.moments.ratios[:, 1], 0.0)
    return Measured(value=float(points.max()), points=points)


def _measure_contraction(gathered: Gathered) -> Measured:
    assert gathered.moments is not None
    with np.errstate(over="ignore", divide="ignore"):
        points = 1 / gathered.moments.ratios[:, 0] / gathered.moments.unit  # 0 where there is no ratio
    return Measured(value=float(points.max()), points=points)


def _measure_quantiles(gathered: Gathered) -> Measured:
    assert gathered.shepard is not None
    assert gathered.moments is not None
    low, high = gathered.shepard.low, gathered.shepard.high
    pairs = float(columns_of(gathered.moments.total)["n_rho"])
    own = columns_of(gathered.moments.by_point)["n_rho"]
    position = TAIL * (pairs - 1)
    value = float(_ratio(high.quantile(position), low.quantile(position)))
    if gathered.m < 2 or not np.isfinite(value) or value <= 0:
        return Measured(value=value, leave_one_out=None if gathered.m < 2 else np.full(len(own), value))
    positions, unit = TAIL * (pairs - own - 1), TAIL * pairs
    if unit < FEW:
        return Measured(value, _ratio(high.quantiles_without(positions), low.quantiles_without(positions)))
    # to first order: the ratio next to a quantile says little of the slope there, and jumps from point to point
    slopes = _slope(high, position), _slope(low, position)
    touching = _touching(high, position, len(own)), _touching(low, position, len(own))
    change = slopes[0] * (touching[0] - TAIL * own) - slopes[1] * (touching[1] - TAIL * own)
    owners = np.maximum(*touching) > OWNED * unit
    interaction = None
    if gathered.queries_are_candidates:
        signed = slopes[0] * _signed(high, position, len(own)) - slopes[1] * _signed(low, position, len(own))
        interaction = signed * (value / unit) * np.sqrt(TAKEN_OUT)
    leave_one_out = value * np.exp(np.where(owners, 0.0, change / unit))
    if owners.any():
        without = _ratio(high.quantiles_without(positions), low.quantiles_without(positions))
        leave_one_out[owners] = without[owners]
    return Measured(value=value, leave_one_out=leave_one_out, interaction=interaction)


def _slope(tail: Tail, position: float) -> float:
    """Return how fast the logarithm of a quantile moves with that of its place, over a window around the place."""
    first, last = position / WINDOW, min(WINDOW * position + 1, len(tail.ratios) - 1.0)
    if tail.quantile(first) <= 0:  # distinct inputs that share a code
        first = position
    if last <= first:
        return 0.0
    return float(np.log(tail.quantile(last) / tail.quantile(first)) / np.log((last + 0.5) / (first + 0.5)))


def _touching(tail: Tail, position: float, points: int) -> Array:
    """Return how many of the ratios out to a place each test point is part of."""
    ends = np.concatenate([tail.i[: int(position) + 1], tail.j[: int(position) + 1]])
    return np.bincount(ends[ends >= 0], minlength=points).astype(float)


def _signed(tail: Tail, position: float, points: int) -> Array:
    """Return the sum of random signs of each test point's partners in the ratios out to a place."""
    i, j = tail.i[: int(position) + 1], tail.j[: int(position) + 1]
    out = np.zeros((points, SKETCHES))
    inside = j >= 0
    add_partners(i[inside].astype(np.int64), j[inside].astype(np.int64), out)
    return out


_SIGMA = Metric("sigma_distortion", "distortion", "down", (0, np.inf), True, frozenset({"moments"}), _measure_sigma)
_WORST = Metric("distortion", "distortion", "down", (1, np.inf), True, frozenset({"moments"}), _measure_worst)
_QUANTILES = Metric(
    "distortion_q",
    "distortion",
    "down",
    (1, np.inf),
    True,
    frozenset({"moments", "shepard"}),
    _measure_quantiles,
)
_EXPANSION = Metric(
    "expansion", "distortion", "down", (0, np.inf), False, frozenset({"moments"}), _measure_expansion, default=False
)
_CONTRACTION = Metric(
    "contraction", "distortion", "down", (0, np.inf), False, frozenset({"moments"}), _measure_contraction, default=False
)
METRICS = (_SIGMA, _WORST, _QUANTILES, _EXPANSION, _CONTRACTION)


def sigma_distortion(X: Any, Z: Any, *, reference: tuple[Any, Any] | None = None) -> float:
    r"""Return the relative variance of the ratio of code to input distance.

    .. math:: \operatorname{Var}(\rho) / \operatorname{mean}(\rho)^2, \quad \rho = b / a

    over pairs of distinct inputs.

    Parameters
    ----------
    X : array-like of shape (m, d)
        Input points.
    Z : array-like of shape (m, dim)
        Their codes.
    reference : tuple of array-likes (X_ref, Z_ref), optional
        Points that pairs are formed with, and their codes. Default: the other points themselves.

    Returns
    -------
    float
        In [0, inf); smaller is better; infinite for codes that all coincide.

    Raises
    ------
    InputError
        If an array cannot be used.

    References
    ----------
    L. Chennuru Vankadara and U. von Luxburg (2018), Measures of distortion for machine learning.
    """
    return measure_one(_SIGMA, X, Z, reference)


def distortion(X: Any, Z: Any, *, reference: tuple[Any, Any] | None = None) -> float:
    r"""Return the worst-case distortion: the largest over the least ratio of code to input distance.

    .. math:: \max \rho / \min \rho, \quad \rho = b / a

    over pairs of distinct inputs. A worst case has no honest interval.

    Parameters
    ----------
    X : array-like of shape (m, d)
        Input points.
    Z : array-like of shape (m, dim)
        Their codes.
    reference : tuple of array-likes (X_ref, Z_ref), optional
        Points that pairs are formed with, and their codes. Default: the other points themselves.

    Returns
    -------
    float
        In [1, inf]; smaller is better; infinite where distinct inputs share a code.

    Raises
    ------
    InputError
        If an array cannot be used.

    References
    ----------
    J. Bourgain (1985), On Lipschitz embedding of finite metric spaces in Hilbert space.
    """
    return measure_one(_WORST, X, Z, reference)


def distortion_q(X: Any, Z: Any, *, reference: tuple[Any, Any] | None = None) -> float:
    r"""Return the robust twin of the worst case: the 99.9 % over the 0.1 % quantile of b / a.

    .. math:: Q_{0.999}(\rho) / Q_{0.001}(\rho), \quad \rho = b / a

    over pairs of distinct inputs; quantiles interpolate linearly between neighbouring values.

    Parameters
    ----------
    X : array-like of shape (m, d)
        Input points.
    Z : array-like of shape (m, dim)
        Their codes.
    reference : tuple of array-likes (X_ref, Z_ref), optional
        Points that pairs are formed with, and their codes. Default: the other points themselves.

    Returns
    -------
    float
        In [1, inf]; smaller is better; infinite where 0.1 % of distinct inputs share a code.

    Raises
    ------
    InputError
        If an array cannot be used.

    References
    ----------
    Quantiles of the ratios in L. Chennuru Vankadara and U. von Luxburg (2018), Measures of distortion.
    """
    return measure_one(_QUANTILES, X, Z, reference)


def expansion(X: Any, Z: Any, *, reference: tuple[Any, Any] | None = None) -> float:
    r"""Return the largest ratio of code to input distance (the Lipschitz constant on the points).

    .. math:: \max \rho, \quad \rho = b / a

    over pairs of distinct inputs, in the units of codes over those of inputs. A worst case has no honest interval.

    Parameters
    ----------
    X : array-like of shape (m, d)
        Input points.
    Z : array-like of shape (m, dim)
        Their codes.
    reference : tuple of array-likes (X_ref, Z_ref), optional
        Points that pairs are formed with, and their codes. Default: the other points themselves.

    Returns
    -------
    float
        In [0, inf]; smaller is better; 0 for codes that all coincide.

    Raises
    ------
    InputError
        If an array cannot be used.

    References
    ----------
    N. Linial, E. London and Y. Rabinovich (1995), The geometry of graphs and some of its algorithmic applications.
    """
    return measure_one(_EXPANSION, X, Z, reference)


def contraction(X: Any, Z: Any, *, reference: tuple[Any, Any] | None = None) -> float:
    r"""Return the largest ratio of input to code distance (the Lipschitz constant of the way back).

    .. math:: \max 1 / \rho, \quad \rho = b / a

    over pairs of distinct inputs, in the units of inputs over those of codes. A worst case has no honest interval.

    Parameters
    ----------
    X : array-like of shape (m, d)
        Input points.
    Z : array-like of shape (m, dim)
        Their codes.
    reference : tuple of array-likes (X_ref, Z_ref), optional
        Points that pairs are formed with, and their codes. Default: the other points themselves.

    Returns
    -------
    float
        In [0, inf]; smaller is better; infinite where distinct inputs share a code.

    Raises
    ------
    InputError
        If an array cannot be used.

    References
    ----------
    N. Linial, E. London and Y. Rabinovich (1995), The geometry of graphs and some of its algorithmic applications.
    """
    return measure_one(_CONTRACTION, X, Z, reference)
