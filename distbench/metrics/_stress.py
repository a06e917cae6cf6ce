"""Metrics of distances kept: stress with and without a free common scale."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from distbench.engine import Gathered
from distbench.engine.gathered import Moments
from distbench.metrics._api import measure_one
from distbench.metrics._metric import Measured, Metric
from distbench.metrics._pairs import columns_of, from_moments

__all__ = ["METRICS", "scaled_stress", "stress"]

Array = NDArray[np.float64]


def _scaled(moments: Array, scale: float, unit: float) -> Array:
    """Return sqrt(1 - (sum ab)^2 / (sum aa sum bb)), from residuals: exact also where distances are kept."""
    del scale, unit  # free of scale
    s = columns_of(moments)
    with np.errstate(divide="ignore", invalid="ignore"):
        gain = np.where(s["bb"] > 0, s["eb"] ** 2 / s["bb"], 0.0)
        value = np.sqrt(np.clip((s["ee"] - gain) / s["aa"], 0.0, 1.0))
    return _without_spread(value, s, 1.0)


def _stress(moments: Array, scale: float, unit: float) -> Array:
    """Return sqrt(sum (a - unit b)^2 / sum aa)."""
    s = columns_of(moments)
    factor = max(1.0, unit)  # squares of much larger codes would overflow
    shift = (scale - unit) / factor
    with np.errstate(divide="ignore", invalid="ignore"):
        squares = s["ee"] / factor / factor + 2 * shift * s["eb"] / factor + shift**2 * s["bb"]
        value = factor * np.sqrt(np.maximum(squares, 0.0) / s["aa"])
    return _without_spread(value, s, np.inf)


def _without_spread(value: Array, s: dict[str, Array], worst: float) -> Array:
    """Replace the value where all inputs coincide: nothing is lost unless codes differ."""
    return np.where(s["aa"] > 0, value, np.where(s["bb"] > 0, worst, 0.0))


def _chance_cross(moments: Moments) -> float:
    """Return sum ab as expected when codes are shuffled among the queries, and among the references.

    Pairs of two queries stand twice in the rows and once in the total.
    """
    rows = moments.rows.sum(axis=0)
    cross = 0.0
    for group in (rows - moments.total, 2 * moments.total - rows):  # pairs of two queries; with a reference
        s = columns_of(group)
        cross += float(s["a"] * s["b"] / s["n"]) if s["n"] > 0 else 0.0
    return cross


def _measure_scaled(gathered: Gathered) -> Measured:
    assert gathered.moments is not None
    s = columns_of(gathered.moments.total)
    bound = float(s["aa"] * s["bb"])
    chance = np.sqrt(max(0.0, 1 - _chance_cross(gathered.moments) ** 2 / bound)) if bound > 0 else 1.0
    return from_moments(gathered, _scaled, chance=float(chance))


def _measure_stress(gathered: Gathered) -> Measured:
    assert gathered.moments is not None
    s, unit = columns_of(gathered.moments.total), gathered.moments.unit
    factor = max(1.0, unit)
    unit /= factor
    cross = _chance_cross(gathered.moments)
    squares = s["aa"] / factor / factor - 2 * unit * cross / factor + unit**2 * s["bb"]
    chance = factor * float(np.sqrt(np.maximum(squares / s["aa"], 0.0)))
    return from_moments(gathered, _stress, chance=chance)


_NEEDS = frozenset({"moments"})
_SCALED_STRESS = Metric("scaled_stress", "stress", "down", (0, 1), True, _NEEDS, _measure_scaled)
_STRESS = Metric("stress", "stress", "down", (0, np.inf), False, _NEEDS, _measure_stress)
METRICS = (_SCALED_STRESS, _STRESS)


def scaled_stress(X: Any, Z: Any, *, reference: tuple[Any, Any] | None = None) -> float:
    r"""Return the normalised stress of the codes at their best common scale.

    .. math:: \sqrt{1 - \frac{(\sum ab)^2}{\sum a^2 \sum b^2}}

    over pairs with input distance a and code distance b. Codes that all coincide score 1.

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
        In [0, 1]; smaller is better; unchanged when all codes are multiplied by c > 0.

    Raises
    ------
    InputError
        If an array cannot be used.

    References
    ----------
    K. Smelser, J. Miller and S. Kobourov (2024), "Normalized Stress" is Not Normalized.
    """
    return measure_one(_SCALED_STRESS, X, Z, reference)


def stress(X: Any, Z: Any, *, reference: tuple[Any, Any] | None = None) -> float:
    r"""Return the stress of the codes in the units of the input: whether distances are equal.

    .. math:: \sqrt{\frac{\sum (a - b)^2}{\sum a^2}}

    over pairs with input distance a and code distance b.

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
        In [0, inf); smaller is better; 1 for codes that all coincide.

    Raises
    ------
    InputError
        If an array cannot be used.

    References
    ----------
    J. B. Kruskal (1964), Multidimensional scaling by optimizing goodness of fit to a nonmetric hypothesis.
    """
    return measure_one(_STRESS, X, Z, reference)
