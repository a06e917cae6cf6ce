"""Layers that keep distances whatever their weights: rotations, reflections, translations, orthogonal projections."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import Any

import keras
import numpy as np
from keras import ops
from numpy.typing import NDArray

from distbench._util.checks import whole_number
from distbench.errors import InputError
from distbench.keras._cayley import cayley, random_columns, weight_of

__all__ = ["OrthogonalProjection", "Reflection", "Rotation", "Translation"]

HALF = ("float16", "bfloat16")


class _Isometric(keras.layers.Layer):  # type: ignore[misc,unused-ignore]
    """Base class of the four layers: float32 under any policy, a last axis of known size, and one weight.

    ``initializer``, ``regularizer`` and ``constraint`` are those of the weight; each layer names them after its weight.
    """

    weight_name = "kernel"
    options: tuple[str, ...] = ("initializer", "regularizer", "constraint")

    def __init__(
        self,
        *,
        dtype: Any = None,
        seed: int | None = None,
        initializer: Any = None,
        regularizer: Any = None,
        constraint: Any = None,
        **kwargs: Any,
    ) -> None:
        # The global policy may be half precision, which would round distances to three digits or two.
        super().__init__(dtype="float32" if dtype is None else dtype, **kwargs)
        if self.compute_dtype in HALF:
            raise InputError(f"dtype: {dtype!r} computes in {self.compute_dtype}, which bends distances; pass float32")
        self.seed = seed
        self._initializer = keras.initializers.get(initializer)
        self._regularizer = keras.regularizers.get(regularizer)
        self._constraint = keras.constraints.get(constraint)

    def _features(self, input_shape: Sequence[int | None]) -> int:
        features = input_shape[-1]
        if features is None:
            raise InputError(f"inputs: shape {tuple(input_shape)}; the last axis must be of known size")
        return int(features)

    def _draw(self) -> np.random.Generator:
        # Like the initializers of Keras: without a seed, `keras.utils.set_random_seed` decides.
        return np.random.default_rng(random.randrange(2**31) if self.seed is None else self.seed)

    def _add(self, shape: tuple[int, ...], draw: Callable[[np.random.Generator], NDArray[Any]]) -> Any:
        """Add the weight; without an initializer, ``draw`` gives its first values."""

        def drawn(shape: Any, dtype: Any = None) -> Any:
            return ops.convert_to_tensor(draw(self._draw()), dtype=dtype)

        return self.add_weight(
            shape=shape,
            initializer=drawn if self._initializer is None else self._initializer,
            regularizer=self._regularizer,
            constraint=self._constraint,
            name=self.weight_name,
        )

    def compute_output_shape(self, input_shape: Any) -> Any:
        """Return the shape of the inputs."""
        return input_shape

    def get_config(self) -> dict[str, Any]:
        """Return what ``from_config`` needs to make this layer again."""
        parts = {kind: getattr(self, f"_{kind}") for kind in ("initializer", "regularizer", "constraint")}
        stored = {kind: part and keras.saving.serialize_keras_object(part) for kind, part in parts.items()}
        named = {f"{self.weight_name}_{kind}": part for kind, part in stored.items() if kind in self.options}
        return {**super().get_config(), "seed": self.seed, **named}


class _Orthogonal(_Isometric):
    """Base class of the layers that multiply by the Cayley transform of their weight."""

    def __init__(
        self,
        *,
        kernel_initializer: Any = None,
        kernel_regularizer: Any = None,
        kernel_constraint: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            initializer=kernel_initializer, regularizer=kernel_regularizer, constraint=kernel_constraint, **kwargs
        )

    def matrix(self) -> Any:
        """Return Q, shape (d, columns)."""
        return cayley(self.kernel)

    def call(self, inputs: Any) -> Any:
        """Multiply ``inputs``, shape (..., d), by Q."""
        return ops.matmul(inputs, self.matrix())

    def _add_kernel(self, d: int, k: int) -> Any:
        return self._add((d, k), lambda draw: weight_of(random_columns(draw, d, k)))


@keras.saving.register_keras_serializable(package="distbench")
class Rotation(_Orthogonal):
    """Trainable rotation of the last axis: an isometry that also keeps orientation.

    ``y = x Q`` with Q = (I - A)(I + A)^-1 and A skew-symmetric, A = W - W^T for the trained weight W (Cayley 1846). So
    Q is orthogonal with determinant 1 before, during and after training. It starts as a random rotation.

    Parameters
    ----------
    seed : int or None
        Seed of the first weights. None: ``keras.utils.set_random_seed`` decides.
    kernel_initializer, kernel_regularizer, kernel_constraint : str, object of Keras, or None
        Of the weight W, as in layers of Keras. Without an initializer it starts as a random rotation; zeros are the
        identity, and so a regularizer pulls towards the identity.
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
        self.kernel = self._add_kernel(d, d)

    def inverse(self, outputs: Any) -> Any:
        """Return ``outputs``, shape (..., d), rotated back."""
        return ops.matmul(ops.cast(outputs, self.compute_dtype), ops.transpose(self.matrix()))


@keras.saving.register_keras_serializable(package="distbench")
class Reflection(_Isometric):
    """Trainable reflection of the last axis: an isometry that is its own inverse.

    ``y = x - 2 (x . v) v / (v . v)`` for the trained vector v (Householder 1958): determinant -1. Where v is 0, y = x.

    Parameters
    ----------
    seed : int or None
        As for :class:`Rotation`.
    normal_initializer : str, object of Keras, or None
        First value of v, as in layers of Keras; None: a random direction.
    **kwargs
        As for :class:`Rotation`.

    Raises
    ------
    distbench.errors.InputError
        As :class:`Rotation`.
    """

    weight_name = "normal"
    # The reflection does not depend on the length of v, so neither a penalty nor a bound makes sense.
    options = ("initializer",)

    def __init__(self, *, normal_initializer: Any = None, **kwargs: Any) -> None:
        super().__init__(initializer=normal_initializer, **kwargs)

    def build(self, input_shape: Sequence[int | None]) -> None:
        """Make the vector, shape (d,), for inputs of shape (..., d)."""
        d = self._features(input_shape)
        self.normal = self._add((d,), lambda draw: draw.standard_normal(d) / np.sqrt(d))

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
    shift_initializer, shift_regularizer, shift_constraint : str, object of Keras, or None
        Of the shift, as in layers of Keras. An initializer takes the place of ``stddev``.
    seed, **kwargs
        As for :class:`Rotation`.

    Raises
    ------
    distbench.errors.InputError
        ``stddev`` is negative; or as :class:`Rotation`.
    """

    weight_name = "shift"

    def __init__(
        self,
        stddev: float = 0.0,
        *,
        shift_initializer: Any = None,
        shift_regularizer: Any = None,
        shift_constraint: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            initializer=shift_initializer, regularizer=shift_regularizer, constraint=shift_constraint, **kwargs
        )
        if not 0 <= stddev < float("inf"):
            raise InputError(f"stddev: {stddev!r} is not a number of at least 0")
        self.stddev = float(stddev)

    def build(self, input_shape: Sequence[int | None]) -> None:
        """Make the shift, shape (d,), for inputs of shape (..., d)."""
        d = self._features(input_shape)
        self.shift = self._add((d,), lambda draw: self.stddev * draw.standard_normal(d))

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
class OrthogonalProjection(_Orthogonal):
    """Trainable orthogonal projection of the last axis onto fewer dimensions.

    ``y = x Q`` with orthonormal columns of Q, shape (d, units), before, during and after training: no distance grows,
    and those within the subspace that Q spans stay. It starts as a random subspace, drawn uniformly.

    Parameters
    ----------
    units : int
        Dimensions of the outputs, at most those of the inputs.
    seed, kernel_initializer, kernel_regularizer, kernel_constraint, **kwargs
        As for :class:`Rotation`; zeros are the projection onto the first dimensions.

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
        self.kernel = self._add_kernel(d, self.units)

    def lift(self, codes: Any) -> Any:
        """Return where the points of ``codes``, shape (..., units), lie in the subspace; an isometry."""
        return ops.matmul(ops.cast(codes, self.compute_dtype), ops.transpose(self.matrix()))

    def compute_output_shape(self, input_shape: Any) -> Any:
        """Return the shape of the inputs, with ``units`` last."""
        return (*input_shape[:-1], self.units)

    def get_config(self) -> dict[str, Any]:
        """Return what ``from_config`` needs to make this layer again."""
        return {**super().get_config(), "units": self.units}
