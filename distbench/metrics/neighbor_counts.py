"""Numbers of neighbors: which k each metric allows."""

from __future__ import annotations

import operator
from collections.abc import Iterable
from typing import Any

import numpy as np

from distbench._util.text import join_names, short_repr
from distbench.errors import InputError
from distbench.metrics._metric import Metric

__all__ = ["all_but_one", "checked_k", "numbers_of"]

ADVICE = "pass a whole number of neighbors, e.g. k=10"


def all_but_one(M: int) -> int:
    """Return the largest k of metrics that compare the k nearest of M candidates with all others."""
    return M - 1


def numbers_of(k: Any) -> tuple[int, ...]:
    """Return the number of neighbors, or several of them, each once; raise InputError for anything else.

    A single number may be of any size; whether it fits the points is checked with them.
    """
    is_one = isinstance(k, str) or not isinstance(k, Iterable) or getattr(k, "ndim", 1) == 0
    found = tuple(dict.fromkeys(_whole(number, k) for number in ([k] if is_one else k)))
    if not found or (len(found) > 1 and min(found) < 1):
        raise InputError("k", f"found {short_repr(k)}", f"{ADVICE}, or several from 1, e.g. k=(1, 10, 100)")
    return found


def _whole(number: Any, k: Any) -> int:
    try:
        if isinstance(number, bool | np.bool_):
            raise TypeError
        return operator.index(number)
    except TypeError:
        raise InputError("k", f"found {short_repr(k)}", ADVICE) from None


def checked_k(k: Any, M: int, metrics: Iterable[Metric]) -> int:
    """Return the number of neighbors k; without a metric of so many neighbors it is cut to half of the M candidates.

    Raises InputError if k is not a whole number above 0, or if it or a metric's own k is larger than the metric allows.
    """
    number = _whole(k, k)
    bounds = {metric: metric.largest_k(M) for metric in metrics if metric.largest_k}
    own = {metric: bound for metric, bound in bounds.items() if metric.k is not None}
    for metric, bound in own.items():
        largest = max(metric.at(k), metric.within or 0)
        if largest > bound:
            start = metric.name.removesuffix(f"{largest}")
            advice = f"pass at most {start}{bound}, or more reference points"
            raise InputError(metric.name, f"found {largest} with M = {M} candidates", advice)
    common = {metric.name: bound for metric, bound in bounds.items() if metric.k is None}
    largest = min(common.values(), default=M - 1)
    if number < 1 or (common and number > largest):
        strictest = join_names([name for name, bound in common.items() if bound == largest])
        of = f", the most for {strictest}," if common else ""
        of += " metrics= without these," if 1 <= number <= max(common.values(), default=0) else ""
        advice = f"pass 1 <= k <= {largest}{of} or more reference points"
        raise InputError("k", f"found {short_repr(number)} with M = {M} candidates", advice)
    is_needed = common or any(metric.k == number for metric in own)
    return number if is_needed else min(number, M // 2)
