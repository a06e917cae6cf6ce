"""The tails of the ratios b / a: the extreme ratios are all stored, so that extreme quantiles are exact."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from distbench.engine._jit import kernel

__all__ = ["Tail", "grown"]

Array = NDArray[np.float64]
Indices = NDArray[np.int64]
Ends = NDArray[np.int32]


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
        place, rest = int(position), position - int(position)
        value, following = np.append(self.ratios[place : place + 2], [self.threshold] * 2)[:2].tolist()
        return float(value + rest * (following - value) if rest else value)

    def quantiles_without(self, positions: Array) -> Array:
        """Return, for each test point, the value at a position of the tail without the ratios of the point's pairs."""
        points = len(positions)
        place = np.arange(len(self.ratios))
        ends, places = np.concatenate([self.i, self.j]), np.concatenate([place, place])
        kept = ends >= 0
        ends, places = ends[kept], places[kept]
        order = np.lexsort((places, ends))
        bounds = np.searchsorted(ends[order], np.arange(points + 1))
        out = np.empty(points)
        _without(self.ratios, self.threshold, positions, places[order], bounds, out)
        return out


@kernel
def _without(ratios: Array, threshold: float, positions: Array, removed: Indices, bounds: Indices, out: Array) -> None:
    """Write the value at each position when the ratios at some places are removed; interpolate between two places."""
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
        value = ratios[place] if place < len(ratios) else threshold
        if rest > 0.0:
            value += rest * ((ratios[following] if following < len(ratios) else threshold) - value)
        out[point] = value
