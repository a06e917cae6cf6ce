"""Search indexes: objects that return the ids of the nearest of the points in them. Their packages are not imported."""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from distbench._util.distances import EUCLIDEAN, INNER_PRODUCT
from distbench._util.text import first_line
from distbench.encoders.resolve import name_of
from distbench.errors import EncoderError

__all__ = ["Index", "index_of"]

COSINE = "cosine"
METRICS = {
    **dict.fromkeys(("l2", "euclidean", "minkowski", "sqeuclidean", "l2sq"), EUCLIDEAN),
    **dict.fromkeys(("ip", "inner_product", "innerproduct"), INNER_PRODUCT),
    **dict.fromkeys(("cos", "cosine"), COSINE),
    **dict.fromkeys(("l1", "manhattan", "cityblock"), "cityblock"),
}
"""The distances of indexes by the names that their packages give them."""


@dataclass(frozen=True)
class Index:
    """A search index.

    Attributes
    ----------
    name : str
        Name in reports.
    search : callable
        Takes queries of float32 and a number k; returns the ids of k points for each, -1 for none.
    distance : str
        The distance by which it searches; empty if it is not known.
    code_bytes : int or None
        Number of bytes of a stored point, if the index says so.
    searches_all : bool
        Whether it is known to compare each query with all codes, so that no setting makes it find more.
    count : int or None
        Number of points in it, if it is known.
    columns : int or None
        Number of columns of these points, if it is known.
    """

    name: str
    search: Callable[[NDArray[np.float32], int], Any]
    distance: str = ""
    code_bytes: int | None = None
    searches_all: bool = False
    count: int | None = None
    columns: int | None = None

    def ids(self, queries: Any, k: int) -> NDArray[Any]:
        """Return the ids of the k nearest of each query. Raises EncoderError if the search fails."""
        if self.columns not in (None, queries.shape[1]):
            found = f"has points of {self.columns} columns, but the queries have {queries.shape[1]}"
            raise EncoderError(f"index {self.name!r}", found, "search it yourself, and pass the ids that it found")
        try:
            return np.asarray(self.search(np.ascontiguousarray(queries, dtype=np.float32), k))
        except Exception as error:
            raised = f"{type(error).__name__}: {first_line(error)}"
            raise EncoderError(f"index {self.name!r} raised {raised}; it was searched for {k} neighbors") from error


def index_of(obj: Any) -> Index | None:
    """Return the search index that an object is; None for all other objects.

    Indexes are those of faiss (``search``, ``ntotal``), hnswlib (``knn_query``), usearch (``search``) and scikit-learn
    (``kneighbors``).
    """
    packages = {str(getattr(base, "__module__", "")).partition(".")[0] for base in type(obj).__mro__}
    for package, method, make in _KINDS:
        if package in packages and callable(getattr(obj, method, None)):
            columns = next((getattr(obj, name) for name in _COLUMNS if hasattr(obj, name)), None)
            return replace(make(obj, name_of(obj)), columns=columns)
    return None


def _faiss(obj: Any, name: str) -> Index:
    metric = {0: INNER_PRODUCT, 1: EUCLIDEAN, 2: "cityblock"}.get(int(getattr(obj, "metric_type", -1)), "")
    size = None
    with suppress(Exception):  # indexes that store no codes raise RuntimeError
        size = int(obj.sa_code_size())
    return Index(name, lambda queries, k: obj.search(queries, k)[1], metric, size, _searches_all(obj), obj.ntotal)


def _searches_all(obj: Any) -> bool:
    """Return whether an index of faiss, maybe inside one that changes points or ids, is known to compare all codes."""
    while hasattr(obj, "index"):
        obj = sys.modules["faiss"].downcast_index(obj.index)
    kinds = {base.__name__ for base in type(obj).__mro__}
    is_rough = getattr(obj, "search_type", 0) != 0  # product quantization that looks at Hamming distances first
    return not is_rough and not kinds.isdisjoint(("IndexFlatCodes", "IndexFastScan"))


def _hnswlib(obj: Any, name: str) -> Index:
    distance = METRICS.get(str(obj.space), "")
    count = obj.get_current_count()
    search = lambda queries, k: obj.knn_query(queries, k=k)[0].astype(np.int64)  # noqa: E731
    return Index(f"hnswlib.{name}", search, distance, count=count)


def _usearch(obj: Any, name: str) -> Index:
    def search(queries: NDArray[np.float32], k: int) -> NDArray[np.int64]:
        found = obj.search(queries, k)
        keys, counts = np.atleast_2d(found.keys).astype(np.int64), np.atleast_1d(getattr(found, "counts", k))
        keys[np.arange(keys.shape[1]) >= counts[:, None]] = -1
        return keys

    kind = str(getattr(obj, "metric_kind", "")).rpartition(".")[2].lower()
    return Index(f"usearch.{name}", search, METRICS.get(kind, ""), count=len(obj))


def _sklearn(obj: Any, name: str) -> Index:
    distance = METRICS.get(str(getattr(obj, "effective_metric_", obj.metric)), "")
    search = lambda queries, k: obj.kneighbors(queries, n_neighbors=k, return_distance=False)  # noqa: E731
    return Index(name, search, distance, count=getattr(obj, "n_samples_fit_", None))


_COLUMNS = ("d", "dim", "ndim", "n_features_in_")  # of the kinds below
_KINDS: tuple[tuple[str, str, Callable[[Any, str], Index]], ...] = (
    ("faiss", "search", _faiss),
    ("hnswlib", "knn_query", _hnswlib),
    ("usearch", "search", _usearch),
    ("sklearn", "kneighbors", _sklearn),
)
