"""Exact Jacobians of Keras models on TensorFlow and of torch modules.

Frameworks are never imported here: a model's owner has imported its framework already.
"""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
from numpy.typing import NDArray

from distbench.encoders.adapters import eval_mode, is_keras_model, is_torch_module
from distbench.hunting._region import PlausibleRegion
from distbench.hunting._slopes import Exact

__all__ = ["exact_slopes"]

Array = NDArray[np.float64]

MOST_CODES = 1024  # numbers of a code: one backward pass each


def exact_slopes(encoder: Any, region: PlausibleRegion, code_size: int) -> Exact | None:
    """Return Jacobians by gradients, or None where the encoder has none that can be used.

    They are tried out at one point: a model that rounds, or whose ``encode`` leaves its framework, has slopes of 0 or
    none at all.
    """
    if region.whole or region.like is not None or code_size > MOST_CODES:
        return None
    exact: Exact
    if is_keras_model(encoder):
        keras = sys.modules["keras"]
        if keras.backend.backend() != "tensorflow":
            return None
        exact = _of_keras(encoder, region, code_size)
    elif is_torch_module(encoder):
        exact = _of_torch(encoder, region, code_size)
    else:
        return None
    try:
        tried = exact(region.rows[:1])
    except Exception:  # whatever a framework raises for what has no gradient
        return None
    return exact if np.isfinite(tried).all() and tried.any() else None


def _of_keras(model: Any, region: PlausibleRegion, code_size: int) -> Exact:
    tf = sys.modules["tensorflow"]

    def call(points: Any) -> Any:
        if not callable(getattr(model, "encode", None)):
            return model(points, training=False)
        inner = getattr(model, "encoder", None)  # encode() of distbench's own models leaves TensorFlow
        return inner(points, training=False) if callable(inner) else model.encode(points)

    def exact(points: Array) -> Array:
        given = tf.convert_to_tensor(points.reshape(len(points), *region.shape).astype(np.float32))
        with tf.GradientTape(persistent=True) as tape:
            tape.watch(given)
            codes = tf.reshape(call(given), (len(points), code_size))
            parts = [codes[:, column] for column in range(code_size)]
        slopes = [tape.gradient(part, given) for part in parts]
        return np.stack([_flat(np.asarray(slope), len(points)) for slope in slopes], axis=1)

    return exact


def _of_torch(module: Any, region: PlausibleRegion, code_size: int) -> Exact:
    torch = sys.modules["torch"]
    call = module.encode if callable(getattr(module, "encode", None)) else module

    def exact(points: Array) -> Array:
        given = torch.as_tensor(points.reshape(len(points), *region.shape).astype(region.dtype))
        weights = next((one for one in module.parameters() if one.is_floating_point()), None)
        if weights is not None:
            given = given.to(device=weights.device, dtype=weights.dtype)
        with eval_mode(module), torch.enable_grad():
            given.requires_grad_(True)
            codes = call(given).reshape(len(points), code_size)
            slopes = [
                torch.autograd.grad(codes[:, column].sum(), given, retain_graph=True, allow_unused=True)[0]
                for column in range(code_size)
            ]
        zero = torch.zeros_like(given)
        whole = [
            _flat((zero if slope is None else slope).detach().cpu().double().numpy(), len(points)) for slope in slopes
        ]
        return np.stack(whole, axis=1)

    return exact


def _flat(slope: NDArray[Any], rows: int) -> Array:
    return slope.reshape(rows, -1).astype(np.float64)
