"""Metrics of neighborhoods: whether the k nearest stay the k nearest, and by how much their ranks change."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from distbench.engine import Statistics
from distbench.engine.relative_ranks import Relative
from distbench.engine.rnx_curve import OrderCurves
from distbench.engine.searches import Search
from distbench.engine.statistics import RankSide
from distbench.metrics._leave_one_out import interaction, leave_one_out_mean
from distbench.metrics._metric import Measured, Metric
from distbench.metrics._search import recall_of
from distbench.metrics.functions import NEIGHBORS, MetricDoc, neighbor_metric, pair_metric
from distbench.metrics.neighbor_counts import all_but_one

__all__ = [
    "METRICS",
    "continuity",
    "knn_recall",
    "lcmc",
    "mrre_code",
    "mrre_input",
    "rnx_auc",
    "trustworthiness",
]

Array = NDArray[np.float64]


def _rank_norm(k: int, M: int) -> float:
    return 2 / (k * (2 * M - 3 * k + 1))


def _excess_ranks(statistics: Statistics, name: Literal["trust", "continuity"]) -> Measured:
    assert statistics.ranks is not None
    side: RankSide = getattr(statistics.ranks, name)
    k, M = statistics.k, statistics.M
    norm = _rank_norm(k, M)
    mean = leave_one_out_mean(statistics, side.rows, side.columns)
    M_without = M - 1 if statistics.queries_are_candidates else M
    return Measured(
        value=float(1 - norm * side.rows.mean()),
        leave_one_out=None if mean is None or M_without <= k else 1 - _rank_norm(k, M_without) * mean,
        points=1 - norm * side.rows,
        interaction=interaction(statistics, side.signed, norm),
        chance=1 - (M - k) * (M - k + 1) / (M * (2 * M - 3 * k + 1)),
    )


def _knn_recall(statistics: Statistics) -> Measured:
    return recall_of(statistics, _same(statistics.k))


def _same(k: int) -> Search:
    return Search(k, k)


def _lcmc(statistics: Statistics) -> Measured:
    recall = _knn_recall(statistics)
    k, M = statistics.k, statistics.M
    without, points = recall.leave_one_out, recall.points
    assert points is not None
    return replace(
        recall,
        value=recall.value - k / M,
        leave_one_out=None if without is None else without - k / (M - 1 if statistics.queries_are_candidates else M),
        points=points - k / M,
        chance=0.0,
    )


def _reversed_error(k: int, M: int) -> float:
    """Return a query's sum of relative rank errors if the order of all candidates is reversed."""
    j = np.arange(1, k + 1)
    return float(np.sum(np.abs(M - 2 * j + 2) / j))


def _chance_error(k: int, M: int) -> float:
    """Return a query's expected sum of relative rank errors if the other rank is uniform over 1..M."""
    r = np.arange(1, k + 1)
    return float(np.sum((r * (r - 1) + (M - r) * (M - r + 1)) / (2 * M * r)))


def _relative_ranks(statistics: Statistics, space: Literal["input", "code"]) -> Measured:
    relative: Relative = statistics.extras["relative"]
    rows, columns = getattr(relative, f"{space}_rows"), getattr(relative, f"{space}_columns")
    k, M = statistics.k, statistics.M
    norm = _reversed_error(k, M)
    without = leave_one_out_mean(statistics, rows, columns)
    norm_without = _reversed_error(k, M - 1) if statistics.queries_are_candidates else norm
    return Measured(
        value=float(rows.mean() / norm),
        leave_one_out=None if without is None else without / norm_without,
        points=rows / norm,
        chance=_chance_error(k, M) / norm,
    )


def _least_exchange(M: int) -> float:
    """Return the smallest loss of a query's area if the candidates of ranks K and K + 1 change places, over all K."""
    K = np.arange(1, M)
    return float(np.min(M / (K**2 * (M - K))) / np.sum(1 / K)) if M > 1 else 0.0


def _rnx_auc(statistics: Statistics) -> Measured:
    curves: OrderCurves = statistics.extras["order_curves"]
    rows = curves.rows
    return Measured(
        value=float(rows.mean()),
        leave_one_out=leave_one_out_mean(statistics, rows, curves.columns, curves.places),
        points=rows if len(rows) == statistics.m else None,
        chance=0.0,
    )


_RANKS, _FOUND, _RELATIVE, _CURVES = (frozenset({name}) for name in ("ranks", "found", "relative", "order_curves"))
_SIDES: tuple[tuple[str, Literal["trust", "continuity"]], ...] = (
    ("trustworthiness", "trust"),
    ("continuity", "continuity"),
)
_TRUSTWORTHINESS, _CONTINUITY = (
    Metric(
        name,
        "ranks",
        "up",
        (0, 1),
        True,
        _RANKS,
        partial(_excess_ranks, name=side),
        least_failure=lambda k, M, m: _rank_norm(k, M),
        largest_k=lambda M: M // 2,
    )
    for name, side in _SIDES
)
_KNN_RECALL = Metric(
    "knn_recall",
    "ranks",
    "up",
    (0, 1),
    True,
    _FOUND,
    _knn_recall,
    least_failure=lambda k, M, m: 1 / k,
    largest_k=all_but_one,
    search=_same,
)
_MRRE_INPUT, _MRRE_CODE = (
    Metric(
        f"mrre_{space}",
        "ranks",
        "down",
        (0, 1),
        True,
        _RELATIVE,
        partial(_relative_ranks, space=space),
        default=False,
        least_failure=lambda k, M, m: 1 / k / _reversed_error(k, M),
        largest_k=all_but_one,
    )
    for space in ("input", "code")
)
_LCMC = Metric(
    "lcmc",
    "ranks",
    "up",
    (-1, 1),
    True,
    _FOUND,
    _lcmc,
    default=False,
    least_failure=lambda k, M, m: 1 / k,
    largest_k=all_but_one,
    search=_same,
)
_RNX_AUC = Metric(
    "rnx_auc",
    "ranks",
    "up",
    (-1, 1),
    True,
    _CURVES,
    _rnx_auc,
    default=False,
    least_failure=lambda k, M, m: _least_exchange(M),
)
METRICS = (_TRUSTWORTHINESS, _CONTINUITY, _KNN_RECALL, _MRRE_INPUT, _MRRE_CODE, _LCMC, _RNX_AUC)

_VENNA = "J. Venna and S. Kaski (2001), Neighborhood preservation in nonlinear projection methods."
trustworthiness = neighbor_metric(
    _TRUSTWORTHINESS,
    MetricDoc(
        "to what degree the neighbors in code space are neighbors in input space",
        r"1 - \frac{1}{m} \sum_i \frac{2}{k (2M - 3k + 1)} \sum_{j \in kNN_Z(i)} \max(0, r_{ij} - k)",
        _VENNA,
        "where r is the rank of j among the M candidates of i by input distance. Tied candidates share places: the "
        "value does not depend on the order of rows.",
        example=0.7959,
    ),
)
continuity = neighbor_metric(
    _CONTINUITY,
    MetricDoc(
        "to what degree the neighbors in input space are neighbors in code space",
        r"1 - \frac{1}{m} \sum_i \frac{2}{k (2M - 3k + 1)} \sum_{j \in kNN_X(i)} \max(0, s_{ij} - k)",
        _VENNA,
        "where s is the rank of j among the M candidates of i by code distance. Tied candidates share places.",
        example=0.8878,
    ),
)
knn_recall = neighbor_metric(
    _KNN_RECALL,
    MetricDoc(
        "the share of the k nearest in input space that are among the k nearest in code space",
        r"\frac{1}{m k} \sum_i |kNN_X(i) \cap kNN_Z(i)|",
        "J. A. Lee and M. Verleysen (2009), Quality assessment of dimensionality reduction: rank-based criteria "
        "(Q_NX).",
        "Tied candidates share places.",
        returns="Shuffled codes score k / M.",
        example=0.7143,
    ),
)

_MRRE_SUM = r"\sum_i \sum_{j \in kNN_%s(i)} \frac{|r_{ij} - s_{ij}|}{%s_{ij}}"
_MRRE_NORM = r"\quad C = \sum_{j=1}^{k} \frac{|M - 2j + 2|}{j}"
_MRRE_EXPLANATION = (
    "where r and s are the ranks of j among the M candidates of i by input and by code distance. The value is the mean "
    "over all orders of tied candidates, independently in both spaces. An exactly reversed order scores below 1."
)
mrre_input, mrre_code = (
    neighbor_metric(
        metric,
        MetricDoc(
            f"the mean relative rank error of the k nearest by {space}",
            rf"\frac{{1}}{{m C}} {_MRRE_SUM % symbols}, {_MRRE_NORM}",
            "J. A. Lee and M. Verleysen (2007), Nonlinear Dimensionality Reduction.",
            _MRRE_EXPLANATION,
            example=example,
        ),
    )
    for metric, space, symbols, example in (
        (_MRRE_INPUT, "input", ("X", "r"), 0.0982),
        (_MRRE_CODE, "code", ("Z", "s"), 0.2009),
    )
)
lcmc = neighbor_metric(
    _LCMC,
    MetricDoc(
        "the share of kept neighbors less its chance value (the local continuity meta-criterion)",
        r"\frac{1}{m k} \sum_i |kNN_X(i) \cap kNN_Z(i)| - \frac{k}{M}",
        "L. Chen and A. Buja (2009), Local multidimensional scaling for nonlinear dimension reduction.",
        "Tied candidates share places.",
        brackets="()",
        returns="Shuffled codes score 0.",
        example=0.381,
    ),
)
rnx_auc = pair_metric(
    _RNX_AUC,
    MetricDoc(
        "the share of kept neighbors above chance, averaged over neighborhoods of all sizes",
        r"\frac{\sum_K R(K) / K}{\sum_K 1 / K}, \quad R(K) = \frac{M Q(K) - K}{M - K}, \quad K = 1, \dots, M - 1",
        "J. A. Lee, D. H. Peluffo-Ordóñez and M. Verleysen (2015), Multi-scale similarities in stochastic neighbour "
        "embedding.",
        "where Q(K) is the share of the K nearest by input that are among the K nearest by code. Tied candidates share "
        "places. If queries times candidates exceed 2 x 10^7, a seeded sample of the queries is used.",
        brackets="(]",
        returns="Shuffled codes score 0.",
    ),
    use=NEIGHBORS,
)
