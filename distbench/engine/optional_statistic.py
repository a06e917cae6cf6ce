"""The base class of the statistics beyond the default set: passes over the queries, then a finish."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

from distbench.engine.partial_sums import Part
from distbench.engine.problem import Problem

__all__ = ["OptionalStatistic"]


class OptionalStatistic(ABC):
    """One family of statistics: `passes` passes over all queries, each in parts, then a finish."""

    name: str
    passes = 1

    def part(self, problem: Problem, rows: range, state: Any, index: int) -> Part:
        """Return what pass `index` computes for the queries at `rows`; must be pure. Nothing by default."""
        return Part()

    def between(self, problem: Problem, merged: Part, state: Any, index: int) -> Any:
        """Return the state for the pass after pass `index`; not called after the last pass."""
        return state

    @abstractmethod
    def finish(self, problem: Problem, merged: Part, state: Any) -> Any:
        """Return the statistics from the merged parts of the last pass. Notes for the report go into their `notes`."""
