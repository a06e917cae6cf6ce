"""What one pass leaves behind: everything a metric needs, per point.

Rows belong to judged queries, length m. Columns belong to test points, length n_test, the judged ones first: what
changes in the sum over all other queries when that point is no candidate any more.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from distbench.engine.ratio_tails import Tail

__all__ = ["Moments", "RankSide", "Ranks", "Shepard", "Statistics", "Triplets"]

Array = NDArray[np.float64]
Indices = NDArray[np.int64]


@dataclass(frozen=True)
class RankSide:
    """Neighbours in one space, ranks in the other."""

    rows: Array  # (m,) sum of w_j max(0, r_j - k)
    columns: Array
    worst: Indices  # (m,) the neighbour with the largest rank: a test point, or n_test + a reference
    worst_rank: Array  # at or below k where all neighbours are kept; then neither it nor `worst` says more
    signed: Array  # (m, SKETCHES) what single neighbours' absences change in `rows`, summed with random signs


@dataclass(frozen=True)
class Ranks:
    """Statistics of the family of ranks."""

    trust: RankSide  # neighbours among the codes, ranks in input space
    continuity: RankSide  # neighbours in input space, ranks among the codes
    overlap_rows: Array
    overlap_columns: Array
    overlap_signed: Array  # (m, SKETCHES) as `RankSide.signed`


@dataclass(frozen=True)
class Moments:
    """Pair sums, named in `distbench.engine.moments.MOMENTS`."""

    rows: Array  # (m, N_MOMENTS) over a query's own candidates
    by_point: Array  # (n_test, N_MOMENTS) over all pairs that a test point is part of
    total: Array  # (N_MOMENTS,) each pair once
    scale: float  # the c of the residuals e = a - c b
    unit: float  # code units over input units: b in the codes' own units = unit * b
    exponent: int  # an input distance is a * 2**exponent
    ratios: Array  # (m, 2) least and largest b / a
    partners: dict[str, tuple[int, int]]  # whose the "least" and the "largest" are: a row of X, and as `RankSide.worst`


@dataclass(frozen=True)
class Shepard:
    """Rank correlation over pairs, and the tails of the ratios."""

    spearman: float
    influence: Array  # (n_test,) influence of a test point's pairs on the rank correlation, summed
    low: Tail
    high: Tail


@dataclass(frozen=True)
class Triplets:
    """Shares of triplets whose order is kept."""

    rows: Array
    columns: Array


@dataclass(frozen=True)
class Statistics:
    """All statistics of one encoder on one set of points. Families that were not asked for are None."""

    m: int  # judged queries
    M: int
    k: int
    n_test: int  # test points; where queries are no candidates, the judged ones
    judged: Indices  # (m,) rows of X
    queries_are_candidates: bool
    ranks: Ranks | None = None
    moments: Moments | None = None
    shepard: Shepard | None = None
    triplets: Triplets | None = None
    extras: dict[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
