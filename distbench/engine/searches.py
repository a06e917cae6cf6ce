"""What a search by code finds: how many of a query's nearest by input are among the nearest by code.

The k nearest by input are looked up among more candidates, the `among` nearest by code; or, with a `slack` of at least
0, each of the nearest by code counts whose input distance is at most 1 + slack times that of the k-th nearest. Ties are
shared as in `distbench.engine.overlap`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from distbench.engine.orders import OrderedRows
from distbench.engine.overlap import EXACT, overlap_rows
from distbench.engine.partial_sums import OptionalStatistic, Part
from distbench.engine.point_space import Space
from distbench.engine.problem import Problem
from distbench.engine.random_signs import SKETCHES

__all__ = ["EXACT", "Found", "FoundFamily", "Search", "growths_of"]

Array = NDArray[np.float64]
Indices = NDArray[np.int64]

ROUNDING = 1e-9  # a distance counts as within the slack if it exceeds it by no more than this share


class Search(NamedTuple):
    """A search: the k nearest by input, how many are found by code, and the slack."""

    k: int
    among: int
    slack: float = EXACT


def growths_of(searches: Sequence[tuple[int, int, float]], space: Space) -> Array:
    """Return how many times as large as the k-th key a key may be; EXACT where the k nearest alone count."""
    power = 2 if space.root else 1
    return np.array([(1 + slack) ** power * (1 + ROUNDING) if slack >= 0 else EXACT for *_, slack in searches])


@dataclass(frozen=True)
class Found:
    """Numbers of candidates that a search finds and that count."""

    rows: Array  # (m,) expected number
    columns: Array  # (n_test,) change in the sum of all other rows when point p is removed
    signed: Array  # (m, SKETCHES) changes when candidates are removed, summed with random signs
    near: Array | None = None  # (m,) number of all candidates that would count


class FoundRows:
    """What each search of a job's queries finds, and how much the totals change without each test point."""

    families = frozenset({"found"})

    def __init__(self, problem: Problem, size: int, ordered: OrderedRows) -> None:
        searches = problem.searches
        self.problem, self.ordered, self.growths = problem, ordered, growths_of(searches, problem.x)
        self.ks = np.array([search[:2] for search in searches], dtype=np.int64)
        self.sums, self.signed = np.empty((size, len(searches), 3)), np.zeros((size, len(searches), SKETCHES))
        self.columns = np.zeros((problem.n_test, 2 * len(searches)))

    def add(self, x: Array, z: Array, i: int, row: int) -> None:
        """Add queries from i on, whose keys are x and z."""
        problem, block = self.problem, slice(row, row + len(x))
        wanted = np.ones((len(x), len(self.ks)), dtype=np.uint8)
        here, there = self.ordered.order(x, z, i, wanted[:, 0] > 0)
        rest: tuple[Any, ...] = problem.groups, problem.signs, self.columns, self.sums[block], self.signed[block]
        keys = problem.x.from_zero(x, i)
        overlap_rows(i, problem.M, self.ks, self.growths, wanted, keys, *here, *there, *rest)

    def close(self, part: Part) -> None:
        """Write the numbers to a job's part."""
        part.rows |= {"found": self.sums, "found signed": self.signed}
        part.columns["found"] = self.columns[:, : len(self.ks)] + self.columns[:, len(self.ks) :]


class FoundFamily(OptionalStatistic):
    """What each search of `Problem.searches` finds."""

    name = "found"
    passes = 0

    def finish(self, problem: Problem, merged: Part, state: Any) -> dict[Search, Found]:
        """Return the numbers of each search."""
        sums, signed, columns = merged.rows["found"], merged.rows["found signed"], merged.columns["found"]
        return {
            Search(*search): Found(sums[:, f, 0], columns[:, f], signed[:, f], sums[:, f, 1])
            for f, search in enumerate(problem.searches)
        }
