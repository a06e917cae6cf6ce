"""What the models divide their losses by, what the history shows of them, and networks of any shape."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import numpy as np
import pytest
from frameworks import dk, keras, tf
from scipy.spatial.distance import pdist

import distbench
from distbench.errors import InputError

X = np.random.default_rng(0).normal(size=(40, 6)).astype("float32") * 3 + 5
VARIANCE = X.var(axis=0, dtype=float).mean()


def squared_error(model: Any, rows: Any) -> float:
    return float(((model.predict(rows, verbose=0) - rows) ** 2).mean())


def evaluated(model: Any, *data: Any, **options: Any) -> dict[str, float]:
    found: dict[str, float] = model.evaluate(*data, batch_size=40, verbose=0, return_dict=True, **options)
    return found


@pytest.mark.parametrize("loss", [None, "mse"])
@pytest.mark.parametrize("targets", [(), (X,)])
def test_reconstruction_is_divided_by_the_variance(loss: Any, targets: Any) -> None:
    model = dk.DistancePreservingAutoencoder(2, weight=3.0, hidden=(8,))
    model.compile("adam", loss)
    model.adapt(X[:20])
    variance, scale = X[:20].var(axis=0, dtype=float).mean(), pdist(X[:20]).mean()
    np.testing.assert_allclose([float(model.variance), float(model.scale)], [variance, scale], rtol=1e-5)
    logs = evaluated(model, X, *targets)
    distances = 3 * float(dk.pairwise_distance_loss(X, model.encode(X), scale=scale))
    parts = {"reconstruction_loss": squared_error(model, X) / variance, "distance_loss": distances}
    assert logs == pytest.approx({"loss": sum(parts.values()), **parts}, rel=1e-4)


def test_before_adapt_the_variance_and_the_scale_of_the_batch_count() -> None:
    model = dk.DistancePreservingAutoencoder(2, hidden=(8,))
    model.compile("adam")
    logs = evaluated(model, X)
    assert logs["reconstruction_loss"] == pytest.approx(squared_error(model, X) / VARIANCE, rel=1e-4)
    assert logs["distance_loss"] == pytest.approx(10 * float(dk.pairwise_distance_loss(X, model.encode(X))), rel=1e-4)


@pytest.mark.parametrize("loss", [None, "mae"])
def test_any_compiled_loss_is_divided_and_sample_weights_concern_it_alone(loss: Any) -> None:
    model = dk.DistancePreservingAutoencoder(2, hidden=(8,))
    model.adapt(X)
    model.compile("adam", loss)
    weights = np.arange(40.0)
    alone, weighted = evaluated(model, X), evaluated(model, X, X, sample_weight=weights)
    errors = np.abs(model.predict(X, verbose=0) - X)
    each = (errors if loss else errors**2).mean(axis=1) / VARIANCE
    found = [alone["reconstruction_loss"], weighted["reconstruction_loss"]]
    assert found == pytest.approx([each.mean(), (each * weights).mean()], rel=1e-4)
    assert weighted["distance_loss"] == pytest.approx(alone["distance_loss"], rel=1e-5)


def test_the_history_adds_up_and_neighbors_are_not_validated() -> None:
    model = dk.NeighborAutoencoder(2, hidden=(8,))
    model.compile("adam", steps_per_execution=2)
    logs = model.fit(dk.NeighborBatches(X, batch_size=10), validation_data=(X, X), verbose=0, epochs=2).history
    parts = ["reconstruction_loss", "distance_loss", "neighbor_loss"]
    assert set(logs) == {prefix + name for prefix in ("", "val_") for name in ("loss", *parts)}
    np.testing.assert_allclose(logs["loss"], np.sum([logs[name] for name in parts], axis=0), rtol=1e-5)
    assert np.isnan(logs["val_neighbor_loss"]).all()
    val = np.add(logs["val_reconstruction_loss"], logs["val_distance_loss"])
    np.testing.assert_allclose(logs["val_loss"], val, rtol=1e-5)


@pytest.mark.parametrize("given", ["array", "list", "dataset", "pairs", "sequence", "images"])
def test_adapt_takes_arrays_and_batches(given: str) -> None:
    class Batches(keras.utils.PyDataset):  # type: ignore[misc,name-defined,unused-ignore]
        def __len__(self) -> int:
            return 4

        def __getitem__(self, index: int) -> Any:
            return X[10 * index : 10 * index + 10], None

    model = dk.DistancePreservingAutoencoder(2)
    points = {
        "array": lambda: X.astype("float64"),
        "list": X.tolist,
        "dataset": lambda: tf.data.Dataset.from_tensor_slices(X).batch(16),
        "sequence": Batches,
        "pairs": lambda: tf.data.Dataset.from_tensor_slices((X, X)).batch(16),
        "images": lambda: X.reshape(40, 2, 3, 1),
    }[given]()
    model.adapt(points)
    np.testing.assert_allclose(float(model.variance), VARIANCE, rtol=1e-6)
    np.testing.assert_allclose(float(model.scale), pdist(X).mean(), rtol=1e-6)


def test_mean_distances_of_many_points_are_those_of_a_sample() -> None:
    many = np.random.default_rng(0).normal(size=(20_000, 3))
    model = dk.TopologicalAutoencoder(2)
    model.adapt(many)
    assert float(model.scale) == pytest.approx(4 / np.sqrt(np.pi), rel=0.02)  # of two points of a normal distribution
    assert float(model.variance) == pytest.approx(many.var(axis=0).mean(), rel=1e-5)


@pytest.mark.parametrize(
    ("points", "found"),
    [
        (X[:1].repeat(3, axis=0), "a variance of 0.0; pass points that are finite and not all equal"),
        (np.full((3, 2), np.nan), "a variance of nan; pass points that are finite and not all equal"),
        (X[:0], "no points; pass train points"),
        (iter(X), r"a batch of shape \(6,\); pass points or batches"),
    ],
)
def test_points_without_a_variance_are_refused(points: Any, found: str) -> None:
    with pytest.raises(InputError, match=f"^X: found {found}"):
        dk.Autoencoder(2).adapt(points)


def test_sample_weights_of_images_are_those_of_points() -> None:
    images = X.reshape(40, 2, 3, 1)
    layers = keras.layers
    encoder = keras.Sequential([layers.Flatten(), layers.Dense(2)])
    model = dk.DistancePreservingAutoencoder(
        encoder=encoder, decoder=keras.Sequential([layers.Dense(6), layers.Reshape((2, 3, 1))])
    )
    model.compile("adam")
    model.adapt(images)
    weights = np.arange(40.0)
    each = ((model.predict(images, verbose=0) - images) ** 2).mean(axis=(1, 2, 3)) / VARIANCE
    found = evaluated(model, images, images, sample_weight=weights)["reconstruction_loss"]
    assert found == pytest.approx((each * weights).mean(), rel=1e-4)


@pytest.mark.parametrize("after_batches", [False, True])
def test_targets_of_another_shape_are_refused(after_batches: bool) -> None:
    model = dk.DistancePreservingAutoencoder(2, hidden=(8,))
    model.compile("adam")
    if after_batches:  # then TensorFlow traces with a rank that it does not know
        model.fit(dk.NeighborBatches(X, batch_size=10), verbose=0)
    expected = "a tensor of unknown rank" if after_batches else r"targets of shape \(\) for outputs of \(6,\)"
    with pytest.raises(InputError, match=f"^y: found {expected}"):
        model.fit(X, np.zeros(40, "float32"), verbose=0)


@pytest.mark.parametrize("targets", [None, X])
def test_a_decoder_of_another_shape_is_named(targets: Any) -> None:
    model = dk.Autoencoder(encoder=keras.layers.Dense(2), decoder=keras.layers.Dense(5))
    model.compile("adam")
    with pytest.raises(InputError, match=r"^decoder: found outputs of shape \(5,\) for points of \(6,\); pass a"):
        model.fit(X, targets, verbose=0)


@pytest.mark.parametrize(
    ("use", "message"),
    [
        (
            lambda model: model.fit(X.reshape(40, 2, 3), verbose=0),
            r"^inputs: found points of shape \(2, 3\); pass shape",
        ),
        (lambda model: model.fit([X, X], verbose=0), "^inputs: found tuple; pass one array of points"),
        (lambda model: model.fit(X, sample_weight=np.ones(40), verbose=0), "^sample_weight: found without y; pass"),
        (lambda model: model.fit(X, class_weight={0: 2.0}), "^class_weight: found for a model without classes; pass s"),
        (lambda model: model(X) is model(X[:, :3]), r"^inputs: found shape \(40, 3\); pass shape \(n, 6\)$"),
        (lambda model: model(X[0]), r"^inputs: found shape \(6,\); pass points"),
        (lambda model: model.encode(X) is model.encode(X[0]), r"^X: found shape \(6,\); pass shape \(n, 6\)$"),
        (lambda model: model.encode(X) is model.decode(X), r"^Z: found shape \(40, 6\); pass shape \(n, 2\)$"),
        (lambda model: model.encode(X, batch_size=-1), "^batch_size: found -1; "),
        (lambda model: model.encode([["a"]]), "^X: found list; pass an array of numbers"),
        (lambda model: model.adapt(None), "^X: found NoneType; pass points or batches"),
        (lambda model: model.adapt(iter([X, X[:, :3]])), "^X: found batches of 6 and of 3 numbers a point"),
    ],
)
def test_what_is_no_batch_of_points_is_refused_in_one_line(use: Any, message: str) -> None:
    model = dk.Autoencoder(2, hidden=(8,))
    model.compile("adam")
    with pytest.raises(InputError, match=message):
        use(model)


def test_errors_inside_layers_keep_their_advice_and_their_one_line() -> None:
    model = keras.Sequential([keras.Input((6,)), dk.NeighborLoss(), keras.layers.Dense(6)])
    model.compile("adam", "mse", run_eagerly=True)
    with pytest.raises(InputError, match=r"^codes: found 5 while training; pass batches of NeighborBatches$"):
        model.fit(X[:5], X[:5], verbose=0)


def test_compiled_metrics_need_no_targets() -> None:
    model = dk.Autoencoder(2)
    model.compile("adam", metrics=["mse"])
    assert evaluated(model, X)["mse"] == pytest.approx(squared_error(model, X), rel=1e-4)


@pytest.mark.parametrize("kind", ["DistancePreservingAutoencoder", "NeighborAutoencoder"])
@pytest.mark.parametrize("built", [True, False])
def test_networks_for_images_are_taken_built_or_not(kind: str, built: bool) -> None:
    images = X.reshape(10, 4, 6, 1)
    start = [[keras.Input((4, 6, 1))], [keras.Input((2, 3, 2))]] if built else [[], []]
    encoder = [*start[0], keras.layers.Conv2D(2, 3, strides=2, padding="same", kernel_regularizer="l2")]
    decoder = [*start[1], keras.layers.Conv2DTranspose(1, 3, strides=2, padding="same")]
    model = getattr(dk, kind)(encoder=keras.Sequential(encoder), decoder=keras.Sequential(decoder))
    model.compile("adam", jit_compile=True)
    batches = dk.NeighborBatches(images, neighbors=3, batch_size=5)
    logs = model.fit(batches, verbose=0).history
    added = sum(logs[name][0] for name in logs if name != "loss")
    assert logs["loss"][0] > added  # by the regularizer
    codes = model.encode(images)
    assert codes.shape == (10, 2, 3, 2)
    assert model.encode(images[:0]).shape == (0, 2, 3, 2)
    with pytest.raises(InputError, match=r"^X: found shape \(40, 6\); pass shape \(n, 4, 6, 1\)$"):
        model.encode(X)
    np.testing.assert_allclose(model.decode(codes), model.predict(images, verbose=0), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    ("networks", "message"),
    [
        ({}, "^code_size: missing; pass it, or encoder and decoder$"),
        ({"encoder": "half"}, "^code_size: missing, with encoder given; pass it, or encoder and decoder$"),
        ({"encoder": "half", "decoder": "half"}, "^encoder: found str; pass a Keras model$"),
    ],
)
def test_both_networks_are_needed(networks: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        dk.DistancePreservingAutoencoder(**networks)


def test_a_model_without_a_decoder_takes_an_encoder_alone() -> None:
    model = dk.DistanceEncoder(encoder=keras.Sequential([keras.layers.Dense(3)]))
    model.compile("adam")
    assert set(model.fit(X, verbose=0).history) == {"loss", "distance_loss"}
    assert model.encode(X).shape == (40, 3)
    with pytest.raises(InputError, match=r"^code_size: missing; pass it, or encoder$"):
        dk.DistanceEncoder()


REPLICAS = """
import sys, keras, numpy as np, tensorflow as tf
import distbench.keras as dk
cpu, = tf.config.list_physical_devices("CPU")
tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
X = np.random.default_rng(0).normal(size=(128, 6)).astype("float32")

def trained(strategy, share):
    with strategy.scope():
        keras.utils.set_random_seed(0)
        model = getattr(dk, sys.argv[1])(2, hidden=(8,))
        model.build((None, 6))
        model.adapt(X)
        model.compile(keras.optimizers.SGD(0.05, gradient_accumulation_steps=share))
    size = 16 * (3 - (share or 1))
    data = {"x": X, "batch_size": size}
    if sys.argv[1] == "NeighborAutoencoder":
        data = {"x": dk.NeighborBatches(X, batch_size=size)}
    logs = model.fit(**data, epochs=3, shuffle=False, verbose=0).history
    return [*map(np.asarray, logs.values()), *model.get_weights()]

both = trained(tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"]), None)
for one, two in zip(trained(tf.distribute.get_strategy(), 2), both, strict=True):
    np.testing.assert_allclose(one, two, rtol=1e-4, atol=1e-5)
print("equal")
"""


@pytest.mark.nightly
@pytest.mark.parametrize("kind", ["DistancePreservingAutoencoder", "NeighborAutoencoder", "DistanceEncoder"])
def test_two_replicas_take_the_steps_of_one_device_that_adds_up_the_gradients_of_two_halves(kind: str) -> None:
    run = [sys.executable, "-W", "ignore", "-c", REPLICAS, kind]
    done = subprocess.run(run, capture_output=True, text=True, check=False)
    assert done.stdout.split()[-1:] == ["equal"], done.stderr


REFUSED = """
import keras, numpy as np, tensorflow as tf
import distbench.keras as dk
cpu, = tf.config.list_physical_devices("CPU")
tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
X = np.random.default_rng(0).normal(size=(64, 6)).astype("float32")
with tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"]).scope():
    models = [dk.NeighborAutoencoder(2), keras.Sequential([keras.Input((6,)), dk.NeighborLoss()])]
    for model, size in zip(models, [15, 16]):
        model.compile("adam")
        try:
            model.fit(dk.NeighborBatches(X, batch_size=size), verbose=0)
        except Exception as error:
            print(error)
"""


@pytest.mark.nightly
def test_replicas_never_take_other_points_for_partners() -> None:
    run = [sys.executable, "-W", "ignore", "-c", REFUSED]
    done = subprocess.run(run, capture_output=True, text=True, check=False)
    assert done.stdout.splitlines() == [
        "batch_size: found 15 anchors for 2 replicas; pass a multiple of 2 to NeighborBatches",
        "partners: missing, on 2 replicas, which get different parts of a batch; call layer(anchors, partners)",
    ], done.stderr


@pytest.mark.nightly
def test_with_no_setting_chosen_it_beats_principal_components_at_everything() -> None:
    data = distbench.load_dataset("digits")
    points = data.train.astype("float32")

    def scores(encoder: Any) -> Any:
        report = distbench.evaluate(encoder, data.test, reference=data.train)
        return np.array([report["knn_recall"].value, report["continuity"].value, -report["scaled_stress"].value])

    found = []
    for seed in range(8):
        keras.utils.set_random_seed(seed)
        model = dk.DistancePreservingAutoencoder(8)
        model.compile("adam")
        model.fit(points, epochs=60, verbose=0)
        found.append(scores(model))
    assert (np.mean(found, axis=0) > scores(distbench.fit_baseline("pca", data.train, 8))).all(), found
