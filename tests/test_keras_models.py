"""What all models have in common: encode, decode, save, load, train; and Keras models as encoders."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from distbench.encoders import as_encoder
from distbench.errors import EncoderError, InputError

keras = pytest.importorskip("keras")
pytest.importorskip("tensorflow")

from distbench.keras import (  # noqa: E402
    Autoencoder,
    ContractiveAutoencoder,
    ConvolutionalAutoencoder,
    DenoisingAutoencoder,
    DistanceEncoder,
    DistancePreservingAutoencoder,
    IsometricAutoencoder,
    LinearAutoencoder,
    TopologicalAutoencoder,
    VariationalAutoencoder,
)

X = np.random.default_rng(0).normal(size=(20, 6)).astype("float32")

MODELS: dict[str, Any] = {
    "plain": lambda **kw: Autoencoder(2, hidden=(8, 4), activation="tanh", **kw),
    "linear": lambda **kw: LinearAutoencoder(2, **kw),
    "distances": lambda **kw: DistancePreservingAutoencoder(2, weight=3.0, scale=2.0, hidden=(8,), **kw),
    "sampled": lambda **kw: DistancePreservingAutoencoder(2, form="stress", pairs="sampled", **kw),
    "denoising": lambda **kw: DenoisingAutoencoder(2, noise=0.2, hidden=(8,), **kw),
    "contractive": lambda **kw: ContractiveAutoencoder(2, weight=0.1, hidden=(8,), **kw),
    "convolutional": lambda **kw: ConvolutionalAutoencoder(2, (2, 3), filters=(4, 5), **kw),
    "variational": lambda **kw: VariationalAutoencoder(2, weight=0.5, hidden=(8,), **kw),
    "topological": lambda **kw: TopologicalAutoencoder(2, weight=2.0, scale=3.0, hidden=(8,), max_points=7, **kw),
    "isometric": lambda **kw: IsometricAutoencoder(2, weight=0.2, hidden=(8,), activation="elu", **kw),
    "encoder": lambda **kw: DistanceEncoder(2, scale=2.0, hidden=(8,), form="sammon", **kw),
}


@pytest.fixture(params=MODELS)
def make(request: pytest.FixtureRequest) -> Any:
    return MODELS[request.param]


def fitted(model: Any, points: Any, jit: bool = False) -> list[float]:
    model.compile("adam", "mse", jit_compile=jit)
    # 20 points in batches of 8: the last batch is a smaller one.
    losses: list[float] = model.fit(points, points, epochs=2, batch_size=8, verbose=0).history["loss"]
    return losses


def test_encode_then_decode_is_what_the_model_predicts(make: Any) -> None:
    model = make()
    codes = model.encode(X, batch_size=7)
    assert codes.shape == (20, 2)
    assert codes.dtype == np.float32
    expected = model.decode(codes, batch_size=7) if model.reconstructs else codes
    np.testing.assert_allclose(model.predict(X, verbose=0), expected, rtol=1e-5, atol=1e-6)


def test_saved_and_loaded_it_is_the_same_and_trains_on(make: Any, tmp_path: Path) -> None:
    model = make()
    fitted(model, X)
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    assert type(again) is type(model)
    assert again.get_config() == model.get_config()
    np.testing.assert_array_equal(again.encode(X), model.encode(X))
    np.testing.assert_array_equal(again.predict(X, verbose=0), model.predict(X, verbose=0))
    assert np.isfinite(again.fit(X, X, batch_size=8, verbose=0).history["loss"]).all()


def test_config_makes_an_equal_model(make: Any) -> None:
    config = make(dtype="mixed_bfloat16", name="mine").get_config()
    again = type(make()).from_config(config)
    assert again.get_config() == config
    assert again.compute_dtype == "bfloat16"


@pytest.mark.parametrize(
    ("policy", "jit"),
    [
        ("float32", True),
        pytest.param("mixed_bfloat16", False, marks=pytest.mark.slow),
        pytest.param("mixed_float16", False, marks=pytest.mark.slow),
    ],
)
def test_it_trains_in_every_precision_compiled_or_not(make: Any, policy: str, jit: bool) -> None:
    keras.utils.set_random_seed(0)
    model = make(dtype=policy)
    model.build((None, 6))
    before = model.get_weights()
    points = X[:16] if jit else X  # each size of batch is compiled; that of a smaller last one in tests of the losses
    losses = fitted(model, points, jit)
    assert np.isfinite(losses).all()
    after = model.get_weights()
    assert all(np.isfinite(weights).all() for weights in after)
    assert any((old != new).any() for old, new in zip(before, after, strict=True))
    assert np.isfinite(model.encode(X)).all()
    # All points the same: distances, variances and spanning trees are all 0.
    same = points[:1].repeat(len(points), axis=0)
    assert np.isfinite(model.fit(same, points, batch_size=8, verbose=0).history["loss"]).all()
    assert np.isfinite(model.encode(X)).all()


def test_the_policy_reaches_every_layer(make: Any) -> None:
    model = make(dtype="mixed_float16")
    model.build((None, 6))
    parts = [part for part in model._flatten_layers() if hasattr(part, "kernel")]
    assert {part.compute_dtype for part in parts} == {"float16"}
    assert {weight.dtype for weight in model.weights} == {"float32"}


@pytest.mark.parametrize("name", ["denoising", "contractive", "variational", "isometric"])
def test_noise_from_outside_leaves_nothing_to_chance(name: str) -> None:
    model = MODELS[name]()
    model.build((None, 6))
    noise = np.random.default_rng(1).normal(size=(20, model.noise_size)).astype("float32")

    def step(**given: Any) -> list[Any]:
        output = np.asarray(model(X, training=True, **given))
        return [output, *(np.asarray(loss) for loss in model.losses)]

    for first, second in zip(step(noise=noise), step(noise=noise), strict=True):
        np.testing.assert_array_equal(first, second)
    assert any((first != second).any() for first, second in zip(step(), step(), strict=True))


def test_layers_mirror_each_other() -> None:
    model = Autoencoder(3, hidden=(8, 4))
    model.build((None, 6))
    assert [layer.units for layer in model.encoder.layers] == [8, 4, 3]
    assert [layer.units for layer in model.decoder.layers] == [4, 8, 6]


@pytest.mark.filterwarnings("error")
def test_components_of_the_linear_one_span_what_it_can_reconstruct() -> None:
    model = LinearAutoencoder(2)
    bias = model.decode(model.encode(X) * 0)
    moved = model.decode(model.encode(X)) - bias
    np.testing.assert_allclose(moved, model.encode(X) @ model.components_, rtol=1e-4, atol=1e-6)


def test_decoding_before_any_points_is_an_error() -> None:
    with pytest.raises(InputError, match="seen no points"):
        Autoencoder(2).decode(np.zeros((1, 2)))


@pytest.mark.parametrize("arguments", [(0,), (2, (8, 0)), (2.5,), (True,), ("2",)])
def test_widths_are_checked(arguments: Any) -> None:
    with pytest.raises(InputError, match="not a whole number above 0"):
        Autoencoder(*arguments)


@pytest.mark.parametrize(
    ("make", "options", "message"),
    [
        (DenoisingAutoencoder, {"noise": -0.1}, "noise: -0.1 is not a number of at least 0"),
        (ContractiveAutoencoder, {"weight": -1}, "weight: -1 is not"),
        (VariationalAutoencoder, {"weight": float("nan")}, "weight: nan is not"),
        (IsometricAutoencoder, {"weight": float("inf")}, "weight: inf is not"),
        (TopologicalAutoencoder, {"weight": -2}, "weight: -2 is not"),
        (TopologicalAutoencoder, {"scale": 0}, "scale: 0 is not a number above 0"),
        (TopologicalAutoencoder, {"max_points": 1}, "max_points: 1 is not a whole number above 1"),
        (DistancePreservingAutoencoder, {"weight": -1}, "weight: -1"),
        (DistanceEncoder, {"form": "scalled"}, "form: "),
        (DistanceEncoder, {"pairs": "some"}, "pairs: "),
    ],
)
def test_settings_are_checked(make: Any, options: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        make(2, **options)


def test_as_encoder_takes_a_keras_model() -> None:
    model = keras.Sequential([keras.Input((6,)), keras.layers.Dense(3), keras.layers.Dropout(0.5)], name="half")
    encoder = as_encoder(model, batch_size=8)
    assert encoder.name == "half"
    np.testing.assert_allclose(encoder.encode(X.astype("float64")), model(X, training=False), rtol=1e-5, atol=1e-6)


def test_as_encoder_hands_images_to_a_convolution() -> None:
    model = keras.Sequential([keras.Input((8, 8, 1)), keras.layers.Conv2D(2, 3, strides=2), keras.layers.Flatten()])
    images = np.random.default_rng(1).integers(0, 255, (9, 8, 8, 1), dtype="uint8")
    assert as_encoder(model, batch_size=4).encode(images).shape == (9, 18)


def test_as_encoder_takes_a_frame_for_a_keras_model() -> None:
    pd = pytest.importorskip("pandas")
    model = keras.Sequential([keras.Input((6,)), keras.layers.Dense(3)])
    np.testing.assert_allclose(as_encoder(model).encode(pd.DataFrame(X)), model(X), rtol=1e-5, atol=1e-6)


def test_as_encoder_takes_the_codes_of_a_model_not_its_output(make: Any) -> None:
    model = make()
    np.testing.assert_array_equal(as_encoder(model).encode(X), model.encode(X))


def test_as_encoder_refuses_two_outputs() -> None:
    inputs = keras.Input((6,))
    both = keras.Model(inputs, [keras.layers.Dense(2)(inputs), keras.layers.Dense(6)(inputs)])
    with pytest.raises(EncoderError, match="has 2 outputs"):
        as_encoder(both).encode(X)


def test_as_encoder_takes_a_layer_as_a_function() -> None:
    assert as_encoder(keras.layers.Dense(2)).encode(X).shape == (20, 2)
