"""Checks limits that users set on metrics, before anything is encoded."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from numbers import Real
from typing import Any

from distbench._util.text import did_you_mean, short_repr
from distbench.errors import InputError

__all__ = ["check_limits", "joined_limits", "metric_name", "read_limit", "read_number"]


def check_limits(limits: Mapping[str, Any], measured: Collection[str] | None = None) -> dict[str, float]:
    """Return limits as floats by metric name; `measured` are the metrics that can have one, all by default.

    Raises
    ------
    InputError
        If there is no limit, a metric is unknown or not measured, or a limit is not a number in its metric's range.
    """
    from distbench.metrics import METRICS

    known = METRICS if measured is None else measured
    if not limits:
        advice = "pass at least one, e.g. continuity=0.95 ('distbench limits' proposes some); known are "
        raise InputError("limits", "found none", advice + ", ".join(known))
    numbers = {}
    for name, limit in limits.items():
        if name not in known:
            if name in METRICS:
                raise InputError(name, "found a limit, but it was not measured", f"pass metrics=[{name!r}, ...]")
            label = name if isinstance(name, str) else short_repr(name)
            advice = METRICS.advice(label) if measured is None else did_you_mean(label, known)
            raise InputError(label, "found no metric of that name", advice)
        if isinstance(limit, bool) or not isinstance(limit, Real) or limit != limit:
            raise InputError(name, f"found the limit {short_repr(limit)}", "pass a number")
        low, high = METRICS[name].bounds if name in METRICS else (-math.inf, math.inf)
        numbers[name] = _as_float(limit)
        if not low <= numbers[name] <= high:
            raise InputError(name, f"found the limit {numbers[name]:g}", f"pass one between {low:g} and {high:g}")
    return numbers


def _as_float(limit: Any) -> float:
    """Return a number as a float; a whole number beyond all floats is infinite."""
    try:
        return float(limit)
    except OverflowError:
        return math.inf if limit > 0 else -math.inf


def joined_limits(limits: Any, by_name: Mapping[str, Any]) -> dict[str, Any]:
    """Return the limits of a mapping and those given by name; raise InputError if a metric is in both."""
    if limits is None:
        return dict(by_name)
    if not isinstance(limits, Mapping):
        raise InputError("limits", f"found {short_repr(limits)}", "pass a mapping, such as {'knn_recall@100': 0.9}")
    for name in limits:
        if name in by_name:
            raise InputError(name, "found two limits", "give one")
    return {**limits, **by_name}


def read_limit(text: str) -> tuple[str, float]:
    """Return metric and limit of a text such as ``continuity:0.95``; raise InputError for any other."""
    metric, limit = read_number(text)
    return metric, check_limits({metric: limit})[metric]


def read_number(text: str) -> tuple[str, float]:
    """Return metric and number of a text such as ``continuity:0.95``; raise InputError for any other."""
    metric, _, number = (part.strip() for part in text.partition(":"))
    try:
        return metric, float(number)
    except ValueError:
        raise InputError("", f"found {short_repr(text)}", "give METRIC:VALUE, such as continuity:0.95") from None


def metric_name(name: str) -> str:
    """Return the name of a metric; raise InputError for an unknown name."""
    from distbench.metrics import METRICS

    if name not in METRICS:
        raise InputError(METRICS.hint(name))
    return name
