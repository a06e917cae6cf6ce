"""Losses that keep distances."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from distbench.errors import InputError

__all__ = ["PairwiseDistanceLoss", "pairwise_distances"]


def pairwise_distances(points: Any) -> Any:
    """Euclidean distances between all rows, by direct differences, in float32.

    Parameters
    ----------
    points : tensor, shape (n, ...)
        Axes after the first are flattened. ``n`` may be known at run time alone.

    Returns
    -------
    tensor, shape (n, n)
        Symmetric; memory grows as n * n * d.

    Notes
    -----
    Points that coincide are 0 apart, and their distance has gradient 0 on every backend, compiled or not.
    """
    # Gram products cancel in float32, and overflow in half precision: hence differences, hence the cast.
    rows = ops.cast(points, "float32")
    if len(rows.shape) != 2:
        rows = ops.reshape(rows, (ops.shape(rows)[0], -1))
    squares = ops.sum(ops.square(ops.expand_dims(rows, 1) - ops.expand_dims(rows, 0)), axis=-1)
    apart = squares > 0
    # The gradient of sqrt is infinite at 0, and 0 * inf is NaN: so 0 must not reach sqrt, not even unused.
    return ops.where(apart, ops.sqrt(ops.where(apart, squares, 1.0)), 0.0)


@keras.saving.register_keras_serializable(package="distbench")
class PairwiseDistanceLoss(keras.layers.Layer):  # type: ignore[misc,unused-ignore]
    """Layer that passes codes through and adds a loss on their distances.

    The loss of a batch is ``weight * mean((a_ij - b_ij)^2) / scale^2`` over its pairs of points, with a_ij the
    distance of two inputs and b_ij that of their codes. Dividing by the scale makes one weight mean the same on
    any data; codes keep the units of the inputs.

    Parameters
    ----------
    weight : float, default 1.0
        At least 0.
    scale : float or None
        Mean distance of the training points. None: the mean of each batch.
    max_points : int, default 128
        Pairs are formed among at most so many points, the first of the batch: n points make n * n differences.
    **kwargs
        Passed to ``keras.layers.Layer``.

    Raises
    ------
    distbench.errors.InputError
        ``weight`` is negative, ``scale`` is not above 0, or ``max_points`` is below 2.

    Notes
    -----
    Call it as ``layer(codes, inputs)``, between encoder and decoder. If all codes of a batch coincide, the
    gradient is 0 and cannot move them apart.

    Examples
    --------
    >>> inputs = keras.Input((64,))
    >>> codes = keras.layers.Dense(8)(inputs)
    >>> codes = PairwiseDistanceLoss(weight=10.0, scale=3.0)(codes, inputs)
    >>> model = keras.Model(inputs, keras.layers.Dense(64)(codes))
    """

    def __init__(self, weight: float = 1.0, scale: float | None = None, max_points: int = 128, **kwargs: Any) -> None:
        # Half precision would round the inputs before their distances are taken.
        super().__init__(autocast=False, **kwargs)
        if not weight >= 0:
            raise InputError(f"weight: {weight!r} is not a number of at least 0")
        if scale is not None and not scale > 0:
            raise InputError(f"scale: {scale!r} is not a number above 0; pass the mean distance, or None")
        if max_points < 2:
            raise InputError(f"max_points: {max_points!r} is below 2, which leaves no pair")
        self.weight = float(weight)
        self.scale = None if scale is None else float(scale)
        self.max_points = int(max_points)

    def call(self, codes: Any, inputs: Any) -> Any:
        """Add the loss of this batch and return ``codes`` as they came."""
        a = pairwise_distances(inputs[: self.max_points])
        b = pairwise_distances(codes[: self.max_points])
        n = ops.cast(ops.shape(a)[0], "float32")
        pairs = ops.maximum(n * (n - 1.0), 1.0)
        scale = ops.sum(a) / pairs if self.scale is None else self.scale
        # A batch whose inputs all coincide has no scale; nothing is asked of it.
        unit = ops.square(ops.cast(scale, "float32"))
        unit = ops.where(unit > 0, unit, float("inf"))
        self.add_loss(self.weight * ops.sum(ops.square(a - b)) / pairs / unit)
        return codes

    def compute_output_shape(self, codes_shape: Any, inputs_shape: Any) -> Any:
        """Return the shape of the codes."""
        return codes_shape

    def get_config(self) -> dict[str, Any]:
        """Return what ``from_config`` needs to make this layer again."""
        own = {"weight": self.weight, "scale": self.scale, "max_points": self.max_points}
        return {**super().get_config(), **own}
