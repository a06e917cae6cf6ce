"""Distortion: how much the ratio of code to input distance varies over pairs."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from distbench.engine import Statistics
from distbench.metrics._metric import Measured, Metric
from distbench.metrics._pairs import columns_of, from_moments
from distbench.metrics._quantiles import measure_quantiles, ratio
from distbench.metrics.functions import measure_one

__all__ = ["METRICS", "contraction", "distortion", "distortion_q", "expansion", "sigma_distortion"]

Array = NDArray[np.float64]


def _sigma(moments: Array, scale: float, unit: float) -> Array:
    del scale, unit  # free of scale
    s = columns_of(moments)
    with np.errstate(divide="ignore", invalid="ignore"):
        value = s["n_rho"] * (s["rho2"] / s["rho"]) / s["rho"] - 1
    # no ratio, or ratios too far apart for their squares: nothing is kept
    return np.where((s["rho"] > 0) & np.isfinite(s["rho2"]), np.maximum(value, 0.0), np.inf)


def _measure_sigma(gathered: Statistics) -> Measured:
    return from_moments(gathered, _sigma)


def _measure_worst(gathered: Statistics) -> Measured:
    assert gathered.moments is not None
    low, high = gathered.moments.ratios.T
    points = np.where(high >= 0, ratio(high, low), 1.0)  # a query that coincides with all its candidates
    return Measured(value=float(ratio(high.max(), low.min())), points=points)


def _measure_expansion(gathered: Statistics) -> Measured:
    assert gathered.moments is not None
    with np.errstate(over="ignore"):
        points = gathered.moments.unit * np.maximum(gathered.moments.ratios[:, 1], 0.0)
    return Measured(value=float(points.max()), points=points)


def _measure_contraction(gathered: Statistics) -> Measured:
    assert gathered.moments is not None
    with np.errstate(over="ignore", divide="ignore"):
        points = 1 / gathered.moments.ratios[:, 0] / gathered.moments.unit  # 0 where there is no ratio
    return Measured(value=float(points.max()), points=points)


_SIGMA = Metric("sigma_distortion", "distortion", "down", (0, np.inf), True, frozenset({"moments"}), _measure_sigma)
_WORST = Metric("distortion", "distortion", "down", (1, np.inf), True, frozenset({"moments"}), _measure_worst)
_QUANTILES = Metric(
    "distortion_q",
    "distortion",
    "down",
    (1, np.inf),
    True,
    frozenset({"moments", "shepard"}),
    measure_quantiles,
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
    reference : tuple of array-likes (X_ref, Z_ref) of shapes (n, d) and (n, dim), optional
        Points that pairs are formed with, and their codes. Default: the other points themselves.

    Returns
    -------
    float
        In [0, inf]; smaller is better; infinite for codes that all coincide.

    Raises
    ------
    InputError
        If an array cannot be used.

    References
    ----------
    .. [1] L. Chennuru Vankadara and U. von Luxburg (2018), Measures of distortion for machine learning.

    Examples
    --------
    >>> from distbench.metrics import sigma_distortion
    >>> X = [[0.0, 0.0], [3.0, 0.0], [0.0, 4.0], [3.0, 4.0]]  # corners of a rectangle
    >>> round(sigma_distortion(X, [[0.0], [3.0], [0.0], [3.0]]), 4)
    0.5937
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
    reference : tuple of array-likes (X_ref, Z_ref) of shapes (n, d) and (n, dim), optional
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
    .. [1] J. Bourgain (1985), On Lipschitz embedding of finite metric spaces in Hilbert space.

    Examples
    --------
    >>> from distbench.metrics import distortion
    >>> X = [[0.0, 0.0], [3.0, 0.0], [0.0, 4.0], [3.0, 4.0]]  # corners of a rectangle
    >>> distortion(X, [[0.0], [3.0], [0.0], [3.0]])
    inf
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
    reference : tuple of array-likes (X_ref, Z_ref) of shapes (n, d) and (n, dim), optional
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
    .. [1] Quantiles of the ratios in L. Chennuru Vankadara and U. von Luxburg (2018), Measures of distortion.

    Examples
    --------
    >>> from distbench.metrics import distortion_q
    >>> X = [[0.0, 0.0], [3.0, 0.0], [0.0, 4.0], [3.0, 4.0]]  # corners of a rectangle
    >>> distortion_q(X, [[0.0], [3.0], [0.0], [3.0]])
    inf
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
    reference : tuple of array-likes (X_ref, Z_ref) of shapes (n, d) and (n, dim), optional
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
    .. [1] N. Linial, E. London and Y. Rabinovich (1995), The geometry of graphs and some of its
       algorithmic applications.

    Examples
    --------
    >>> from distbench.metrics import expansion
    >>> X = [[0.0, 0.0], [3.0, 0.0], [0.0, 4.0], [3.0, 4.0]]  # corners of a rectangle
    >>> round(expansion(X, [[0.0], [3.0], [0.0], [3.0]]), 4)
    1.0
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
    reference : tuple of array-likes (X_ref, Z_ref) of shapes (n, d) and (n, dim), optional
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
    .. [1] N. Linial, E. London and Y. Rabinovich (1995), The geometry of graphs and some of its
       algorithmic applications.

    Examples
    --------
    >>> from distbench.metrics import contraction
    >>> X = [[0.0, 0.0], [3.0, 0.0], [0.0, 4.0], [3.0, 4.0]]  # corners of a rectangle
    >>> contraction(X, [[0.0], [3.0], [0.0], [3.0]])
    inf
    """
    return measure_one(_CONTRACTION, X, Z, reference)
