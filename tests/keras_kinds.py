"""Keras models of every kind, on whatever backend Keras runs: ``python tests/keras_kinds.py [FOLDER]`` checks them.

Without a folder only what is quick: Keras loads TensorFlow to save a model, whatever its backend, and so do baselines.
"""

from __future__ import annotations

import sys
import warnings
from pathlib import Path
from typing import Any

import numpy as np

rng = np.random.default_rng(0)
X = rng.normal(size=(40, 6)).astype(np.float32)
WEIGHTS = [rng.normal(size=shape).astype(np.float32) for shape in ((6, 5), (5,), (5, 2), (2,))]
CODES = np.maximum(X @ WEIGHTS[0] + WEIGHTS[1], 0) @ WEIGHTS[2] + WEIGHTS[3]


def models() -> dict[str, Any]:
    """Make a model of each kind with the same weights; dropout must not matter."""
    import keras

    @keras.saving.register_keras_serializable(package="real_encoders")
    class Subclassed(keras.Model):
        def __init__(self, **options: Any) -> None:
            super().__init__(**options)
            self.parts = layers()

        def call(self, batch: Any, training: bool = False) -> Any:
            for part in self.parts:
                batch = part(batch)
            return batch

    def layers() -> list[Any]:
        return [keras.layers.Dense(5, activation="relu"), keras.layers.Dropout(0.5), keras.layers.Dense(2)]

    codes = points = keras.Input((6,))
    for layer in layers():
        codes = layer(codes)
    subclassed = Subclassed()
    subclassed(X[:2])
    made = {
        "sequential": keras.Sequential([keras.Input((6,)), *layers()]),
        "functional": keras.Model(points, codes),
        "subclassed": subclassed,
    }
    for model in made.values():
        model.set_weights(WEIGHTS)
    return made


def check_loss(model: Any) -> None:
    """Check that a model trains with the loss on distances, alone and beside another, and that mistakes are named."""
    from distbench.errors import InputError
    from distbench.keras import DistanceEncoder, PairwiseDistanceError, PairwiseDistanceLoss, pairwise_distance_loss

    model.compile("sgd", PairwiseDistanceError("stress"))
    expected = float(pairwise_distance_loss(X, CODES, form="stress"))
    np.testing.assert_allclose(model.evaluate(X, X, batch_size=40, verbose=0), expected, rtol=1e-4)
    layer = PairwiseDistanceLoss(distance="cosine")
    layer.weight = 3.0
    layer(CODES, X)
    by_cosine = float(pairwise_distance_loss(X, CODES, distance="cosine"))
    np.testing.assert_allclose(float(layer.losses[0]), 3 * by_cosine, rtol=1e-5)
    encoder = DistanceEncoder(2, hidden=(8,))
    encoder.compile("sgd", "mse")
    codes = encoder.encode(X)
    alone, beside = (encoder.evaluate(X, y, 40, verbose=0, return_dict=True)["loss"] for y in (None, CODES))
    np.testing.assert_allclose(beside - alone, np.mean((codes - CODES) ** 2), rtol=1e-4)
    for wrong in ({"codes": CODES[:5], "inputs": X}, {"codes": CODES}):
        message = ""
        try:
            PairwiseDistanceLoss()(**wrong)
        except InputError as error:
            message = str(error)
        assert message.startswith(("codes: ", "inputs: ")), message
        assert "\n" not in message


def check_seeds_and_activations() -> None:
    """Check that a seed decides what training draws, and that a layer may be the activation."""
    import keras

    from distbench.keras import Autoencoder, DenoisingAutoencoder

    outputs = []
    for _ in range(2):
        keras.utils.set_random_seed(0)
        model = DenoisingAutoencoder(2, hidden=(8,), seed=3)
        model.build((None, 6))
        outputs.append(keras.ops.convert_to_numpy(model(X, training=True)))
        keras.random.normal((2,))
    np.testing.assert_array_equal(*outputs)
    model = Autoencoder(2, hidden=(8,), activation=keras.layers.PReLU())
    model.build((None, 6))
    again = Autoencoder.from_config(model.get_config())
    again.build((None, 6))
    again.set_weights(model.get_weights())
    np.testing.assert_array_equal(again.encode(X), model.encode(X))


def check_models(folder: Path | None) -> None:
    """Check that a model trains on losses that add up and has a summary; with a folder all models, also saved ones."""
    import keras

    import distbench.keras as dk

    images = keras.layers.Reshape((2, 3, 1))
    encoder = keras.Sequential([images, keras.layers.Conv2D(2, 2)])
    decoder = keras.Sequential([keras.layers.Flatten(), keras.layers.Dense(6)])
    models = [
        dk.NeighborAutoencoder(encoder=encoder, decoder=decoder),
        dk.ConvolutionalAutoencoder(2, (2, 3)),
        *(kind(2) for kind in (dk.LinearAutoencoder, dk.DistancePreservingAutoencoder, dk.DistanceEncoder)),
        *(kind(2) for kind in (dk.DenoisingAutoencoder, dk.ContractiveAutoencoder, dk.VariationalAutoencoder)),
        *(kind(2) for kind in (dk.TopologicalAutoencoder, dk.IsometricAutoencoder)),
    ]
    for model in models if folder is not None else models[:1]:
        model.adapt(X)
        model.compile("adam")
        points = dk.NeighborBatches(X) if isinstance(model, dk.NeighborAutoencoder) else X
        logs = {name: values[0] for name, values in model.fit(points, verbose=0).history.items()}
        total = logs.pop("loss")
        assert np.isfinite(total)
        if logs:
            np.testing.assert_allclose(sum(logs.values()), total, rtol=1e-5)
        model.summary(print_fn=lambda line: None)
        if folder is not None:
            model.save(folder / "model.keras")
            again = keras.saving.load_model(folder / "model.keras")
            np.testing.assert_allclose(again.encode(X), model.encode(X), rtol=1e-5, atol=1e-6)
            assert float(again.variance) == float(model.variance) > 0


def check(folder: Path | None = None) -> None:
    """Check that every kind gives the codes of its weights and that a model of ours trains; with a folder, all else."""
    import keras

    import distbench
    from distbench.encoders import as_encoder

    made = models()
    for kind, model in made.items():
        encoders = [model]
        if folder is not None:
            encoders.append(folder / f"{kind}.keras")
            model.save(encoders[-1])
        for encoder in encoders:
            np.testing.assert_allclose(as_encoder(encoder, batch_size=20).encode(X), CODES, rtol=1e-5, atol=1e-5)
    backend = keras.backend.backend()
    if backend != "tensorflow":  # test_keras_models.py checks them there
        check_models(folder)
    check_loss(made["sequential"])
    check_seeds_and_activations()
    check_monitor(made["sequential"])
    if folder is not None:
        fitted = distbench.fit_baseline("autoencoder", X, code_size=2, seed=0, epochs=2)
        hunt = distbench.hunt(made["functional"], X, budget=200)
        assert hunt.by_gradient == (backend == "tensorflow")
        assert 1 < hunt.expansion <= np.linalg.norm(WEIGHTS[0], 2) * np.linalg.norm(WEIGHTS[2], 2)  # Lipschitz
        assert distbench.evaluate(fitted, X, k=5).code_size == 2
    print("checked on", backend)


def check_monitor(encoder: Any) -> None:
    """Check that the monitor of an encoder inside a model raises no warning, and that layers before it count."""
    import keras

    import distbench
    from distbench.keras import PreservationMonitor

    stretch = keras.layers.Rescaling(np.array([9.0, 9, 9, 1, 1, 1]))
    model = keras.Sequential([keras.Input((6,)), stretch, encoder, keras.layers.Dense(6)])
    model.compile(keras.optimizers.SGD(0.01), "mse")
    by_object = PreservationMonitor(X, metrics=["pearson"], encoder=encoder)
    by_name = PreservationMonitor(X, metrics=["pearson"], encoder=encoder.name, prefix="named_")
    of_layer = PreservationMonitor(X, metrics=["pearson"], encoder=stretch.name, prefix="layer_")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        logs = model.fit(X, X, verbose=0, callbacks=[by_object, by_name, of_layer]).history
    wanted = distbench.evaluate(keras.Sequential([stretch, encoder]), X)["pearson"].value
    np.testing.assert_allclose([logs["val_pearson"][-1], logs["named_pearson"][-1]], wanted, rtol=1e-5)
    assert logs["layer_pearson"][-1] == distbench.evaluate(stretch, X)["pearson"].value


if __name__ == "__main__":
    check(*map(Path, sys.argv[1:]))
