"""Isometry layers: their matrices, training, saving and loading."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from frameworks import dk, keras, tf
from hypothesis import given, settings
from hypothesis import strategies as st
from nightly import over_all
from scipy.spatial.distance import pdist

from distbench.errors import InputError

RNG = np.random.default_rng(0)
X = RNG.normal(size=(40, 12)).astype("float32")
ISOMETRIES: dict[str, Any] = {"Rotation": {}, "Reflection": {}, "Translation": {"stddev": 2.0}}
LAYERS: dict[str, Any] = {**ISOMETRIES, "OrthogonalProjection": {"units": 3}}


def made(kind: str, **more: Any) -> Any:
    return getattr(dk, kind)(**LAYERS[kind], **more)


def matrix_of(layer: Any, d: int = 12) -> Any:
    """Return the matrix of the linear part, in float64."""
    zero = np.zeros((1, d), dtype="float32")
    return (layer(np.eye(d, dtype="float32")) - layer(zero)).numpy().astype("float64")


def matrix_with(layer: Any, d: int) -> Any:
    """Build a layer for d columns and return its matrix, in float64."""
    layer.build((None, d))
    return np.asarray(layer.matrix(), dtype="float64")


def assert_keeps_distances(layer: Any, points: Any = X) -> None:
    np.testing.assert_allclose(pdist(layer(points).numpy().astype("float64")), pdist(points), rtol=3e-6)


@pytest.mark.parametrize("kind", ISOMETRIES)
def test_distances_stay_and_the_inverse_brings_points_back(kind: str) -> None:
    layer = made(kind, seed=1)
    assert_keeps_distances(layer)
    np.testing.assert_allclose(layer.inverse(layer(X)), X, atol=1e-5)
    half = X.astype("float16")
    assert layer(half).dtype == "float32"
    assert_keeps_distances(layer, half.astype("float32"))


@pytest.mark.parametrize(("kind", "sign"), [("Rotation", 1), ("Reflection", -1)])
@pytest.mark.parametrize("d", [1, 2, 5, 12])
def test_orientation(kind: str, sign: int, d: int) -> None:
    matrix = matrix_of(made(kind, seed=0), d)
    np.testing.assert_allclose(matrix @ matrix.T, np.eye(d), atol=2e-6)
    assert np.linalg.det(matrix) == pytest.approx(sign, abs=1e-5)


def test_matrices_are_those_of_cayley_and_householder() -> None:
    rotation, reflection = made("Rotation", seed=0), made("Reflection", seed=0)
    for layer in (rotation, reflection):
        layer.build((None, 12))
    weight, v = (part.numpy().astype("float64") for part in (rotation.kernel, reflection.normal))
    A = weight - weight.T
    np.testing.assert_allclose(rotation.matrix(), (np.eye(12) - A) @ np.linalg.inv(np.eye(12) + A), atol=2e-6)
    np.testing.assert_allclose(matrix_of(reflection), np.eye(12) - 2 * np.outer(v, v) / (v @ v), atol=1e-6)


@pytest.mark.parametrize("jit", [False, True])
def test_a_reflection_takes_any_vector(jit: bool) -> None:
    layer = dk.Reflection(seed=0)
    layer.build((None, 12))
    normal = layer.normal.numpy()

    @tf.function(jit_compile=jit)
    def run(points: Any) -> Any:
        with tf.GradientTape() as tape:
            outputs = layer(points)
            loss = tf.reduce_sum(outputs[:, 0])
        return outputs, tape.gradient(loss, layer.normal.value)

    for size in (0.0, 1e-30, 1e30):
        layer.normal.assign(normal * size)
        outputs, slope = run(tf.constant(X))
        np.testing.assert_allclose(pdist(outputs.numpy()), pdist(X), rtol=1e-5)
        assert size == 1e-30 or np.isfinite(slope).all()
        assert size != 0 or (outputs.numpy() == X).all()


@pytest.mark.parametrize(("d", "units"), [(1, 1), (5, 5), (12, 1), (12, 7), (12, 12), (300, 40)])
def test_a_projection_has_orthonormal_columns(d: int, units: int) -> None:
    matrix = matrix_with(dk.OrthogonalProjection(units, seed=0), d)
    assert matrix.shape == (d, units)
    np.testing.assert_allclose(matrix.T @ matrix, np.eye(units), atol=2e-6)


def test_a_projection_starts_anywhere() -> None:
    """The mean over uniform subspaces of the matrix that projects onto them is a multiple of the identity."""
    mean = np.zeros((6, 6))
    for seed in range(200):
        matrix = matrix_with(dk.OrthogonalProjection(2, seed=seed), 6)
        mean += matrix @ matrix.T / 200
    # Entries have a standard deviation of at most 0.3 each, so their mean of at most 0.022.
    np.testing.assert_allclose(mean, np.eye(6) / 3, atol=0.08)


def test_lifted_codes_are_the_nearest_points_of_the_subspace() -> None:
    layer = dk.OrthogonalProjection(3, seed=0)
    codes = layer(X)
    lifted = layer.lift(codes).numpy()
    np.testing.assert_allclose(pdist(lifted), pdist(codes.numpy()), rtol=1e-5)
    np.testing.assert_allclose(layer(lifted), codes, atol=1e-5)
    np.testing.assert_allclose((X - lifted) @ lifted.T @ lifted / 40, np.zeros((40, 12)), atol=1e-4)
    assert (pdist(codes.numpy()) <= pdist(X) * (1 + 1e-5)).all()


@settings(max_examples=25, deadline=None)
@given(d=st.integers(1, 9), share=st.floats(0, 1), size=st.floats(0, 30), seed=st.integers(0, 99))
def test_any_weights_make_an_isometry(d: int, share: float, size: float, seed: int) -> None:
    rng = np.random.default_rng(seed)
    units = 1 + int(share * (d - 1))
    for layer in (dk.Rotation(), dk.OrthogonalProjection(units)):
        layer.build((None, d))
        layer.kernel.assign(rng.normal(size=layer.kernel.shape) * size)
        matrix = np.asarray(layer.matrix(), dtype="float64")
        # In float32 large weights cost digits: some of size 1,000 are off by 0.06. Trained ones are of size 1.
        np.testing.assert_allclose(matrix.T @ matrix, np.eye(matrix.shape[1]), atol=1e-4)


@over_all(("policy", "jit"), ["float32", "mixed_float16", "bfloat16"], [False, True], stand=[("mixed_float16", False)])
def test_training_leaves_them_isometries(policy: str, jit: bool) -> None:
    keras.utils.set_random_seed(0)
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(policy)
    try:
        layers = [dk.Rotation(), dk.Translation(), dk.Reflection(), dk.Rotation(), dk.OrthogonalProjection(5)]
    finally:
        keras.config.set_dtype_policy(before)
    model = keras.Sequential([keras.Input((12,)), *layers])
    model.compile(keras.optimizers.Adam(0.05), "mse", jit_compile=jit)
    weights = model.get_weights()
    # Something they can learn: another projection, turned and shifted.
    target = X @ np.linalg.qr(RNG.normal(size=(12, 5)))[0].astype("float32") + 2
    losses = model.fit(X, target, epochs=60, batch_size=20, verbose=0).history["loss"]
    assert losses[-1] < losses[0] / 10
    assert all(np.abs(new - old).max() > 0.05 for new, old in zip(model.get_weights(), weights, strict=True))
    assert model(X).dtype == "float32"
    for layer in layers[:-1]:
        assert_keeps_distances(layer)
    matrix = np.asarray(layers[-1].matrix(), dtype="float64")
    np.testing.assert_allclose(matrix.T @ matrix, np.eye(5), atol=2e-6)
    assert np.linalg.det(matrix_of(layers[0])) == pytest.approx(1, abs=1e-5)


def test_saved_and_loaded_they_are_the_same(tmp_path: Path) -> None:
    model = keras.Sequential([keras.Input((12,)), *(made(kind, seed=5) for kind in LAYERS)])
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(again(X), model(X))
    for layer, other in zip(model.layers, again.layers, strict=True):
        assert type(layer) is type(other)
        assert layer.get_config() == other.get_config()


@pytest.mark.parametrize("kind", LAYERS)
def test_seeds(kind: str) -> None:
    def weight(**settings: Any) -> Any:
        layer = made(kind, **settings)
        layer.build((None, 12))
        return layer.get_weights()[0]

    np.testing.assert_array_equal(weight(seed=1), weight(seed=1))
    assert not np.array_equal(weight(seed=1), weight(seed=2))
    keras.utils.set_random_seed(7)
    first = weight()
    assert not np.array_equal(weight(), first)
    keras.utils.set_random_seed(7)
    np.testing.assert_array_equal(weight(), first)


def test_weights_start_and_are_held_as_told(tmp_path: Path) -> None:
    layers = [
        dk.Rotation(kernel_initializer="zeros", kernel_regularizer="l2"),
        dk.Translation(5.0, shift_initializer="zeros", shift_regularizer=keras.regularizers.L1(0.5)),
        dk.OrthogonalProjection(3, kernel_initializer="zeros", kernel_constraint=keras.constraints.MaxNorm(0.1)),
    ]
    model = keras.Sequential([keras.Input((12,)), *layers])
    np.testing.assert_allclose(model(X), X[:, :3], atol=1e-6)
    layers[1].shift.assign(np.full(12, 2.0))
    assert sum(float(loss) for loss in model.losses) == pytest.approx(12)
    model.compile(keras.optimizers.SGD(10.0), "mse")
    model.fit(X, X[:, :3] * 5, epochs=3, verbose=0)
    assert np.linalg.norm(layers[2].kernel.numpy(), axis=0).max() <= 0.1 + 1e-6
    mirror = dk.Reflection(normal_initializer="ones")
    np.testing.assert_allclose(matrix_of(mirror), np.eye(12) - 1 / 6, atol=1e-6)
    model = keras.Sequential([keras.Input((12,)), mirror, *layers])
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(again(X), model(X))
    assert [layer.get_config() for layer in again.layers] == [layer.get_config() for layer in model.layers]
    with pytest.raises(ValueError, match="normal_regularizer"):
        dk.Reflection(normal_regularizer="l2")


@pytest.mark.parametrize("kind", LAYERS)
def test_further_axes_are_left_alone(kind: str) -> None:
    layer = made(kind, seed=1)
    boxes = X.reshape(2, 4, 5, 12)
    outputs = layer(boxes)
    assert outputs.shape == layer.compute_output_shape(boxes.shape)
    np.testing.assert_allclose(outputs.numpy().reshape(40, -1), layer(X), atol=1e-6)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: dk.OrthogonalProjection(13)(X), "units: 13 is more than the 12 dimensions"),
        (lambda: dk.OrthogonalProjection(0), "units: found 0"),
        (lambda: dk.OrthogonalProjection(2.5), "units: found 2.5"),
        (lambda: dk.Translation(-1.0), "stddev: -1.0"),
        (lambda: dk.Rotation(dtype="mixed_float16"), "dtype: 'mixed_float16' computes in float16"),
        (lambda: dk.Rotation().build((None, None)), "last axis must be of known size"),
    ],
)
def test_invalid_arguments_are_named(make: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        make()
