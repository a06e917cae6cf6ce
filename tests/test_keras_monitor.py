"""The monitor: its values in the logs, and callbacks that use them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from frameworks import dk, keras, pd, torch
from scipy import sparse

import distbench
from distbench.errors import EncoderError, InputError

RNG = np.random.default_rng(0)
X = RNG.normal(size=(60, 6)).astype("float32")
X_VAL = RNG.normal(size=(30, 6)).astype("float32")
TWO = ["continuity", "scaled_stress"]


def fit(callbacks: Any, model: Any = None, epochs: int = 3, eager: bool = True, **settings: Any) -> Any:
    """Return the history of a training with these callbacks; a few eager steps are faster than tracing one."""
    keras.utils.set_random_seed(0)
    model = model or dk.Autoencoder(2, hidden=(8,))
    model.compile(keras.optimizers.Adam(0.01), "mse", run_eagerly=eager)
    return model.fit(X, X, epochs=epochs, batch_size=len(X), verbose=0, callbacks=callbacks, **settings)


def functional() -> Any:
    inputs = keras.Input((6,))
    codes = keras.layers.Dense(2, name="codes")(inputs)
    return keras.Model(inputs, keras.layers.Dense(6, name="out")(codes))


def test_logs_hold_the_values_of_evaluate() -> None:
    model = dk.Autoencoder(2, hidden=(8,))
    monitor = dk.PreservationMonitor(X_VAL, X, k=5)
    history = fit([monitor], model, eager=False).history
    report = distbench.evaluate(model, X_VAL, reference=X, k=5)
    assert [name for name in history if name != "loss"] == [f"val_{name}" for name in report]
    assert {name: history[f"val_{name}"][-1] for name in report} == report.as_dict()
    assert monitor.report.as_dict() == report.as_dict()
    assert all(type(value) is float for name in report for value in history[f"val_{name}"])
    assert len(set(history["val_continuity"])) == 3


def test_in_sample_with_some_metrics_and_a_prefix() -> None:
    model = dk.Autoencoder(2, hidden=(8,))
    history = fit([dk.PreservationMonitor(X_VAL, metrics=TWO, prefix="kept_")], model, validation_data=(X_VAL, X_VAL))
    assert set(history.history) == {"loss", "val_loss", "kept_continuity", "kept_scaled_stress"}
    expected = distbench.evaluate(model, X_VAL)["continuity"].value
    assert history.history["kept_continuity"][-1] == expected


def test_callbacks_after_it_see_its_values(tmp_path: Path) -> None:
    monitor = dk.PreservationMonitor(X_VAL, metrics=TWO)
    others = [
        # Nothing is ever better by 2 than a value in [0, 1]: both act as soon as they may.
        keras.callbacks.EarlyStopping("val_continuity", mode="max", min_delta=2, patience=4),
        keras.callbacks.ReduceLROnPlateau("val_scaled_stress", mode="min", min_delta=2, patience=1, factor=0.5),
        keras.callbacks.ModelCheckpoint(
            tmp_path / "best.keras", "val_continuity", mode="max", save_best_only=True, verbose=0
        ),
        keras.callbacks.CSVLogger(tmp_path / "log.csv"),
    ]
    history = fit([monitor, *others], epochs=10)
    assert len(history.epoch) == 5
    assert history.history["learning_rate"][-1] < 0.01
    assert "val_continuity" in (tmp_path / "log.csv").read_text().split("\n")[0]
    best = keras.saving.load_model(tmp_path / "best.keras")
    found = distbench.evaluate(best, X_VAL)["continuity"].value
    assert found == pytest.approx(max(history.history["val_continuity"]), abs=1e-6)


def test_two_monitors_and_every_callback_once() -> None:
    seen: list[int] = []
    count = keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: seen.append(epoch))
    monitors = [dk.PreservationMonitor(X_VAL, metrics=TWO, prefix=prefix) for prefix in ("a_", "b_")]
    history = fit([count, *monitors]).history
    assert history["a_continuity"] == history["b_continuity"]
    assert seen == [0, 1, 2]


def test_not_every_epoch() -> None:
    every = fit([dk.PreservationMonitor(X_VAL, metrics=TWO)], epochs=6).history["val_continuity"]
    some = fit([dk.PreservationMonitor(X_VAL, metrics=TWO, every=3)], epochs=6).history["val_continuity"]
    assert some == [every[0]] * 3 + [every[3]] * 2 + [every[5]]


@pytest.mark.parametrize(
    "encoder",
    [
        "codes",
        lambda model: keras.Model(model.inputs, model.get_layer("codes").output),
        lambda model: lambda points: model.get_layer("codes")(points),
    ],
)
def test_encoders_of_a_model_without_encode(encoder: Any) -> None:
    model = functional()
    history = fit([dk.PreservationMonitor(X_VAL, metrics=TWO, encoder=encoder)], model).history
    expected = distbench.evaluate(lambda points: model.get_layer("codes")(points), X_VAL)
    assert history["val_continuity"][-1] == pytest.approx(expected["continuity"].value, abs=1e-6)


def test_the_encoder_may_be_a_model_or_the_name_of_a_model_inside() -> None:
    half = keras.Sequential([keras.Input((6,)), keras.layers.Dense(2)], name="half")
    model = keras.Sequential([keras.Input((6,)), half, keras.layers.Dense(6)])
    monitors = [
        dk.PreservationMonitor(X_VAL, metrics=TWO, encoder=encoder, prefix=prefix)
        for encoder, prefix in ((half, "a_"), ("half", "b_"))
    ]
    history = fit(monitors, model).history
    assert history["a_continuity"] == history["b_continuity"]
    assert history["a_continuity"][-1] == distbench.evaluate(half, X_VAL)["continuity"].value


def test_layers_before_a_model_inside_the_model_count() -> None:
    class Loose(keras.Model):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.parts = [stretch, half, keras.layers.Dense(6)]

        def call(self, inputs: Any) -> Any:
            for part in self.parts:
                inputs = part(inputs)
            return inputs

    class StepsAlone(keras.Model):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.half = half

        def train_step(self, data: Any) -> dict[str, Any]:
            return {"loss": keras.ops.mean(self.half(stretch(data[0])))}

    stretch = keras.layers.Rescaling([50, 50, 1, 1, 1, 1])
    half = keras.Sequential([keras.Input((6,)), keras.layers.Dense(2)], name="half")
    inputs = keras.Input((6,))
    body = keras.Sequential([keras.Input((6,)), stretch, half])
    behind = distbench.evaluate(lambda points: half(stretch(points)), X_VAL)["continuity"].value
    alone = distbench.evaluate(half, X_VAL)["continuity"].value
    assert abs(behind - alone) > 0.01
    for model, encoder, wanted in (
        (keras.Model(inputs, keras.layers.Dense(6)(half(stretch(inputs)))), "half", behind),
        (keras.Sequential([keras.Input((6,)), body, keras.layers.Dense(6)]), lambda model: half, behind),
        (keras.Sequential([keras.Input((6,)), body, keras.layers.Dense(6)]), "half", behind),
        (Loose(), half, behind),
        (StepsAlone(), "half", alone),
    ):
        model.compile(keras.optimizers.SGD(0.0), "mse", run_eagerly=True)
        monitor = dk.PreservationMonitor(X_VAL, metrics=TWO, encoder=encoder)
        model.fit(X, X, verbose=0, callbacks=[monitor])
        assert monitor.report["continuity"].value == pytest.approx(wanted, abs=1e-6)
        assert monitor.report.encoder == "half"


def test_training_with_it_is_training_without_it_and_it_may_watch_two() -> None:
    monitor = dk.PreservationMonitor(X_VAL, X, metrics=TWO)
    first, second = fit([monitor]).history, fit([monitor]).history
    assert first == second
    assert first["loss"] == fit([]).history["loss"]


def test_large_sets_are_sampled() -> None:
    many = RNG.normal(size=(500, 6))
    monitor = dk.PreservationMonitor(many, many + 1, max_points=40)
    assert (len(monitor.X_val), len(monitor.reference)) == (40, 40)
    np.testing.assert_array_equal(monitor.X_val, dk.PreservationMonitor(many, many + 1, max_points=40).X_val)
    assert not np.array_equal(monitor.X_val, dk.PreservationMonitor(many, max_points=40, seed=1).X_val)
    assert len(dk.PreservationMonitor(many, max_points=None).X_val) == 500


@pytest.mark.parametrize(
    "kind",
    [
        sparse.csr_array,
        lambda rows: [torch.tensor(row, requires_grad=True) for row in rows],
        lambda rows: pd.DataFrame({"points": list(rows)}),
    ],
    ids=["sparse", "tensors", "cells"],
)
def test_points_of_all_kinds_become_arrays(kind: Any) -> None:
    monitor = dk.PreservationMonitor(kind(X_VAL), kind(X))
    np.testing.assert_array_equal(monitor.X_val, X_VAL)
    assert len(dk.PreservationMonitor(kind(X), max_points=25).X_val) == 25


def test_images_reach_the_encoder_as_they_are() -> None:
    images = X_VAL.reshape(30, 3, 2, 1)
    model = keras.Sequential(
        [keras.Input((3, 2, 1)), keras.layers.Flatten(), keras.layers.Dense(2, name="codes"), keras.layers.Dense(6)]
    )
    model.compile("sgd", "mse", run_eagerly=True)
    monitor = dk.PreservationMonitor(images, metrics=TWO, encoder="codes")
    assert "val_continuity" in model.fit(images, X_VAL, verbose=0, callbacks=[monitor]).history


@pytest.mark.parametrize(("factor", "rate", "epochs"), [(100, 3e38, 1), (1, 1e30, 3)], ids=["weights", "loss"])
def test_weights_or_losses_that_are_no_numbers_give_no_values(factor: int, rate: float, epochs: int) -> None:
    """With the higher rate, the weights are lost in the last step of an epoch whose loss is still finite."""
    model = functional()
    monitor = dk.PreservationMonitor(X_VAL, metrics=TWO, encoder="codes")
    model.compile(keras.optimizers.SGD(rate), "mse", run_eagerly=True)
    callbacks = [monitor, keras.callbacks.TerminateOnNaN()]
    options = {"batch_size": len(X), "epochs": epochs, "verbose": 0, "callbacks": callbacks}
    history = model.fit(X * factor, X * factor, **options).history
    assert np.isfinite(history["loss"][-1]) == (epochs == 1)
    assert np.isnan(history["val_continuity"][-1])
    assert monitor.report is None


def test_codes_that_are_no_numbers_are_an_error() -> None:
    monitor = dk.PreservationMonitor(X_VAL, metrics=TWO, encoder=lambda model: lambda points: points * np.nan)
    with pytest.raises(EncoderError, match="NaN or infinity"):
        fit([monitor])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"X_val": X_VAL[0]}, "X_val: "),
        ({"X_val": X_VAL * np.nan}, "X_val: "),
        ({"reference": X[:, :5]}, "reference"),
        ({"k": 20}, "k: "),
        ({"k": 0}, "k: "),
        ({"metrics": ["continuty"]}, "no metric 'continuty'; did you mean 'continuity'"),
        ({"metrics": ["label_agreement"]}, "label_agreement"),
        ({"every": 0}, "every: found 0"),
        ({"every": 1.5}, "every: found 1.5"),
        ({"max_points": 0}, "max_points: found 0"),
        ({"max_points": 10}, "k: "),
        ({"seed": -1}, "seed: found -1"),
        ({"prefix": None}, "prefix: None"),
        ({"encoder": 3}, "encoder: int"),
    ],
)
def test_arguments_are_checked_at_once(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        dk.PreservationMonitor(**{"X_val": X_VAL, **arguments})


@pytest.mark.parametrize(
    ("encoder", "message"),
    [
        (None, r"has no encode\(\); pass the name of the layer"),
        ("code", "has no layer 'code'; it has .*codes, out"),
        (lambda model: None, "the function returned no encoder"),
    ],
)
def test_a_model_it_cannot_watch_is_refused_before_training(encoder: Any, message: str) -> None:
    seen: list[int] = []
    count = keras.callbacks.LambdaCallback(on_epoch_begin=lambda epoch, logs: seen.append(epoch))
    with pytest.raises(InputError, match=message):
        fit([dk.PreservationMonitor(X_VAL, encoder=encoder), count], functional())
    assert not seen


def test_a_model_of_two_inputs_needs_a_function_that_calls_its_encoder() -> None:
    left, right = keras.Input((6,)), keras.Input((6,))
    tower = keras.Sequential([keras.Input((6,)), keras.layers.Dense(2)], name="tower")
    model = keras.Model([left, right], keras.layers.Dot(1)([tower(left), tower(right)]))
    model.compile("sgd", "mse", run_eagerly=True)
    with pytest.raises(InputError, match=r"several inputs; .*: lambda model: model\.get_layer\('tower'\)\.predict"):
        model.fit([X, X], X[:, 0], verbose=0, callbacks=[dk.PreservationMonitor(X_VAL, encoder="tower")])
    monitor = dk.PreservationMonitor(X_VAL, metrics=TWO, encoder=lambda model: model.get_layer("tower").predict)
    model.fit([X, X], X[:, 0], verbose=0, callbacks=[monitor])
    wanted = distbench.evaluate(tower, X_VAL)["continuity"].value
    assert monitor.report["continuity"].value == pytest.approx(wanted, abs=1e-6)


def test_a_layer_of_a_model_that_is_no_graph_is_refused() -> None:
    class Loose(keras.Model):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.inner = keras.layers.Dense(2, name="inner")
            self.outer = keras.layers.Dense(6)

        def call(self, inputs: Any) -> Any:
            return self.outer(self.inner(inputs))

    with pytest.raises(InputError, match=r"Keras cannot make a model from the inputs of .* to its layer 'inner'"):
        fit([dk.PreservationMonitor(X_VAL, encoder="inner")], Loose())
    history = fit([dk.PreservationMonitor(X_VAL, metrics=TWO, encoder=lambda model: model.inner)], Loose())
    assert "val_continuity" in history.history
