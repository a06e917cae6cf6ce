"""The autoencoders: encode, decode, save, load; and as encoders beside plain Keras models."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from distbench.encoders import as_encoder
from distbench.errors import EncoderError, InputError

keras = pytest.importorskip("keras")
pytest.importorskip("tensorflow")

from distbench.keras import Autoencoder, DistancePreservingAutoencoder, LinearAutoencoder  # noqa: E402

X = np.random.default_rng(0).normal(size=(20, 6)).astype("float32")

MODELS: list[Any] = [
    lambda: Autoencoder(2, hidden=(8, 4), activation="tanh"),
    lambda: LinearAutoencoder(2),
    lambda: DistancePreservingAutoencoder(2, weight=3.0, scale=2.0, hidden=(8,)),
    lambda: DistancePreservingAutoencoder(2),
]


@pytest.mark.parametrize("make", MODELS)
def test_encode_then_decode_is_the_reconstruction(make: Any) -> None:
    model = make()
    codes = model.encode(X, batch_size=7)
    assert codes.shape == (20, 2)
    np.testing.assert_allclose(model.decode(codes, batch_size=7), model.predict(X, verbose=0), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("make", MODELS)
def test_saved_and_loaded_it_is_the_same(make: Any, tmp_path: Path) -> None:
    model = make()
    model.compile("adam", "mse")
    model.fit(X, X, epochs=2, batch_size=8, verbose=0)
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    assert type(again) is type(model)
    assert again.get_config() == model.get_config()
    np.testing.assert_array_equal(again.encode(X), model.encode(X))
    np.testing.assert_array_equal(again.predict(X, verbose=0), model.predict(X, verbose=0))


@pytest.mark.parametrize("make", MODELS)
def test_config_makes_an_equal_model(make: Any) -> None:
    config = make().get_config()
    assert type(make()).from_config(config).get_config() == config


def test_the_distance_loss_is_part_of_the_training_loss() -> None:
    keras.utils.set_random_seed(0)
    model = DistancePreservingAutoencoder(2, weight=3.0, scale=2.0)
    model.compile("adam", "mse")
    total = model.evaluate(X, X, batch_size=20, verbose=0)
    mse = float(np.mean((model.predict(X, verbose=0) - X) ** 2))
    model(X)
    assert total == pytest.approx(mse + float(model.losses[0]), rel=1e-4)
    assert total > mse + 1e-3


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


@pytest.mark.parametrize("arguments", [(0,), (2, (8, 0)), (2.5,)])
def test_widths_are_checked(arguments: Any) -> None:
    with pytest.raises(InputError, match="not a whole number above 0"):
        Autoencoder(*arguments)


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


def test_as_encoder_takes_the_codes_of_an_autoencoder_not_its_output() -> None:
    model = Autoencoder(2)
    np.testing.assert_array_equal(as_encoder(model).encode(X), model.encode(X))


def test_as_encoder_refuses_two_outputs() -> None:
    inputs = keras.Input((6,))
    both = keras.Model(inputs, [keras.layers.Dense(2)(inputs), keras.layers.Dense(6)(inputs)])
    with pytest.raises(EncoderError, match="has 2 outputs"):
        as_encoder(both).encode(X)


def test_as_encoder_takes_a_layer_as_a_function() -> None:
    assert as_encoder(keras.layers.Dense(2)).encode(X).shape == (20, 2)
