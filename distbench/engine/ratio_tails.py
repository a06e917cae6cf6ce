"""The tails of the ratios b / a: the extreme ratios are all stored, so that extreme quantiles are exact."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from distbench.engine._jit import kernel
from distbench.engine.moments import any_outside

__all__ = ["Tail", "add_tails", "grown"]

Array = NDArray[np.float64]
Indices = NDArray[np.int64]
Ends = NDArray[np.int32]

STEP_RATIOS = 32


@kernel
def add_tails(
    a: Array, rho: Array, offset: int, low: float, high: float, ratios: Array, partners: Ends, used: int
) -> int:
    """Append ratios below `low` or above `high` and their partners; return how many places are used then."""
    for start in range(0, len(rho), STEP_RATIOS):
        stop = min(len(rho), start + STEP_RATIOS)
        if any_outside(rho[start:stop], low, high):
            for p in range(start, stop):
                if a[p] > 0.0 and (rho[p] < low or rho[p] > high):
                    ratios[used], partners[used] = rho[p], offset + p
                    used += 1
    return used


def grown(values: NDArray[Any], used: int, room: int) -> NDArray[Any]:
    """Return a larger array with the `used` first values and at least `room` free places."""
    out = np.empty(2 * used + room, dtype=values.dtype)
    out[:used] = values[:used]
    return out


@dataclass(frozen=True)
class Tail:
    """One tail: the ratios beyond a threshold, outermost first."""

    ratios: Array
    i: Ends  # test point
    j: Ends  # -1 where the partner is no test point
    threshold: float

    def quantile(self, position: float) -> float:
        """Return the value at a fractional position, interpolated linearly; 0 is the outermost ratio."""
        place = int(position)
        return float(_between(self.ratios, self.threshold, place, place + 1, position - place))

    def quantiles_without(self, positions: Array) -> Array:
        """Return, for each test point, the value at a position of the tail without the ratios of the point's pairs."""
        points = len(positions)
        place = np.arange(len(self.ratios))
        ends, places = np.concatenate([self.i, self.j]), np.concatenate([place, place])
        kept = ends >= 0
        ends, places = ends[kept], places[kept]
        order = np.lexsort((places, ends))
        bounds = np.searchsorted(ends[order], np.arange(points + 1))
        return _without(self.ratios, self.threshold, positions, places[order], bounds)


@kernel
def _between(ratios: Array, threshold: float, place: int, following: int, rest: float) -> float:
    """Interpolate between the ratios at two places; `rest` is the weight of the second."""
    value = ratios[place] if place < len(ratios) else threshold
    if rest == 0.0:
        return value
    after = ratios[following] if following < len(ratios) else threshold
    return value + rest * (after - value)


@kernel
def _without(ratios: Array, threshold: float, positions: Array, removed: Indices, bounds: Indices) -> Array:
    out = np.empty(len(positions))
    for point in range(len(positions)):
        place = int(positions[point])
        rest = positions[point] - place
        skipped = bounds[point]
        while skipped < bounds[point + 1] and removed[skipped] <= place:
            place += 1
            skipped += 1
        following = place + 1
        while skipped < bounds[point + 1] and removed[skipped] <= following:
            following += 1
            skipped += 1
        out[point] = _between(ratios, threshold, place, following, rest)
    return out
