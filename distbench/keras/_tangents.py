"""Derivatives of a stack of dense layers, exact, on every backend: Keras itself offers none."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

__all__ = ["linearized", "pulled_back", "pushed_forward"]

# Change of an activation's input for which a difference in float32 loses the fewest digits.
_STEP = 5e-3


def linearized(stack: Any, inputs: Any) -> tuple[Any, list[Any]]:
    """Compute outputs of a Sequential of Dense layers, and slopes of its activations, all in float32.

    Slopes of ReLU and of no activation are exact, those of others central differences.

    Parameters
    ----------
    stack : keras.Sequential
        Dense layers alone.
    inputs : tensor, shape (n, width)

    Returns
    -------
    tuple
        Outputs (n, width of the last layer), and one tensor (n, width) a layer.
    """
    rows, slopes = ops.cast(inputs, "float32"), []
    for layer in stack.layers:
        before = ops.add(ops.matmul(rows, _kernel(layer)), ops.cast(layer.bias, "float32"))
        slopes.append(_slope(layer.activation, before))
        rows = layer.activation(before)
    return rows, slopes


def pushed_forward(stack: Any, slopes: list[Any], directions: Any) -> Any:
    """J v for each row: how outputs change where inputs move along ``directions`` (n, inputs)."""
    for layer, slope in zip(stack.layers, slopes, strict=True):
        directions = ops.multiply(ops.matmul(directions, _kernel(layer)), slope)
    return directions


def pulled_back(stack: Any, slopes: list[Any], directions: Any) -> Any:
    """J^T u for each row, with ``directions`` u of shape (n, outputs)."""
    for layer, slope in zip(reversed(stack.layers), reversed(slopes), strict=True):
        directions = ops.matmul(ops.multiply(directions, slope), ops.transpose(_kernel(layer)))
    return directions


def _kernel(layer: Any) -> Any:
    return ops.cast(layer.kernel, "float32")


def _slope(activation: Any, before: Any) -> Any:
    if activation is keras.activations.linear:
        return ops.ones_like(before)
    if activation is keras.activations.relu:
        return ops.cast(before > 0, "float32")
    return (activation(before + _STEP) - activation(before - _STEP)) / (2 * _STEP)
