"""Cuts points into batches that encoders can take: arrays, frames, or lists of objects."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from distbench.inputs.blocks import is_stored, stored_blocks
from distbench.inputs.frames import is_frame, rows_in_cells
from distbench.inputs.sparse import is_sparse, row_count

__all__ = [
    "batches",
    "describe_batch",
    "detached",
    "is_objects",
    "rows_of_points",
    "some_rows",
]

NUMPY_FLOATS = ("torch.float16", "torch.float32", "torch.float64")


def rows_of_points(X: Any) -> Any:
    """Return points in a form that can be cut into batches.

    Frames, stored arrays and lists of objects (texts, pictures, records, rows of different lengths) keep their type.
    Sparse matrices are stored by rows. All else, such as lists of numbers and columns with a list in each cell, becomes
    an array.
    """
    if is_sparse(X):
        return X.tocsr()
    if is_stored(X) or (is_frame(X) and hasattr(X, "columns")):
        return X
    rows = detached(rows_in_cells(X))
    if is_frame(rows):
        return rows
    return list(rows) if is_objects(rows) else np.asarray(rows)


def detached(value: Any) -> Any:
    """Return a torch tensor, or a list that holds some, in a form that numpy can read; return anything else unchanged.

    It is without gradients, in memory, and of a type that numpy has.
    """
    if isinstance(value, list | tuple):
        return [detached(item) for item in value] if _holds_tensors(value) else value
    if not hasattr(value, "detach"):
        return value
    value = value.detach().cpu()
    is_unknown = value.dtype.is_floating_point and str(value.dtype) not in NUMPY_FLOATS
    return value.float() if is_unknown else value


def _holds_tensors(items: Any) -> bool:
    if any(hasattr(item, "detach") for item in items):
        return True
    return any(isinstance(item, list | tuple) and _holds_tensors(item) for item in items[:1])


def is_objects(X: Any) -> bool:
    """Return whether `X` is a list or tuple whose items are not numbers or rows of numbers."""
    if not isinstance(X, list | tuple):
        return False
    if any(isinstance(row, str | bytes | dict) for row in X[:1]):  # a shortcut: long lists of texts are common
        return True
    try:
        return np.asarray(X).dtype.kind not in "biufcV"
    except Exception:  # rows of different lengths, or an error of another package
        return True


def batches(rows: Any, size: int) -> Iterator[tuple[int, Any]]:
    """Yield copies of consecutive batches, each with the number of its first row."""
    if is_stored(rows):
        yield from _stored_batches(rows, size)
        return
    for start in range(0, row_count(rows), size):
        batch = rows.iloc[start : start + size] if hasattr(rows, "iloc") else rows[start : start + size]
        yield start, batch.copy() if hasattr(batch, "copy") else batch.clone()


def some_rows(rows: Any, places: Any) -> Any:
    """Return the rows at `places`; those of a stored array must be neighbors, which are read at once."""
    if is_stored(rows):
        return rows[int(places[0]) : int(places[-1]) + 1]
    if isinstance(rows, list):
        return [rows[place] for place in places]
    return rows.iloc[places] if hasattr(rows, "iloc") else rows[places]


def describe_batch(batch: Any) -> str:
    """Return the type and shape of a batch, for messages."""
    if isinstance(batch, list):
        return f"a list of {type(batch[0]).__name__}"
    return f"{getattr(batch, 'dtype', type(batch).__name__)} of shape {tuple(batch.shape)}"


def _stored_batches(rows: Any, size: int) -> Iterator[tuple[int, Any]]:
    """Yield batches of `size` rows of a stored array, which is read in blocks."""
    start, rest = 0, np.empty((0, *rows.shape[1:]), dtype=rows.dtype)
    for block in stored_blocks(rows, "X"):
        rest = np.concatenate([rest, block])
        whole = len(rest) - len(rest) % size
        for first in range(0, whole, size):
            yield start + first, rest[first : first + size].copy()
        start, rest = start + whole, rest[whole:]
    if len(rest):
        yield start, rest
