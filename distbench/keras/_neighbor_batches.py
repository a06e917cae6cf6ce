"""Neighbors of train points, and batches of points with one neighbor each."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from numpy.typing import ArrayLike, NDArray

from distbench._util.checks import whole_number
from distbench.errors import InputError

__all__ = ["NeighborBatches", "neighbor_pairs"]


def neighbor_pairs(X: ArrayLike, k: int = 10, metric: str = "euclidean") -> NDArray[np.int64]:
    """Return the k nearest other points of each point, nearest first.

    Parameters
    ----------
    X : array_like, shape (n, ...)
        Train points; axes after the first are flattened.
    k : int
        Number of neighbors, below n.
    metric : str
        A distance of ``sklearn.neighbors.NearestNeighbors``.

    Returns
    -------
    ndarray of int, shape (n, k)
        Rows of `X`. Any such table will do for :class:`NeighborBatches`, also one of an approximate index.

    Raises
    ------
    distbench.errors.InputError
        ``k`` is not a whole number above 0 and below n.
    """
    from sklearn.neighbors import NearestNeighbors

    points = np.asarray(X)
    points = points.reshape(len(points), -1)
    whole_number(k, "k", 1)
    if k >= len(points):
        raise InputError("k", f"found {k} for {len(points)} points", f"pass at most {len(points) - 1}")
    found = NearestNeighbors(n_neighbors=k, metric=metric).fit(points).kneighbors(return_distance=False)
    return np.asarray(found, dtype=np.int64)


class NeighborBatches(keras.utils.PyDataset):  # type: ignore[misc,unused-ignore]
    """Batches whose second half are near neighbors of the first half, in the same order, for :class:`NeighborLoss`.

    In each epoch each point is an anchor once, in random order; its partner is one of its neighbors at random. Anchors
    that are left after the last full batch are left out in that epoch.

    Parameters
    ----------
    X : array_like, shape (n, ...)
        Train points.
    y : array_like, shape (n, ...), optional
        Targets; by default the points themselves.
    neighbors : int or array_like of shape (n, k), default 10
        Number of neighbors, found by :func:`neighbor_pairs`, or the rows of the neighbors of each point.
    batch_size : int, default 64
        Anchors of a batch, which has as many partners too.
    seed : int, default 0
        Seed of orders and partners.
    **kwargs
        Passed to ``keras.utils.PyDataset``.

    Raises
    ------
    distbench.errors.InputError
        The table of neighbors has another length than `X` or holds other numbers than rows of `X`, or a number is not a
        whole number above 0.

    Examples
    --------
    >>> model = NeighborAutoencoder(2)
    >>> model.compile("adam", "mse")
    >>> history = model.fit(NeighborBatches(X_test, batch_size=16), verbose=0)
    """

    def __init__(
        self,
        X: ArrayLike,
        y: ArrayLike | None = None,
        *,
        neighbors: int | ArrayLike = 10,
        batch_size: int = 64,
        seed: int = 0,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.X = np.asarray(X)
        self.y = self.X if y is None else np.asarray(y)
        self.neighbors = _table(self.X, neighbors)
        self.batch_size = min(whole_number(batch_size, "batch_size", 1), len(self.X))
        self._draw = np.random.default_rng(seed)
        self.on_epoch_end()

    def __len__(self) -> int:
        return len(self.X) // self.batch_size

    def __getitem__(self, index: int) -> tuple[NDArray[Any], NDArray[Any]]:
        rows = self.order[index]
        return self.X[rows], self.y[rows]

    def on_epoch_end(self) -> None:
        """Draw the order of anchors and their partners for the next epoch."""
        anchors = self._draw.permutation(len(self.X))[: len(self) * self.batch_size]
        partners = self.neighbors[anchors, self._draw.integers(self.neighbors.shape[1], size=len(anchors))]
        self.order = np.hstack([anchors.reshape(len(self), -1), partners.reshape(len(self), -1)])


def _table(X: NDArray[Any], neighbors: int | ArrayLike) -> NDArray[np.int64]:
    if np.ndim(neighbors) == 0:
        return neighbor_pairs(X, neighbors)  # type: ignore[arg-type]
    table = np.asarray(neighbors)
    if table.ndim != 2 or len(table) != len(X) or table.dtype.kind not in "iu":
        found = f"found {table.dtype} of shape {table.shape} for {len(X)} points"
        raise InputError("neighbors", found, "pass one row of whole numbers a point, shape (n, k)")
    if table.size == 0 or table.min() < 0 or table.max() >= len(X):
        raise InputError("neighbors", "found numbers that are no rows of X", f"pass numbers from 0 to {len(X) - 1}")
    return table.astype(np.int64)
