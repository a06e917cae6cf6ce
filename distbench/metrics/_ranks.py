"""Metrics of neighbourhoods: whether the k nearest stay the k nearest."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from distbench.engine import Statistics
from distbench.engine.statistics import RankSide
from distbench.metrics._jackknife import leave_one_out_mean
from distbench.metrics._metric import Measured, Metric
from distbench.metrics.functions import measure_one

__all__ = ["KNN_RECALL", "METRICS", "continuity", "knn_recall", "trustworthiness"]

Array = NDArray[np.float64]


def _norm(k: int, M: int) -> float:
    return 2 / (k * (2 * M - 3 * k + 1))


def _rank_metric(gathered: Statistics, side: RankSide) -> Measured:
    k, M = gathered.k, gathered.M
    norm = _norm(k, M)
    mean = leave_one_out_mean(gathered, side.rows, side.columns)
    norm_without = _norm(k, M - 1) if gathered.queries_are_candidates else norm
    return Measured(
        value=float(1 - norm * side.rows.mean()),
        leave_one_out=None if mean is None else 1 - norm_without * mean,
        points=1 - norm * side.rows,
        interaction=_interaction(gathered, side.signed, norm),
        chance=1 - (M - k) * (M - k + 1) / (M * (2 * M - 3 * k + 1)),
    )


def _interaction(gathered: Statistics, signed: Array, unit: float) -> Array | None:
    """Return what single candidates change in single queries' share of the value, summed with random signs."""
    if not gathered.queries_are_candidates:
        return None
    return np.asarray(signed * (unit / gathered.m))


def _trustworthiness(gathered: Statistics) -> Measured:
    assert gathered.ranks is not None
    return _rank_metric(gathered, gathered.ranks.trust)


def _continuity(gathered: Statistics) -> Measured:
    assert gathered.ranks is not None
    return _rank_metric(gathered, gathered.ranks.continuity)


def _knn_recall(gathered: Statistics) -> Measured:
    assert gathered.ranks is not None
    rows = gathered.ranks.overlap_rows / gathered.k
    columns = gathered.ranks.overlap_columns / gathered.k
    return Measured(
        value=float(rows.mean()),
        leave_one_out=leave_one_out_mean(gathered, rows, columns),
        points=rows,
        chance=gathered.k / gathered.M,
        interaction=_interaction(gathered, gathered.ranks.overlap_signed, 1 / gathered.k),
    )


_NEEDS = frozenset({"ranks"})
_TRUSTWORTHINESS = Metric("trustworthiness", "ranks", "up", (0, 1), True, _NEEDS, _trustworthiness)
_CONTINUITY = Metric("continuity", "ranks", "up", (0, 1), True, _NEEDS, _continuity)
KNN_RECALL = Metric("knn_recall", "ranks", "up", (0, 1), True, _NEEDS, _knn_recall)
METRICS = (_TRUSTWORTHINESS, _CONTINUITY, KNN_RECALL)


def trustworthiness(X: Any, Z: Any, *, k: int = 10, reference: tuple[Any, Any] | None = None) -> float:
    r"""Return how far the neighbours in code space are neighbours in input space.

    .. math:: 1 - \frac{1}{m} \sum_i \frac{2}{k (2M - 3k + 1)} \sum_{j \in kNN_Z(i)} \max(0, r_{ij} - k)

    with r the rank of j among the M candidates of i by input distance. Tied candidates share places: the value
    does not depend on the order of rows.

    Parameters
    ----------
    X : array-like of shape (m, d)
        Input points.
    Z : array-like of shape (m, dim)
        Their codes.
    k : int
        Number of neighbours, 1 <= k < M / 2.
    reference : tuple of array-likes (X_ref, Z_ref) of shapes (n, d) and (n, dim), optional
        Points that neighbours are looked up in, and their codes. Default: the other points themselves.

    Returns
    -------
    float
        In [0, 1]; larger is better.

    Raises
    ------
    InputError
        If an array or k cannot be used.

    References
    ----------
    .. [1] J. Venna and S. Kaski (2001), Neighborhood preservation in nonlinear projection methods.

    Examples
    --------
    >>> from distbench.metrics import trustworthiness
    >>> X = [[1.0], [2.0], [4.0], [8.0], [16.0], [32.0], [64.0]]  # each twice as far out as the last
    >>> round(trustworthiness(X, [[0.0], [1.0], [2.0], [3.0], [4.0], [5.0], [6.0]], k=2), 4)
    0.7959
    """
    return measure_one(_TRUSTWORTHINESS, X, Z, reference, k)


def continuity(X: Any, Z: Any, *, k: int = 10, reference: tuple[Any, Any] | None = None) -> float:
    r"""Return how far the neighbours in input space stay neighbours in code space.

    .. math:: 1 - \frac{1}{m} \sum_i \frac{2}{k (2M - 3k + 1)} \sum_{j \in kNN_X(i)} \max(0, s_{ij} - k)

    with s the rank of j among the M candidates of i by code distance. Tied candidates share places.

    Parameters
    ----------
    X : array-like of shape (m, d)
        Input points.
    Z : array-like of shape (m, dim)
        Their codes.
    k : int
        Number of neighbours, 1 <= k < M / 2.
    reference : tuple of array-likes (X_ref, Z_ref) of shapes (n, d) and (n, dim), optional
        Points that neighbours are looked up in, and their codes. Default: the other points themselves.

    Returns
    -------
    float
        In [0, 1]; larger is better.

    Raises
    ------
    InputError
        If an array or k cannot be used.

    References
    ----------
    .. [1] J. Venna and S. Kaski (2001), Neighborhood preservation in nonlinear projection methods.

    Examples
    --------
    >>> from distbench.metrics import continuity
    >>> X = [[1.0], [2.0], [4.0], [8.0], [16.0], [32.0], [64.0]]  # each twice as far out as the last
    >>> round(continuity(X, [[0.0], [1.0], [2.0], [3.0], [4.0], [5.0], [6.0]], k=2), 4)
    0.8878
    """
    return measure_one(_CONTINUITY, X, Z, reference, k)


def knn_recall(X: Any, Z: Any, *, k: int = 10, reference: tuple[Any, Any] | None = None) -> float:
    r"""Return the share of the k nearest input neighbours that are among the k nearest by code.

    .. math:: \frac{1}{m k} \sum_i |kNN_X(i) \cap kNN_Z(i)|

    Parameters
    ----------
    X : array-like of shape (m, d)
        Input points.
    Z : array-like of shape (m, dim)
        Their codes.
    k : int
        Number of neighbours, 1 <= k < M / 2.
    reference : tuple of array-likes (X_ref, Z_ref) of shapes (n, d) and (n, dim), optional
        Points that neighbours are looked up in, and their codes. Default: the other points themselves.

    Returns
    -------
    float
        In [0, 1]; larger is better. Shuffled codes score k / M.

    Raises
    ------
    InputError
        If an array or k cannot be used.

    References
    ----------
    .. [1] J. A. Lee and M. Verleysen (2009), Quality assessment of dimensionality reduction: rank-based
       criteria (Q_NX).

    Examples
    --------
    >>> from distbench.metrics import knn_recall
    >>> X = [[1.0], [2.0], [4.0], [8.0], [16.0], [32.0], [64.0]]  # each twice as far out as the last
    >>> round(knn_recall(X, [[0.0], [1.0], [2.0], [3.0], [4.0], [5.0], [6.0]], k=2), 4)
    0.7143
    """
    return measure_one(KNN_RECALL, X, Z, reference, k)
