"""Matrices with orthonormal columns as functions of weights without bounds, and weights to start from."""

from __future__ import annotations

from typing import Any

import numpy as np
from keras import ops
from numpy.typing import NDArray

__all__ = ["cayley", "random_columns", "weight_of"]


def cayley(weight: Any) -> Any:
    """Cayley transform of a weight (d, k): orthonormal columns, shape (d, k); see :class:`OrthogonalProjection`."""
    weight = ops.convert_to_tensor(weight)
    k = weight.shape[1]
    above, below = weight[:k], weight[k:]
    eye = ops.eye(k, dtype=weight.dtype)
    inverse = ops.inv(eye + above - ops.transpose(above) + ops.matmul(ops.transpose(below), below))
    columns = ops.concatenate([2.0 * inverse - eye, -2.0 * ops.matmul(below, inverse)])
    # A step of Newton and Schulz squares the error that rounding left; large weights need a second one.
    for _ in range(2):
        columns = ops.matmul(columns, 1.5 * eye - 0.5 * ops.matmul(ops.transpose(columns), columns))
    return columns


def random_columns(draw: np.random.Generator, d: int, k: int) -> NDArray[np.float64]:
    """Orthonormal columns, shape (d, k), that span a uniformly drawn subspace."""
    columns: NDArray[np.float64] = np.linalg.qr(draw.standard_normal((d, k)))[0]
    return columns


def weight_of(columns: NDArray[np.float64]) -> NDArray[np.float64]:
    """Weight (d, k) that :func:`cayley` turns into these columns, each perhaps with its sign changed."""
    k = columns.shape[1]
    columns = columns * _signs(columns[:k])
    M = 2 * np.linalg.inv(columns[:k] + np.eye(k))
    return np.concatenate([(M - M.T) / 4, -columns[k:] @ M / 2])


def _signs(top: NDArray[np.float64]) -> NDArray[np.float64]:
    """Signs of columns with which I + top is far from singular: elimination meets no pivot below 1."""
    rest, signs = top.copy(), np.ones(len(top))
    for i in range(len(top)):
        signs[i] = 1.0 if rest[i, i] >= 0 else -1.0
        rest[i, i] += signs[i]
        rest[i + 1 :, i + 1 :] -= np.outer(rest[i + 1 :, i], rest[i, i + 1 :]) / rest[i, i]
    return signs
