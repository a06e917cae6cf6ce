"""Frames of pandas and polars, and columns whose cells are rows of numbers, as embeddings are stored in tables."""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from distbench.inputs.labels import is_missing

__all__ = [
    *("frame_like", "frame_numbers", "id_columns", "is_arrow_table", "is_frame", "list_columns", "other_columns"),
    *("ID_NAME", "MAX_INTEGER", "TOO_LARGE", "has_rounded", "row_of_other_names", "rows_in_cells"),
]

ID_NAME = re.compile(r"(.*[ _.-])?(id|idx|index)|unnamed: \d+", re.IGNORECASE)
LEAST_ROWS = 10  # the numbers of fewer rows may be consecutive by chance
MAX_INTEGER = 2**53
TOO_LARGE = "integers beyond 2**53, which float64 cannot tell apart"
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
    """Return a frame, a column or an Arrow table as numbers, NaN for missing values; None if some are not numbers.

    Unlike numpy, this works for mixed and nullable columns of pandas and polars.
    """
    if other_columns(frame):
        return None
    if is_arrow_table(frame):
        return np.asarray(frame)
    if hasattr(frame, "iloc"):
        numbers: NDArray[Any] = frame.to_numpy(dtype=np.float64, na_value=np.nan)
        return numbers
    numbers = frame.to_numpy()
    return frame.cast(sys.modules["polars"].Float64).to_numpy() if numbers.dtype == object else numbers


def has_rounded(frame: Any, numbers: NDArray[Any]) -> bool:
    """Return whether whole numbers of a frame are beyond 2**53, so that floats in `numbers` cannot tell them apart."""
    if is_arrow_table(frame):
        are_whole = ["int" in str(dtype) for dtype in frame.schema.types]
    else:
        types = list(frame.dtypes) if getattr(frame, "ndim", 2) == 2 else [frame.dtype]
        are_whole = [dtype.kind in "iu" if hasattr(dtype, "kind") else dtype.is_integer() for dtype in types]
    columns = numbers if numbers.ndim == 2 else numbers[:, None]
    return bool((np.abs(columns[:, are_whole]) > MAX_INTEGER).any())


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


def row_of_other_names(rows: Any) -> int | None:
    """Return the place of the first row in a list of rows of pandas whose names are not those of row 0, in its order.

    Rows are columns of pandas, such as those of a frame, or frames. None if there is no such row.
    """
    if not isinstance(rows, list | tuple) or not rows or not hasattr(rows[0], "iloc"):
        return None
    names, others = rows[0].axes[-1], enumerate(rows)
    return next((place for place, row in others if hasattr(row, "iloc") and not names.equals(row.axes[-1])), None)


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
