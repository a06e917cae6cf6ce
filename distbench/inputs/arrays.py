"""Checks arrays of points and codes once, before anything is measured."""

from __future__ import annotations

import math
import sys
from collections.abc import Collection, Sequence
from numbers import Integral, Real
from os import PathLike
from typing import Any

import numpy as np
from numpy.typing import NDArray

from distbench._util.notes import Note
from distbench._util.text import first_line, join_names, short_repr
from distbench.errors import InputError
from distbench.inputs.batches import detached
from distbench.inputs.blocks import is_mapped, is_stored, loaded, matrix_blocks
from distbench.inputs.frames import (
    MAX_INTEGER,
    TOO_LARGE,
    frame_numbers,
    has_rounded,
    is_arrow_table,
    is_frame,
    list_columns,
    other_columns,
    row_of_other_names,
    rows_in_cells,
)
from distbench.inputs.labels import first_missing, is_missing
from distbench.inputs.sparse import DenseRows, as_csr, is_sparse

__all__ = [
    *("as_points", "bytes_per_row", "check_input_distance"),
    *("check_row_shapes", "check_same_columns", "check_same_rows", "check_same_shape", "check_space", "refuse_masked"),
    "zero_rows",
]

Points = NDArray[Any]  # of float32 or float64

LARGE_INTEGERS = (
    f"found {TOO_LARGE}",
    "subtract an offset first (packed bits: pass bytes, .view(numpy.uint8))",
)
IMAGES = "images of shape {} flattened to {} columns"


def as_points(
    value: Any, name: str, notes: list[str] | None = None, flattened: str = IMAGES, keep_bytes: bool = False
) -> Points:
    """Return `value` as a C-contiguous matrix of float32 or float64, shape (n, d), one point per row.

    With `keep_bytes`, an array of uint8 stays one: as floats, packed bits would take eight times the memory.

    Takes numbers of any real dtype in arrays, lists, frames, tensors, sparse matrices, memory maps, and arrays of HDF5,
    Zarr or Dask. Images (n, h, w[, c]) are flattened, and a note is added to `notes`: `flattened`, with the shape of a
    row and its number of columns. An array that already has this form is returned without a copy: never write to it.
    Points outside memory stay there: a memory map is returned unchanged, and a large array of HDF5, Zarr or Dask as a
    memory map of a temporary file, which is deleted with its last view. So is a large sparse matrix.

    Raises InputError for the argument `name` unless it holds finite numbers in at least one row and one column.
    """
    if is_sparse(value):
        value = DenseRows(as_csr(value, name))
    if not is_stored(value):
        value = _as_array(value, name)
    _check_kind(value, name)
    if len(value.shape) > 2 and notes is not None:
        shape = tuple(value.shape[1:])
        notes.append(Note("info", "flattened", f"{name}: {flattened.format(shape, math.prod(shape))}"))
    check = _Check(name)
    ready = (np.float32, np.float64, *((np.uint8,) if keep_bytes else ()))
    with np.errstate(over="ignore"):  # the check reports numbers that do not fit
        points = _as_matrix(value, name, check, ready)
    check.finish()
    return points


def bytes_per_row(value: Any) -> int | None:
    """Return the number of bytes of a row of an array: its columns times the size of its numbers. None for others."""
    size, shape = getattr(getattr(value, "dtype", None), "itemsize", None), getattr(value, "shape", None)
    if not isinstance(size, int) or is_sparse(value) or getattr(value.dtype, "kind", "f") not in "buif":
        return None
    return size * math.prod(map(int, shape[1:])) if shape else None


def _as_matrix(value: Any, name: str, check: _Check, ready: Collection[type[Any]]) -> Points:
    if is_stored(value) or (is_mapped(value) and not _is_ready(value, ready)):
        return loaded(value, name, check)
    array = value.reshape(len(value), -1)
    for rows, block in matrix_blocks(array):
        check(block, rows.start)
    return array if _is_ready(array, ready) else np.ascontiguousarray(array, dtype=np.float64)


def _is_ready(array: NDArray[Any], types: Collection[type[Any]]) -> bool:
    return array.dtype in types and array.dtype.isnative and array.flags.c_contiguous


def _as_array(value: Any, name: str) -> NDArray[Any]:
    """Return `value` as a numeric array of any rank."""
    if isinstance(value, str | PathLike):
        raise InputError(
            name, f"found {short_repr(str(value))}, a text", "pass the array (to read a file: numpy.load(...))"
        )
    refuse_masked(value, name)
    is_sparse_tensor = hasattr(value, "detach") and value.layout is not sys.modules["torch"].strided
    is_nested = getattr(value, "is_nested", False)
    for is_refused, kind, advice in (
        (value is None, "None", "pass an array of shape (n, d)"),
        (is_nested, "a nested tensor", f"for rows of one length, pass torch.nested.to_padded_tensor({name}, 0.0)"),
        (is_sparse_tensor, "a sparse tensor", f"pass {name}.to_dense()"),
        (hasattr(value, "dense_shape"), "a sparse tensor", f"pass tensorflow.sparse.to_dense({name})"),
        (hasattr(value, "row_splits"), "a ragged tensor", f"for rows of one length, pass {name}.to_tensor()"),
        (hasattr(value, "tensors"), "a TensorDataset", f"pass {name}.tensors[0]"),
        (hasattr(value, "to_dask_array"), "a Dask frame", f"pass {name}.to_dask_array(lengths=True)"),
        (hasattr(type(value), "collect_schema") and not is_frame(value), "a lazy frame", f"pass {name}.collect()"),
    ):
        if is_refused:
            raise InputError(name, f"found {kind}", advice)
    value = _without_frame(rows_in_cells(value), name)
    if place := row_of_other_names(value):
        found = f"found the names of row 0 not in row {place}, or in another order"
        raise InputError(name, found, f"pass a frame, whose columns have the names: pandas.DataFrame({name})")
    try:
        array = np.asarray(detached(value))
    except Exception as error:  # a class of another package may raise anything
        if isinstance(value, list | tuple):
            raise InputError(name, *_uneven(value, error)) from None
        raise InputError(
            name,
            f"found {type(value).__name__} that is no array ({first_line(error)})",
            "pass an array of shape (n, d)",
        ) from None
    if array.dtype == object and array.ndim == 0:
        raise InputError(name, f"found {short_repr(value)}", "pass an array of shape (n, d)")
    is_tiny = array.dtype.kind == "V" and array.dtype.names is None and np.can_cast(array.dtype, np.float32)
    return array.astype(np.float32) if is_tiny else array  # a type that numpy lacks, such as bfloat16


def refuse_masked(value: Any, name: str) -> None:
    """Raise InputError for a masked array or a list of some, of which numpy would unmask the numbers."""
    rows = value if isinstance(value, list | tuple) else [value]
    if any(isinstance(row, np.ma.MaskedArray) for row in rows):
        raise InputError(name, "found a masked array", "fill or drop the masked rows first")


def _without_frame(value: Any, name: str) -> Any:
    """Return a frame, whose columns may be mixed or nullable, as an array; return anything else unchanged.

    Raises InputError if columns of a frame or of an Arrow table are not numbers, or of a frame are too large.
    """
    if not is_arrow_table(value) and not (is_frame(value) and hasattr(value, "columns")):
        return value
    if others := list(map(str, other_columns(value))):
        lists = list_columns(value)
        advice = f"for a column of lists: pass {name}[{lists[0]!r}]" if lists else "encode or drop them"
        raise InputError(name, f"found columns that are not numbers: {join_names(others)}", advice)
    numbers = frame_numbers(value)
    if numbers is not None and has_rounded(value, numbers):
        raise InputError(name, *LARGE_INTEGERS)
    return numbers


def _uneven(rows: Sequence[Any], error: Exception) -> tuple[str, str]:
    """Return what is wrong with rows of which numpy can make no array, and advice."""
    missing = first_missing([row if is_missing(row) else 0 for row in rows])
    if missing:
        return f"found {missing[1]} in row {missing[0]}", "drop or fill these rows"
    shapes = {np.shape(row) for row in rows if hasattr(row, "shape")}
    if len(shapes) > 1 and all(len(shape) > 1 for shape in shapes) and len({shape[1:] for shape in shapes}) == 1:
        return "found arrays of different lengths, as of batches", "pass one array: numpy.concatenate of them"
    shapes = shapes or {(len(row),) if hasattr(row, "__len__") else () for row in rows}
    if len(shapes) > 1:
        return "found rows of different lengths", "give all rows the same length"
    return f"found rows that are no arrays ({first_line(error)})", "pass an array of shape (n, d)"


def _check_kind(value: Any, name: str) -> None:
    try:
        shape, dtype = value.shape, np.dtype(value.dtype)
    except (OSError, RuntimeError, TypeError, ValueError) as error:  # its file is closed, or numpy lacks its type
        raise InputError(name, f"found {type(value).__name__} that cannot be read ({error})") from error
    if dtype.kind == "c":
        raise InputError(name, "found complex numbers", "pass real ones (e.g. real and imaginary columns)")
    if dtype.kind not in "biuf":
        raise InputError(name, *_no_numbers(value))
    if shape is None:  # an empty HDF5 data set
        raise InputError(name, "found a data set without a shape, which holds no numbers", "pass at least one row")
    if len(shape) < 2:
        raise InputError(
            name,
            f"found {len(shape)}-D data of shape {shape}",
            "pass one point per row, shape (n, d) (for a single column: numpy.asarray(column).reshape(-1, 1))",
        )
    if any(size != size for size in shape):  # Dask reports unknown sizes as NaN
        raise InputError(name, f"found a Dask array of unknown shape {shape}", f"call {name}.compute_chunk_sizes()")
    if 0 in shape:
        raise InputError(name, f"found shape {shape}, which holds no numbers", "pass at least one row and column")


def _no_numbers(array: Any) -> tuple[str, str]:
    """Return what is wrong with an array that is not of numbers, and advice."""
    if isinstance(array, np.ndarray) and array.dtype.names:
        return "found records", "pass a matrix: numpy.lib.recfunctions.structured_to_unstructured of them"
    if isinstance(array, np.ndarray) and array.dtype == object and array.ndim > 1:
        for place, row in enumerate(array.reshape(len(array), -1)):
            if missing := first_missing(row):
                return f"found {missing[1]} in row {place}", "drop or fill these rows"
        if all(isinstance(cell, Real) for cell in array.flat):
            is_large = any(abs(int(cell)) > MAX_INTEGER for cell in array.flat if isinstance(cell, Integral))
            return LARGE_INTEGERS if is_large else ("found numbers as objects", "pass them as numbers: .astype(float)")
    first = next(iter(array.flat), None) if isinstance(array, np.ndarray) else None
    if is_sparse(first):
        return "found a list of sparse matrices", "pass one matrix: scipy.sparse.vstack of them"
    if isinstance(first, dict):
        return "found a list of dicts", "pass a frame of them, as pandas.DataFrame makes"
    if isinstance(first, bytes):
        return "found bytes", "pass their numbers: numpy.stack([numpy.frombuffer(row, dtype) for row in rows])"
    if isinstance(first, str) and first.startswith("["):
        return f"found texts, the first of them {short_repr(first)}", "pass lists: list(map(json.loads, texts))"
    return f"found dtype {array.dtype}", "pass numbers, shape (n, d)"


class _Check:
    """Checks numbers block by block; `finish` raises InputError if some were not finite."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._bad_rows = 0
        self._first = ""

    def __call__(self, block: NDArray[Any], start: int) -> None:
        if block.dtype.kind in "iu" and max(abs(int(block.min())), abs(int(block.max()))) > MAX_INTEGER:
            raise InputError(self._name, *LARGE_INTEGERS)
        if block.dtype.kind == "f" and block.dtype.itemsize > 8:
            block = block.astype(np.float64)  # large finite numbers become infinite
        finite = np.isfinite(block)
        if finite.all():
            self._check_size(block)
            return
        not_finite = np.flatnonzero(~finite.all(axis=1))
        if not self._bad_rows:
            kind = "NaN" if np.isnan(block[not_finite[0]]).any() else "an infinite value"
            kind += " of float16, which ends at 65504," if block.dtype == np.float16 else ""
            self._first = f"found {kind} in row {start + not_finite[0]}"
        self._bad_rows += len(not_finite)

    def _check_size(self, block: NDArray[Any]) -> None:
        """Raise InputError for numbers so large that a distance between them is infinite."""
        if block.dtype != np.float64:
            return
        largest = np.finfo(np.float64).max / (2 * block.shape[1])
        if block.max() > largest or block.min() < -largest:
            raise InputError(
                self._name,
                f"found numbers beyond {largest:.1g}, whose distances overflow in float64",
                "divide all of them by the same number, e.g. 2.0**100",
            )

    def finish(self) -> None:
        if self._bad_rows:
            more = f" ({self._bad_rows} such rows in all)" if self._bad_rows > 1 else ""
            raise InputError(self._name, f"{self._first}{more}", "drop or fill these rows")


def check_same_rows(X: Points, Z: Points, names: tuple[str, str]) -> None:
    """Raise InputError unless points and codes have equally many rows."""
    if len(X) != len(Z):
        raise InputError(names[1], f"found {len(Z)} rows, but {names[0]} has {len(X)}", "pass one code for each point")


def check_same_columns(X: Points, X_ref: Points, names: tuple[str, str]) -> None:
    """Raise InputError unless queries and references have equally many columns."""
    if X.shape[1] != X_ref.shape[1]:
        found = f"found {X_ref.shape[1]} columns, but {names[0]} has {X.shape[1]}"
        raise InputError(names[1], found, "both must have the same columns")


def check_same_shape(X: Points, other: Points, names: tuple[str, str]) -> None:
    """Raise InputError unless both have equally many rows and columns."""
    check_same_rows(X, other, names)
    check_same_columns(X, other, names)


def check_row_shapes(parts: Sequence[Any], names: Sequence[str]) -> None:
    """Raise InputError if rows of two arrays are images of different shapes: flattened, they may fit by accident."""
    shapes = [tuple(getattr(part, "shape", ()))[1:] for part in parts]
    if len(shapes) == 2 and all(len(shape) > 1 for shape in shapes):
        sides = [tuple(side for side in shape if side != 1) for shape in shapes]
        if sides[0] != sides[1]:
            found = f"found rows of shape {shapes[1]}, but {shapes[0]} in {names[0]}"
            raise InputError(
                names[1], found, "give both the same shape (are the channels first in one, last in the other?)"
            )


def check_space(X: Points, X_ref: Points | None, names: tuple[str, str], include_queries: bool = True) -> int:
    """Return the number M of candidates of each query.

    Raises InputError if they are fewer than 2, if queries and references differ in their numbers of columns, or if all
    points coincide.
    """
    M = len(X) - 1 if include_queries or X_ref is None else 0
    if X_ref is not None:
        check_same_columns(X, X_ref, names)
        M += len(X_ref)
    if M < 2:
        where = names[0] if X_ref is None else " and ".join(names)
        raise InputError(where, f"found {M} candidates for each point", "at least 2 are needed")
    others = X if X_ref is None else X_ref
    if (others[0] == X).all() and (others == others[0]).all():
        raise InputError(names[0], "found points that all coincide", "nothing can be measured on them")
    return M


def zero_rows(points: Points) -> NDArray[np.int64]:
    """Return the rows that hold only zeros; they have no direction, so their cosine is not defined."""
    return np.concatenate([rows.start + np.flatnonzero(~block.any(axis=1)) for rows, block in matrix_blocks(points)])


def check_input_distance(points: Points, distance: str, name: str) -> None:
    """Raise InputError if a distance between points is undefined: rows of zeros have no cosine."""
    if distance == "cosine" and (zeros := zero_rows(points)).size:
        raise InputError(
            name,
            f"found only zeros in row {zeros[0]}, which has no direction",
            "drop such rows, or use another distance than 'cosine'",
        )
