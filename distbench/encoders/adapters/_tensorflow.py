"""Calls loaded SavedModels of TensorFlow, and loads folders after a check of their operations."""

from __future__ import annotations

import functools
import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from distbench._util.text import first_line
from distbench.encoders.adapters._adapter import (
    Adapter,
    as_type,
    in_batches_of,
    missing,
    only,
    owns_encode,
    rows_as_array,
)
from distbench.errors import EncoderError

__all__ = ["TENSORFLOW"]

PROGRAM = "saved_model.pb"
SERVED = "serving_default"
REMEDY = "pass a function that calls the right one"


def _is_loaded(obj: Any) -> bool:
    """Return whether ``tf.saved_model.load`` made an object; each such object has a new class."""
    is_ours = "tensorflow" in sys.modules and type(obj).__module__.startswith("tensorflow.")
    return is_ours and isinstance(getattr(obj, "signatures", None), Mapping)


def _call(loaded: Any) -> Callable[[Any], Any]:
    """Return a function that calls ``encode``, the served signature, or the object itself."""
    if owns_encode(loaded):
        return _traced(loaded, loaded.encode)
    signatures = loaded.signatures
    if signatures:
        known = [name for name in (SERVED, "encode") if name in signatures]
        name = known[0] if known else only(signatures, "signatures", "the SavedModel", REMEDY)
        signature = signatures[name]
        inputs = signature.structured_input_signature[1]
        source = only(inputs, "inputs", f"signature {name!r} of the SavedModel", REMEDY)
        target = only(signature.structured_outputs, "outputs", f"signature {name!r} of the SavedModel", REMEDY)
        return functools.partial(_run, loaded, lambda part: signature(**{source: part})[target], inputs[source])
    if callable(loaded):
        return _traced(loaded, loaded)
    raise EncoderError("encoder", "the SavedModel has no signature and cannot be called", REMEDY)


def _traced(loaded: Any, function: Any) -> Callable[[Any], Any]:
    """Return a function that calls a saved function with tensors of the type that it requires."""
    owner = function if hasattr(function, "concrete_functions") else getattr(function, "__call__", None)  # noqa: B004
    traces = getattr(owner, "concrete_functions", ())
    inputs = traces[0].structured_input_signature[0] if traces else ()
    return functools.partial(_run, loaded, function, inputs[0] if inputs else None)


def _run(loaded: Any, function: Callable[[Any], Any], spec: Any, batch: Any) -> Any:
    """Call a function of a loaded object; `loaded` is passed so that its variables stay alive."""
    tf = sys.modules["tensorflow"]
    dtype, shape = getattr(spec, "dtype", None), getattr(spec, "shape", None)
    if isinstance(batch, list):
        return function(tf.constant(batch, dtype=dtype))
    size = shape[0] if shape is not None and shape.rank else None
    points = rows_as_array(batch)
    points = points if dtype in (None, tf.string) else as_type(points, dtype.as_numpy_dtype)
    return in_batches_of(size, points, lambda part: function(tf.convert_to_tensor(part)))


def _load(path: str | os.PathLike[str]) -> Any:
    path = Path(path)
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")  # otherwise TensorFlow logs a page when it is imported
    try:
        import tensorflow as tf
    except ImportError as error:
        raise missing("TensorFlow", path, "keras") from error
    from distbench.encoders.adapters._saved_model import refuse_unsafe

    refuse_unsafe(path)
    try:
        return tf.saved_model.load(str(path))
    except Exception as error:  # TensorFlow raises errors of many kinds for inconsistent files
        found = f"{path}: TensorFlow cannot load it: {first_line(error)}"
        raise EncoderError("encoder", found, "save it again") from None


TENSORFLOW = Adapter(
    objects="a SavedModel",
    recognizes=_is_loaded,
    call=_call,
    files="the folder of a SavedModel",
    opens=lambda path: os.path.isfile(f"{path}/{PROGRAM}"),  # noqa: PTH113 - Path.is_file raises for too long a name
    load=_load,
)
