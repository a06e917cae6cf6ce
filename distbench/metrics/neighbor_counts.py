"""Numbers of neighbors: which k each metric allows."""

from __future__ import annotations

import operator
from collections.abc import Iterable
from typing import Any

import numpy as np

from distbench._util.text import join_names, short_repr
from distbench.errors import InputError
from distbench.metrics._metric import Metric

__all__ = ["all_but_one", "checked_k"]


def all_but_one(M: int) -> int:
    """Return the largest k of metrics that compare the k nearest of M candidates with all others."""
    return M - 1


def checked_k(k: Any, M: int, metrics: Iterable[Metric]) -> int:
    """Return the number of neighbors k as an int; without metrics of neighbors it is cut to half of the M candidates.

    Raises InputError if k is not a whole number above 0, or is larger than one of the metrics allows.
    """
    try:
        if isinstance(k, bool | np.bool_):
            raise TypeError
        number = operator.index(k)
    except TypeError:
        raise InputError("k", f"found {short_repr(k)}", "pass a whole number of neighbors, e.g. k=10") from None
    bounds = {metric.name: metric.largest_k(M) for metric in metrics if metric.largest_k}
    largest = min(bounds.values(), default=M - 1)
    if number < 1 or (bounds and number > largest):
        strictest = join_names([name for name, bound in bounds.items() if bound == largest])
        of = f", the most for {strictest}," if bounds else ""
        advice = f"pass 1 <= k <= {largest}{of} or more reference points"
        raise InputError("k", f"found {number} with M = {M} candidates", advice)
    return number if bounds else min(number, M // 2)
