"""What a family of statistics beyond the default set is: parts of passes, joined in order, and a finish."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from distbench.engine.partial_sums import Merged, Part

__all__ = ["ExtraFamily", "ExtraProblem", "Merged", "Part"]

Array = NDArray[np.float64]
Indices = NDArray[np.int64]


class ExtraProblem(Protocol):
    """What a family reads. Columns 0..n_test-1 are test points, the judged ones first; the rest are references."""

    m: int  # judged queries
    n: int  # columns
    n_test: int  # test points among the columns: 0 where queries are no candidates
    M: int  # candidates of each query
    k: int
    sigma: float
    labels_queries: Indices | None
    labels_candidates: Indices | None

    def order_x(self, i: int) -> Array:
        """Return what orders all columns by query i's input distance, exactly."""
        ...

    def order_z(self, i: int) -> Array:
        """Return what orders all columns by query i's code distance, exactly."""
        ...

    def distances_x(self, i: int) -> Array:
        """Return query i's exact input distances to all columns."""
        ...

    def distances_z(self, i: int) -> Array:
        """Return query i's exact code distances to all columns."""
        ...

    def pairs_sample(self, size: int, seed: int) -> tuple[Indices, Indices, Array, Array]:
        """Return places i, columns j and distances a, b of counted pairs: all, or a seeded sample of `size`."""
        ...


class ExtraFamily(Protocol):
    """A family: `passes` (at least 1) times parts over all queries, then a finish."""

    name: str
    passes: int

    def part(self, problem: Any, rows: range, state: Any, index: int) -> Part:
        """Return what pass `index` finds in the queries at `rows`; pure."""
        ...

    def between(self, problem: Any, merged: Merged, state: Any, index: int) -> Any:
        """Return the state of the pass after pass `index`; not called after the last."""
        ...

    def finish(self, problem: Any, merged: Merged, state: Any) -> Any:
        """Return the statistics; what should be said about them stands in their `notes`."""
        ...
