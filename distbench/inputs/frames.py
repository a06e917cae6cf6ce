"""Frames of pandas and polars, and columns whose cells are rows of numbers, as embeddings are stored in tables."""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from distbench.errors import InputError
from distbench.inputs.labels import is_missing

__all__ = [
    *("frame_like", "frame_numbers", "id_columns", "is_arrow_table", "is_frame", "list_columns", "other_columns"),
    *("ID_NAME", "check_names_of_rows", "rows_in_cells", "whole_columns"),
]

ID_NAME = re.compile(r"(.*[ _.-])?(id|idx|index)|unnamed: \d+", re.IGNORECASE)
LEAST_ROWS = 10  # the numbers of fewer rows may be consecutive by chance
ARROW_NUMBER = re.compile(r"u?int\d+|halffloat|float|double|bool")


def is_frame(X: Any) -> bool:
    """Return whether `X` is a frame or a column of pandas, or a frame of polars."""
    return (hasattr(X, "iloc") and hasattr(X, "ndim") and not hasattr(X, "to_dask_array")) or _is_of(
        "polars", X, "get_columns"
    )


def is_arrow_table(X: Any) -> bool:
    """Return whether `X` is a table of Arrow."""
    return _is_of("pyarrow", X, "num_columns")


def _is_of(package: str, X: Any, method: str) -> bool:
    return type(X).__module__.partition(".")[0] == package and hasattr(type(X), method)


def frame_numbers(frame: Any) -> NDArray[Any] | None:
    """Return a frame or a column of pandas as numbers, with NaN for missing values; None if some are not numbers.

    Unlike numpy, this works for mixed and nullable columns.
    """
    if other_columns(frame):
        return None
    if hasattr(frame, "iloc"):
        numbers: NDArray[Any] = frame.to_numpy(dtype=np.float64, na_value=np.nan)
        return numbers
    numbers = frame.to_numpy()
    return frame.cast(sys.modules["polars"].Float64).to_numpy() if numbers.dtype == object else numbers


def whole_columns(frame: Any) -> list[int]:
    """Return the places of the columns of a frame whose type is of whole numbers; none for a column of pandas."""
    types = list(frame.dtypes) if getattr(frame, "ndim", 2) == 2 else []
    kinds = [dtype.kind in "iu" if hasattr(dtype, "kind") else dtype.is_integer() for dtype in types]
    return [place for place, is_whole in enumerate(kinds) if is_whole]


def other_columns(frame: Any) -> list[Any]:
    """Return the names of the columns of a frame, an Arrow table or a column of pandas that are not numbers."""
    if getattr(frame, "ndim", 2) == 1:
        return [] if _is_number(frame.dtype) else [frame.name]
    if is_arrow_table(frame):
        return [field.name for field in frame.schema if not ARROW_NUMBER.fullmatch(str(field.type))]
    pairs = zip(frame.columns, frame.dtypes, strict=True)
    return [name for name, dtype in pairs if not _is_number(dtype)]


def list_columns(frame: Any) -> list[Any]:
    """Return the names of the columns of a frame whose cells are rows of numbers."""
    columns = {name: frame[name] for name in other_columns(frame)}
    return [name for name, column in columns.items() if rows_in_cells(column) is not column]


def id_columns(columns: Mapping[str, Any]) -> list[str]:
    """Return the names of columns of a frame or an Arrow table that look like ids of rows, unless all of them do.

    Such a column has a different whole number in each row, and either the name of an id, or numbers without a gap.
    """
    found = [name for name, column in columns.items() if _are_ids(name, column.to_numpy())]
    return found if len(found) < len(columns) else []


def _are_ids(name: str, numbers: NDArray[Any]) -> bool:
    if numbers.dtype.kind not in "iu" or len(numbers) < LEAST_ROWS:
        return False
    is_dense = int(numbers.max()) - int(numbers.min()) == len(numbers) - 1
    return (is_dense or bool(ID_NAME.fullmatch(name))) and len(np.unique(numbers)) == len(numbers)


def _is_number(dtype: Any) -> bool:
    if hasattr(dtype, "kind"):
        return dtype.kind in "biuf"
    return bool(dtype.is_numeric() or dtype == sys.modules["polars"].Boolean)


def frame_like(frame: Any, numbers: NDArray[Any]) -> Any:
    """Return numbers as a frame with the columns of another."""
    columns = "columns" if hasattr(frame, "iloc") else "schema"
    return type(frame)(numbers, **{columns: frame.columns})


def check_names_of_rows(rows: Any, name: str) -> None:
    """Raise InputError if a list has columns of pandas, such as rows of a frame, with names in different orders."""
    first: Any = rows[0] if isinstance(rows, list | tuple) and rows else None
    if not hasattr(first, "iloc") or getattr(first, "ndim", 0) != 1:
        return
    for place, row in enumerate(rows):
        if hasattr(row, "iloc") and not row.index.equals(first.index):
            found = f"found the names of row 0 not in row {place}, or in another order"
            raise InputError(name, found, f"pass a frame, whose columns have the names: pandas.DataFrame({name})")


def rows_in_cells(value: Any) -> Any:
    """Return a column whose cells are rows of numbers as a list of these rows; return anything else unchanged.

    A column is one of pandas, polars or Arrow, the only one of a frame or table, or an array of objects.
    """
    column = _only_column(value)
    if not _is_column(column):
        return value
    cells = np.asarray(column)
    if cells.ndim == 2 and cells.shape[1] == 1:
        cells = cells[:, 0]
    if cells.dtype != object:
        return cells if cells.ndim == 2 else value
    known = next((cell for cell in cells if not is_missing(cell)), None) if cells.ndim == 1 else None
    is_row = isinstance(known, list | tuple) or getattr(known, "ndim", 0) > 0 or _is_of("polars", known, "to_frame")
    return list(cells) if is_row else value


def _only_column(value: Any) -> Any:
    if is_frame(value) and getattr(value, "ndim", 2) == 2 and value.shape[1] == 1:
        return value.iloc[:, 0] if hasattr(value, "iloc") else value.to_series()
    if is_arrow_table(value) and value.num_columns == 1:
        return value.column(0)
    return value


def _is_column(value: Any) -> bool:
    if isinstance(value, np.ndarray):
        return bool(value.dtype == object)
    if hasattr(value, "iloc"):
        return getattr(value, "ndim", 0) == 1
    is_arrow = _is_of("pyarrow", value, "to_pylist") and not hasattr(value, "num_columns")
    return is_arrow or _is_of("polars", value, "to_frame")
