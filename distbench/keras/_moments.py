"""Variance and mean distance of train points, from arrays or batches."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import keras
import numpy as np
from keras import ops
from numpy.typing import NDArray

from distbench.errors import InputError
from distbench.keras._checks import numbers

__all__ = ["known", "moments"]

AT_ONCE = 8192


def known(number: Any, otherwise: Any) -> Any:
    """Return a number, or a variable's, if it is above 0; 0 stands for a number that is not known."""
    value = ops.convert_to_tensor(number, "float32")
    return ops.where(value > 0, value, otherwise)


def moments(X: Any, limit: int = 2000) -> tuple[float, float]:
    """Return the mean variance of the features of points, and the mean distance of all pairs among some of them.

    Parameters
    ----------
    X : array_like, shape (n, ...), or iterable of batches
        Of a batch that is a tuple, the first entry holds the points.
    limit : int
        If there are more points, distances are those of so many, drawn at random, the same ones each time.

    Raises
    ------
    distbench.errors.InputError
        All points are equal, or there are none, or some number is not finite.
    """
    from scipy.spatial.distance import pdist

    draw = np.random.default_rng(0)
    count, mean, squares = 0, np.zeros(()), np.zeros(())
    sample, ranks = np.empty((0, 0)), np.empty(0)
    for rows in _rows(X):
        # Chan et al. (1979): sums of squares around means, merged batch by batch.
        size, center = len(rows), rows.mean(axis=0)
        if count and center.shape != mean.shape:
            found = f"found batches of {mean.size} and of {center.size} numbers a point"
            raise InputError("X", found, "pass points of one shape")
        total = count + size
        squares = squares + ((rows - center) ** 2).sum(axis=0) + (center - mean) ** 2 * (count * size / total)
        mean, count = mean + (center - mean) * (size / total), total
        # The points with the smallest random numbers are a sample of all, however many there will be.
        ranks = np.concatenate([ranks, draw.random(size)])
        kept = np.argsort(ranks, kind="stable")[:limit]
        sample, ranks = np.concatenate([sample.reshape(-1, rows.shape[1]), rows])[kept], ranks[kept]
    if not count:
        raise InputError("X", "found no points", "pass train points")
    variance = float(squares.mean()) / count
    if not 0 < variance < float("inf"):
        raise InputError("X", f"found a variance of {variance}", "pass points that are finite and not all equal")
    return variance, float(pdist(sample).mean())


def _rows(X: Any) -> Iterator[NDArray[np.float64]]:
    """Yield the points of an array, or of batches, as rows of float64."""
    if isinstance(X, keras.utils.PyDataset):
        X = map(X.__getitem__, range(len(X)))
    if X is None or (np.ndim(X) == 0 and not hasattr(X, "__iter__")):
        raise InputError("X", f"found {type(X).__name__}", "pass points or batches, shape (n, ...)")
    parts = X if not hasattr(X, "shape") and not isinstance(X, (list, tuple)) else _parts(X)
    for part in parts:
        points = part[0] if isinstance(part, (list, tuple)) else part
        rows = np.asarray(ops.convert_to_numpy(points), dtype=np.float64)
        if rows.ndim < 2:
            raise InputError("X", f"found a batch of shape {rows.shape}", "pass points or batches, shape (n, ...)")
        if len(rows):
            yield rows.reshape(len(rows), -1)


def _parts(X: Any) -> Iterator[NDArray[Any]]:
    points = numbers("X", X)
    for start in range(0, len(points), AT_ONCE):
        yield points[start : start + AT_ONCE]
