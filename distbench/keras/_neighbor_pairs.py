"""Near neighbors of train points, exact or by an approximate index."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from distbench._util.checks import whole_number
from distbench._util.distances import EUCLIDEAN, INPUT_DISTANCES, distance_advice
from distbench._util.imports import require
from distbench.errors import InputError
from distbench.keras._checks import numbers

__all__ = ["neighbor_pairs"]


def neighbor_pairs(X: ArrayLike, k: int = 10, metric: Any = EUCLIDEAN, method: str = "exact") -> NDArray[np.int64]:
    """Return the k nearest other points of each point, nearest first.

    Parameters
    ----------
    X : array_like, shape (n, ...)
        Train points; axes after the first are flattened. With the metric "precomputed": their distances, (n, n).
    k : int
        Number of neighbors, below n.
    metric : str or callable
        A distance of ``sklearn.neighbors.NearestNeighbors``. The approximate methods have "euclidean", "cosine" and
        "cityblock".
    method : {"exact", "pynndescent", "faiss"}
        "exact" compares all points, at a cost of n * n. The others are approximate: they miss some neighbors, and need
        the package of that name. "faiss" searches a graph of the kind HNSW.

    Returns
    -------
    ndarray of int, shape (n, k)
        Rows of `X`. Any such table will do for :class:`NeighborBatches`.

    Raises
    ------
    distbench.errors.InputError
        ``k`` is not a whole number above 0 and below n, ``metric`` or ``method`` is unknown, or an approximate method
        found too few neighbors of a point.
    distbench.errors.MissingDependencyError
        The package of ``method`` is not installed.
    """
    points = numbers("X", X)
    points = points.reshape(len(points), prod(points.shape[1:]))
    if not np.isfinite(points.astype(np.float32)).all():
        raise InputError("X", "found numbers that are not finite", "pass finite points")
    if metric == "precomputed" and points.shape[0] != points.shape[1]:
        raise InputError("X", f"found shape {points.shape}", "pass the distances of all points, shape (n, n)")
    whole_number(k, "k", 1)
    if k >= len(points):
        raise InputError("k", f"found {k} for {len(points)} points", f"pass at most {len(points) - 1}")
    if method == "exact":
        return _exact(points, k, metric)
    if method not in _INDEXES:
        raise InputError("method", f"found {method!r}", "pass 'exact', 'pynndescent' or 'faiss'")
    if metric not in INPUT_DISTANCES:
        raise InputError("metric", f"found {metric!r} for {method}", distance_advice(metric, INPUT_DISTANCES))
    # Indexes return a point among its own neighbors.
    return _without_itself(_INDEXES[method](points.astype(np.float32), k + 1, metric), k, method)


def _exact(points: NDArray[Any], k: int, metric: Any) -> NDArray[np.int64]:
    from sklearn.neighbors import VALID_METRICS, NearestNeighbors

    if not callable(metric) and not any(metric in names for names in VALID_METRICS.values()):
        raise InputError("metric", f"found {metric!r}", distance_advice(metric, INPUT_DISTANCES))
    found = NearestNeighbors(n_neighbors=k, metric=metric).fit(points).kneighbors(return_distance=False)
    return np.asarray(found, dtype=np.int64)


def _pynndescent(points: NDArray[np.float32], k: int, metric: str) -> NDArray[np.integer]:
    require("pynndescent", "method='pynndescent'", "pynndescent")
    from pynndescent import NNDescent

    name = {"cityblock": "manhattan"}.get(metric, metric)
    found: NDArray[np.integer] = NNDescent(points, metric=name, n_neighbors=k, random_state=0).neighbor_graph[0]
    return found


def _faiss(points: NDArray[np.float32], k: int, metric: str) -> NDArray[np.integer]:
    require("faiss", "method='faiss'", "faiss-cpu")
    import faiss

    if metric == "cosine":  # squared distances of unit vectors have the order of cosine distances
        points = points / np.maximum(np.linalg.norm(points, axis=1, keepdims=True), np.finfo(np.float32).tiny)
    kind = faiss.METRIC_L1 if metric == "cityblock" else faiss.METRIC_L2
    index = faiss.IndexHNSWFlat(points.shape[1], 32, kind)
    # The widths of both searches: twice as wide, they take twice as long.
    index.hnsw.efConstruction = 40
    index.hnsw.efSearch = max(64, 2 * k)
    index.add(np.ascontiguousarray(points))
    found: NDArray[np.integer] = index.search(np.ascontiguousarray(points), k)[1]
    return found


_INDEXES = {"pynndescent": _pynndescent, "faiss": _faiss}


def _without_itself(found: NDArray[np.integer], k: int, method: str) -> NDArray[np.int64]:
    others = (found != np.arange(len(found))[:, None]) & (found >= 0)  # -1: none was found
    few = int((others.sum(axis=1) < k).sum())
    if few:
        raise InputError("method", f"{method} found fewer than {k} neighbors of {few} points", "pass 'exact'")
    first = np.argsort(~others, axis=1, kind="stable")[:, :k]
    return np.take_along_axis(found, first, axis=1).astype(np.int64)
