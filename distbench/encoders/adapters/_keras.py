"""Calls Keras models, on any backend, and loads ``.keras`` files."""

from __future__ import annotations

import functools
import sys
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from distbench._util.text import join_names, slices_of_columns
from distbench.encoders.adapters._adapter import Adapter, is_instance, is_text, owns_encode, rows_as_array
from distbench.errors import EncoderError

__all__ = ["KERAS", "is_keras_model"]


def is_keras_model(obj: Any) -> bool:
    """Return whether an object is a Keras model."""
    return is_instance(obj, "keras", "Model")


def _call(model: Any) -> Callable[[Any], Any]:
    tensors = getattr(model, "inputs", None) or ()
    if len(tensors) > 1 and not owns_encode(model):
        names = join_names([tensor.name for tensor in tensors])
        widths = [tensor.shape[-1] or 1 for tensor in tensors]
        raise EncoderError(
            f"encoder {model.name!r}",
            f"has {len(tensors)} inputs ({names}), and a batch of points is one array",
            "pass points with the columns of all inputs, and a function that splits them: "
            f"lambda batch: model.predict_on_batch([{slices_of_columns(widths)}])",
        )
    if owns_encode(model):
        # No partial here: its first argument would count as a model in eval mode, but `encode` may use dropout.
        return lambda batch: _encode(model, batch)
    return functools.partial(_predict, model)


def _encode(model: Any, batch: Any) -> Any:
    points = _readable(batch)
    keras = sys.modules["keras"]
    if keras.backend.backend() == "torch" and not isinstance(points, list) and not is_text(points):
        points = keras.ops.convert_to_tensor(points)  # torch needs tensors
    return model.encode(points)


def _readable(batch: Any) -> Any:
    """Return a batch in the form that Keras takes; a list of texts becomes an array, as lists mean several inputs."""
    points = rows_as_array(batch)
    if isinstance(points, list) and all(isinstance(point, str) for point in points):
        return np.array(points, dtype=object)
    return points


def _predict(model: Any, batch: Any) -> Any:
    with warnings.catch_warnings():  # Keras converts tensors of torch in a way that numpy deprecates
        warnings.filterwarnings("ignore", "__array__ implementation", DeprecationWarning)
        codes = model.predict_on_batch(_readable(batch))
    if isinstance(codes, dict) and len(codes) == 1:
        return next(iter(codes.values()))
    if isinstance(codes, (list, tuple, dict)):
        found = f"encoder {model.name!r} has {len(codes)} outputs"
        raise EncoderError(f"{found}; pass the part of the model that returns only the codes")
    return codes


def _takes_symbols(model: Any) -> bool:
    """Return whether a model's first layer with weights is an embedding, so that whole numbers are symbols."""
    inner = [layer for layer in getattr(model, "layers", ()) if layer.weights]
    return _takes_symbols(inner[0]) if inner else is_instance(model, "keras.layers", "Embedding")


def _load(path: Any) -> Any:
    from distbench.encoders.adapters._keras_files import load_model

    return load_model(path)


KERAS = Adapter(
    objects="a Keras model",
    recognizes=is_keras_model,
    call=_call,
    files="a .keras file",
    opens=lambda path: path.lower().endswith(".keras"),
    load=_load,
    takes_symbols=_takes_symbols,
    eval_mode=True,
)
