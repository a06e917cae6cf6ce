"""Which call of an object turns a batch of points into codes, and what the object is called.

Frameworks are never imported here: an object can only come from one that its owner has imported already, so
looking in ``sys.modules`` is enough.
"""

from __future__ import annotations

import functools
import inspect
import sys
from collections.abc import Callable
from os import PathLike
from pathlib import PurePath
from typing import Any

import numpy as np

from distbench.errors import EncoderError
from distbench.wording import in_brief

__all__ = ["call_of", "is_keras_model", "is_path", "is_torch_module", "loaded_file", "name_of"]

_WORKS = "a Keras model, a torch module, an object with .transform, .encode or .predict, a .keras file or a function"


def is_path(obj: Any) -> bool:
    """Say whether this may be the path of a file."""
    return isinstance(obj, str | PathLike)


def loaded_file(obj: Any) -> Any:
    """Return the model of a ``.keras`` file where `obj` is the path of one; anything else as it is."""
    if not is_path(obj) or not str(obj).endswith(".keras"):
        return obj
    from distbench.model_files import load_model

    return load_model(obj)


def call_of(obj: Any) -> Callable[[Any], Any]:
    """Find the call that turns a batch of points into codes.

    Raises
    ------
    EncoderError
        There is none: what the object is and what can be passed.
    """
    if isinstance(obj, type):
        raise EncoderError(
            f"encoder: got the class {obj.__name__!r}; pass an instance of it that is ready to encode{_if_recipe(obj)}"
        )
    own = callable(getattr(obj, "encode", None))
    if is_keras_model(obj):
        # The output of an autoencoder is a reconstruction: its own encode() is what is meant.
        return obj.encode if own else functools.partial(_call_keras, obj)
    if is_torch_module(obj):
        return functools.partial(_call_torch, obj, obj.encode if own else obj)
    for name in ("transform", "encode", "predict"):
        # Strings have an encode of their own, which encodes something else.
        method = None if isinstance(obj, str) else getattr(obj, name, None)
        if callable(method):
            if name == "predict" and hasattr(obj, "classes_"):
                raise EncoderError(f"encoder: {type(obj).__name__!r} predicts classes, not codes; pass {_WORKS}")
            return method  # type: ignore[no-any-return]
    if callable(obj):
        return obj  # type: ignore[no-any-return]
    raise EncoderError(f"encoder: cannot encode with {type(obj).__name__!r}{_hint(obj)}; pass {_WORKS}")


def name_of(obj: Any) -> str:
    """Return what reports call an encoder: its ``name``, or the name of its function or class."""
    while isinstance(obj, functools.partial):
        obj = obj.func
    if isinstance(obj, str):  # a file's name, or a recipe's
        return PurePath(obj).name or obj
    own = getattr(obj, "name", None)
    if isinstance(own, str) and own:
        return own
    function = getattr(obj, "__name__", None)
    return function if isinstance(function, str) else type(obj).__name__


def is_keras_model(obj: Any) -> bool:
    """Say whether this is a Keras model."""
    model = getattr(sys.modules.get("keras"), "Model", None)
    return isinstance(model, type) and isinstance(obj, model)


def is_torch_module(obj: Any) -> bool:
    """Say whether this is a module of torch."""
    module = getattr(sys.modules.get("torch.nn"), "Module", None)
    return isinstance(module, type) and isinstance(obj, module)


def _call_keras(model: Any, batch: Any) -> Any:
    codes = model.predict_on_batch(np.asarray(batch))
    if isinstance(codes, (list, tuple, dict)):
        raise EncoderError(
            f"encoder {model.name!r} has {len(codes)} outputs; pass the part of it that returns the codes alone"
        )
    return codes


def _call_torch(module: Any, call: Callable[[Any], Any], batch: Any) -> Any:
    """Hand the batch on as a tensor of the module's type, on its device; its training mode is its owner's business."""
    torch = sys.modules["torch"]
    tensor = torch.as_tensor(np.asarray(batch))
    weights = next((one for one in module.parameters() if one.is_floating_point()), None)
    if weights is not None:
        tensor = tensor.to(device=weights.device, dtype=weights.dtype)
    with torch.no_grad():
        return call(tensor)


def _hint(obj: Any) -> str:
    if isinstance(obj, PathLike) or (isinstance(obj, str) and _is_file_name(obj)):
        found = in_brief(str(obj))
        return f" (found {found}; only .keras files are loaded: load it with what wrote it, and pass the model)"
    if isinstance(obj, str):
        return (
            f" (found {obj[:40]!r}; names are of recipes: fit one with distbench.fit_baseline(name, X_train, code_"
            "size=8), or mark the test with dataset= and code_size=)"
        )
    if isinstance(obj, np.ndarray):
        return " (for ready codes use distbench.evaluate_codes)"
    if recipe := _if_recipe(obj):
        return recipe
    if hasattr(obj, "fit_transform"):
        return ", which has fit_transform alone and so no way to encode new points"
    return ""


def _is_file_name(text: str) -> bool:
    """Say whether a text is meant as a file's name rather than as a recipe's: it has a folder or an ending."""
    return "/" in text or "\\" in text or (text[-1:].isalnum() and "." in text.strip("."))


def _if_recipe(obj: Any) -> str:
    """Return what to do with a recipe, which is not fitted yet."""
    try:
        parameters = inspect.signature(obj.fit).parameters
    except (AttributeError, TypeError, ValueError):
        return ""
    if "code_size" not in parameters:
        return ""
    return (
        " (it is a recipe, with fit(X, code_size, seed): pass what its fit returns, or leave the points out and mark "
        "the test with dataset= and code_size=)"
    )
