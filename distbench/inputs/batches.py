"""Cuts points into batches that encoders can take: arrays, frames, or lists of objects."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from distbench.inputs.blocks import is_stored, stored_blocks

__all__ = [
    "batches",
    "describe_batch",
    "detached",
    "frame_numbers",
    "is_frame",
    "is_objects",
    "rows_of_points",
    "some_rows",
]


def rows_of_points(X: Any) -> Any:
    """Return points in a form that can be cut into batches.

    Frames, stored arrays and lists of objects (texts, pictures, records, rows of different lengths) keep their type;
    all else, such as lists of numbers, becomes an array.
    """
    if is_frame(X) or is_stored(X):
        return X
    if is_objects(X):
        return list(X)
    return np.asarray(X.detach().cpu() if hasattr(X, "detach") else X)


def is_frame(X: Any) -> bool:
    """Return whether `X` is a frame or a column of pandas."""
    return hasattr(X, "iloc") and hasattr(X, "ndim")


def frame_numbers(frame: Any) -> NDArray[np.float64] | None:
    """Return a frame or column of pandas as float64, with NaN for missing values; None if some columns are not numbers.

    Unlike numpy, this works for mixed and nullable columns.
    """
    dtypes = frame.dtypes if frame.ndim == 2 else [frame.dtype]
    if any(dtype.kind not in "biuf" for dtype in dtypes):
        return None
    numbers: NDArray[np.float64] = frame.to_numpy(dtype=np.float64, na_value=np.nan)
    return numbers


def detached(value: Any) -> Any:
    """Return a torch tensor in a form that numpy can read, without gradients; return anything else unchanged."""
    if not hasattr(value, "detach"):
        return value
    value = value.detach().cpu()
    return value.float() if str(value.dtype) == "torch.bfloat16" else value


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
    for start in range(0, len(rows), size):
        batch = rows.iloc[start : start + size] if is_frame(rows) else rows[start : start + size]
        yield start, batch.copy()


def some_rows(rows: Any, places: Any) -> Any:
    """Return the rows at `places`; of a stored array return the same number of first rows, which is faster."""
    if is_stored(rows):
        return rows[: len(places)]
    if isinstance(rows, list):
        return [rows[place] for place in places]
    return rows.iloc[places] if is_frame(rows) else rows[places]


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
