"""Which call of an object turns a batch of points into codes, and what the object is called.

What is particular to a framework is in :mod:`distbench.encoders.adapters`.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from os import PathLike
from pathlib import Path, PurePath
from typing import Any

import numpy as np

from distbench._util.text import short_repr
from distbench.encoders.adapters import ADAPTERS, adapter_of, adapter_of_file
from distbench.errors import EncoderError

__all__ = ["FILES", "call_of", "encodes", "is_path", "loaded_file", "name_of", "runs_in_eval_mode"]

_METHODS = ("transform", "encode", "predict")
_FILES = [one.files for one in ADAPTERS if one.files]
FILES = f"{', '.join(_FILES[:-1])} and {_FILES[-1]}"
"""What is loaded, in words."""
_WORKS = ", ".join(
    [*(one.objects for one in ADAPTERS), "an object with .transform, .encode or .predict", *_FILES, "or a function"]
)


def is_path(obj: Any) -> bool:
    """Say whether this may be the path of a file."""
    return isinstance(obj, str | PathLike)


def loaded_file(obj: Any) -> Any:
    """Return the model where `obj` is the path of a file or folder that a framework loads; anything else as it is."""
    path = str(Path(obj).expanduser()) if is_path(obj) else ""
    adapter = adapter_of_file(path) if path else None
    return obj if adapter is None else adapter.load(path)


def encodes(obj: Any) -> bool:
    """Say whether an object is meant to encode, as against points or the path of some."""
    if is_path(obj):
        return adapter_of_file(obj) is not None
    is_points = hasattr(obj, "__array__") or hasattr(obj, "iloc")  # frames have a transform of their own
    return not is_points and (callable(obj) or any(callable(getattr(obj, name, None)) for name in _METHODS))


def call_of(obj: Any) -> Callable[[Any], Any]:
    """Find the call that turns a batch of points into codes.

    Raises
    ------
    EncoderError
        There is none: what the object is and what can be passed.
    """
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
        return adapter.method(owner, obj)  # model.encode, asked as the model is
    for name in _METHODS:
        # Strings have an encode of their own, which encodes something else.
        method = None if isinstance(obj, str) else getattr(obj, name, None)
        if callable(method):
            if name == "predict" and hasattr(obj, "classes_"):
                raise EncoderError("encoder", f"{type(obj).__name__!r} predicts classes, not codes", f"pass {_WORKS}")
            return method  # type: ignore[no-any-return]
    if callable(obj):
        return obj  # type: ignore[no-any-return]
    hint = _hint(obj)
    to_do = "" if hint.endswith(")") else f"; pass {_WORKS}"
    raise EncoderError("encoder", f"cannot encode with {type(obj).__name__!r}{hint}{to_do}")


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


def runs_in_eval_mode(encoder: Any) -> bool:
    """Say whether an encoder's framework puts it into eval mode when it is asked."""
    adapter = adapter_of(encoder)
    return adapter is not None and adapter.eval_mode


def _hint(obj: Any) -> str:
    if isinstance(obj, PathLike) or (isinstance(obj, str) and _is_file_name(obj)):
        found = short_repr(str(obj))
        return f" (found {found}; files that are loaded are {FILES}: load it with what wrote it, and pass the model)"
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
