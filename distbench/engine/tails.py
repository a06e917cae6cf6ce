"""The ratios b / a in the tails, kept one by one, so that extreme quantiles are exact."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from distbench.engine._jit import kernel

__all__ = ["Tail", "tail_ratios"]

Array = NDArray[np.float64]
Indices = NDArray[np.int64]

NOTHING: Indices = np.empty(0, dtype=np.int64)


@kernel
def tail_ratios(a: Array, b: Array, low: float, high: float) -> tuple[Array, Indices]:
    """Return the ratios b / a below `low` or above `high`, and with whom."""
    ratios, partners = np.empty(len(a)), np.empty(len(a), dtype=np.int64)
    count = 0
    for p in range(len(a)):
        if a[p] > 0.0:
            rho = b[p] / a[p]
            if rho < low or rho > high:
                ratios[count], partners[count] = rho, p
                count += 1
    return ratios[:count].copy(), partners[:count].copy()


@dataclass(frozen=True)
class Tail:
    """One tail: the ratios beyond a threshold, outermost first."""

    ratios: Array
    i: NDArray[np.int64]
    j: NDArray[np.int64]  # -1 where the partner is no query
    threshold: float

    def statistic(self, place: int, without: Indices = NOTHING) -> float:
        """Return the order statistic at `place`, 0 = outermost, once the ratios at places `without` are gone."""
        for gone in without:
            if gone > place:
                break
            place += 1
        return float(self.ratios[place]) if place < len(self.ratios) else self.threshold

    def quantile(self, position: float, without: Indices = NOTHING) -> float:
        """Return the value at a fractional place, interpolated linearly between neighbours."""
        place = int(position)
        value, rest = self.statistic(place, without), position - place
        return value if rest == 0 else value + rest * (self.statistic(place + 1, without) - value)

    def places_of(self, m: int) -> list[Indices]:
        """Return, for each of m queries, the places of the ratios it is part of, in order."""
        place = np.arange(len(self.ratios))
        ends, places = np.concatenate([self.i, self.j]), np.concatenate([place, place])
        order = np.lexsort((places, ends))
        bounds = np.searchsorted(ends[order], np.arange(m + 1))
        return [places[order[bounds[p] : bounds[p + 1]]] for p in range(m)]
