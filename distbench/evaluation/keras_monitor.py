"""A callback that measures, during training, how well an encoder preserves neighbors and distances."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import Any

import keras
import numpy as np

from distbench._util.checks import whole_number
from distbench.encoders.encoder import Encoder, as_encoder
from distbench.engine.canonical_order import shuffled_rows
from distbench.errors import DistbenchError, InputError
from distbench.evaluation.evaluate import evaluate
from distbench.evaluation.report import Report
from distbench.evaluation.settings import chosen_metrics
from distbench.inputs.arrays import as_points, check_space
from distbench.inputs.batches import detached
from distbench.inputs.frames import rows_in_cells
from distbench.inputs.sparse import is_sparse
from distbench.inputs.table_names import check_column_names
from distbench.metrics import METRICS
from distbench.metrics.neighbor_counts import checked_k, numbers_of

__all__ = ["PreservationMonitor"]


class PreservationMonitor(keras.callbacks.Callback):  # type: ignore[misc,unused-ignore]
    """Callback that puts metrics of validation points into the logs of each epoch.

    ``EarlyStopping(monitor="val_continuity", mode="max")``, ``ReduceLROnPlateau``, ``ModelCheckpoint`` and the history
    that ``fit`` returns treat them like losses.

    Parameters
    ----------
    X_val : array-like, shape (m, ...)
        Points that the model is not trained on, in the shape the encoder takes. Keep them apart from the test points:
        points that decide when training stops can no longer test it.
    reference : array-like, shape (n, ...), optional
        Points among which neighbors are looked up beside ``X_val``, usually the training points.
    k, metrics
        As in :func:`distbench.evaluate`. Each metric is logged as ``prefix + name``.
    every : int, default 1
        Number of epochs from one evaluation to the next. The logs of the epochs between repeat the last values, so
        that ``patience`` of other callbacks still counts epochs. The first and the last epoch are always evaluated.
    encoder : optional
        The encoder. Default: the model's ``encode``. It may be the name of a layer, whose outputs are the codes; a
        Keras model; or a function that returns the encoder of the model: ``lambda model: model.encoder``. If it is
        a layer or a model inside the trained model, codes are those that the trained model makes: layers before it
        count.
    prefix : str, default ``"val_"``
        Prefix of the metrics' names in the logs.
    max_points : int or None, default 2000
        If there are more validation points than this, a random sample of this size is used; likewise for reference
        points. The cost of an evaluation grows with the product of both numbers. None: no limit.
    seed : int, default 0
        Seed of these random samples.

    Attributes
    ----------
    report : Report or None
        The report of the last evaluation, with intervals.

    Raises
    ------
    distbench.errors.InputError
        If an argument cannot be used. An error that concerns the model is raised before the first epoch, any other when
        the monitor is made.

    Notes
    -----
    Keras passes the logs of an epoch from callback to callback, in the order of the list: put the monitor before the
    callbacks that read its values. For those before it the metrics do not exist, of which Keras warns.

    Once the loss is NaN, so are the metrics. With fewer reference points the neighbors are farther apart, so compare
    the values of a monitor only with each other, and report values of :func:`distbench.evaluate`.
    """

    def __init__(
        self,
        X_val: Any,
        reference: Any = None,
        k: int | Iterable[int] = 10,
        metrics: str | Iterable[str] = "default",
        every: int = 1,
        encoder: Any = None,
        prefix: str = "val_",
        max_points: int | None = 2000,
        seed: int = 0,
    ) -> None:
        super().__init__()
        every, seed = whole_number(every, "every", 1), whole_number(seed, "seed", 0)
        if max_points is not None:
            max_points = whole_number(max_points, "max_points", 1)
        if not isinstance(prefix, str):
            raise InputError("prefix", f"{prefix!r} is not text", "pass for example 'val_'")
        if not (encoder is None or isinstance(encoder, (str, keras.layers.Layer)) or callable(encoder)):
            raise InputError(
                "encoder", f"{type(encoder).__name__}", "pass a layer's name, a model, or a function of the model"
            )
        check_column_names((X_val, "X_val"), (reference, "reference"))
        self.X_val = _sample(X_val, "X_val", max_points, seed)
        self.reference = None if reference is None else _sample(reference, "reference", max_points, seed)
        ks = numbers_of(k)
        self.k, self.every, self.encoder, self.prefix = ks[0], every, encoder, prefix
        chosen = METRICS.at_each_k(chosen_metrics(metrics), ks)
        self.metrics = [metric.name for metric in chosen]
        others = None if self.reference is None else as_points(self.reference, "reference")
        checked_k(ks[0], check_space(as_points(self.X_val, "X_val"), others, ("X_val", "reference")), chosen)
        self.report: Report | None = None
        self._encode: Encoder | None = None
        self._values: dict[str, float] = {}

    def set_model(self, model: Any) -> None:
        """Forget the last model; Keras calls this before training."""
        super().set_model(model)
        self._encode, self._values = None, {}

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Refuse a model without an encoder before it has trained for an epoch."""
        if self.model.built:
            self._encode = _encoder_of(self.model, self.encoder)

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Put the metrics into ``logs``."""
        logs = {} if logs is None else logs
        loss = float(detached(logs.get("loss", 0.0)))  # a tensor with gradients on torch
        if not (np.isfinite(loss) and all(keras.ops.all(keras.ops.isfinite(w)) for w in self.model.weights)):
            # The loss is computed before the last step, which may make weights NaN while the loss is still finite.
            self.report = None
            self._values = dict.fromkeys(self.metrics, float("nan"))
        elif not self._values or epoch % self.every == 0 or epoch + 1 == (self.params or {}).get("epochs"):
            self._values = self._evaluate()
        logs.update({self.prefix + name: value for name, value in self._values.items()})

    def _evaluate(self) -> dict[str, float]:
        if self._encode is None:
            self._encode = _encoder_of(self.model, self.encoder)
        self.report = evaluate(
            self._encode, self.X_val, reference=self.reference, k=self.k, metrics=self.metrics, progress=False
        )
        return self.report.as_dict()


def _sample(points: Any, name: str, max_points: int | None, seed: int) -> Any:
    matrix = as_points(points, name)  # raises the errors
    rows: Any = points.tocsr() if is_sparse(points) else np.asarray(detached(rows_in_cells(points)))
    if max_points is not None and len(matrix) > max_points:
        rows = rows[np.sort(shuffled_rows(matrix, seed)[:max_points])]
    return rows.toarray() if is_sparse(rows) else rows


def _encoder_of(model: Any, encoder: Any) -> Encoder:
    """Return the model's encoder, or the one that ``encoder`` names."""
    if encoder is None:
        if not callable(getattr(model, "encode", None)):
            raise InputError(
                "encoder",
                f"model {model.name!r} has no encode()",
                "pass the name of the layer whose outputs are the codes, a model, or a function of the model that "
                "returns an encoder",
            )
        return as_encoder(model)
    if isinstance(encoder, str):
        return as_encoder(_model_to_layer(model, encoder))
    if isinstance(encoder, keras.layers.Layer):
        return as_encoder(_inside(model, encoder))
    try:
        return as_encoder(_inside(model, encoder(model)))
    except DistbenchError as error:
        raise InputError("encoder", f"the function returned no encoder: {error}") from error


def _model_to_layer(model: Any, name: str) -> Any:
    """Return the part of a model from its inputs to the layer of that name."""
    try:
        layer = model.get_layer(name)
    except ValueError:
        for layer in _layers(model):
            if layer.name == name:  # it is inside another model
                return _inside(model, layer)
        known = ", ".join(layer.name for layer in model.layers)
        raise InputError("encoder", f"model {model.name!r} has no layer {name!r}", f"it has {known}") from None
    if isinstance(layer, keras.Model):
        return _inside(model, layer)
    try:
        inputs = model.inputs
        if inputs and len(inputs) == 1:  # Keras on torch warns of points that are no list, if inputs are one
            inputs = inputs[0]
        return keras.Model(inputs, layer.output, name=name)
    except (AttributeError, ValueError) as error:
        raise InputError(
            "encoder",
            f"Keras cannot make a model from the inputs of {model.name!r} to its layer {name!r}",
            "pass a function of the model that returns an encoder",
        ) from error


def _inside(model: Any, encoder: Any) -> Any:
    """Return a function from points to the codes that `encoder` makes when the model is called on the points.

    This is `encoder` itself unless it is a layer of `model`, or of a model inside it. A model's graph does not contain
    the outputs of models inside it, so they are recorded in a call.
    """
    if callable(getattr(encoder, "encode", None)) or not any(layer is encoder for layer in _layers(model)):
        return encoder
    if len(getattr(model, "inputs", None) or ()) > 1:
        found = f"{encoder.name!r} is inside model {model.name!r}, which has several inputs"
        advice = f"pass a function that calls it on X_val: lambda model: model.get_layer({encoder.name!r}).predict"
        raise InputError("encoder", found, advice)

    def codes(points: Any) -> Any:
        made: list[Any] = []
        call = encoder.call

        def recorded(*args: Any, **kwargs: Any) -> Any:
            made.append(call(*args, **kwargs))
            return made[-1]

        points = keras.ops.convert_to_tensor(points)
        encoder.call = recorded
        try:
            with suppress(NotImplementedError):  # some models have a training step, but no call of their own
                model(points, training=False)
        finally:
            del encoder.call
        return made[0] if made else encoder(points, training=False)

    codes.__name__ = encoder.name
    return codes


def _layers(model: Any) -> Iterator[Any]:
    for layer in getattr(model, "layers", ()):
        yield layer
        yield from _layers(layer)
