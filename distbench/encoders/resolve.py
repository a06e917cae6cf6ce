"""Finds the function of an object that turns points into codes, and the object's name and code size.

Each framework has its own module in :mod:`distbench.encoders.adapters`.
"""

from __future__ import annotations

import functools
import inspect
import math
from collections.abc import Callable
from contextlib import suppress
from os import PathLike
from pathlib import Path, PurePath
from typing import Any

import numpy as np

from distbench._util.text import plain_name, short_repr
from distbench.encoders.adapters import ADAPTERS, adapter_of, adapter_of_file, is_keras_model, is_torch_module
from distbench.errors import EncoderError

__all__ = [
    *("FILES", "call_of", "declared_code_size", "encodes", "framework_of", "is_path", "loaded_file"),
    *("may_reconstruct", "name_of", "runs_in_eval_mode", "takes_symbols"),
]

_METHODS = ("transform", "encode", "predict")
_FILES = [adapter.files for adapter in ADAPTERS if adapter.files]
FILES = f"{', '.join(_FILES[:-1])} and {_FILES[-1]}"
"""The files that can be loaded, for messages."""
_WORKS = ", ".join(
    [
        *(adapter.objects for adapter in ADAPTERS),
        "an object with .transform, .encode or .predict",
        *_FILES,
        "or a function",
    ]
)


def is_path(obj: Any) -> bool:
    """Return whether an object may be the path of a file."""
    return isinstance(obj, str | PathLike)


def loaded_file(obj: Any) -> Any:
    """Load the model if the object is the path of a model's file or folder; return any other object as it is."""
    path = str(Path(obj).expanduser()) if is_path(obj) else ""
    adapter = adapter_of_file(path) if path else None
    return obj if adapter is None else adapter.load(path)


def encodes(obj: Any) -> bool:
    """Return whether an object is an encoder, not points or the path of a file of points."""
    if is_path(obj):
        return adapter_of_file(obj) is not None
    is_points = hasattr(obj, "__array__") or hasattr(obj, "iloc")  # frames have a method `transform` too
    return not is_points and (callable(obj) or any(callable(getattr(obj, name, None)) for name in _METHODS))


def call_of(obj: Any) -> Callable[[Any], Any]:
    """Return the function of an object that turns a batch of points into codes. Raises EncoderError if it has none."""
    if isinstance(obj, type):
        raise EncoderError(
            "encoder",
            f"got the class {obj.__name__!r}",
            f"pass an instance of it that is ready to encode{_if_recipe(obj)}",
        )
    adapter = adapter_of(obj)
    if adapter is not None:
        return adapter.call(obj)
    owner = getattr(obj, "__self__", None)
    if callable(obj) and (adapter := adapter_of(owner)) is not None:
        return adapter.method(owner, obj)  # such as model.encode
    for name in _METHODS:
        method = None if isinstance(obj, str) else getattr(obj, name, None)  # str.encode is no encoder
        if callable(method):
            if name == "predict" and hasattr(obj, "classes_"):
                raise EncoderError("encoder", f"{type(obj).__name__!r} predicts classes, not codes", f"pass {_WORKS}")
            return method  # type: ignore[no-any-return]
    if callable(obj):
        if owner is not None and getattr(obj, "__name__", "") in ("fit_transform", "fit_predict"):
            raise EncoderError(
                "encoder",
                f"{obj.__name__!r} fits {type(owner).__name__!r} anew to each batch",
                "pass the fitted object if it has .transform, or evaluate its codes with distbench.evaluate_codes",
            )
        return obj  # type: ignore[no-any-return]
    hint, advice = _hint(obj)
    raise EncoderError("encoder", f"cannot encode with {type(obj).__name__!r}{hint}", advice)


def name_of(obj: Any) -> str:
    """Return the name of an encoder in reports: its ``name``, or that of its function or class."""
    while isinstance(obj, functools.partial):
        obj = obj.func
    if isinstance(obj, str):  # the name of a file or of a recipe
        return plain_name(PurePath(obj).name or obj) or "encoder"
    name = getattr(obj, "name", None)
    if isinstance(name, str) and name:
        return plain_name(name)
    function = getattr(obj, "__name__", None)
    return plain_name(function if isinstance(function, str) else type(obj).__name__) or "encoder"


def framework_of(encoder: Any) -> str:
    """Return the framework that trains an encoder, "keras" or "torch"; empty for all other encoders."""
    owner = getattr(encoder, "__self__", encoder)  # of a method
    if is_keras_model(owner):
        return "keras"
    return "torch" if is_torch_module(owner) else ""


def may_reconstruct(encoder: Any) -> bool:
    """Return whether an encoder may be a whole autoencoder: one with ``transform`` or ``encode`` is none, nor they."""
    methods = ("transform", "encode")
    is_method = getattr(encoder, "__name__", "") in methods
    return not is_method and not any(callable(getattr(encoder, method, None)) for method in methods)


def declared_code_size(encoder: Any) -> int | None:
    """Return the code size that an encoder declares, or None; the encoder is not run.

    It is read from ``output_shape`` of Keras models, from ``get_feature_names_out`` of scikit-learn's transformers, and
    from ``components_`` of the encoders of `distbench.baselines` and most linear ones. The ``output_shape`` of a model
    with an ``encode`` method is not used, since it is the shape of reconstructions.
    """
    if isinstance(encoder, type):
        return None
    if callable(getattr(encoder, "transform", None)):
        shape: tuple[int, ...] = getattr(getattr(encoder, "components_", None), "shape", ())
        rows = int(shape[0]) if len(shape) == 2 else 0
        with suppress(Exception):  # the method is missing, or the encoder is not fitted and will say so when called
            return len(encoder.get_feature_names_out()) or rows or None
        return rows or None
    output = getattr(encoder, "output_shape", None)
    if callable(getattr(encoder, "encode", None)) or not isinstance(output, tuple) or len(output) < 2:
        return None
    return math.prod(output[1:]) if all(isinstance(size, int) for size in output[1:]) else None


def runs_in_eval_mode(encoder: Any) -> bool:
    """Return whether an encoder's framework calls it in eval mode."""
    adapter = adapter_of(encoder)
    return adapter is not None and adapter.eval_mode


def takes_symbols(encoder: Any) -> bool:
    """Return whether an encoder's first layer is an embedding, so that its points are ids of symbols."""
    adapter = adapter_of(encoder)
    return adapter is not None and adapter.takes_symbols(encoder)


def _hint(obj: Any) -> tuple[str, str]:
    """Return a remark on an object that cannot encode, and advice."""
    if isinstance(obj, PathLike) or (isinstance(obj, str) and _is_file_name(obj)):
        found = f"found {short_repr(str(obj))}; files that are loaded are {FILES}"
        return f" ({found}: load it with the package that wrote it, and pass the model)", ""
    if isinstance(obj, str):
        return (
            f" (found {obj[:40]!r}; if it is the name of a recipe, fit it with distbench.fit_baseline(name, X_train, "
            "code_size=8), or mark the test with dataset= and code_size=)"
        ), ""
    if isinstance(obj, np.ndarray):
        return " (for ready codes use distbench.evaluate_codes)", ""
    if recipe := _if_recipe(obj):
        return recipe, ""
    last = obj[-1] if hasattr(obj, "named_steps") else obj  # of a pipeline
    if hasattr(last, "fit_transform") and hasattr(last, "embedding_"):
        name = type(last).__name__
        return (
            f" (it has codes of the points it was fitted on and of no others: evaluate these with "
            f"distbench.evaluate_codes(X, {name.lower()}.embedding_), X being these points)"
        ), ""
    if hasattr(obj, "fit_transform"):
        return ", which has only fit_transform and so cannot encode new points", f"pass {_WORKS}"
    return "", f"pass {_WORKS}"


def _is_file_name(text: str) -> bool:
    """Return whether a text has a slash or a file's ending, as names of files have and names of recipes have not."""
    return "/" in text or "\\" in text or (text[-1:].isalnum() and "." in text.strip("."))


def _if_recipe(obj: Any) -> str:
    """Return a hint on how to use a recipe, which must be fitted before it can encode; empty for other objects."""
    try:
        parameters = inspect.signature(obj.fit).parameters
    except (AttributeError, TypeError, ValueError):
        return ""
    if "code_size" not in parameters:
        return ""
    return (
        " (it is a recipe, with fit(X, code_size, seed): pass the encoder fit returns, or leave the points out and "
        "mark the test with dataset= and code_size=)"
    )
