"""The pairwise-distance loss: its values, its gradients where codes coincide, its place in a model."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.spatial.distance import cdist, pdist

from distbench.errors import InputError

keras = pytest.importorskip("keras")
tf = pytest.importorskip("tensorflow")

from distbench.keras import PairwiseDistanceLoss, pairwise_distances  # noqa: E402 - after the skips

RNG = np.random.default_rng(0)
X = RNG.normal(size=(12, 5)).astype("float32")
Z = RNG.normal(size=(12, 2)).astype("float32")


def expected(x: Any, z: Any, weight: float, scale: float) -> float:
    """The mean over pairs, from the definition."""
    a, b = pdist(x.astype("float64")), pdist(z.astype("float64"))
    return float(weight * np.mean((a - b) ** 2) / scale**2)


def loss_of(layer: Any, z: Any, x: Any) -> float:
    layer(z, x)
    (loss,) = layer.losses
    return float(loss)


def test_distances_equal_scipy() -> None:
    np.testing.assert_allclose(pairwise_distances(X), cdist(X, X), rtol=1e-5, atol=1e-6)


def test_distances_far_from_the_origin() -> None:
    far = (X[:, :2] * 1e-2 + 1e3).astype("float32")
    np.testing.assert_allclose(pairwise_distances(far), cdist(far, far), rtol=1e-5)


def test_distances_of_images_and_half_precision() -> None:
    images = RNG.normal(size=(6, 3, 3, 2)).astype("float16")
    rows = images.reshape(6, -1).astype("float64")
    np.testing.assert_allclose(pairwise_distances(images), cdist(rows, rows), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(("weight", "scale"), [(1.0, 1.0), (10.0, 3.0), (0.0, 1.0)])
def test_value_is_the_definition(weight: float, scale: float) -> None:
    layer = PairwiseDistanceLoss(weight, scale)
    assert loss_of(layer, Z, X) == pytest.approx(expected(X, Z, weight, scale), rel=1e-5)


def test_without_a_scale_the_batch_gives_it() -> None:
    assert loss_of(PairwiseDistanceLoss(2.0), Z, X) == pytest.approx(expected(X, Z, 2, pdist(X).mean()), rel=1e-5)


def test_the_value_has_no_units() -> None:
    one, other = (loss_of(PairwiseDistanceLoss(), Z * unit, X * unit) for unit in (1, 1000))
    assert one == pytest.approx(other, rel=1e-5)


def test_pairs_come_from_the_first_points_of_a_large_batch() -> None:
    layer = PairwiseDistanceLoss(1.0, 1.0, max_points=5)
    assert loss_of(layer, Z, X) == pytest.approx(expected(X[:5], Z[:5], 1, 1), rel=1e-5)


@pytest.mark.parametrize("n", [1, 2, 12])
def test_equal_distances_cost_nothing(n: int) -> None:
    assert loss_of(PairwiseDistanceLoss(), X[:n] + 1, X[:n]) == pytest.approx(0, abs=1e-10)


def test_inputs_that_all_coincide_ask_for_nothing() -> None:
    assert loss_of(PairwiseDistanceLoss(), Z, np.ones_like(X)) == 0


def test_codes_pass_through_unchanged() -> None:
    np.testing.assert_array_equal(PairwiseDistanceLoss()(Z, X), Z)


@pytest.mark.parametrize("jit", [False, True])
@pytest.mark.parametrize("same", [2, 12])
def test_gradients_are_finite_where_codes_coincide(jit: bool, same: int) -> None:
    layer = PairwiseDistanceLoss(1.0, 1.0)
    layer.build(None)

    @tf.function(jit_compile=jit)
    def gradient(codes: Any, inputs: Any) -> Any:
        with tf.GradientTape() as tape:
            tape.watch(codes)
            layer(codes, inputs)
            loss = layer.losses[0]
        return tape.gradient(loss, codes)

    codes = Z.copy()
    codes[:same] = codes[0]
    found = gradient(tf.constant(codes), tf.constant(X)).numpy()
    assert np.isfinite(found).all()
    # All in one place there is no direction to move in; otherwise there is.
    assert (found == 0).all() if same == 12 else (np.abs(found).max(axis=1) > 0).all()


def test_the_gradient_is_that_of_the_definition() -> None:
    layer = PairwiseDistanceLoss(1.0, 1.0)
    codes = tf.Variable(Z)
    with tf.GradientTape() as tape:
        layer(codes, X)
        loss = layer.losses[0]
    found = tape.gradient(loss, codes).numpy()
    for i, j in [(0, 0), (3, 1), (11, 0)]:
        step = np.zeros(Z.shape)
        step[i, j] = 1e-5
        slope = (expected(X, Z + step, 1, 1) - expected(X, Z - step, 1, 1)) / 2e-5
        assert found[i, j] == pytest.approx(slope, rel=1e-3, abs=1e-6)


@pytest.mark.parametrize("jit", [False, True])
def test_a_smaller_last_batch_uses_its_own_pairs(jit: bool) -> None:
    inputs = keras.Input((5,))
    kept = PairwiseDistanceLoss(1.0, 1.0)(inputs[:, :2], inputs)
    model = keras.Model(inputs, kept)
    model.compile(loss=None, jit_compile=jit)
    found = model.evaluate(X, batch_size=8, verbose=0)
    parts = [(X[:8], 8), (X[8:], 4)]
    assert found == pytest.approx(sum(expected(x, x[:, :2], 1, 1) * n for x, n in parts) / 12, rel=1e-4)


@pytest.mark.parametrize("jit", [False, True])
def test_it_trains_between_an_encoder_and_a_decoder(jit: bool) -> None:
    keras.utils.set_random_seed(0)
    inputs = keras.Input((5,))
    codes = PairwiseDistanceLoss(10.0)(keras.layers.Dense(3)(inputs), inputs)
    model = keras.Model(inputs, keras.layers.Dense(5)(codes))
    model.compile(keras.optimizers.Adam(0.02), "mse", jit_compile=jit)
    history = model.fit(X, X, batch_size=5, epochs=30, verbose=0).history["loss"]
    assert history[-1] < history[0] / 2


def test_mixed_precision_keeps_codes_and_takes_distances_in_float32() -> None:
    layer = PairwiseDistanceLoss(1.0, 1.0, dtype="mixed_float16")
    half = (Z * 300).astype("float16")
    wide = X * 1e4  # beyond float16
    assert layer(half, wide).dtype == "float16"
    assert float(layer.losses[0]) == pytest.approx(expected(wide, half, 1, 1), rel=1e-4)


def test_a_model_that_holds_it_saves_and_loads(tmp_path: Path) -> None:
    inputs = keras.Input((5,))
    codes = PairwiseDistanceLoss(10.0, 3.0, 64, name="keep")(keras.layers.Dense(2)(inputs), inputs)
    model = keras.Model(inputs, codes)
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    layer = again.get_layer("keep")
    assert (layer.weight, layer.scale, layer.max_points) == (10.0, 3.0, 64)
    np.testing.assert_array_equal(again(X), model(X))
    assert float(again.losses[0]) == float(model.losses[0])


@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        ({"weight": -1}, "weight"),
        ({"weight": np.nan}, "weight"),
        ({"scale": 0}, "scale"),
        ({"max_points": 1}, "max_points"),
    ],
)
def test_settings_are_checked(arguments: dict[str, Any], name: str) -> None:
    with pytest.raises(InputError, match=f"^{name}: "):
        PairwiseDistanceLoss(**arguments)


def test_the_package_imports_without_keras() -> None:
    code = (
        "import sys, os; import distbench.keras as parts; assert 'keras' not in sys.modules;"
        "assert 'PairwiseDistanceLoss' in dir(parts); sys.modules['keras'] = None\n"
        "try: parts.PairwiseDistanceLoss\n"
        "except ImportError as error: assert 'pip install \"distbench[keras]\"' in str(error), error\n"
        "else: raise SystemExit('no error')\n"
        "assert os.environ['TF_CPP_MIN_LOG_LEVEL']"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_unknown_names_are_attribute_errors() -> None:
    import distbench.keras as parts

    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = parts.nothing
