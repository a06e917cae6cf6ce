"""Stress: errors of distances, in the units of the input or at the best common scale of the codes."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from distbench.engine import Statistics
from distbench.engine.sampled_pairs import SampledPairs
from distbench.engine.statistics import Moments
from distbench.metrics._leave_one_out import columns_of, from_moments
from distbench.metrics._metric import Measured, Metric
from distbench.metrics.functions import MetricDoc, pair_metric

__all__ = ["METRICS", "nonmetric_stress", "sammon", "scaled_stress", "stress"]

Array = NDArray[np.float64]


def _scaled(moments: Array, scale: float, unit: float) -> Array:
    """Return sqrt(1 - (sum ab)^2 / (sum aa sum bb)), from residuals, so that it is accurate near 0 too."""
    del scale, unit  # a factor of all codes cancels
    s = columns_of(moments)
    with np.errstate(divide="ignore", invalid="ignore"):
        gain = np.where(s["bb"] > 0, s["eb"] ** 2 / s["bb"], 0.0)
        value = np.sqrt(np.clip((s["ee"] - gain) / s["aa"], 0.0, 1.0))
    return _for_equal_inputs(value, s, 1.0)


def _stress(moments: Array, scale: float, unit: float) -> Array:
    """Return sqrt(sum (a - unit b)^2 / sum aa)."""
    s = columns_of(moments)
    factor = max(1.0, unit)  # squares of much larger codes would overflow
    shift = (scale - unit) / factor
    with np.errstate(divide="ignore", invalid="ignore"):
        squares = s["ee"] / factor / factor + 2 * shift * s["eb"] / factor + shift**2 * s["bb"]
        value = factor * np.sqrt(np.maximum(squares, 0.0) / s["aa"])
    return _for_equal_inputs(value, s, np.inf)


def _for_equal_inputs(value: Array, s: dict[str, Array], worst: float) -> Array:
    """Replace the value if all inputs are equal: by 0 if all codes are equal too, else by `worst`."""
    return np.where(s["aa"] > 0, value, np.where(s["bb"] > 0, worst, 0.0))


def _chance_cross(moments: Moments) -> float:
    """Return the expected sum ab when the codes are shuffled among the queries, and among the references.

    The rows count a pair of two queries twice, and the total counts it once.
    """
    rows = moments.rows.sum(axis=0)
    cross = 0.0
    with np.errstate(invalid="ignore"):  # sums that are not needed here may be infinite
        groups = rows - moments.total, 2 * moments.total - rows  # pairs of two queries; pairs with a reference
    for group in groups:
        s = columns_of(group)
        cross += float(s["a"] * s["b"] / s["n"]) if s["n"] > 0 else 0.0
    return cross


def _measure_scaled(statistics: Statistics) -> Measured:
    assert statistics.moments is not None
    s = columns_of(statistics.moments.total)
    bound = float(s["aa"] * s["bb"])
    chance = np.sqrt(max(0.0, 1 - _chance_cross(statistics.moments) ** 2 / bound)) if bound > 0 else 1.0
    return from_moments(statistics, _scaled, chance=float(chance))


def _measure_stress(statistics: Statistics) -> Measured:
    assert statistics.moments is not None
    s, unit = columns_of(statistics.moments.total), statistics.moments.unit
    factor = max(1.0, unit)
    unit /= factor
    cross = _chance_cross(statistics.moments)
    squares = s["aa"] / factor / factor - 2 * unit * cross / factor + unit**2 * s["bb"]
    chance = factor * float(np.sqrt(np.maximum(squares / s["aa"], 0.0)))
    return from_moments(statistics, _stress, chance=chance)


def _sammon(moments: Array, scale: float, unit: float) -> Array:
    del scale, unit  # the sum is in the units of the input
    s = columns_of(moments)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(s["a"] > 0, s["sammon"] / s["a"], 0.0)


def _measure_sammon(statistics: Statistics) -> Measured:
    return from_moments(statistics, _sammon)


def _measure_nonmetric(statistics: Statistics) -> Measured:
    sample: SampledPairs = statistics.extras["sampled_pairs"]
    squares_without = sample.squares - sample.squares_of
    is_rounding = squares_without[:, 1] < 1e-8 * sample.squares[1]  # one point makes nearly all of the sum

    def formula(residual: Any, whole: Any) -> Any:
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(whole > 0, np.sqrt(np.clip(residual / whole, 0.0, 1.0)), 1.0)

    return Measured(
        value=float(formula(*sample.squares)),
        leave_one_out=np.where(is_rounding, np.nan, formula(*squares_without.T)) if statistics.m > 1 else None,
    )


_NEEDS = frozenset({"moments"})
_SCALED_STRESS = Metric("scaled_stress", "stress", "down", (0, 1), True, _NEEDS, _measure_scaled)
_STRESS = Metric("stress", "stress", "down", (0, np.inf), False, _NEEDS, _measure_stress)
_SAMMON = Metric("sammon", "stress", "down", (0, np.inf), False, _NEEDS, _measure_sammon, default=False)
_NONMETRIC = Metric(
    "nonmetric_stress", "stress", "down", (0, 1), True, frozenset({"sampled_pairs"}), _measure_nonmetric, default=False
)
METRICS = (_SCALED_STRESS, _STRESS, _NONMETRIC, _SAMMON)

scaled_stress = pair_metric(
    _SCALED_STRESS,
    MetricDoc(
        "the normalized stress of the codes at their best common scale",
        r"\sqrt{1 - \frac{(\sum ab)^2}{\sum a^2 \sum b^2}}",
        'K. Smelser, J. Miller and S. Kobourov (2024), "Normalized Stress" is Not Normalized.',
        "over pairs with input distance a and code distance b. Codes that all coincide score 1.",
        example=0.6,
    ),
)
stress = pair_metric(
    _STRESS,
    MetricDoc(
        "the stress of the codes in the units of the input: whether distances are equal",
        r"\sqrt{\frac{\sum (a - b)^2}{\sum a^2}}",
        "J. B. Kruskal (1964), Multidimensional scaling by optimizing goodness of fit to a nonmetric hypothesis.",
        "over pairs with input distance a and code distance b.",
        brackets="[)",
        returns="1 for codes that all coincide.",
        example=0.6325,
    ),
)
nonmetric_stress = pair_metric(
    _NONMETRIC,
    MetricDoc(
        "Kruskal's stress-1: how far code distances are from any non-decreasing function of input distances",
        r"\min_{f \text{ non-decreasing}} \sqrt{\frac{\sum (b - f(a))^2}{\sum b^2}}",
        "J. B. Kruskal (1964), Multidimensional scaling by optimizing goodness of fit to a nonmetric hypothesis.",
        "over pairs; equal input distances share one disparity f(a). If there are more than 2^20 pairs, "
        "a seeded sample of 2^20 is used. Codes that all coincide score 1.",
        example=0.5,
    ),
)
sammon = pair_metric(
    _SAMMON,
    MetricDoc(
        "Sammon's stress: squared errors of distances divided by the distances, so that near pairs count more",
        r"\frac{1}{\sum a} \sum \frac{(a - b)^2}{a}",
        "J. W. Sammon (1969), A nonlinear mapping for data structure analysis.",
        "over pairs of distinct inputs with input distance a and code distance b.",
        brackets="[)",
        returns="1 for codes that all coincide.",
        example=0.4,
    ),
)
