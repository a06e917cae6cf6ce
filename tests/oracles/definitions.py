"""Every metric written down from its definition, slowly: whole matrices, full sorts, no shared code with distbench.

``leave_one_out`` is the definition too: the point is removed from the arrays and everything is computed anew.
"""

from __future__ import annotations

import numpy as np
from scipy.spatial.distance import cdist
from scipy.stats import rankdata, spearmanr


def _candidates(X, Z, X_ref, Z_ref, include_queries):
    """Distances of queries to candidates; nan where a column is the query itself."""
    if X_ref is None:
        X_ref, Z_ref, include_queries = X[:0], Z[:0], True
    first = X if include_queries else X[:0]
    first_z = Z if include_queries else Z[:0]
    a = cdist(X, np.vstack([first, X_ref]))
    b = cdist(Z, np.vstack([first_z, Z_ref]))
    if include_queries:
        np.fill_diagonal(a, np.nan)
        np.fill_diagonal(b, np.nan)
    return a, b


def _membership(row, k):
    """Probability of each candidate to be among the k nearest under random tie-breaking."""
    less, upto = rankdata(row, "min") - 1, rankdata(row, "max")
    return np.clip((k - less) / (upto - less), 0, 1)


def _mean_excess(row, k):
    """Mean of max(0, place - k) over the places that each candidate's tie group fills."""
    less, upto = rankdata(row, "min").astype(int) - 1, rankdata(row, "max").astype(int)
    return np.array([np.mean(np.maximum(0, np.arange(lo + 1, hi + 1) - k)) for lo, hi in zip(less, upto, strict=True)])


def per_query(X, Z, k, X_ref=None, Z_ref=None, include_queries=True):
    """Per-query scores of the metrics that are means over queries."""
    a, b = _candidates(X, Z, X_ref, Z_ref, include_queries)
    out = {name: [] for name in ("trustworthiness", "continuity", "knn_recall", "triplet_accuracy")}
    for full_x, full_z in zip(a, b, strict=True):
        x, z = full_x[~np.isnan(full_x)], full_z[~np.isnan(full_z)]
        M = len(x)
        norm = 2 / (k * (2 * M - 3 * k + 1))
        near_x, near_z = _membership(x, k), _membership(z, k)
        out["trustworthiness"].append(1 - norm * near_z @ _mean_excess(x, k))
        out["continuity"].append(1 - norm * near_x @ _mean_excess(z, k))
        out["knn_recall"].append(near_x @ near_z / k)
        j, l = np.triu_indices(M, 1)
        agree = np.sign(x[j] - x[l]) * np.sign(z[j] - z[l])
        out["triplet_accuracy"].append(np.mean((agree + 1) / 2))
    return {name: np.array(values) for name, values in out.items()}


def pairs(X, Z, X_ref=None, Z_ref=None, include_queries=True):
    """Distances (a, b) of all pairs, a pair of two queries once."""
    a, b = _candidates(X, Z, X_ref, Z_ref, include_queries)
    m = len(X)
    keep = ~np.isnan(a)
    if include_queries or X_ref is None:
        keep[:, :m] = np.triu(np.ones((m, m), dtype=bool), 1)
    return a[keep], b[keep]


def score(X, Z, k, X_ref=None, Z_ref=None, include_queries=True):
    """All default metrics."""
    out = {n: v.mean() for n, v in per_query(X, Z, k, X_ref, Z_ref, include_queries).items()}
    a, b = pairs(X, Z, X_ref, Z_ref, include_queries)
    with np.errstate(all="ignore"):
        out["scaled_stress"] = _least_squares_stress(a, b)
        out["stress"] = np.sqrt(np.sum((a - b) ** 2) / np.sum(a**2))
        rho = b[a > 0] / a[a > 0]
        out["sigma_distortion"] = np.var(rho) / np.mean(rho) ** 2 if rho.max() > 0 else np.inf
        out["distortion"] = rho.max() / rho.min() if rho.min() > 0 else np.inf
        out["distortion_q"] = quantile_ratio(a, b)
    varies = np.ptp(a) > 1e-12 * a.max() and np.ptp(b) > 1e-12 * b.max()
    out["pearson"] = np.corrcoef(a, b)[0, 1] if varies else 0.0
    out["spearman"] = spearmanr(a, b).statistic if varies else 0.0
    return out


def _least_squares_stress(a, b):
    if not b.any():
        return 1.0
    c = (a @ b) / (b @ b)
    return np.sqrt(np.sum((a - c * b) ** 2) / (a @ a))


def quantile_ratio(a, b):
    """The 99.9 % over the 0.1 % quantile of b / a over pairs of distinct inputs."""
    low, high = np.quantile(b[a > 0] / a[a > 0], [0.001, 0.999])
    return high / low if low > 0 else np.inf


def leave_one_out(X, Z, k, X_ref=None, Z_ref=None, include_queries=True):
    """All default metrics with each query removed in turn, as arrays."""
    rows = [score(np.delete(X, p, 0), np.delete(Z, p, 0), k, X_ref, Z_ref, include_queries) for p in range(len(X))]
    return {name: np.array([row[name] for row in rows]) for name in rows[0]}
