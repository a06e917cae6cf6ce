"""What all models have in common: encode, decode, save, load, train; and Keras models as encoders."""

from __future__ import annotations

import inspect
import json
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
from frameworks import dk, keras
from nightly import over_all

import distbench
from distbench.encoders import as_encoder
from distbench.errors import EncoderError, InputError

X = np.random.default_rng(0).normal(size=(20, 6)).astype("float32")


def networks(dtype: Any = None) -> dict[str, Any]:
    """Return an encoder to codes of two axes, not built, and a decoder of them."""
    dense = keras.layers.Dense(2, dtype=dtype)
    encoder = [keras.layers.Reshape((2, 3), dtype=dtype), dense]
    decoder = [keras.layers.Flatten(dtype=dtype), keras.layers.Dense(6, dtype=dtype)]
    return {
        "encoder": keras.Sequential(encoder, name="encoder"),
        "decoder": keras.Sequential([keras.Input((2, 2)), *decoder], name="decoder"),
    }


MODELS: dict[str, Any] = {
    "plain": lambda **kw: dk.Autoencoder(2, hidden=(8, 4), activation="tanh", **kw),
    "linear": lambda **kw: dk.LinearAutoencoder(2, **kw),
    "distances": lambda **kw: dk.DistancePreservingAutoencoder(2, weight=3.0, scale=2.0, hidden=(8,), **kw),
    "sampled": lambda **kw: dk.DistancePreservingAutoencoder(2, form="stress", pairs="sampled", **kw),
    "denoising": lambda **kw: dk.DenoisingAutoencoder(2, noise=0.2, hidden=(8,), seed=3, **kw),
    "contractive": lambda **kw: dk.ContractiveAutoencoder(2, weight=0.1, hidden=(8,), **kw),
    "convolutional": lambda **kw: dk.ConvolutionalAutoencoder(2, (2, 3), filters=(4, 5), **kw),
    "variational": lambda **kw: dk.VariationalAutoencoder(2, weight=0.5, hidden=(8,), **kw),
    "topological": lambda **kw: dk.TopologicalAutoencoder(2, weight=2.0, scale=3.0, hidden=(8,), max_points=7, **kw),
    "isometric": lambda **kw: dk.IsometricAutoencoder(2, weight=0.2, hidden=(8,), activation="elu", **kw),
    "encoder": lambda **kw: dk.DistanceEncoder(2, scale=2.0, hidden=(8,), form="sammon", **kw),
    "neighbors": lambda **kw: dk.NeighborAutoencoder(2, neighbor_weight=0.5, hidden=(8,), **kw),
    "given": lambda **kw: dk.NeighborAutoencoder(weight=2.0, **networks(kw.get("dtype")), **kw),
}
ONCE_MORE = "sampled"  # of a class that "distances" stands for; test_keras_gradients.py has its form and its pairs


@pytest.fixture(
    scope="module", params=[pytest.param(name, marks=[pytest.mark.nightly] * (name == ONCE_MORE)) for name in MODELS]
)
def name(request: pytest.FixtureRequest) -> Any:
    return request.param


class Trained(NamedTuple):
    """A model after two training steps, and its weights before them."""

    model: Any
    before: list[Any]
    losses: list[float]


@pytest.fixture(scope="module")
def trained(name: str) -> Trained:
    keras.utils.set_random_seed(0)
    model = MODELS[name]()
    model.build((None, 6))
    return Trained(model, model.get_weights(), fitted(model, X[:16]))


def fitted(model: Any, points: Any, targets: Any = None, epochs: int = 1, **options: Any) -> list[float]:
    """Train in batches of 8 points. Every size of batch is traced anew, so a smaller last one costs half a second."""
    model.compile("adam", "mse" if model.reconstructs else None, **options)
    return fit_again(model, points, points if targets is None else targets, epochs=epochs)


def fit_again(model: Any, points: Any, targets: Any, **options: Any) -> list[float]:
    data: Any = {"x": points, "y": targets, "batch_size": 8}
    if isinstance(model, dk.NeighborAutoencoder):
        data = {"x": dk.NeighborBatches(points, targets, neighbors=3, batch_size=4)}
    losses: list[float] = model.fit(**data, **options, verbose=0).history["loss"]
    return losses


def check_training(model: Any, before: list[Any], losses: list[float]) -> None:
    after = model.get_weights()
    assert np.isfinite(losses).all()
    assert all(np.isfinite(weights).all() for weights in after)
    assert any((old != new).any() for old, new in zip(before, after, strict=True))
    assert np.isfinite(model.encode(X)).all()


def test_it_trains(trained: Trained) -> None:
    check_training(*trained)


def test_predict_encodes_and_then_decodes(trained: Trained) -> None:
    model = trained.model
    codes = model.encode(X, batch_size=7)
    assert codes.shape == ((20, 2, 2) if model.code_size is None else (20, 2))
    assert codes.dtype == np.float32
    expected = model.decode(codes, batch_size=7) if model.reconstructs else codes
    np.testing.assert_allclose(model.predict(X, verbose=0), expected, rtol=1e-5, atol=1e-6)


def test_saved_and_loaded_it_is_the_same_and_trains_on(trained: Trained, tmp_path: Path) -> None:
    model = trained.model
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    assert type(again) is type(model)
    assert json.dumps(again.get_config()) == json.dumps(model.get_config())
    np.testing.assert_array_equal(again.encode(X), model.encode(X))
    np.testing.assert_array_equal(again(X), model(X))
    again.run_eagerly = True
    # 20 points in batches of 8: the last batch is a smaller one.
    assert np.isfinite(fit_again(again, X, X)).all()
    assert np.isfinite(again.encode(X)).all()


def test_a_summary_names_the_layers_before_and_after_training(trained: Trained, name: str) -> None:
    for model in (MODELS[name](), trained.model):
        lines: list[str] = []
        model.summary(print_fn=lines.append, expand_nested=True)
        assert ("encoder (Sequential)" in "".join(lines)) == (model.built or model.code_size is None)


def test_every_model_is_tested_here() -> None:
    made = {type(make()) for make in MODELS.values()}
    public = [getattr(distbench.keras, name) for name in distbench.keras.__all__]
    assert made == {kind for kind in public if inspect.isclass(kind) and issubclass(kind, keras.Model)}


def test_importing_the_package_is_enough_to_load_what_it_makes(tmp_path: Path) -> None:
    codes = {}
    for name, make in MODELS.items():
        model = make()
        model.compile("adam", dk.PairwiseDistanceError("stress") if name == "encoder" else None)
        model.adapt(X)
        codes[name] = model.encode(X)
        model.save(tmp_path / f"{name}.keras")
    np.savez(tmp_path / "codes.npz", X=X, **codes)
    code = (
        "import inspect, sys, keras, numpy as np\n"
        "import distbench.keras as parts\n"
        "kinds = [kind for kind in vars(parts).values() if inspect.isclass(kind)]\n"
        "stored = [kind for kind in kinds if issubclass(kind, (keras.layers.Layer, keras.losses.Loss))]\n"
        "known = [keras.saving.get_registered_object('distbench>' + kind.__name__) for kind in stored]\n"
        "assert known == stored and len(stored) > 15, known\n"
        "assert 'PreservationMonitor' in dir(parts) and 'numba' not in sys.modules\n"
        "codes = np.load(sys.argv[1] + '/codes.npz')\n"
        "for name in set(codes) - {'X'}:\n"
        "    model = keras.saving.load_model(f'{sys.argv[1]}/{name}.keras')\n"
        "    np.testing.assert_allclose(model.encode(codes['X']), codes[name], rtol=1e-5, atol=1e-6)\n"
        "    assert float(model.variance) > 0, name\n"
        "    print(name)"
    )
    run = [sys.executable, "-W", "ignore", "-c", code, str(tmp_path)]
    done = subprocess.run(run, capture_output=True, text=True, check=False)
    assert set(done.stdout.split()) == set(MODELS), done.stderr


def test_as_encoder_takes_the_codes_of_a_model_not_its_output(trained: Trained) -> None:
    np.testing.assert_array_equal(as_encoder(trained.model).encode(X), trained.model.encode(X).reshape(20, -1))


def test_config_has_every_argument_and_makes_an_equal_model(name: str) -> None:
    model = MODELS[name](dtype="mixed_bfloat16", name="mine")
    config = model.get_config()
    parameters = inspect.signature(type(model).__init__).parameters.values()
    kinds = inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY
    assert {parameter.name for parameter in parameters if parameter.kind in kinds} - {"self"} <= set(config)
    again = type(model).from_config(config)
    assert again.get_config() == config
    assert again.compute_dtype == "bfloat16"


def test_points_that_all_coincide_leave_numbers(name: str) -> None:
    """Distances, variances and spanning trees are all 0."""
    model = MODELS[name]()
    assert np.isfinite(fitted(model, X[:1].repeat(16, axis=0), X[:16], run_eagerly=True)).all()
    assert np.isfinite(model.encode(X)).all()


PRECISIONS = {
    "compiled": ("float32", True),
    "mixed_bfloat16": ("mixed_bfloat16", False),
    "mixed_float16": ("mixed_float16", False),
}


# The trees of the topological model are the most fragile when compiled, derivatives the most fragile in half precision.
@over_all(
    ("kind", "precision"), MODELS, PRECISIONS, stand=[("topological", "compiled"), ("contractive", "mixed_float16")]
)
def test_it_trains_in_every_precision_compiled_or_not(kind: str, precision: str) -> None:
    policy, jit = PRECISIONS[precision]
    keras.utils.set_random_seed(0)
    model = MODELS[kind](dtype=policy)
    model.build((None, 6))
    # Steps in float16 are left out until the loss is scaled so that no gradient is infinite.
    check_training(model, model.get_weights(), fitted(model, X[:16], epochs=3, jit_compile=jit))
    same = X[:1].repeat(16, axis=0)
    assert np.isfinite(fit_again(model, same, X[:16])).all()
    assert np.isfinite(model.encode(X)).all()


def test_the_policy_reaches_every_layer(name: str) -> None:
    model = MODELS[name](dtype="mixed_float16")
    model.build((None, 6))
    parts = [part for part in model._flatten_layers() if hasattr(part, "kernel")]
    assert {part.compute_dtype for part in parts} == {"float16"}
    assert {weight.dtype for weight in model.weights} == {"float32"}


@pytest.mark.parametrize("kind", ["denoising", "contractive", "variational", "isometric"])
def test_noise_from_outside_leaves_nothing_to_chance(kind: str) -> None:
    model = MODELS[kind]()
    model.build((None, 6))
    noise = np.random.default_rng(1).normal(size=(20, model.noise_size)).astype("float32")

    def step(**options: Any) -> list[Any]:
        output = np.asarray(model(X, training=True, **options))
        return [output, *(np.asarray(loss) for loss in model.losses)]

    for first, second in zip(step(noise=noise), step(noise=noise), strict=True):
        np.testing.assert_array_equal(first, second)
    assert any((first != second).any() for first, second in zip(step(), step(), strict=True))


@pytest.mark.parametrize("kind", ["DenoisingAutoencoder", "ContractiveAutoencoder", "VariationalAutoencoder"])
def test_a_seed_decides_what_training_draws(kind: str) -> None:
    def output(seed: int | None) -> Any:
        model = getattr(dk, kind)(2, hidden=(4,), seed=seed)
        model.build((None, 6))
        model.set_weights([np.full(part.shape, 0.1) for part in model.get_weights()])
        return [np.asarray(part) for part in (model(X, training=True), *model.losses)]

    for first, again in zip(output(1), output(1), strict=True):
        np.testing.assert_array_equal(first, again)
    assert any((first != other).any() for first, other in zip(output(1), output(2), strict=True))
    assert any((first != other).any() for first, other in zip(output(None), output(None), strict=True))
    with pytest.raises(InputError, match="seed: found -1"):
        getattr(dk, kind)(2, seed=-1)


def doubled(x: Any) -> Any:
    return 2 * x


@pytest.mark.parametrize("kind", ["plain", "convolutional"])
@pytest.mark.parametrize("activation", ["function of Keras", "own function", "layer", "layer with weights"])
def test_activations_of_any_kind_come_back(kind: str, activation: str, tmp_path: Path) -> None:
    given = {
        "function of Keras": lambda: keras.activations.tanh,
        "own function": lambda: keras.saving.register_keras_serializable("tests")(doubled),
        "layer": lambda: keras.layers.LeakyReLU(0.3),
        "layer with weights": lambda: keras.layers.PReLU("ones"),
    }[activation]()
    model = (
        dk.Autoencoder(2, (5, 4), given) if kind == "plain" else dk.ConvolutionalAutoencoder(2, (2, 3), (4, 5), given)
    )
    model.build((None, 6))
    slopes = {part.path for part in model.weights if part.name == "alpha"}
    assert len(slopes) == (4 if activation == "layer with weights" else 0)
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(again(X), model(X))
    assert again.get_config() == model.get_config()
    if activation == "function of Keras":
        assert model.get_config()["activation"] == "tanh"


def test_long_and_short_batches_give_the_same_codes_and_an_empty_one_none() -> None:
    model = dk.Autoencoder(2, hidden=(8,))
    many = np.random.default_rng(0).normal(size=(9000, 6))
    codes = model.encode(many)
    np.testing.assert_allclose(codes, model.encode(many, batch_size=100), rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(model.decode(codes), model.decode(codes, batch_size=100), rtol=1e-5, atol=1e-6)
    assert model.encode(many[:0]).shape == (0, 2)


@pytest.mark.filterwarnings("error")
def test_components_of_the_linear_model_span_its_reconstructions() -> None:
    model = dk.LinearAutoencoder(2)
    bias = model.decode(model.encode(X) * 0)
    moved = model.decode(model.encode(X)) - bias
    np.testing.assert_allclose(moved, model.encode(X) @ model.components_, rtol=1e-4, atol=1e-6)


def test_layers_of_the_decoder_mirror_those_of_the_encoder() -> None:
    model = dk.Autoencoder(3, hidden=(8, 4))
    with pytest.raises(InputError, match="seen no points"):
        model.decode(np.zeros((1, 3)))
    model.build((None, 6))
    assert [layer.units for layer in model.encoder.layers] == [8, 4, 3]
    assert [layer.units for layer in model.decoder.layers] == [4, 8, 6]


@pytest.mark.parametrize("arguments", [(0,), (2, (8, 0)), (2.5,), (True,), ("2",)])
def test_widths_are_checked(arguments: Any) -> None:
    with pytest.raises(InputError, match=r"code_size, hidden: found .*pass a whole number, 1 or more"):
        dk.Autoencoder(*arguments)


@pytest.mark.parametrize(
    ("kind", "options", "message"),
    [
        ("DenoisingAutoencoder", {"noise": -0.1}, "noise: -0.1 is not a number of at least 0"),
        ("ContractiveAutoencoder", {"weight": -1}, "weight: -1 is not"),
        ("VariationalAutoencoder", {"weight": float("nan")}, "weight: nan is not"),
        ("IsometricAutoencoder", {"weight": float("inf")}, "weight: inf is not"),
        ("TopologicalAutoencoder", {"weight": -2}, "weight: -2 is not"),
        ("TopologicalAutoencoder", {"scale": 0}, "scale: 0 is not a number above 0"),
        ("TopologicalAutoencoder", {"max_points": 1}, "max_points: found 1; pass a whole number, 2 or more"),
        ("DistancePreservingAutoencoder", {"weight": -1}, "weight: -1"),
        ("DistanceEncoder", {"form": "scalled"}, "form: "),
        ("DistanceEncoder", {"pairs": "some"}, "pairs: "),
        ("Autoencoder", {"encoder": "half"}, "encoder: found beside code_size 2; pass one of the two"),
        ("ContractiveAutoencoder", {"encoder": "half"}, "encoder: found beside code_size 2"),
    ],
)
def test_settings_are_checked(kind: str, options: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        getattr(dk, kind)(2, **options)


def test_as_encoder_takes_models_of_rows_and_of_images_and_layers() -> None:
    rows = keras.Sequential([keras.Input((6,)), keras.layers.Dense(3), keras.layers.Dropout(0.5)], name="half")
    encoder = as_encoder(rows, batch_size=8)
    assert encoder.name == "half"
    for points in (X.astype("float64"), pytest.importorskip("pandas").DataFrame(X)):
        np.testing.assert_allclose(encoder.encode(points), rows(X, training=False), rtol=1e-5, atol=1e-6)
    images = np.random.default_rng(1).integers(0, 255, (9, 8, 8, 1), dtype="uint8")
    convolution = [keras.Input((8, 8, 1)), keras.layers.Conv2D(2, 3, strides=2), keras.layers.Flatten()]
    assert as_encoder(keras.Sequential(convolution), batch_size=4).encode(images).shape == (9, 18)
    assert as_encoder(keras.layers.Dense(2)).encode(X).shape == (20, 2)
    inputs = keras.Input((6,))
    both = keras.Model(inputs, [keras.layers.Dense(2)(inputs), keras.layers.Dense(6)(inputs)])
    with pytest.raises(EncoderError, match=r"^encoder '\w+' has 2 outputs; pass the part of the model"):
        as_encoder(both).encode(X)
