"""Layers that keep distances whatever their weights: rotations, reflections, translations, orthogonal projections."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import ops
from numpy.typing import NDArray

from distbench._util.checks import whole_number
from distbench.errors import InputError

__all__ = ["OrthogonalProjection", "Reflection", "Rotation", "Translation"]

HALF = ("float16", "bfloat16")


class _Isometric(keras.layers.Layer):  # type: ignore[misc,unused-ignore]
    """Base class of the four layers: float32 under any policy, and a last axis of known size."""

    def __init__(self, *, dtype: Any = None, seed: int | None = None, **kwargs: Any) -> None:
        # The global policy may be half precision, which would round distances to three digits or two.
        super().__init__(dtype="float32" if dtype is None else dtype, **kwargs)
        if self.compute_dtype in HALF:
            raise InputError(f"dtype: {dtype!r} computes in {self.compute_dtype}, which bends distances; pass float32")
        self.seed = seed

    def _features(self, input_shape: Sequence[int | None]) -> int:
        features = input_shape[-1]
        if features is None:
            raise InputError(f"inputs: shape {tuple(input_shape)}; the last axis must be of known size")
        return int(features)

    def _draw(self) -> np.random.Generator:
        # Like the initializers of Keras: without a seed, `keras.utils.set_random_seed` decides.
        return np.random.default_rng(random.randrange(2**31) if self.seed is None else self.seed)

    def _weight(self, name: str, value: NDArray[Any]) -> Any:
        return self.add_weight(
            shape=value.shape,
            initializer=lambda shape, dtype=None: ops.convert_to_tensor(value, dtype=dtype),
            name=name,
        )

    def compute_output_shape(self, input_shape: Any) -> Any:
        """Return the shape of the inputs."""
        return input_shape

    def get_config(self) -> dict[str, Any]:
        """Return what ``from_config`` needs to make this layer again."""
        return {**super().get_config(), "seed": self.seed}


@keras.saving.register_keras_serializable(package="distbench")
class Rotation(_Isometric):
    """Trainable rotation of the last axis: an isometry that also keeps orientation.

    ``y = x Q`` with Q = (I - A)(I + A)^-1 and A skew-symmetric, A = W - W^T for the trained weight W (Cayley 1846). So
    Q is orthogonal with determinant 1 before, during and after training. It starts as a random rotation.

    Parameters
    ----------
    seed : int or None
        Seed of the first weights. None: ``keras.utils.set_random_seed`` decides.
    **kwargs
        Passed to ``keras.layers.Layer``. ``dtype`` is float32 unless given, under any global policy.

    Raises
    ------
    distbench.errors.InputError
        ``dtype`` computes in half precision, or the size of the last axis is not known.

    Notes
    -----
    Distances stay to about 1e-6 of the size of the points. A call costs some d^3 operations for d features, beside
    the product itself.
    """

    def build(self, input_shape: Sequence[int | None]) -> None:
        """Make the weight, shape (d, d), for inputs of shape (..., d)."""
        d = self._features(input_shape)
        self.kernel = self._weight("kernel", _weight_of(_random_columns(self._draw(), d, d)))

    def matrix(self) -> Any:
        """Return Q, shape (d, d)."""
        return _columns(self.kernel)

    def call(self, inputs: Any) -> Any:
        """Rotate ``inputs``, shape (..., d)."""
        return ops.matmul(inputs, self.matrix())

    def inverse(self, outputs: Any) -> Any:
        """Return ``outputs``, shape (..., d), rotated back."""
        return ops.matmul(ops.cast(outputs, self.compute_dtype), ops.transpose(self.matrix()))


@keras.saving.register_keras_serializable(package="distbench")
class Reflection(_Isometric):
    """Trainable reflection of the last axis: an isometry that is its own inverse.

    ``y = x - 2 (x . v) v / (v . v)`` for the trained vector v (Householder 1958): determinant -1. Where v is 0, y = x.

    Parameters
    ----------
    seed, **kwargs
        As for :class:`Rotation`.

    Raises
    ------
    distbench.errors.InputError
        As :class:`Rotation`.
    """

    def build(self, input_shape: Sequence[int | None]) -> None:
        """Make the vector, shape (d,), for inputs of shape (..., d)."""
        d = self._features(input_shape)
        self.normal = self._weight("normal", self._draw().standard_normal(d) / np.sqrt(d))

    def call(self, inputs: Any) -> Any:
        """Reflect ``inputs``, shape (..., d)."""
        # Divides by the largest entry first, since squares of tiny numbers would underflow to 0.
        most = ops.max(ops.abs(self.normal))
        some = most > 0
        v = ops.where(some, self.normal / ops.where(some, most, 1.0), 0.0)
        twice = 2.0 / ops.where(some, ops.sum(ops.square(v)), 1.0)
        return inputs - twice * ops.sum(inputs * v, axis=-1, keepdims=True) * v

    def inverse(self, outputs: Any) -> Any:
        """Return ``outputs``, shape (..., d), reflected back, that is reflected again."""
        return self.call(ops.cast(outputs, self.compute_dtype))


@keras.saving.register_keras_serializable(package="distbench")
class Translation(_Isometric):
    """Trainable shift of the last axis.

    Parameters
    ----------
    stddev : float, default 0.0
        Standard deviation of the normal distribution from which the first shifts are drawn.
    seed, **kwargs
        As for :class:`Rotation`.

    Raises
    ------
    distbench.errors.InputError
        ``stddev`` is negative; or as :class:`Rotation`.
    """

    def __init__(self, stddev: float = 0.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if not 0 <= stddev < float("inf"):
            raise InputError(f"stddev: {stddev!r} is not a number of at least 0")
        self.stddev = float(stddev)

    def build(self, input_shape: Sequence[int | None]) -> None:
        """Make the shift, shape (d,), for inputs of shape (..., d)."""
        self.shift = self._weight("shift", self.stddev * self._draw().standard_normal(self._features(input_shape)))

    def call(self, inputs: Any) -> Any:
        """Shift ``inputs``, shape (..., d)."""
        return inputs + self.shift

    def inverse(self, outputs: Any) -> Any:
        """Return ``outputs``, shape (..., d), shifted back."""
        return ops.cast(outputs, self.compute_dtype) - self.shift

    def get_config(self) -> dict[str, Any]:
        """Return what ``from_config`` needs to make this layer again."""
        return {**super().get_config(), "stddev": self.stddev}


@keras.saving.register_keras_serializable(package="distbench")
class OrthogonalProjection(_Isometric):
    """Trainable orthogonal projection of the last axis onto fewer dimensions.

    ``y = x Q`` with orthonormal columns of Q, shape (d, units), before, during and after training: no distance grows,
    and those within the subspace that Q spans stay. It starts as a random subspace, drawn uniformly.

    Parameters
    ----------
    units : int
        Dimensions of the outputs, at most those of the inputs.
    seed, **kwargs
        As for :class:`Rotation`.

    Raises
    ------
    distbench.errors.InputError
        ``units`` is not a whole number above 0, or more than the inputs have dimensions; or as :class:`Rotation`.

    Notes
    -----
    With the trained weight in two blocks, U (units, units) above V, and M = I + U - U^T + V^T V, Q is 2 M^-1 - I above
    -2 V M^-1: the Cayley transform for matrices that are not square (as in Trockman & Kolter 2021). M has no singular
    value below 1, so nothing in it degenerates. A call costs some d * units^2 operations, beside the product itself.
    """

    def __init__(self, units: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.units = whole_number(units, "units", 1)

    def build(self, input_shape: Sequence[int | None]) -> None:
        """Make the weight, shape (d, units), for inputs of shape (..., d)."""
        d = self._features(input_shape)
        if self.units > d:
            raise InputError(f"units: {self.units} is more than the {d} dimensions of the inputs; pass at most {d}")
        self.kernel = self._weight("kernel", _weight_of(_random_columns(self._draw(), d, self.units)))

    def matrix(self) -> Any:
        """Return Q, shape (d, units)."""
        return _columns(self.kernel)

    def call(self, inputs: Any) -> Any:
        """Project ``inputs``, shape (..., d)."""
        return ops.matmul(inputs, self.matrix())

    def lift(self, codes: Any) -> Any:
        """Return where the points of ``codes``, shape (..., units), lie in the subspace; an isometry."""
        return ops.matmul(ops.cast(codes, self.compute_dtype), ops.transpose(self.matrix()))

    def compute_output_shape(self, input_shape: Any) -> Any:
        """Return the shape of the inputs, with ``units`` last."""
        return (*input_shape[:-1], self.units)

    def get_config(self) -> dict[str, Any]:
        """Return what ``from_config`` needs to make this layer again."""
        return {**super().get_config(), "units": self.units}


def _columns(weight: Any) -> Any:
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


def _random_columns(draw: np.random.Generator, d: int, k: int) -> NDArray[np.float64]:
    """Orthonormal columns, shape (d, k), that span a uniformly drawn subspace."""
    columns: NDArray[np.float64] = np.linalg.qr(draw.standard_normal((d, k)))[0]
    return columns


def _weight_of(columns: NDArray[np.float64]) -> NDArray[np.float64]:
    """Weight (d, k) that :func:`_columns` turns into these columns, each perhaps with its sign changed."""
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
