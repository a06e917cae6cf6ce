"""The pairwise-distance loss: its values and its place in a model."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from frameworks import dk, keras, tf
from hypothesis import given, settings
from hypothesis import strategies as st
from keras_formulas import DISTANCES, FORMS, PAIRS, RNG, X, Z, bare, by_definition
from scipy.spatial.distance import cdist

from distbench.errors import InputError


@pytest.mark.parametrize("distance", DISTANCES)
@pytest.mark.parametrize(
    "points",
    [X, (X[:, :2] * 1e-2 + 1e3).astype("float32"), RNG.normal(size=(6, 3, 3, 2)).astype("float16")],
    ids=["plain", "far from the origin", "images in half precision"],
)
def test_distances_equal_those_of_scipy(points: Any, distance: str) -> None:
    rows = points.reshape(len(points), -1).astype("float64")
    # Directions of points far from the origin are themselves rounded in float32.
    near = 1e-6 if distance != "cosine" else 1e-7
    np.testing.assert_allclose(
        dk.pairwise_distances(points, distance), cdist(rows, rows, distance), rtol=1e-5, atol=near
    )


def test_rows_of_zeros_have_no_direction() -> None:
    rows = np.array([[0, 0], [3, 0], [0, 0], [0, -2]], "float32")
    expected = [[0, 1, 0, 1], [1, 0, 1, 1], [0, 1, 0, 1], [1, 1, 1, 0]]
    np.testing.assert_array_equal(dk.pairwise_distances(rows, "cosine"), expected)


@pytest.mark.parametrize("pairs", PAIRS)
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("distance", [*DISTANCES, "precomputed"])
def test_the_inputs_may_have_another_distance(distance: str, form: str, pairs: str) -> None:
    metric = "cityblock" if distance == "precomputed" else distance
    inputs = X
    if distance == "precomputed":
        inputs = cdist(X, X, metric) + np.diag(np.full(12, np.nan))  # the diagonal has no pairs
    settings = {"form": form, "pairs": pairs, "distance": distance}
    expected = by_definition(X, Z, form, pairs, metric=metric)
    assert bare(inputs, Z, **settings) == pytest.approx(expected, rel=2e-5)
    layer = dk.PairwiseDistanceLoss(**settings)
    again = dk.PairwiseDistanceLoss.from_config(layer.get_config())
    again(Z, inputs)
    assert float(again.losses[0]) == pytest.approx(expected, rel=2e-5)
    error = dk.PairwiseDistanceError.from_config(dk.PairwiseDistanceError(**settings).get_config())
    assert float(error(inputs, Z)) == pytest.approx(expected, rel=2e-5)


def test_fit_takes_given_distances(tmp_path: Path) -> None:
    """Each point comes with its row of the table and its number, which choose the block of a batch."""
    table = cdist(X, X, "cityblock").astype("float32")
    points, rows, each = keras.Input((5,)), keras.Input((12,)), keras.Input((), dtype="int32")
    block = keras.ops.take(rows, each, axis=1)
    codes = dk.PairwiseDistanceLoss(distance="precomputed", scale=1.0)(points[:, :2], block)
    model = keras.Model([points, rows, each], codes)
    model.compile(loss=None, jit_compile=True)
    first, last = (by_definition(x, x[:, :2], "scaled", scale=1.0, metric="cityblock") for x in (X[:8], X[8:]))
    found = model.evaluate([X, table, np.arange(12)], batch_size=8, verbose=0)
    assert found == pytest.approx((first * 8 + last * 4) / 12, rel=1e-4)
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    again([X, table, np.arange(12)])
    assert float(again.losses[0]) == pytest.approx(bare(table, X[:, :2], scale=1.0, distance="precomputed"), rel=1e-5)


def test_features_may_stand_for_the_inputs() -> None:
    """Features are a second input, or what a frozen network makes of the inputs."""
    kernel = RNG.normal(size=(5, 7)).astype("float32")
    frozen = keras.Sequential([keras.Input((5,)), keras.layers.Dense(7, use_bias=False)])
    frozen.set_weights([kernel])
    frozen.trainable = False
    inputs, features = keras.Input((5,)), keras.Input((7,))
    codes = keras.layers.Dense(2)(inputs)
    by_network = keras.Model(inputs, dk.PairwiseDistanceLoss()(codes, frozen(inputs)))
    by_input = keras.Model([inputs, features], dk.PairwiseDistanceLoss()(codes, features))
    for model, x in ((by_network, X), (by_input, [X, X @ kernel])):
        model.compile(keras.optimizers.Adam(0.05), jit_compile=True)
        expected = bare(X @ kernel, by_network(X))
        history = model.fit(x, batch_size=12, epochs=30, verbose=0).history["loss"]
        assert history[0] == pytest.approx(expected, rel=1e-4)
        assert history[-1] < 0.9 * history[0]
    np.testing.assert_array_equal(frozen.get_weights()[0], kernel)


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


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("pairs", PAIRS)
@pytest.mark.parametrize("distance", DISTANCES)
@pytest.mark.parametrize("rows", [slice(3, 4), slice(None)])
def test_nan_is_no_distance_of_zero(form: str, pairs: str, distance: str, rows: slice) -> None:
    broken_X, broken_Z = X.copy(), Z.copy()
    broken_X[rows], broken_Z[rows] = np.nan, np.nan
    for inputs, codes in ((broken_X, Z), (X, broken_Z)):
        assert np.isnan(dk.pairwise_distance_loss(inputs, codes, form=form, pairs=pairs, distance=distance))


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


@pytest.mark.parametrize("policy", ["float32", "mixed_float16"])
def test_a_callback_changes_the_weight_of_compiled_training_and_it_is_saved(policy: str, tmp_path: Path) -> None:
    inputs = keras.Input((5,))
    codes = keras.layers.Dense(2, trainable=False)(inputs)
    codes = dk.PairwiseDistanceLoss(0.1, dtype=policy, name="distances")(codes, inputs)
    model = keras.Model(inputs, dk.NeighborLoss(0.1, dtype=policy, name="neighbors")(codes))
    kept = [model.get_layer(name) for name in ("distances", "neighbors")]
    assert [layer.weight.dtype for layer in kept] == ["float32"] * 2
    assert model.trainable_variables == []
    assert [layer.get_config()["weight"] for layer in kept] == [0.1, 0.1]
    model.compile(keras.optimizers.SGD(0.0), "mse", loss_weights=[0.0], jit_compile=True)

    def assign(epoch: int, logs: Any) -> None:
        for power, layer in enumerate(kept, 1):
            layer.weight.assign(float(epoch) ** power)

    warm = keras.callbacks.LambdaCallback(on_epoch_begin=assign)
    fit = model.fit(X, Z, epochs=3, batch_size=12, verbose=0, shuffle=False, callbacks=[warm])
    found = keras.ops.convert_to_numpy(model(X)).astype("float32")
    distances, neighbors = float(dk.pairwise_distance_loss(X, found)), float(dk.neighbor_loss(found[:6], found[6:]))
    expected = [0, distances + neighbors, 2 * distances + 4 * neighbors]
    assert fit.history["loss"] == pytest.approx(expected, rel=1e-4)
    kept[0].weight = 7
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    assert [float(again.get_layer(layer.name).weight) for layer in kept] == [7, 4]
    again = [type(layer).from_config(layer.get_config()) for layer in kept]
    assert [float(layer.weight) for layer in again] == [7, 4]
    with pytest.raises(InputError, match=r"^weight: -1 is not a number of at least 0$"):
        kept[0].weight = -1


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
        ({"distance": "manhattan"}, "distance"),
    ],
)
def test_settings_are_checked(arguments: dict[str, Any], name: str) -> None:
    with pytest.raises(InputError, match=f"^{name}: "):
        dk.PairwiseDistanceLoss(**arguments)
    if name != "weight":
        with pytest.raises(InputError, match=f"^{name}: "):
            dk.pairwise_distance_loss(X, Z, **arguments)


@pytest.mark.parametrize("argument", ["inputs", "codes"])
def test_arguments_that_cannot_be_a_batch_and_its_codes_are_refused_in_one_line(argument: str) -> None:
    symbolic = keras.Input((5,))
    cases = [
        (X[:5], Z, "codes: found 12 for 5 inputs; pass the codes of the same batch"),
        (Z, (X * 9).astype("uint8"), "codes: found 5 whole numbers for inputs of 2; they look swapped with the inputs"),
        (np.float32(1), Z, r"inputs: found a single number; pass a batch of points, shape \(n, ...\)"),
    ]
    for inputs, codes, message in cases:
        for use in (dk.pairwise_distance_loss, lambda x, z: dk.PairwiseDistanceLoss()(z, x)):
            with pytest.raises(InputError, match=f"^{message}$"):
                use(inputs, codes)
    for shape in ((12, 5), (12, 12, 1)):
        with pytest.raises(
            InputError, match=r"^inputs: found shape .*; pass the distances of the batch, shape \(n, n\)$"
        ):
            dk.PairwiseDistanceLoss(distance="precomputed")(Z, np.ones(shape, "float32"))
    given = {"inputs": X, "codes": Z, argument: symbolic}
    with pytest.raises(InputError, match=f"^{argument}: found a symbolic tensor of Keras; use the layer"):
        dk.pairwise_distance_loss(**given)


def test_the_layer_tells_what_is_missing_or_swapped_in_a_model() -> None:
    inputs = keras.Input((5,))
    codes = keras.layers.Dense(2)(inputs)
    for wrong in (codes, [codes, inputs]):
        with pytest.raises(InputError, match=r"^inputs: missing; call layer\(codes, inputs\)$"):
            dk.PairwiseDistanceLoss()(wrong)
    with pytest.raises(InputError, match=r"^codes: found what the inputs are computed from; call layer"):
        dk.PairwiseDistanceLoss()(inputs, codes)
    wide = keras.layers.Dense(50)(inputs)  # codes may be wider than inputs
    assert dk.PairwiseDistanceLoss()(wide, inputs).shape == (None, 50)
    assert dk.PairwiseDistanceLoss()(codes=codes, inputs=inputs).shape == (None, 2)


@pytest.mark.parametrize("pairs", PAIRS)
@pytest.mark.parametrize("sizes", [(5, 2), (None, None)])
def test_shapes_may_be_known_at_run_time_alone(pairs: str, sizes: Any) -> None:
    signature = [tf.TensorSpec((None, size)) for size in sizes]
    run = tf.function(lambda x, z: dk.pairwise_distance_loss(x, z, pairs=pairs), input_signature=signature)
    assert float(run(X, Z)) == pytest.approx(bare(X, Z, pairs=pairs), rel=1e-5)
    with pytest.raises(InputError, match=r"^inputs: found a tensor of unknown rank"):
        tf.function(dk.pairwise_distance_loss, input_signature=[tf.TensorSpec(None)] * 2, autograph=False)(X, Z)


def test_a_mask_of_the_codes_is_passed_on() -> None:
    inputs = keras.Input((4, 3))
    codes = dk.PairwiseDistanceLoss()(keras.layers.Dense(2)(keras.layers.Masking()(inputs)), inputs)
    model = keras.Model(inputs, keras.layers.GlobalAveragePooling1D()(codes))
    rows = RNG.normal(size=(3, 4, 3)).astype("float32")
    rows[:, 2:] = 0
    steps = model.layers[2](rows)
    np.testing.assert_allclose(model(rows), np.mean(steps[:, :2], axis=1), rtol=1e-5, atol=1e-6)


class TestCompiled:
    def test_it_is_the_loss_of_any_encoder(self, tmp_path: Path) -> None:
        settings = {"form": "sammon", "scale": 2.0, "pairs": "sampled", "max_points": 64}
        model = keras.Sequential([keras.Input((5,)), keras.layers.Dense(2)])
        model.compile("adam", dk.PairwiseDistanceError(**settings))
        expected = bare(X, model(X), **settings)
        assert model.evaluate(X, X, batch_size=12, verbose=0) == pytest.approx(expected, rel=1e-5)
        model.save(tmp_path / "model.keras")
        again = keras.saving.load_model(tmp_path / "model.keras")
        assert again.loss.get_config() == {**model.loss.get_config(), **settings}
        first = again.fit(X, X, batch_size=12, shuffle=False, verbose=0).history["loss"]
        assert first == [pytest.approx(expected, rel=1e-5)]

    def test_with_two_outputs_each_has_its_loss(self) -> None:
        inputs = keras.Input((5,))
        codes = keras.layers.Dense(2, name="codes")(inputs)
        model = keras.Model(inputs, {"codes": codes, "points": keras.layers.Dense(5, name="points")(codes)})
        losses = {"codes": dk.PairwiseDistanceError(), "points": "mse"}
        model.compile("adam", losses, loss_weights={"codes": 10.0, "points": 1.0})
        outputs = model(X)
        expected = 10 * bare(X, outputs["codes"]) + np.mean((outputs["points"] - X) ** 2)
        found = model.evaluate(X, {"codes": X, "points": X}, batch_size=12, verbose=0, return_dict=True)
        assert found["loss"] == pytest.approx(expected, rel=1e-5)

    def test_half_precision_reaches_it_as_float32(self) -> None:
        loss = dk.PairwiseDistanceError()
        found = loss(X * 1e4, (Z * 300).astype("float16"))  # beyond float16
        assert float(found) == pytest.approx(by_definition(X * 1e4, (Z * 300).astype("float16"), "scaled"), rel=1e-4)

    def test_sample_weights_and_wrong_settings_are_refused(self) -> None:
        with pytest.raises(InputError, match=r"^sample_weight: given; pass none"):
            dk.PairwiseDistanceError()(X, Z, sample_weight=np.ones(12))
        with pytest.raises(InputError, match=r"^form: "):
            dk.PairwiseDistanceError("strain")


def test_without_keras_its_import_says_what_to_install_and_distbench_needs_none() -> None:
    code = (
        "import sys, distbench, distbench.baselines; assert 'keras' not in sys.modules; sys.modules['keras'] = None\n"
        "try: import distbench.keras\n"
        "except distbench.MissingDependencyError as error: print(str(error).splitlines()[-1])"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout.endswith('pip install "distbench[keras]"\n')
    assert "Keras 3 with a backend is needed" in done.stdout
