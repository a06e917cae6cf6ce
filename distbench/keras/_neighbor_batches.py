"""Batches of points with one near neighbor each."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from numpy.typing import ArrayLike, NDArray

from distbench._util.checks import whole_number
from distbench.errors import InputError
from distbench.keras._neighbor_pairs import neighbor_pairs

__all__ = ["NeighborBatches"]


class NeighborBatches(keras.utils.PyDataset):  # type: ignore[misc,unused-ignore]
    """Batches whose second half are near neighbors of the first half, in the same order, for :class:`NeighborLoss`.

    In each epoch each point is an anchor once, in random order; its partner is one of its neighbors at random. Anchors
    that are left after the last full batch are left out in that epoch.

    Parameters
    ----------
    X : array_like, shape (n, ...)
        Train points.
    y : array_like, shape (n, ...), optional
        Targets, such as labels or features; by default the points themselves.
    neighbors : int or array_like of shape (n, k), default 10
        Number of Euclidean neighbors, found by :func:`neighbor_pairs`, or the rows of the neighbors of each point,
        found by any distance and any index.
    batch_size : int, default 64
        Anchors of a batch, which has as many partners too.
    seed : int, default 0
        Seed of orders and partners.
    **kwargs
        Passed to ``keras.utils.PyDataset``.

    Raises
    ------
    distbench.errors.InputError
        `y` or the table of neighbors has another length than `X`, the table holds other numbers than rows of `X` or a
        point among its own neighbors, or a number is not a whole number above 0.

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
        if self.y.shape[:1] != self.X.shape[:1]:
            raise InputError("y", f"found shape {self.y.shape} for {len(self.X)} points", "pass one target a point")
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
    own = np.flatnonzero((table == np.arange(len(X))[:, None]).any(axis=1))
    if own.size:
        found = f"found point {own[0]} among its own neighbors ({own.size} such points)"
        raise InputError("neighbors", found, "take it out; an index returns each point as its own nearest")
    return table.astype(np.int64)
