"""Triplets: which of two other points is nearer to a point."""

from __future__ import annotations

import math

from distbench.engine import Statistics
from distbench.engine.triplets import candidates_per_query
from distbench.metrics._leave_one_out import leave_one_out_mean
from distbench.metrics._metric import Measured, Metric
from distbench.metrics.functions import NEIGHBORS, MetricDoc, pair_metric

__all__ = ["METRICS", "triplet_accuracy"]


def _measure_triplets(statistics: Statistics) -> Measured:
    assert statistics.triplets is not None
    rows = statistics.triplets.rows
    return Measured(
        value=float(rows.mean()),
        leave_one_out=leave_one_out_mean(statistics, rows, statistics.triplets.columns),
        points=rows,
        chance=0.5,
    )


_TRIPLET_ACCURACY = Metric(
    "triplet_accuracy",
    "order",
    "up",
    (0, 1),
    True,
    frozenset({"triplets"}),
    _measure_triplets,
    least_failure=lambda k, M, m: 1 / max(1, math.comb(candidates_per_query(m, M), 2)),
)
METRICS = (_TRIPLET_ACCURACY,)

triplet_accuracy = pair_metric(
    _TRIPLET_ACCURACY,
    MetricDoc(
        "the share of triplets (i, j, l) in which the same one of j and l is nearer to i in both spaces",
        r"P(\operatorname{sign}(a_{ij} - a_{il}) = \operatorname{sign}(b_{ij} - b_{il}))",
        "Y. Wang, H. Huang, C. Rudin and Y. Shaposhnik (2021), Understanding how dimension reduction tools work.",
        "over all queries i and candidates j, l; ties count 1/2. Each query is compared with at most "
        ":math:`\\min(1024, \\max(128, \\sqrt{3 \\cdot 10^8 / m}))` of its M candidates, a seeded sample.",
        returns="Chance is 1/2.",
        example=0.8333,
    ),
    example=NEIGHBORS,
)
