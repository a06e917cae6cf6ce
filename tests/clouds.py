"""Kinds of difficult points, settings of queries and references, and all metrics at once."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from distbench.engine import Statistics, gather, point_space
from distbench.metrics import METRICS, Measured

KINDS = ("plain", "duplicates", "quantised", "collapsed", "half collapsed", "far", "binary", "mixed scales", "outlier")
SETTINGS = ("in sample", "train only", "train and test")
FEW, MANY = 4, point_space.FEW_COLUMNS + 2  # columns: distances by differences, by products of matrices

ALL = tuple(name for name in METRICS if name != "reconstruction_mse")  # that one needs a decoder
DEFAULT = tuple(name for name in ALL if METRICS[name].default)
RANKED = ("trustworthiness", "continuity", "knn_recall", "triplet_accuracy")
WORST = ("distortion", "expansion", "contraction")  # worst cases, which have no interval
FIRST_ORDER = ("spearman", "kendall", "nonmetric_stress")  # their leave-one-out values are exact to first order only


def cloud(kind, n, seed=0, d=FEW, dim=2):
    """Return points, codes and labels of one kind."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, d))
    Z = X[:, :dim] + 0.3 * rng.normal(size=(n, dim))
    labels = (X[:, 0] > 0) + rng.integers(0, 2, n)
    half = n // 2
    if kind == "duplicates":
        X[half:], Z[half:] = X[: n - half], Z[: n - half]
    elif kind == "quantised":
        X, Z = np.round(X), np.round(Z)
    elif kind == "collapsed":
        Z = np.ones((n, dim))
    elif kind == "half collapsed":
        Z[::2] = 0.5
    elif kind == "far":
        X = (1e3 + 1e-4 * X).astype(np.float32).astype(np.float64)
    elif kind == "binary":
        Z = (Z > 0).astype(float)
    elif kind == "mixed scales":
        X[:half] *= 1e-6
    elif kind == "outlier":
        X[0] *= 1e7
        Z[1] *= 1e6
    return X, Z, labels


@dataclass(frozen=True)
class Split:
    """Queries, their codes and labels; the same of references, or None; whether queries are candidates of others."""

    X: Any
    Z: Any
    labels: Any = None
    X_ref: Any = None
    Z_ref: Any = None
    labels_ref: Any = None
    include: bool = True

    @property
    def M(self):  # noqa: N802 - the name of the definitions
        """Return the number of candidates of each query."""
        return (len(self.X) - 1) * self.include + (0 if self.X_ref is None else len(self.X_ref))

    @property
    def where(self):
        """Return the arguments of the definitions after the queries."""
        return self.X_ref, self.Z_ref, self.include

    def without(self, p):
        """Return the points without query p."""
        X, Z, labels = (np.delete(values, p, 0) for values in (self.X, self.Z, self.labels))
        return replace(self, X=X, Z=Z, labels=labels)


def split(X, Z, labels, setting, queries=None):
    """Return points in one of the settings; with references, the queries are the first third or the first `queries`."""
    if setting == "in sample":
        return Split(X, Z, labels)
    cut = len(X) // 3 if queries is None else queries
    return Split(X[:cut], Z[:cut], labels[:cut], X[cut:], Z[cut:], labels[cut:], setting == "train and test")


def gathered(points: Split, k, names=ALL, **options) -> Statistics:
    """Gather the statistics of the named metrics in one pass."""
    return gather(
        points.X,
        points.Z,
        points.X_ref,
        points.Z_ref,
        k=k,
        include_queries=points.include,
        labels=points.labels,
        labels_ref=points.labels_ref,
        families=frozenset().union(*(METRICS[name].families for name in names)),
        searches=[
            search(one) for name in names if (search := METRICS[name].search) for one in np.atleast_1d(k).tolist()
        ],
        **{"threads": 1} | options,
    )


def measure(points: Split, k, names=ALL, **options) -> dict[str, Measured]:
    """Measure all metrics, or the named ones, in one pass."""
    statistics = gathered(points, k, names, **options)
    return {name: METRICS[name].measure(statistics) for name in names}
