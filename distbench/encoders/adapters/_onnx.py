"""Calls sessions of onnxruntime, and loads ``.onnx`` files.

onnxruntime has no operator that reads files or runs code of the graph. From `MIN_VERSION` on, it also refuses weights
in files outside the graph's folder and weights larger than their stored bytes, and does not expand large constants.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from distbench._util.files import kind_of
from distbench._util.text import first_line
from distbench.encoders.adapters._adapter import (
    Adapter,
    as_type,
    in_batches_of,
    is_instance,
    missing,
    only,
    rows_as_array,
)
from distbench.errors import EncoderError, MissingDependencyError

__all__ = ["ONNX"]

ENDING = ".onnx"
TYPES = {
    **{f"tensor({name})": name for name in ("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64")},
    "tensor(float)": "float32",
    "tensor(double)": "float64",
    "tensor(float16)": "float16",
    "tensor(bool)": "bool",
    "tensor(string)": "object",
}
MIN_VERSION = (1, 31)  # earlier versions read other files, or allocate as much memory as a file says
ERRORS_ONLY = 3  # log level of onnxruntime


def _call(session: Any) -> Callable[[Any], Any]:
    """Return a function that runs a graph of one input and one output."""
    inputs = {node.name: node for node in session.get_inputs()}
    source = inputs[only(inputs, "inputs", "the ONNX graph", "pass a function that sets them all")]
    if source.type not in TYPES:
        raise EncoderError(
            "encoder", f"the ONNX graph takes {source.type}", "pass a function that turns points into it"
        )
    outputs = [node.name for node in session.get_outputs()]
    pick = f"lambda batch: session.run([{outputs[-1]!r}], {{{source.name!r}: batch}})[0]" if outputs else ""
    target = only(outputs, "outputs", "the ONNX graph", f"pass a function that picks one, such as {pick}")
    return functools.partial(_run, session, source, target)


def _run(session: Any, source: Any, target: str, batch: Any) -> Any:
    """Return the codes of a batch, which is converted to the input's type; in parts if the batch size is fixed."""
    points = rows_as_array(batch)
    points = as_type(np.array(points) if isinstance(points, list) else points, TYPES[source.type])
    if len(source.shape) == 2 and points.ndim == 1:  # one text a row
        points = points.reshape(-1, 1)
    size = source.shape[0] if source.shape else None
    return in_batches_of(size, points, lambda part: session.run([target], {source.name: part})[0])


def _load(path: str | os.PathLike[str]) -> Any:
    """Open a session on the CPU, where codes are the same each time."""
    path = Path(path)
    try:
        import onnxruntime
    except ImportError as error:
        raise missing("onnxruntime", path, "onnx") from error
    if _version(onnxruntime.__version__) < MIN_VERSION:
        raise MissingDependencyError(
            f"encoder: {path}: found onnxruntime {onnxruntime.__version__}, whose checks of files are too weak; "
            'pip install "distbench[onnx]", or pass the session if you trust the file'
        )
    if not path.is_file():
        kind = f"is {kind_of(path)}" if kind_of(path) else "no such file"
        raise EncoderError("encoder", f"{path}: {kind}", "pass an ONNX file")
    options = onnxruntime.SessionOptions()
    options.log_severity_level = ERRORS_ONLY
    try:
        return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime has a class for each error code
        found = f"{path}: onnxruntime cannot load it: {first_line(error)}"
        raise EncoderError("encoder", found, "export it anew") from None


def _version(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split(".")[:2] if part.isdigit())


ONNX = Adapter(
    objects="an onnxruntime session",
    recognizes=lambda obj: is_instance(obj, "onnxruntime", "InferenceSession"),
    call=_call,
    files="an .onnx file",
    opens=lambda path: path.lower().endswith(ENDING),
    load=_load,
)
