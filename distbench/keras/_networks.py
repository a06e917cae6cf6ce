"""Building and calling the halves of an autoencoder."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import ops
from numpy.typing import NDArray

from distbench._util.checks import whole_number

__all__ = ["build_stack", "in_batches"]


def in_batches(network: Any, rows: NDArray[Any], batch_size: int | None, features: int) -> NDArray[np.floating]:
    """Return what a network makes of rows of so many features, ``batch_size`` rows at once."""
    if not len(rows):  # convolutions fail on them
        return in_batches(network, np.zeros((1, *rows.shape[1:])), batch_size, features)[:0]
    rows = rows.astype(np.float32, copy=False)
    # A call costs about a millisecond, whatever its size: with 8192 rows a small network is as quick as its predict().
    fitting = min(8192, max(1024, 2**23 // max(features, 1)))
    size = fitting if batch_size is None else whole_number(batch_size, "batch_size", 1)
    parts = [network(rows[start : start + size], training=False) for start in range(0, len(rows), size)]
    codes = np.concatenate([ops.convert_to_numpy(part) for part in parts])
    # numpy has no bfloat16 of its own, and half precision would overflow in what comes after.
    return codes.astype(np.float32, copy=False)


def build_stack(stack: Any, input_shape: Sequence[int | None]) -> None:
    """Build a Sequential, and the activations in it that are layers, which Keras would build when they are called."""
    stack.build(input_shape)
    for layer in stack.layers:
        activation = getattr(layer, "activation", None)
        if isinstance(activation, keras.layers.Layer) and not activation.built:
            activation.build(layer.output.shape)
