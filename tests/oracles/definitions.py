"""Every metric written down from its definition, slowly: whole matrices, full sorts, no shared code with distbench.

``leave_one_out`` is the definition too: the point is removed from the arrays and everything is computed anew.
"""

from __future__ import annotations

from decimal import Decimal, localcontext
from fractions import Fraction
from functools import partial

import numpy as np
from scipy.spatial.distance import cdist
from scipy.stats import kendalltau, rankdata, spearmanr


def _candidates(X, Z, X_ref, Z_ref, include_queries, distances=("euclidean", "euclidean")):
    """Distances of queries to candidates; nan where a column is the query itself."""
    if X_ref is None:
        X_ref, Z_ref, include_queries = X[:0], Z[:0], True
    first = X if include_queries else X[:0]
    first_z = Z if include_queries else Z[:0]
    other_ways = {"whole cosine": whole_cosines, "inner_product": lambda X, Y: -X @ Y.T}
    a, b = (
        other_ways.get(how, partial(cdist, metric=how))(points, np.vstack(others))
        for points, others, how in ((X, [first, X_ref], distances[0]), (Z, [first_z, Z_ref], distances[1]))
    )
    if include_queries:
        np.fill_diagonal(a, np.nan)
        np.fill_diagonal(b, np.nan)
    return a, b


def whole_cosines(X, Y):
    """1 - cosine of rows of whole numbers, equal where cosines are; rows of zeros are at 0 to each other, else at 1."""

    def distance(x, y):
        xx, yy, xy = (sum(int(a) * int(b) for a, b in zip(*pair, strict=True)) for pair in ((x, x), (y, y), (x, y)))
        if xx == 0 or yy == 0:
            return float(xx != yy)
        square = Fraction(xy * xy, xx * yy)  # in lowest terms
        with localcontext(prec=50):
            cosine = (Decimal(square.numerator) / square.denominator).sqrt()
            return float(1 - cosine if xy > 0 else 1 + cosine)

    return np.array([[distance(x, y) for y in Y] for x in X])


def _membership(row, k):
    """Probability of each candidate to be among the k nearest under random tie-breaking; k may be a column."""
    less, upto = rankdata(row, "min") - 1, rankdata(row, "max")
    return np.clip((k - less) / (upto - less), 0, 1)


def _mean_excess(row, k):
    """Mean of max(0, place - k) over the places that each candidate's tie group fills."""
    less, upto = rankdata(row, "min").astype(int) - 1, rankdata(row, "max").astype(int)
    return np.array([np.mean(np.maximum(0, np.arange(lo + 1, hi + 1) - k)) for lo, hi in zip(less, upto, strict=True)])


def per_query(X, Z, k, X_ref=None, Z_ref=None, include_queries=True, **how):
    """Per-query scores of the metrics that are means over queries."""
    a, b = _candidates(X, Z, X_ref, Z_ref, include_queries, **how)
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


def pairs(X, Z, X_ref=None, Z_ref=None, include_queries=True, judged=None, **how):
    """Distances (a, b) of all pairs of a judged query and a candidate, a pair of two judged queries once."""
    a, b = _candidates(X, Z, X_ref, Z_ref, include_queries, **how)
    keep = ~np.isnan(a)
    rows = range(len(X)) if judged is None else set(judged)
    for i in range(len(X)):
        keep[i] &= i in rows
        if include_queries or X_ref is None:
            for j in range(i):
                keep[i, j] &= j not in rows
    return a[keep], b[keep]


def score(X, Z, k, X_ref=None, Z_ref=None, include_queries=True, judged=None, **how):
    """All default metrics."""
    rows = slice(None) if judged is None else judged
    out = {n: v[rows].mean() for n, v in per_query(X, Z, k, X_ref, Z_ref, include_queries, **how).items()}
    a, b = pairs(X, Z, X_ref, Z_ref, include_queries, judged, **how)
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


def leave_one_out(X, Z, k, X_ref=None, Z_ref=None, include_queries=True, **how):
    """All default metrics with each query removed in turn, as arrays."""
    setting = k, X_ref, Z_ref, include_queries
    rows = [score(np.delete(X, p, 0), np.delete(Z, p, 0), *setting, **how) for p in range(len(X))]
    return {name: np.array([row[name] for row in rows]) for name in rows[0]}


def _tie_groups(row):
    """First and last place of each candidate's tie group."""
    return rankdata(row, "min").astype(int), rankdata(row, "max").astype(int)


def _relative_errors(here, there, k):
    """Sum over j of E[1(r <= k) |r - s| / r], all places of both tie groups written out."""
    total = 0.0
    for first, last, first_other, last_other in zip(*_tie_groups(here), *_tie_groups(there), strict=True):
        r, s = np.arange(first, last + 1)[:, None], np.arange(first_other, last_other + 1)
        total += np.mean(np.where(r <= k, np.abs(r - s) / r, 0.0))
    return total


def _area_under_rnx(x, z):
    M = len(x)
    sizes = np.arange(1, M)
    kept = np.sum(_membership(x, sizes[:, None]) * _membership(z, sizes[:, None]), axis=1) / sizes
    return np.average((M * kept - sizes) / (M - sizes), weights=1 / sizes)


def extra_per_query(X, Z, k, X_ref=None, Z_ref=None, include_queries=True, labels=None, labels_ref=None):
    """Per-query scores of the metrics beyond the default set that are means over queries."""
    a, b = _candidates(X, Z, X_ref, Z_ref, include_queries)
    out = {name: [] for name in ("mrre_input", "mrre_code", "lcmc", "rnx_auc", "near_recall", "label_agreement")}
    first = labels if include_queries or X_ref is None else labels[:0]
    all_labels = first if X_ref is None else np.concatenate([first, labels_ref])
    for label, full_x, full_z in zip(labels, a, b, strict=True):
        others = ~np.isnan(full_x)
        x, z = full_x[others], full_z[others]
        M = len(x)
        largest = sum(abs(M - 2 * j + 2) / j for j in range(1, k + 1))
        out["mrre_input"].append(_relative_errors(x, z, k) / largest)
        out["mrre_code"].append(_relative_errors(z, x, k) / largest)
        out["lcmc"].append(_membership(x, k) @ _membership(z, k) / k - k / M)
        out["rnx_auc"].append(_area_under_rnx(x, z))
        kth = np.sort(x)[k - 1]
        out["near_recall"].append(_membership(z, k) @ (x <= kth + abs(kth) * (1.01 * (1 + 1e-9) - 1)) / k)
        out["label_agreement"].append(_membership(z, k) @ (all_labels[others] == label) / k)
    return {name: np.array(values) for name, values in out.items()}


def monotone_residual(a, b):
    """Least sum of squares of b - f(a) over growing f, by the max-min formula over runs of distinct a."""
    levels, place, counts = np.unique(a, return_inverse=True, return_counts=True)
    weights = np.concatenate([[0], np.cumsum(counts)])
    sums = np.concatenate([[0], np.cumsum(np.bincount(place, weights=b))])
    n = len(levels)
    fitted = np.empty(n)
    with np.errstate(all="ignore"):
        means = (sums[None, 1:] - sums[:-1, None]) / (weights[None, 1:] - weights[:-1, None])  # of levels i..j
    least = np.minimum.accumulate(means[:, ::-1], axis=1)[:, ::-1]  # over runs i..j' with j' >= j
    for level in range(n):
        fitted[level] = least[: level + 1, level].max()
    return np.sum((b - fitted[place]) ** 2)


def density_kl(X, Z, X_ref=None, Z_ref=None, include_queries=True, sigma=0.1):
    """Kernel sums over all candidates and, where it is a candidate of others, the point itself."""
    densities = []
    for distances in _candidates(X, Z, X_ref, Z_ref, include_queries):
        distances = np.nan_to_num(distances, nan=0.0)
        largest = distances.max()
        density = np.exp(-((distances / largest) ** 2) / sigma if largest > 0 else 0 * distances).sum(axis=1)
        densities.append(density / density.sum())
    p, q = densities
    return np.sum(p * np.log(p / q))


def extra_score(X, Z, k, X_ref=None, Z_ref=None, include_queries=True, labels=None, labels_ref=None):
    """All metrics beyond the default set."""
    setting = X_ref, Z_ref, include_queries
    out = {n: v.mean() for n, v in extra_per_query(X, Z, k, *setting, labels, labels_ref).items()}
    a, b = pairs(X, Z, *setting)
    apart = a > 0
    rho = b[apart] / a[apart]
    out["expansion"], out["contraction"] = rho.max(), 1 / rho.min() if rho.min() > 0 else np.inf
    out["sammon"] = np.sum((a - b)[apart] ** 2 / a[apart]) / a.sum()
    varies = np.ptp(a) > 0 and np.ptp(b) > 0
    out["kendall"] = kendalltau(a, b).statistic if varies else 0.0
    out["nonmetric_stress"] = np.sqrt(monotone_residual(a, b) / (b @ b)) if b.any() else 1.0
    out["density_kl"] = density_kl(X, Z, *setting)
    return out
