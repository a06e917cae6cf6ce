"""The curve of neighbors kept, with intervals, for a sample of test points."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypedDict

import numpy as np
from numpy.typing import NDArray

from distbench.evaluation.measure import score_of
from distbench.metrics import METRICS
from distbench.metrics.each_k import gather_each_k, measured
from distbench.results._diagram_distances import rounded

if TYPE_CHECKING:
    from distbench.evaluation.report import Report

__all__ = ["Curve", "curve"]

CURVE_SIZES = 24  # number of neighborhood sizes, up to half of the candidates


class Curve(TypedDict):
    """R_NX(K): the share of the K nearest neighbors that is kept, rescaled so that chance is 0; mean of ``queries``.

    ``low`` and ``high`` are the ends of its intervals of this ``confidence``; nan where there is none.
    """

    K: list[int]
    kept: list[float]
    low: list[float]
    high: list[float]
    confidence: float
    M: int
    queries: int


def curve(report: Report, rows: NDArray[np.int64], includes_queries: bool) -> Curve:
    """Return the share of neighbors kept beyond chance by the test points at `rows`."""
    arrays, M = report.clouds, report.M
    assert arrays is not None
    sizes = np.unique(np.rint(np.geomspace(1, (M - 1) // 2, CURVE_SIZES)).astype(np.int64)).tolist()
    metrics = [METRICS[f"knn_recall@{size}"] for size in sizes]
    statistics = gather_each_k(
        metrics,
        sizes[0],
        *(arrays.X, arrays.Z, arrays.X_ref, arrays.Z_ref),
        judged=rows,
        include_queries=includes_queries,
        distance_x=report.distance_x,
        distance_z=report.distance_z,
        groups=None if report.groups is None else report.groups.codes,
    )
    scores = [score_of(metric, [measured(metric, statistics)], statistics, report.confidence) for metric in metrics]
    recall = np.array([(score.value, score.low, score.high) for score in scores], dtype=np.float64)
    K = np.array(sizes)
    kept, low, high = rounded((M * recall.T - K) / (M - K))
    return Curve(
        K=sizes, kept=kept, low=low, high=high, confidence=float(report.confidence), M=int(M), queries=len(rows)
    )
