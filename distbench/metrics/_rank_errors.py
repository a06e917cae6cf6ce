"""Further metrics of ranks: relative rank errors, recall above chance, and the whole curve of kept neighbourhoods."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from distbench.engine import Statistics
from distbench.engine.relative_ranks import Relative
from distbench.engine.rnx_curve import OrderCurves
from distbench.metrics._jackknife import leave_one_out_mean
from distbench.metrics._metric import Measured, Metric
from distbench.metrics._ranks import KNN_RECALL
from distbench.metrics.functions import measure_one

__all__ = ["METRICS", "lcmc", "mrre_code", "mrre_input", "rnx_auc"]

Array = NDArray[np.float64]


def _largest_error(k: int, M: int) -> float:
    """Return a query's sum of relative errors if the order of all candidates is turned round."""
    j = np.arange(1, k + 1)
    return float(np.sum(np.abs(M - 2 * j + 2) / j))


def _chance_error(k: int, M: int) -> float:
    """Return a query's expected sum of relative errors if the other rank is uniform over 1..M."""
    r = np.arange(1, k + 1)
    return float(np.sum((r * (r - 1) + (M - r) * (M - r + 1)) / (2 * M * r)))


def _relative(gathered: Statistics, rows: Array, columns: Array) -> Measured:
    k, M = gathered.k, gathered.M
    norm = _largest_error(k, M)
    without = leave_one_out_mean(gathered, rows, columns)
    norm_without = _largest_error(k, M - 1) if gathered.queries_are_candidates else norm
    return Measured(
        value=float(rows.mean() / norm),
        leave_one_out=None if without is None else without / norm_without,
        points=rows / norm,
        chance=_chance_error(k, M) / norm,
    )


def _mrre_input(gathered: Statistics) -> Measured:
    relative: Relative = gathered.extras["relative"]
    return _relative(gathered, relative.input_rows, relative.input_columns)


def _mrre_code(gathered: Statistics) -> Measured:
    relative: Relative = gathered.extras["relative"]
    return _relative(gathered, relative.code_rows, relative.code_columns)


def _lcmc(gathered: Statistics) -> Measured:
    recall = KNN_RECALL.measure(gathered)
    k, M = gathered.k, gathered.M
    without, points = recall.leave_one_out, recall.points
    assert points is not None
    return replace(
        recall,
        value=recall.value - k / M,
        leave_one_out=None if without is None else without - k / (M - 1 if gathered.queries_are_candidates else M),
        points=points - k / M,
        chance=0.0,
    )


def _rnx_auc(gathered: Statistics) -> Measured:
    curves: OrderCurves = gathered.extras["order_curves"]
    rows = curves.rows
    return Measured(
        value=float(rows.mean()),
        leave_one_out=leave_one_out_mean(gathered, rows, curves.columns, curves.places),
        points=rows if len(rows) == gathered.m else None,
        chance=0.0,
    )


_RELATIVE = frozenset({"relative"})
_MRRE_INPUT = Metric("mrre_input", "ranks", "down", (0, 1), True, _RELATIVE, _mrre_input, default=False)
_MRRE_CODE = Metric("mrre_code", "ranks", "down", (0, 1), True, _RELATIVE, _mrre_code, default=False)
_LCMC = Metric("lcmc", "ranks", "up", (-1, 1), True, frozenset({"ranks"}), _lcmc, default=False)
_RNX_AUC = Metric("rnx_auc", "ranks", "up", (-1, 1), True, frozenset({"order_curves"}), _rnx_auc, default=False)
METRICS = (_MRRE_INPUT, _MRRE_CODE, _LCMC, _RNX_AUC)


def mrre_input(X: Any, Z: Any, *, k: int = 10, reference: tuple[Any, Any] | None = None) -> float:
    r"""Return the mean relative rank error of the k nearest by input.

    .. math:: \frac{1}{m C} \sum_i \sum_{j \in kNN_X(i)} \frac{|r_{ij} - s_{ij}|}{r_{ij}}, \quad
        C = \sum_{j=1}^{k} \frac{|M - 2j + 2|}{j}

    with r and s the ranks of j among the M candidates of i by input and by code distance. Tied candidates are ranked at
    random, in each space by itself, and the mean over all such orders is returned.

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
        In [0, 1]; smaller is better.

    Raises
    ------
    InputError
        If an array or k cannot be used.

    References
    ----------
    .. [1] J. A. Lee and M. Verleysen (2007), Nonlinear Dimensionality Reduction.

    Examples
    --------
    >>> from distbench.metrics import mrre_input
    >>> X = [[1.0], [2.0], [4.0], [8.0], [16.0], [32.0], [64.0]]  # each twice as far out as the last
    >>> round(mrre_input(X, [[0.0], [1.0], [2.0], [3.0], [4.0], [5.0], [6.0]], k=2), 4)
    0.0982
    """
    return measure_one(_MRRE_INPUT, X, Z, reference, k)


def mrre_code(X: Any, Z: Any, *, k: int = 10, reference: tuple[Any, Any] | None = None) -> float:
    r"""Return the mean relative rank error of the k nearest by code.

    .. math:: \frac{1}{m C} \sum_i \sum_{j \in kNN_Z(i)} \frac{|r_{ij} - s_{ij}|}{s_{ij}}, \quad
        C = \sum_{j=1}^{k} \frac{|M - 2j + 2|}{j}

    with r and s the ranks of j among the M candidates of i by input and by code distance. Tied candidates are ranked at
    random, in each space by itself, and the mean over all such orders is returned.

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
        In [0, 1]; smaller is better.

    Raises
    ------
    InputError
        If an array or k cannot be used.

    References
    ----------
    .. [1] J. A. Lee and M. Verleysen (2007), Nonlinear Dimensionality Reduction.

    Examples
    --------
    >>> from distbench.metrics import mrre_code
    >>> X = [[1.0], [2.0], [4.0], [8.0], [16.0], [32.0], [64.0]]  # each twice as far out as the last
    >>> round(mrre_code(X, [[0.0], [1.0], [2.0], [3.0], [4.0], [5.0], [6.0]], k=2), 4)
    0.2009
    """
    return measure_one(_MRRE_CODE, X, Z, reference, k)


def lcmc(X: Any, Z: Any, *, k: int = 10, reference: tuple[Any, Any] | None = None) -> float:
    r"""Return how far the share of kept neighbours is above chance (the local continuity meta-criterion).

    .. math:: \frac{1}{m k} \sum_i |kNN_X(i) \cap kNN_Z(i)| - \frac{k}{M}

    Tied candidates share places.

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
        In (-1, 1); larger is better. Shuffled codes score 0.

    Raises
    ------
    InputError
        If an array or k cannot be used.

    References
    ----------
    .. [1] L. Chen and A. Buja (2009), Local multidimensional scaling for nonlinear dimension reduction.

    Examples
    --------
    >>> from distbench.metrics import lcmc
    >>> X = [[1.0], [2.0], [4.0], [8.0], [16.0], [32.0], [64.0]]  # each twice as far out as the last
    >>> round(lcmc(X, [[0.0], [1.0], [2.0], [3.0], [4.0], [5.0], [6.0]], k=2), 4)
    0.381
    """
    return measure_one(_LCMC, X, Z, reference, k)


def rnx_auc(X: Any, Z: Any, *, reference: tuple[Any, Any] | None = None) -> float:
    r"""Return the share of kept neighbours above chance, over neighbourhoods of all sizes.

    .. math:: \frac{\sum_K R(K) / K}{\sum_K 1 / K}, \quad R(K) = \frac{M Q(K) - K}{M - K}, \quad K = 1, \dots, M - 1

    with Q(K) the share of the K nearest by input that are among the K nearest by code. Tied candidates share places.
    Where queries times candidates exceed 2 x 10^7, a seeded sample of the queries is judged.

    Parameters
    ----------
    X : array-like of shape (m, d)
        Input points.
    Z : array-like of shape (m, dim)
        Their codes.
    reference : tuple of array-likes (X_ref, Z_ref) of shapes (n, d) and (n, dim), optional
        Points that neighbours are looked up in, and their codes. Default: the other points themselves.

    Returns
    -------
    float
        In (-1, 1]; larger is better. Shuffled codes score 0.

    Raises
    ------
    InputError
        If an array cannot be used.

    References
    ----------
    .. [1] J. A. Lee, D. H. Peluffo-Ordóñez and M. Verleysen (2015), Multi-scale similarities in
       stochastic neighbour embedding.
    """
    return measure_one(_RNX_AUC, X, Z, reference)
