"""The results of jobs, how they are merged, and the base class of statistics beyond the default set."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from distbench.engine.problem import Problem

__all__ = ["ByK", "OptionalStatistic", "Part", "merge"]


@dataclass
class Part:
    """The result of one job or of all jobs: a row for each query, a sum for each test point, and totals."""

    rows: dict[str, NDArray[Any]] = field(default_factory=dict)
    columns: dict[str, NDArray[Any]] = field(default_factory=dict)
    totals: dict[str, NDArray[Any]] = field(default_factory=dict)


def merge(parts: Iterable[Part]) -> Part:
    """Join parts in their order: concatenate the rows, and add up the columns and the totals."""
    rows: dict[str, list[NDArray[Any]]] = {}
    merged = Part()
    for part in parts:
        for name, values in part.rows.items():
            rows.setdefault(name, []).append(values)
        for sums, more in ((merged.columns, part.columns), (merged.totals, part.totals)):
            for name, values in more.items():
                sums[name] = np.add(sums[name], values, out=sums[name]) if name in sums else values
    merged.rows = {name: np.concatenate(rows.pop(name)) for name in list(rows)}  # frees each part once it is joined
    return merged


class ByK(dict[int, Any]):
    """Statistics by their number of neighbors."""


class OptionalStatistic(ABC):
    """A family of statistics beyond the default set.

    It makes `passes` passes over all queries, or none if the jobs of the default set gather it too.
    """

    name: str
    passes = 1
    least_jobs = 16  # in which a pass is cut, if there are enough queries

    def part(self, problem: Problem, rows: range, state: Any, index: int) -> Part:
        """Return the result of pass `index` for the queries at `rows`. It may not change its arguments."""
        return Part()

    def between(self, problem: Problem, merged: Part, state: Any, index: int) -> Any:
        """Return the state for the pass after pass `index`; this is not called after the last pass."""
        return state

    @abstractmethod
    def finish(self, problem: Problem, merged: Part, state: Any) -> Any:
        """Return the statistics from the merged parts of the last pass or of the default set; reports show `notes`.

        Statistics that depend on the number of neighbors are returned `ByK`.
        """
