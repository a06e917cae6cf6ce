"""Attainable values: those of metric multidimensional scaling on the test points themselves, in sample."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from distbench._util.checks import whole_number
from distbench._util.float_errors import with_default_float_errors
from distbench.engine.canonical_order import shuffled_rows
from distbench.errors import InputError
from distbench.inference.floors import CODE_SIZE
from distbench.inputs.arrays import as_points, check_space
from distbench.inputs.sparse import without_empty_columns
from distbench.metrics import METRICS, default_metrics
from distbench.metrics.each_k import measured
from distbench.metrics.functions import gather_checked
from distbench.metrics.neighbor_counts import checked_k, numbers_of

__all__ = ["MAX_POINTS", "attainable"]

MAX_POINTS = 1_000


@with_default_float_errors
def attainable(
    X_test: Any,
    code_size: int,
    *,
    k: int | Iterable[int] = 10,
    metrics: Iterable[str] | None = None,
    seed: int = 0,
    iterations: int = 300,
) -> dict[str, float]:
    """Return each metric of codes that metric MDS fits to the test points: a target, not a bound.

    The codes are those of scikit-learn's SMACOF, started at the principal components, for at most 1,000 test points (a
    seeded sample if there are more). This takes seconds to minutes, so no check computes it.

    Parameters
    ----------
    X_test : array-like of shape (n, d)
        Test points.
    code_size : int
        Number of columns of the codes.
    k : int or iterable of int
        Number of neighbors, or several, as in `distbench.evaluate`.
    metrics : iterable of str, optional
        Names of metrics. Default: the default set.
    seed : int
        Seed of the sample.
    iterations : int
        Largest number of iterations of SMACOF.

    Returns
    -------
    dict of str to float
        Values in sample, by metric.

    Raises
    ------
    InputError
        If an argument cannot be used.

    References
    ----------
    .. [1] J. de Leeuw (1977), Applications of convex analysis to multidimensional scaling.
    """
    X = np.asarray(as_points(without_empty_columns([X_test], ["X_test"])[0], "X_test"), dtype=np.float64)
    names = default_metrics() if metrics is None else list(metrics)
    for name in names:
        if name not in METRICS:
            raise InputError("metrics", f"found no metric {name!r}", METRICS.advice(name))
    code_size = whole_number(code_size, "code_size", 1, CODE_SIZE)
    X = X[shuffled_rows(X, seed)[:MAX_POINTS]]
    ks = numbers_of(k)
    chosen = METRICS.at_each_k([METRICS[name] for name in names], ks)
    first = checked_k(ks[0], check_space(X, None, ("X_test", "")), chosen)  # before the codes are computed
    statistics = gather_checked(X, _scaled(X, code_size, iterations), None, chosen, k=first, include_queries=True)
    return {metric.name: measured(metric, statistics).value for metric in chosen}


def _scaled(X: Any, code_size: int, iterations: int) -> Any:
    """Return codes by SMACOF, started at the principal components."""
    from scipy.spatial.distance import pdist, squareform
    from sklearn.manifold import smacof

    centered = X - X.mean(axis=0)
    unit = np.abs(centered).max() or 1.0
    centered = centered / unit
    left, spread, _ = np.linalg.svd(centered, full_matrices=False)
    start = np.zeros((len(X), code_size))
    kept = min(code_size, len(spread))
    start[:, :kept] = left[:, :kept] * spread[:kept]
    codes, _ = smacof(
        squareform(pdist(centered)), n_components=code_size, init=start, n_init=1, max_iter=iterations, eps=1e-6
    )
    return codes * unit
