"""The statistics of each point that one pass gathers; metrics are computed from them.

Rows belong to the m queries. Columns belong to the n_test test points, queries first: they hold the change in the sum
over all other queries when the point is removed from the candidates.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from distbench.engine.pair_ranks import PairRanks
from distbench.engine.ratio_tails import Tail

__all__ = ["Moments", "RankSide", "Ranks", "Shepard", "Statistics", "Triplets"]

Array = NDArray[np.float64]
Indices = NDArray[np.int64]


@dataclass(frozen=True)
class RankSide:
    """Ranks in one space of the neighbors in the other."""

    rows: Array  # (m,) sum of w_j max(0, r_j - k)
    columns: Array
    worst: Indices  # (m,) the neighbor with the largest rank: a test point, or n_test + a reference
    worst_rank: Array  # if it is at most k, all neighbors are kept, and `worst` is any of them
    signed: Array  # (m, SKETCHES) changes in `rows` when a neighbor is removed, summed over neighbors with random signs


@dataclass(frozen=True)
class Ranks:
    """Ranks of neighbors in the other space."""

    trust: RankSide  # neighbors among the codes, ranks in input space
    continuity: RankSide  # neighbors in input space, ranks among the codes


@dataclass(frozen=True)
class Moments:
    """Pair sums, named in `distbench.engine.moments.MOMENTS`."""

    rows: Array  # (m, N_MOMENTS) over a query's own candidates
    by_point: Array  # (n_test, N_MOMENTS) over all pairs that a test point is part of
    total: Array  # (N_MOMENTS,) each pair once
    scale: float  # c in the residuals e = a - c b
    unit: float  # unit * b is a code distance in the units of the input
    exponent: int  # an input distance is a * 2**exponent
    ratios: Array  # (m, 2) least and largest b / a
    partners: dict[str, tuple[int, int]]  # pair of the "least" and "largest" ratio: row of X, then as `RankSide.worst`


@dataclass(frozen=True)
class Shepard:
    """Rank correlation over pairs, and the tails of the ratios."""

    spearman: float
    influence: Array  # (n_test,) sum of the influences of a test point's pairs on the rank correlation
    low: Tail
    high: Tail


@dataclass(frozen=True)
class Triplets:
    """Shares of each query's triplets whose order is kept."""

    rows: Array
    columns: Array


@dataclass(frozen=True)
class Statistics:
    """All statistics of one encoder on one set of points; None for families that were not requested."""

    m: int  # queries
    M: int
    k: int
    n_test: int  # test points; m if queries are no candidates
    judged: Indices  # (m,) the queries' rows of X
    queries_are_candidates: bool
    places: Indices  # (n_test,) of the test points in their canonical order
    ranks: Ranks | None = None
    moments: Moments | None = None
    shepard: Shepard | None = None
    triplets: Triplets | None = None
    groups: Indices | None = None  # (n_test,) of the test points, queries first
    extras: dict[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    pair_ranks: PairRanks | None = None
    by_k: Mapping[int, tuple[Ranks | None, dict[str, Any]]] = field(default_factory=dict)  # ranks and extras

    def at(self, k: int) -> Statistics:
        """Return the same statistics, but those that depend on the number of neighbors at one of the gathered `k`."""
        ranks, extras = self.by_k.get(k, (None, {}))
        return replace(self, k=k, ranks=ranks, extras=self.extras | extras)
