"""Limits from a run: far enough from its value that the next test points meet them, and rounded."""

from __future__ import annotations

import math
from statistics import NormalDist

from distbench.inference.estimate import CONFIDENCE

__all__ = ["HALF_WIDTHS", "share_met", "suggested_limit"]

HALF_WIDTHS = 2  # of the interval, between the value and its limit


def suggested_limit(
    value: float, low: float | None, high: float | None, direction: str, bounds: tuple[float, float]
) -> float | None:
    """Return a limit two half widths of the interval away from a value, on the worse side.

    It is rounded away from the value, to a unit of at most half of the half width, and kept within `bounds`. Without an
    interval, or if the metric cannot be so bad, there is none.
    """
    half = _half_width(value, low, high, direction)
    if half is None or not math.isfinite(half) or not math.isfinite(value):
        return None
    if half == 0:
        return None if value == bounds[direction == "down"] else value  # nothing breaks a limit at the worst value
    digits = math.ceil(-math.log10(half / 2))
    limit, unit = value + (HALF_WIDTHS * half if direction == "down" else -HALF_WIDTHS * half), 10.0**digits
    limit = math.ceil(limit * unit) / unit if direction == "down" else math.floor(limit * unit) / unit
    return limit if bounds[0] < limit < bounds[1] else None


def share_met(
    value: float, low: float | None, high: float | None, limit: float, direction: str, confidence: float = CONFIDENCE
) -> float:
    """Return how often the value on as many new test points meets a limit, if both are normal around one mean."""
    half = _half_width(value, low, high, direction)
    room = value - limit if direction == "up" else limit - value
    if not half:
        return float(room >= 0)
    deviation = half / NormalDist().inv_cdf((1 + confidence) / 2)
    return NormalDist().cdf(room / (math.sqrt(2) * deviation))  # the value of this run varies too


def _half_width(value: float, low: float | None, high: float | None, direction: str) -> float | None:
    """Return the half of the interval on the worse side."""
    worse = low if direction == "up" else high
    return None if worse is None else abs(value - worse)
