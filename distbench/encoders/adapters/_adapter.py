"""The class that describes a framework: its objects, how to call them, and its files.

To recognize an object no framework is imported, because the framework of an existing object is in ``sys.modules``.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from distbench._util.text import join_names
from distbench.errors import EncoderError, MissingDependencyError
from distbench.inputs.frames import frame_numbers, is_frame
from distbench.inputs.sparse import is_sparse

__all__ = [
    *("FREE_NUMBERS", "Adapter", "as_type", "in_batches_of", "is_instance", "is_text", "missing", "only"),
    *("owns_encode", "refuse_numbers", "rows_as_array"),
]

FREE_NUMBERS = 1 << 24  # any file may take memory for so many numbers
NUMBERS_PER_BYTE = 4  # a larger file, for so many numbers for each of its bytes: a weight takes at least half a byte


@dataclass(frozen=True)
class Adapter:
    """A framework: its objects, how they are called, and its files."""

    objects: str  # their name in messages
    recognizes: Callable[[Any], bool]  # whether an object belongs to the framework
    call: Callable[[Any], Callable[[Any], Any]]  # from an object, a function that turns a batch of points into codes
    files: str = ""  # their name in messages; empty if none are loaded
    opens: Callable[[str], bool] = lambda path: False  # whether the framework loads a file or folder of that name
    load: Callable[[Any], Any] = lambda path: path  # loads it without running code in it
    # From an object and one of its methods or parts, a function that calls the latter as `call` would.
    method: Callable[[Any, Callable[[Any], Any]], Callable[[Any], Any]] = lambda obj, method: method
    takes_symbols: Callable[[Any], bool] = lambda obj: False  # whether the first layer of an object is an embedding
    eval_mode: bool = False  # whether objects are called in eval mode, so that a code depends only on its point


def is_instance(obj: Any, module: str, name: str) -> bool:
    """Return whether an object is of a class, without importing the class's module."""
    kind = getattr(sys.modules.get(module), name, None)
    return isinstance(kind, type) and isinstance(obj, kind)


def owns_encode(obj: Any) -> bool:
    """Return whether an object has a method ``encode``, as autoencoders do."""
    return callable(getattr(obj, "encode", None))


def rows_as_array(batch: Any) -> Any:
    """Return a batch as an array, or as it is if it is a list of objects.

    Frames with numbers of several types, or with nullable numbers, become float64.
    """
    if isinstance(batch, list):
        return batch
    array = np.asarray(batch.toarray() if is_sparse(batch) else batch)
    if array.dtype == object and is_frame(batch) and (numbers := frame_numbers(batch)) is not None:
        return numbers
    return array


def is_text(points: Any) -> bool:
    """Return whether an array holds texts or other objects."""
    return getattr(getattr(points, "dtype", None), "kind", "-") in "OSTU"


def as_type(points: NDArray[Any], dtype: Any) -> NDArray[Any]:
    """Return points in the type of a graph's input; raise EncoderError if this type cannot hold their numbers."""
    with np.errstate(invalid="ignore", over="ignore"):
        taken = points.astype(dtype)
    if points.dtype.kind in "biuf":
        is_changed = taken != points if taken.dtype.kind in "biu" else ~np.isfinite(taken) & np.isfinite(points)
        changed = points[np.asarray(is_changed)]
        if changed.size:
            raise EncoderError(
                "encoder",
                f"its input is {taken.dtype}, which cannot hold {changed.flat[0]}",
                "pass a function that turns points into its inputs",
            )
    return taken


def in_batches_of(size: Any, points: NDArray[Any], call: Callable[[Any], Any]) -> Any:
    """Return the codes of a batch; if the graph has a fixed batch `size`, call it on parts and pad the last one."""
    if not isinstance(size, int) or size == len(points):
        return call(points)
    parts = []
    for start in range(0, len(points), size):
        part = points[start : start + size]
        padded = np.concatenate([part, np.repeat(part[-1:], size - len(part), axis=0)])
        codes = np.asarray(call(padded))
        if codes.ndim == 0 or len(codes) != size:
            raise EncoderError(
                "encoder",
                f"found codes of shape {codes.shape} for a batch of {size}, the one size it takes",
                "it has to return one code for each point",
            )
        parts.append(codes[: len(part)])
    return np.concatenate(parts)


def only(names: Collection[str], kind: str, owner: str, remedy: str) -> str:
    """Return the only name in `names`; raise EncoderError if there are several or none."""
    if len(names) != 1:
        found = f"{owner} has {len(names)} {kind} ({join_names(list(names)) or 'none'})"
        raise EncoderError("encoder", found, remedy)
    return next(iter(names))


def refuse_numbers(claimed: int, stored: int, path: Path, loader: str) -> None:
    """Raise EncoderError if a file would take memory for many more numbers than it stores bytes."""
    if claimed > max(FREE_NUMBERS, NUMBERS_PER_BYTE * stored):
        raise EncoderError(
            "encoder",
            f"{path}: needs memory for about {min(claimed, 10**15):,} numbers, but has only {stored:,} bytes of them",
            f"it is not loaded; if you trust it, load it with {loader} and pass the model",
        )


def missing(package: str, path: Path, extra: str) -> MissingDependencyError:
    """Return the error for a file whose framework is not installed."""
    return MissingDependencyError(
        f'encoder: {path}: needs {package}, which is not installed; pip install "distbench[{extra}]"'
    )
