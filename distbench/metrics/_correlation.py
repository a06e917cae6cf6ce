"""Correlations of input and code distances over pairs (the Shepard diagram)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from distbench.engine import Statistics
from distbench.engine.sampled_pairs import SampledPairs
from distbench.metrics._leave_one_out import columns_of, from_moments, pairs_of_points
from distbench.metrics._metric import Measured, Metric
from distbench.metrics.functions import MetricDoc, pair_metric

__all__ = ["METRICS", "kendall", "pearson", "spearman"]

Array = NDArray[np.float64]


def correlation(n: Array, a: Array, b: Array, aa: Array, bb: Array, ab: Array) -> Array:
    """Return Pearson's correlation from sums; 0 if one side does not vary."""
    var_a, var_b = aa - a * a / n, bb - b * b / n
    varies = (var_a > 1e-14 * aa) & (var_b > 1e-14 * bb)
    with np.errstate(divide="ignore", invalid="ignore"):
        value = np.where(varies, (ab - a * b / n) / np.sqrt(np.abs(var_a * var_b)), 0.0)
    return np.clip(value, -1.0, 1.0)


def _pearson(moments: Array, scale: float, unit: float) -> Array:
    del unit  # a correlation has no unit
    s = columns_of(moments)
    return correlation(s["n"], s["a"], s["b"], s["aa"], s["bb"], s["eb"] + scale * s["bb"])


def _measure_pearson(statistics: Statistics) -> Measured:
    return from_moments(statistics, _pearson, chance=0.0)


def _measure_spearman(statistics: Statistics) -> Measured:
    shepard = statistics.shepard
    assert shepard is not None
    m, M = statistics.m, statistics.M
    pairs_without = m * M - (m * (m - 1) / 2 if statistics.queries_are_candidates else 0) - pairs_of_points(statistics)
    return Measured(
        value=shepard.spearman,
        leave_one_out=shepard.spearman - shepard.influence / pairs_without if m > 1 else None,
        chance=0.0,
    )


def _measure_kendall(statistics: Statistics) -> Measured:
    sample: SampledPairs = statistics.extras["sampled_pairs"]
    pairs_without = sample.pairs - sample.touching
    without = np.where(
        pairs_without > 0, sample.kendall - sample.kendall_influence / np.maximum(pairs_without, 1.0), np.nan
    )
    return Measured(value=sample.kendall, leave_one_out=without if statistics.m > 1 else None, chance=0.0)


_PEARSON = Metric("pearson", "correlation", "up", (-1, 1), True, frozenset({"moments"}), _measure_pearson)
_SPEARMAN = Metric("spearman", "correlation", "up", (-1, 1), True, frozenset({"shepard"}), _measure_spearman)
_KENDALL = Metric(
    "kendall", "correlation", "up", (-1, 1), True, frozenset({"sampled_pairs"}), _measure_kendall, default=False
)
METRICS = (_PEARSON, _SPEARMAN, _KENDALL)

pearson = pair_metric(
    _PEARSON,
    MetricDoc(
        "Pearson's correlation of input and code distances over pairs",
        r"\operatorname{corr}(a, b)",
        "R. N. Shepard (1962), The analysis of proximities.",
        "Codes that all coincide score 0.",
        example=0.0,
    ),
)
spearman = pair_metric(
    _SPEARMAN,
    MetricDoc(
        "Spearman's rank correlation of input and code distances over pairs",
        r"\operatorname{corr}(\operatorname{rank} a, \operatorname{rank} b)",
        "C. Spearman (1904), The proof and measurement of association between two things.",
        "Tied distances share their mean rank. Up to 131,072 pairs are sorted. More pairs are counted in 4,096 cells "
        "of distances; this changed the value by at most 1e-4 on all kinds of points that were tried.",
        example=0.0,
    ),
)
kendall = pair_metric(
    _KENDALL,
    MetricDoc(
        "Kendall's rank correlation (tau-b) of input and code distances over pairs",
        r"\frac{P - Q}{\sqrt{(P + Q + T_a)(P + Q + T_b)}}",
        "M. G. Kendall (1945), The treatment of ties in ranking problems.",
        "where P and Q count the pairs of pairs that both distances put into the same and into opposite orders, and "
        "T_a and T_b those that are tied in a alone and in b alone. If there are more than 2^20 pairs, a seeded "
        "sample of 2^20 is used. Codes that all coincide score 0.",
        example=0.0,
    ),
)
