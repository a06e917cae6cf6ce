"""What one pass leaves behind: everything a metric needs, per query point."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from distbench.engine.tails import Tail

__all__ = ["Gathered", "Moments", "RankSide", "Ranks", "Shepard", "Triplets"]

Array = NDArray[np.float64]
Indices = NDArray[np.int64]


@dataclass(frozen=True)
class RankSide:
    """Neighbours in one space, ranks in the other."""

    rows: Array  # (m,) sum of w_j max(0, r_j - k)
    columns: Array  # (m,) change of all other rows' sums when point p leaves
    worst: Indices  # (m,) the neighbour with the largest rank
    worst_rank: Array


@dataclass(frozen=True)
class Ranks:
    """Statistics of the family of ranks."""

    trust: RankSide  # neighbours among the codes, ranks in input space
    continuity: RankSide  # neighbours in input space, ranks among the codes
    overlap_rows: Array
    overlap_columns: Array


@dataclass(frozen=True)
class Moments:
    """Pair sums: one row a query over all its candidates, and the total that counts each pair once."""

    rows: Array  # (m, N_MOMENTS)
    total: Array  # (N_MOMENTS,)
    scale: float  # the c of the residuals e = a - c b
    unit: float  # code units over input units: b in the codes' own units = unit * b
    ratios: Array  # (m, 2) least and largest b / a
    partners: Indices  # (m, 2)


@dataclass(frozen=True)
class Shepard:
    """Rank correlation over pairs, and the tails of the ratios."""

    joint: Array
    influence: Array  # (m,) influence of a query's pairs on the rank correlation
    rank_rows: Array  # (m, 5) sums of F, G, FF, GG, FG
    low: Tail
    high: Tail


@dataclass(frozen=True)
class Triplets:
    """Shares of triplets whose order is kept."""

    rows: Array
    columns: Array


@dataclass(frozen=True)
class Gathered:
    """All statistics of one encoder on one set of points. Families that were not asked for are None."""

    m: int
    M: int
    k: int
    queries_are_candidates: bool
    ranks: Ranks | None = None
    moments: Moments | None = None
    shepard: Shepard | None = None
    triplets: Triplets | None = None
    notes: tuple[str, ...] = ()
