"""Derivatives of stacks of dense layers, compared with those of TensorFlow."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from frameworks import Lazy, keras
from keras_formulas import jacobian

tangents = Lazy("distbench.keras._tangents", "keras", "tensorflow")
X = np.random.default_rng(0).normal(size=(12, 6)).astype("float32")


def stack(activation: str) -> Any:
    keras.utils.set_random_seed(3)
    layers = [keras.layers.Dense(7, activation=activation, bias_initializer="normal") for _ in range(2)]
    model = keras.Sequential([*layers, keras.layers.Dense(4)])
    model.build((None, 6))
    return model


@pytest.mark.parametrize("activation", ["relu", "linear", "tanh", "elu", "gelu", "softplus"])
def test_products_are_those_of_the_exact_jacobian(activation: str) -> None:
    model = stack(activation)
    outputs, exact = jacobian(model, X)
    ours, slopes = tangents.linearized(model, X)
    np.testing.assert_allclose(ours, outputs, rtol=1e-5, atol=1e-6)
    draw = np.random.default_rng(1)
    v, u = draw.normal(size=(12, 6)).astype("float32"), draw.normal(size=(12, 4)).astype("float32")
    exactly = activation in ("relu", "linear")
    close = {"rtol": 1e-5, "atol": 1e-5} if exactly else {"rtol": 1e-3, "atol": 2e-3}
    np.testing.assert_allclose(tangents.pushed_forward(model, slopes, v), np.einsum("nij,nj->ni", exact, v), **close)
    np.testing.assert_allclose(tangents.pulled_back(model, slopes, u), np.einsum("nij,ni->nj", exact, u), **close)


def test_half_precision_layers_are_differentiated_in_single() -> None:
    model = keras.Sequential([keras.layers.Dense(4, dtype="mixed_float16")])
    model.build((None, 6))
    outputs, slopes = tangents.linearized(model, X.astype("float16"))
    assert outputs.dtype == slopes[0].dtype == "float32"
