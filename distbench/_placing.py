"""Who shares a place: encoders in order, and whether the data can tell them apart."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from distbench._entry import Entry

__all__ = ["interval", "placed"]

CONFIDENCE = 0.95


def placed(entries: Sequence[Entry], sort: str, direction: str) -> list[Entry]:
    """Return entries best first, with their places; those without one at the end."""
    ranked = [entry for entry in entries if not entry.reason]
    ranked.sort(key=lambda entry: (entry.values[sort] * (-1 if direction == "up" else 1), entry.encoder))
    placed: list[Entry] = []
    for position, entry in enumerate(ranked, start=1):
        best = next((e for e in placed if e.place == placed[-1].place), None)
        shares = best is not None and _cannot_be_told(best, entry, sort)
        placed.append(replace(entry, place=best.place if best is not None and shares else position))
    return placed + [entry for entry in entries if entry.reason]


def _cannot_be_told(best: Entry, entry: Entry, sort: str) -> bool:
    value = entry.values[sort]
    if best.values[sort] == value:
        return True
    one, two = best.mean_leave_one_out, entry.mean_leave_one_out
    if one is None or two is None or len(one) != len(two) or not math.isfinite(best.values[sort] - value):
        return False
    first, second = best.mean_interaction, entry.mean_interaction
    interaction = None if first is None or second is None or first.shape != second.shape else first - second
    low, high = interval(best.values[sort] - value, one - two, interaction)
    return low is not None and high is not None and low <= 0 <= high


def interval(
    value: float | None,
    leave_one_out: NDArray[np.float64] | None,
    interaction: NDArray[np.float64] | None,
    metric: str | None = None,
    m: int = 0,
) -> tuple[float, float] | tuple[None, None]:
    """Return the interval of a metric, or with ``metric=None`` of a difference, which has no bounds."""
    if value is None or leave_one_out is None or not math.isfinite(value):
        return None, None
    import numpy as np

    from distbench.inference.intervals import jackknife_interval
    from distbench.judging import MEANS
    from distbench.metrics import METRICS

    single = m if metric is not None and METRICS[metric].family in MEANS else None
    bounds = (-np.inf, np.inf) if metric is None else METRICS[metric].bounds
    return jackknife_interval(value, leave_one_out, CONFIDENCE, bounds, interaction, single)
