"""Limits that users set on metrics: checked by name before anything is encoded."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from numbers import Real
from typing import Any, Literal

from distbench._util.text import did_you_mean, short_repr
from distbench.errors import InputError

__all__ = ["check_bounds", "check_limits", "is_met", "refuse_unmeasured"]


def check_limits(limits: Mapping[str, Any], known: Collection[str]) -> dict[str, float]:
    """Return limits as floats by metric name.

    Parameters
    ----------
    limits : mapping of str to number
        Limits by metric.
    known : collection of str
        Names of the metrics that can be limited.

    Raises
    ------
    InputError
        If there is no limit, a name is unknown or a limit is not a number.
    """
    if not limits:
        raise InputError(
            "limits", "found none", f"pass at least one, e.g. continuity=0.95; known are {', '.join(known)}"
        )
    for name, limit in limits.items():
        if name not in known:
            told = name if isinstance(name, str) else short_repr(name)
            raise InputError(told, "found no metric of that name", did_you_mean(told, known))
        if isinstance(limit, bool) or not isinstance(limit, Real) or math.isnan(limit):
            raise InputError(name, f"found the limit {short_repr(limit)}", "pass a number")
    return {name: float(limit) for name, limit in limits.items()}


def refuse_unmeasured(limits: Collection[str], measured: Collection[str]) -> None:
    """Raise InputError for a limit on a metric that there is, but that was not measured."""
    from distbench.metrics import METRICS

    for name in limits:
        if name in METRICS and name not in measured:
            raise InputError(name, "found a limit, but it was not measured", f"pass metrics=[{name!r}, ...]")


def check_bounds(limits: Mapping[str, float]) -> None:
    """Refuse limits that the metrics' values cannot reach or never leave.

    Parameters
    ----------
    limits : mapping of str to float
        By names of metrics.

    Raises
    ------
    InputError
        If a limit is outside its metric's range.
    """
    from distbench.metrics import METRICS

    for name, limit in limits.items():
        low, high = METRICS[name].bounds if name in METRICS else (-math.inf, math.inf)
        if not low <= limit <= high:
            raise InputError(name, f"found the limit {limit:g}", f"pass one between {low:g} and {high:g}")


def is_met(value: float, limit: float, direction: Literal["up", "down"]) -> bool:
    """Return whether a value is on the good side of a limit, or at it."""
    return value >= limit if direction == "up" else value <= limit
