"""Points as encoders get them: rows of arrays, of frames, of stored arrays, or lists of objects; cut into batches."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from distbench.inputs.blocks import is_stored, stored_blocks

__all__ = ["batches", "is_frame", "is_objects", "kind_of", "rows_of_points", "some_rows"]


def rows_of_points(X: Any) -> Any:
    """Return points as encoders' batches are cut from them: frames, stored arrays and lists of objects, else an array.

    Lists of numbers become arrays. Lists of anything else (texts, pictures, records, rows of different lengths) stay
    lists.
    """
    if is_frame(X) or is_stored(X):
        return X
    if is_objects(X):
        return list(X)
    return np.asarray(X.detach().cpu() if hasattr(X, "detach") else X)


def is_frame(X: Any) -> bool:
    """Say whether this is a frame or a column of pandas."""
    return hasattr(X, "iloc") and hasattr(X, "ndim")


def is_objects(X: Any) -> bool:
    """Say whether this is a list or tuple whose rows are no rows of numbers."""
    if not isinstance(X, list | tuple):
        return False
    if any(isinstance(row, str | bytes | dict) for row in X[:1]):  # at once: long lists of texts are common
        return True
    try:
        return np.asarray(X).dtype.kind not in "biufcV"
    except Exception:  # rows of different lengths, or whatever a class of the user's raises
        return True


def batches(rows: Any, size: int) -> Iterator[tuple[int, Any]]:
    """Copy consecutive batches, each with the number of its first row."""
    if is_stored(rows):
        yield from _stored_batches(rows, size)
        return
    for start in range(0, len(rows), size):
        batch = rows.iloc[start : start + size] if is_frame(rows) else rows[start : start + size]
        yield start, batch.copy()


def some_rows(rows: Any, picked: Any) -> Any:
    """Return the rows of these numbers; of stored arrays the first ones, as many, which are read together."""
    if is_stored(rows):
        return rows[: len(picked)]
    if isinstance(rows, list):
        return [rows[row] for row in picked]
    return rows.iloc[picked] if is_frame(rows) else rows[picked]


def kind_of(batch: Any) -> str:
    """Return what a batch is, for messages."""
    if isinstance(batch, list):
        return f"a list of {type(batch[0]).__name__}"
    return f"{getattr(batch, 'dtype', type(batch).__name__)} of shape {tuple(batch.shape)}"


def _stored_batches(rows: Any, size: int) -> Iterator[tuple[int, Any]]:
    """Cut what is read in blocks into the batches that an array in memory would give."""
    start, held = 0, np.empty((0, *rows.shape[1:]), dtype=rows.dtype)
    for block in stored_blocks(rows, "X"):
        held = np.concatenate([held, block])
        whole = len(held) - len(held) % size
        for first in range(0, whole, size):
            yield start + first, held[first : first + size].copy()
        start, held = start + whole, held[whole:]
    if len(held):
        yield start, held
