"""Distortion: how the ratio of code to input distance varies over the pairs."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from distbench.engine import Statistics
from distbench.metrics._leave_one_out import columns_of, from_moments
from distbench.metrics._metric import Measured, Metric
from distbench.metrics._quantiles import measure_quantiles, ratio
from distbench.metrics.functions import MetricDoc, pair_metric

__all__ = ["METRICS", "contraction", "distortion", "distortion_q", "expansion", "sigma_distortion"]

Array = NDArray[np.float64]


def _sigma(moments: Array, scale: float, unit: float) -> Array:
    del scale, unit  # a factor of all ratios cancels
    s = columns_of(moments)
    with np.errstate(divide="ignore", invalid="ignore"):
        value = s["n_rho"] * (s["rho2"] / s["rho"]) / s["rho"] - 1
    # infinite if all ratios are 0, or if their squares overflow
    return np.where((s["rho"] > 0) & np.isfinite(s["rho2"]), np.maximum(value, 0.0), np.inf)


def _measure_sigma(statistics: Statistics) -> Measured:
    return from_moments(statistics, _sigma)


def _measure_worst(statistics: Statistics) -> Measured:
    assert statistics.moments is not None
    low, high = statistics.moments.ratios.T
    points = np.where(high >= 0, ratio(high, low), 1.0)  # 1 if the query equals all its candidates
    return Measured(value=float(ratio(high.max(), low.min())), points=points)


def _measure_expansion(statistics: Statistics) -> Measured:
    assert statistics.moments is not None
    with np.errstate(over="ignore"):
        points = statistics.moments.unit * np.maximum(statistics.moments.ratios[:, 1], 0.0)
    return Measured(value=float(points.max()), points=points)


def _measure_contraction(statistics: Statistics) -> Measured:
    assert statistics.moments is not None
    with np.errstate(over="ignore", divide="ignore"):
        points = 1 / statistics.moments.ratios[:, 0] / statistics.moments.unit  # 0 if the query has no ratio
    return Measured(value=float(points.max()), points=points)


_SIGMA = Metric("sigma_distortion", "distortion", "down", (0, np.inf), True, frozenset({"moments"}), _measure_sigma)
_WORST = Metric(
    "distortion",
    "distortion",
    "down",
    (1, np.inf),
    True,
    frozenset({"moments"}),
    _measure_worst,
    has_interval=False,
)
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
    "expansion",
    "distortion",
    "down",
    (0, np.inf),
    False,
    frozenset({"moments"}),
    _measure_expansion,
    default=False,
    has_interval=False,
)
_CONTRACTION = Metric(
    "contraction",
    "distortion",
    "down",
    (0, np.inf),
    False,
    frozenset({"moments"}),
    _measure_contraction,
    default=False,
    has_interval=False,
)
METRICS = (_SIGMA, _WORST, _QUANTILES, _EXPANSION, _CONTRACTION)

sigma_distortion = pair_metric(
    _SIGMA,
    MetricDoc(
        "the relative variance of the ratio of code to input distance",
        r"\operatorname{Var}(\rho) / \operatorname{mean}(\rho)^2, \quad \rho = b / a",
        "L. Chennuru Vankadara and U. von Luxburg (2018), Measures of distortion for machine learning.",
        "over pairs of distinct inputs.",
        returns="Infinite for codes that all coincide.",
        example=0.5937,
    ),
)
distortion = pair_metric(
    _WORST,
    MetricDoc(
        "the worst-case distortion: the largest ratio of code to input distance divided by the least",
        r"\max \rho / \min \rho, \quad \rho = b / a",
        "J. Bourgain (1985), On Lipschitz embedding of finite metric spaces in Hilbert space.",
        "over pairs of distinct inputs. A worst case has no valid interval.",
        returns="Infinite where distinct inputs share a code.",
        example=np.inf,
    ),
)
distortion_q = pair_metric(
    _QUANTILES,
    MetricDoc(
        "the 99.9 % quantile of the ratio b / a divided by its 0.1 % quantile: a robust form of `distortion`",
        r"Q_{0.999}(\rho) / Q_{0.001}(\rho), \quad \rho = b / a",
        "Quantiles of the ratios in L. Chennuru Vankadara and U. von Luxburg (2018), Measures of distortion.",
        "over pairs of distinct inputs; quantiles interpolate linearly between neighboring values. With fewer than "
        "3,000 pairs it has no valid interval.",
        returns="Infinite where 0.1 % of distinct inputs share a code.",
        example=np.inf,
    ),
)
expansion = pair_metric(
    _EXPANSION,
    MetricDoc(
        "the largest ratio of code to input distance (the Lipschitz constant on the points)",
        r"\max \rho, \quad \rho = b / a",
        "N. Linial, E. London and Y. Rabinovich (1995), The geometry of graphs and some of its algorithmic "
        "applications.",
        "over pairs of distinct inputs, in the units of codes over those of inputs. A worst case has no valid "
        "interval.",
        returns="0 for codes that all coincide.",
        example=1.0,
    ),
)
contraction = pair_metric(
    _CONTRACTION,
    MetricDoc(
        "the largest ratio of input to code distance (the Lipschitz constant of the inverse on the points)",
        r"\max 1 / \rho, \quad \rho = b / a",
        "N. Linial, E. London and Y. Rabinovich (1995), The geometry of graphs and some of its algorithmic "
        "applications.",
        "over pairs of distinct inputs, in the units of inputs over those of codes. A worst case has no valid "
        "interval.",
        returns="Infinite where distinct inputs share a code.",
        example=np.inf,
    ),
)
