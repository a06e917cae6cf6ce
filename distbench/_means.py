"""A mean that takes every number that files of results can hold."""

from __future__ import annotations

import math
import statistics
from collections.abc import Collection

__all__ = ["mean_of"]


def mean_of(values: Collection[float]) -> float:
    """Return the mean of one number or more: infinite where some are, nan where they are so on both sides."""
    if all(map(math.isfinite, values)):
        return statistics.fmean(values)
    return sum(values) / len(values)  # fmean refuses infinities of both signs
