"""The pairwise-distance loss: its values and its place in a model."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from frameworks import dk, keras
from hypothesis import given, settings
from hypothesis import strategies as st
from keras_formulas import FORMS, PAIRS, RNG, X, Z, bare, by_definition
from scipy.spatial.distance import cdist

from distbench.errors import InputError


@pytest.mark.parametrize(
    "points",
    [X, (X[:, :2] * 1e-2 + 1e3).astype("float32"), RNG.normal(size=(6, 3, 3, 2)).astype("float16")],
    ids=["plain", "far from the origin", "images in half precision"],
)
def test_distances_equal_those_of_scipy(points: Any) -> None:
    rows = points.reshape(len(points), -1).astype("float64")
    np.testing.assert_allclose(dk.pairwise_distances(points), cdist(rows, rows), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    ("settings", "first", "unit"),
    [
        ({"scale": 1.0}, 12, 1),
        ({"weight": 10.0, "scale": 3.0}, 12, 1),
        ({"weight": 0.0, "scale": 1.0}, 12, 1),
        ({"weight": 2.0}, 12, 1),  # the batch gives the scale, so that the value has no units
        ({"weight": 2.0}, 12, 1000),
        ({"scale": 1.0, "max_points": 5}, 5, 1),
        *(({"weight": 3.0, "scale": 2.0, "form": form, "pairs": "sampled"}, 12, 1) for form in FORMS),
    ],
)
def test_the_layer_adds_the_definition_and_passes_codes_through(settings: Any, first: int, unit: int) -> None:
    layer = dk.PairwiseDistanceLoss(**settings)
    np.testing.assert_array_equal(layer(Z * unit, X * unit), Z * unit)
    expected = by_definition(X[:first], Z[:first], layer.form, layer.pairs, settings.get("scale"))
    assert float(layer.losses[0]) == pytest.approx(settings.get("weight", 1.0) * expected, rel=2e-5)


def test_extreme_codes_have_the_least_and_the_largest_loss() -> None:
    assert bare(np.ones_like(X), Z) == 0
    assert all(bare(X[:n], X[:n] + 1) == pytest.approx(0, abs=1e-10) for n in (1, 2, 12))
    for form in ("stress", "correlation"):
        assert bare(X, np.ones_like(Z), form=form) == 1
        # The squared sine is taken without cancelling: 1 - r^2 in float32 would leave some 1e-7.
        assert 0 <= bare(X, X * 3, form=form) < 1e-12
    assert bare(X, Z, pairs="sampled", max_points=2) == bare(X, Z, pairs="sampled")


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("pairs", PAIRS)
def test_forms_are_their_formulas(form: str, pairs: str) -> None:
    assert bare(X, Z, form=form, pairs=pairs) == pytest.approx(by_definition(X, Z, form, pairs), rel=2e-5)
    far, large = X * 50 + 1000, Z * 100 - 300
    assert bare(far, large, form=form, pairs=pairs) == pytest.approx(by_definition(far, large, form, pairs), rel=1e-4)


@settings(max_examples=15, deadline=None)
@given(
    form=st.sampled_from(FORMS),
    n=st.integers(3, 12),
    factor=st.floats(1e-3, 1e3),
    seed=st.integers(0, 99),
)
def test_what_changes_nothing(form: str, n: int, factor: float, seed: int) -> None:
    rng = np.random.default_rng(seed)
    x, z = rng.normal(size=(n, 4)), rng.normal(size=(n, 2))
    loss = bare(x, z, form=form)
    close = {"rel": 1e-3, "abs": 1e-5}
    order = rng.permutation(n)
    assert bare(x[order], z[order], form=form) == pytest.approx(loss, **close)
    assert bare(x + 3, z - 5, form=form) == pytest.approx(loss, **close)
    assert bare(x * factor, z * factor, form=form) == pytest.approx(loss, **close)
    turn = np.linalg.qr(rng.normal(size=(2, 2)))[0]
    assert bare(x, z @ turn, form=form) == pytest.approx(loss, **close)
    for pairs in PAIRS:
        scaled = bare(x, z * factor, form=form, pairs=pairs)
        if form in ("stress", "correlation"):
            assert scaled == pytest.approx(bare(x, z, form=form, pairs=pairs), **close)
        rolled = bare(np.roll(x, 1, axis=0), np.roll(z, 1, axis=0), form=form, pairs=pairs)
        assert rolled == pytest.approx(bare(x, z, form=form, pairs=pairs), **close)


@pytest.mark.parametrize("jit", [False, True])
def test_a_smaller_last_batch_uses_its_own_pairs(jit: bool) -> None:
    inputs = keras.Input((5,))
    kept = dk.PairwiseDistanceLoss(1.0, 1.0)(inputs[:, :2], inputs)
    model = keras.Model(inputs, kept)
    model.compile(loss=None, jit_compile=jit)
    parts = [(X[:8], 8), (X[8:], 4)]
    expected = sum(by_definition(x, x[:, :2], "scaled", scale=1.0) * n for x, n in parts) / 12
    assert model.evaluate(X, batch_size=8, verbose=0) == pytest.approx(expected, rel=1e-4)


# Gradients are compiled in test_keras_gradients.py, whole steps of training in test_keras_models.py.
@pytest.mark.parametrize("jit", [False, pytest.param(True, marks=pytest.mark.nightly)])
def test_it_trains_between_an_encoder_and_a_decoder(jit: bool) -> None:
    keras.utils.set_random_seed(0)
    inputs = keras.Input((5,))
    codes = dk.PairwiseDistanceLoss(10.0)(keras.layers.Dense(3)(inputs), inputs)
    model = keras.Model(inputs, keras.layers.Dense(5)(codes))
    model.compile(keras.optimizers.Adam(0.02), "mse", jit_compile=jit)
    history = model.fit(X, X, batch_size=5, epochs=30, verbose=0).history["loss"]
    assert history[-1] < history[0] / 2


def test_mixed_precision_keeps_codes_and_takes_distances_in_float32() -> None:
    layer = dk.PairwiseDistanceLoss(1.0, 1.0, dtype="mixed_float16")
    half = (Z * 300).astype("float16")
    wide = X * 1e4  # beyond float16
    assert layer(half, wide).dtype == "float16"
    assert float(layer.losses[0]) == pytest.approx(by_definition(wide, half, "scaled", scale=1.0), rel=1e-4)


def test_a_model_that_holds_it_saves_and_loads(tmp_path: Path) -> None:
    inputs = keras.Input((5,))
    codes = dk.PairwiseDistanceLoss(10.0, 3.0, 64, "sammon", "sampled", name="keep")(
        keras.layers.Dense(2)(inputs), inputs
    )
    model = keras.Model(inputs, codes)
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    layer = again.get_layer("keep")
    assert (layer.weight, layer.scale, layer.max_points) == (10.0, 3.0, 64)
    assert (layer.form, layer.pairs) == ("sammon", "sampled")
    np.testing.assert_array_equal(again(X), model(X))
    assert float(again.losses[0]) == float(model.losses[0])


@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        ({"weight": -1}, "weight"),
        ({"weight": np.nan}, "weight"),
        ({"scale": 0}, "scale"),
        ({"scale": np.inf}, "scale"),
        ({"max_points": 1}, "max_points"),
        ({"max_points": 2.5}, "max_points"),
        ({"form": "strain"}, "form"),
        ({"pairs": "some"}, "pairs"),
    ],
)
def test_settings_are_checked(arguments: dict[str, Any], name: str) -> None:
    with pytest.raises(InputError, match=f"^{name}: "):
        dk.PairwiseDistanceLoss(**arguments)
    if name != "weight":
        with pytest.raises(InputError, match=f"^{name}: "):
            dk.pairwise_distance_loss(X, Z, **arguments)


def test_the_package_imports_without_keras() -> None:
    code = (
        "import sys, os; import distbench.keras as parts; assert 'keras' not in sys.modules;"
        "assert 'PairwiseDistanceLoss' in dir(parts); sys.modules['keras'] = None\n"
        "try: parts.PairwiseDistanceLoss\n"
        "except ImportError as error: assert 'pip install \"distbench[keras]\"' in str(error), error\n"
        "else: raise SystemExit('no error')\n"
        "assert not hasattr(parts, 'nothing')\n"
        "assert os.environ['TF_CPP_MIN_LOG_LEVEL']"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
