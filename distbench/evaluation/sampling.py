"""Random samples of test points: of a given size, or as large as a wanted precision needs."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping
from numbers import Real
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from distbench._util.checks import whole_number
from distbench._util.notes import Note
from distbench._util.text import did_you_mean
from distbench.engine.canonical_order import shuffled_rows
from distbench.errors import InputError
from distbench.metrics import METRICS

__all__ = ["FIRST_QUERIES", "check_precision", "check_queries", "sampled", "unreached_notes"]

Rows = NDArray[np.int64]
Result = TypeVar("Result")

FIRST_QUERIES = 1_000  # size of the first sample; its intervals predict how many points a precision needs
MARGIN = 1.1  # take this many times the predicted number of points, since the prediction is an estimate


def check_queries(queries: Any) -> int | None:
    """Return the number of test points to evaluate, or None for all."""
    if queries is None:
        return None
    return whole_number(queries, "queries", 2, "pass how many test points to evaluate, 2 or more, or None for all")


def check_precision(precision: Any, metrics: Collection[str], k: int) -> dict[str, float] | None:
    """Return the wanted half width of each metric's interval. Raises InputError for a metric without an interval.

    `metrics` are the names of the measured metrics; names without ``@`` are at `k`.
    """
    if precision is None:
        return None
    if not isinstance(precision, Mapping) or not precision:
        raise InputError(
            "precision", f"found {precision!r}", "pass half widths of intervals, e.g. {'continuity': 0.002}"
        )
    checked: dict[str, float] = {}
    for name, half in precision.items():
        own = METRICS.same(name, metrics, k)
        if own is None:
            raise InputError("precision", f"found {name!r}, which is not measured", did_you_mean(str(name), metrics))
        if own in checked:
            raise InputError("precision", f"found {own} twice", "give each metric one half width")
        if not METRICS[own].has_interval:
            raise InputError("precision", f"found {name!r}, a worst case, which has no interval", "leave it out")
        if isinstance(half, bool) or not isinstance(half, Real) or not 0 < float(half) < math.inf:
            raise InputError("precision", f"found {name} = {half!r}", "pass half the width that its interval may have")
        checked[own] = float(half)
    return checked


def sampled(
    measure: Callable[[Rows | None], Result],
    half_widths: Callable[[Result], Mapping[str, float]],
    X: NDArray[Any],
    queries: int | None,
    precision: Mapping[str, float] | None,
    seed: int,
) -> Result:
    """Return the result for all test points, for a sample of `queries` of them, or for as many as a precision needs.

    `measure` returns the result for the given rows (None: all). `half_widths` returns half the width of each metric's
    interval in a result; it is infinite if there is no interval. With a precision, the first sample has `queries`
    points, by default 1,000, and grows until every interval is narrow enough, or all test points are in it. For one
    seed, a larger sample contains every smaller one.
    """
    if queries is None and precision is None:
        return measure(None)
    order, count, total = shuffled_rows(X, seed), queries or FIRST_QUERIES, len(X)
    while True:
        result = measure(None if count >= total else np.sort(order[:count]))
        if precision is None or count >= total:
            return result
        widths = half_widths(result)
        excess = max(widths[name] / half for name, half in precision.items())
        if excess <= 1:
            return result
        # the width is about proportional to 1 / sqrt(number of points)
        needed = count * excess**2 * MARGIN
        count = total if needed >= total / 2 else math.ceil(needed)


def unreached_notes(precision: Mapping[str, float], widths: Mapping[str, float], total: int) -> list[Note]:
    """Return a note for each interval that is too wide although all test points were evaluated."""
    text = "precision: the interval of {} is -+ {:.2g}, not -+ {:.2g}, with all {:,} test points"
    return [
        Note("info", "precision", text.format(name, widths[name], half, total))
        for name, half in precision.items()
        if widths[name] > half
    ]
