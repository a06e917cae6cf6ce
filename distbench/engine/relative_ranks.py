"""Relative rank errors: differences between the ranks of the k nearest in one space and their ranks in the other.

Ties are broken at random, independently in both spaces. The rank r of neighbor j in one space is uniform over the
places of its tie group, and so is its rank s in the other; so j adds ``E[1(r <= k) |r - s| / r]``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from distbench.engine.orders import OrderedRows
from distbench.engine.partial_sums import ByK, OptionalStatistic, Part
from distbench.engine.problem import Problem
from distbench.engine.rank_sums import scratch, sum_rows

__all__ = ["Relative", "RelativeFamily"]

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Relative:
    """Each query's sum of relative rank errors, and the changes of all sums when each test point is removed."""

    input_rows: Array  # (m,) for the neighbors in input space, divided by their ranks there
    input_columns: Array  # (n_test,)
    code_rows: Array
    code_columns: Array


class RelativeRows:
    """The sums of a job's queries, and how much the totals change without each test point."""

    families = frozenset({"relative"})

    def __init__(self, problem: Problem, size: int, ordered: OrderedRows) -> None:
        self.problem, self.ordered, self.ks = problem, ordered, np.array(problem.ks)
        self.harmonic = np.concatenate([[0.0], np.cumsum(1 / np.arange(1, self.ks.max() + 1))])[:, None]
        self.scratch = scratch(problem.n)
        self.columns, self.sums = np.zeros((2, problem.n_test, len(self.ks))), np.empty((2, size, len(self.ks)))

    def add(self, x: Array, z: Array, i: int, row: int) -> None:
        """Add queries from i on, whose keys are x and z."""
        problem, wanted = self.problem, np.ones(len(x), dtype=np.uint8)
        orders = self.ordered.order(x, z, i, wanted > 0)
        for side, sums in enumerate(self.sums):
            rest: tuple[Any, ...] = *orders[side], *orders[1 - side], problem.groups, self.columns[side]
            rest = self.harmonic, self.harmonic, *rest, sums[row : row + len(x)], *self.scratch
            sum_rows(i, problem.M, self.ks, wanted, *rest)

    def close(self, part: Part) -> None:
        """Write the sums to a job's part."""
        part.rows["relative"], part.columns["relative"] = np.moveaxis(self.sums, 0, 2), np.moveaxis(self.columns, 0, 2)


class RelativeFamily(OptionalStatistic):
    """Relative rank errors in both directions."""

    name = "relative"
    passes = 0

    def finish(self, problem: Problem, merged: Part, state: Any) -> ByK:
        """Return the sums by name, for each number of neighbors."""
        rows, columns = merged.rows["relative"], merged.columns["relative"]
        return ByK(
            {
                k: Relative(rows[:, index, 0], columns[:, index, 0], rows[:, index, 1], columns[:, index, 1])
                for index, k in enumerate(problem.ks)
            }
        )
