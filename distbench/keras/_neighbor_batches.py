"""Batches of points with one near neighbor each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import keras
import numpy as np
from numpy.typing import ArrayLike, NDArray

from distbench._util.checks import whole_number
from distbench.errors import InputError
from distbench.keras._checks import check_seed, numbers
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
    y : array_like, shape (n, ...), or mapping of them, optional
        Targets, such as labels or features; by default the points themselves. A mapping holds those of each output by
        its name.
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
        self.X = numbers("X", X)
        self.y = self.X if y is None else _targets(y, len(self.X))
        self.neighbors = _table(self.X, neighbors)
        self.batch_size = min(whole_number(batch_size, "batch_size", 1), len(self.X))
        self._shares = 1
        self._draw = np.random.default_rng(check_seed(seed))
        self.on_epoch_end()

    def __len__(self) -> int:
        return len(self.X) // self.batch_size

    def __getitem__(self, index: int) -> tuple[NDArray[Any], Any]:
        rows = self.order[index].reshape(2, self._shares, -1).swapaxes(0, 1).ravel()
        y = {name: rows_of[rows] for name, rows_of in self.y.items()} if isinstance(self.y, dict) else self.y[rows]
        return self.X[rows], y

    def share(self, shares: int) -> None:
        """Order the points of each batch so that every one of so many equal parts holds anchors, then their partners.

        TensorFlow's replicas take such parts. Raises InputError if the anchors of a batch cannot be shared equally.
        """
        if self.batch_size % shares:
            found = f"found {self.batch_size} anchors for {shares} replicas"
            raise InputError("batch_size", found, f"pass a multiple of {shares} to NeighborBatches")
        self._shares = shares

    def on_epoch_end(self) -> None:
        """Draw the order of anchors and their partners for the next epoch."""
        anchors = self._draw.permutation(len(self.X))[: len(self) * self.batch_size]
        partners = self.neighbors[anchors, self._draw.integers(self.neighbors.shape[1], size=len(anchors))]
        self.order = np.hstack([anchors.reshape(len(self), -1), partners.reshape(len(self), -1)])


def _targets(y: Any, n: int) -> Any:
    if isinstance(y, Mapping):
        return {name: _targets(one, n) for name, one in y.items()}
    targets = np.asarray(y)
    if targets.shape[:1] != (n,):
        raise InputError("y", f"found shape {targets.shape} for {n} points", "pass one target a point")
    return targets


def _table(X: NDArray[Any], neighbors: int | ArrayLike) -> NDArray[np.int64]:
    if np.ndim(neighbors) == 0:
        return neighbor_pairs(X, neighbors)  # type: ignore[arg-type]
    table = numbers("neighbors", neighbors)
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
