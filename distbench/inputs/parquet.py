"""Reads points and classes from a Parquet file."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from distbench._util.text import did_you_mean, join_names
from distbench.errors import DatasetError, MissingDependencyError
from distbench.inputs.size_guards import refuse_table, refuse_unfolded

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["Table", "read_columns", "read_table"]


@dataclass(frozen=True, eq=False)
class Table:
    """Points, the names of their columns, and classes as they stand in the file."""

    points: NDArray[np.floating]
    columns: tuple[str, ...]
    labels: NDArray[Any] | None


def read_table(path: Path, label: str) -> Table:
    """Read the columns of numbers as points, and the one called ``label``, if any, as classes.

    Raises
    ------
    DatasetError
        There is no such column, there are no numbers, or some are missing.
    MissingDependencyError
        pyarrow is not installed.
    """
    columns, index = _columns(path)
    if label and label not in columns:
        raise DatasetError("label", f"there is no column {label!r}", did_you_mean(label, columns))
    left_out = {label, *index}
    for name in _lists(columns, left_out):  # left out silently, other columns would be judged in their place
        raise DatasetError(
            f"column {name!r} has a list in each row; give each number a column of its own, or save the points as "
            f".npy: numpy.save(path, numpy.stack(frame[{name!r}]))"
        )
    features = _features(columns, left_out)
    if label:
        _refuse_empty(label, columns[label])
    return Table(_points(features), tuple(features), _labels(columns[label]) if label else None)


def read_columns(path: Path, column: str = "") -> NDArray[Any]:
    """Read points: all columns of numbers, or the one column that has a list of numbers in each row.

    Parameters
    ----------
    path : Path
        A Parquet file.
    column : str
        The one to read, where there are several of lists, or lists and numbers.

    Raises
    ------
    DatasetError
        There is no such column, there are no numbers, some are missing, lists are not of one length, or it is not said
        which columns are meant.
    MissingDependencyError
        pyarrow is not installed.
    """
    columns, index = _columns(path)
    if column and column not in columns:
        raise DatasetError(f"has no column {column!r}; {did_you_mean(column, columns)}")
    lists = _lists(columns, index)
    if column:
        return _of_lists(column, columns[column]) if column in lists else _points(_features({column: columns[column]}))
    if not lists:
        return _points(_features(columns, index))
    others = [name for name, one in columns.items() if name not in (*lists, *index) and _is_number(one)]
    if len(lists) > 1 or others:
        found = join_names([*lists, *others])
        raise DatasetError(f"has lists and other columns ({found}); name one: {path.name}:{lists[0]}")
    return _of_lists(lists[0], columns[lists[0]])


def _columns(path: Path) -> tuple[dict[str, Any], list[str]]:
    """Return all columns by name, and which of them are an index."""
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError as error:
        raise MissingDependencyError("needs pyarrow, which is not installed; pip install pyarrow") from error
    with pa.OSFile(str(path)) as held:  # which takes a name as it is, with a colon too
        file = pq.ParquetFile(held)
        refuse_table(file.metadata, path.stat().st_size)
        _refuse_long(file, file.metadata.num_rows, path.stat().st_size)
        found = file.read()
    names = [str(name) for name in found.column_names]
    columns = dict(zip(names, found.columns, strict=True))
    if len(columns) < len(names):
        raise DatasetError("two of its columns have the same name; give each its own")
    return columns, _index(found.schema)


def _refuse_long(file: Any, rows: int, size: int) -> None:
    """Refuse lists that are so long in the first row that all would take far more than the file: no header says so."""
    if any("list" in str(kind) for kind in file.schema_arrow.types):
        first = next(file.iter_batches(batch_size=1), None)
        refuse_unfolded(0 if first is None else first.nbytes * rows, size, "compression=None")


def _features(columns: Mapping[str, Any], left_out: Collection[str] = ()) -> dict[str, Any]:
    """Return the columns of numbers, of which none may have empty cells."""
    features = {name: column for name, column in columns.items() if name not in left_out and _is_number(column)}
    if not features:
        raise DatasetError(f"has no column of numbers; found {', '.join(columns) or 'none at all'}")
    for name, column in features.items():
        _refuse_empty(name, column)
    return features


def _refuse_empty(name: str, column: Any) -> None:
    if column.null_count:
        raise DatasetError(f"column {name!r} has {column.null_count} empty cells; fill them or leave the rows out")


def _lists(columns: Mapping[str, Any], left_out: Collection[str]) -> list[str]:
    """Return the columns that hold a list a row."""
    import pyarrow.types as types

    kinds = types.is_list, types.is_large_list, types.is_fixed_size_list
    return [
        name
        for name, column in columns.items()
        if name not in left_out and any(is_kind(column.type) for is_kind in kinds)
    ]


def _of_lists(name: str, column: Any) -> NDArray[Any]:
    import pyarrow.compute as pc

    _refuse_empty(name, column)
    values = pc.list_flatten(column)
    if not _is_number(values):
        raise DatasetError(f"column {name!r} has lists of {values.type}; give lists of numbers")
    _refuse_empty(name, values)
    lengths = pc.unique(pc.list_value_length(column)).to_pylist()
    if len(lengths) != 1 or not lengths[0]:
        raise DatasetError(f"column {name!r} has lists of {len(lengths)} lengths; give every row equally many numbers")
    array: NDArray[Any] = values.to_numpy().reshape(len(column), lengths[0])
    return array


def _index(schema: Any) -> list[str]:
    """Return the columns that are the index of a pandas frame: they number rows, and say nothing of the points."""
    about = json.loads((schema.metadata or {}).get(b"pandas", b"{}"))
    return [name for name in about.get("index_columns", []) if isinstance(name, str)]


def _is_number(column: Any) -> bool:
    import pyarrow.types as types

    kinds = types.is_integer, types.is_floating, types.is_boolean, types.is_decimal
    return any(is_kind(column.type) for is_kind in kinds)


def _points(features: dict[str, Any]) -> NDArray[np.floating]:
    import numpy as np

    return np.column_stack([_array(column) for column in features.values()])


def _array(column: Any) -> NDArray[Any]:
    import pyarrow as pa

    if pa.types.is_decimal(column.type):
        column = column.cast(pa.string()).cast(pa.float64())  # by way of text, which is rounded rightly
    found: NDArray[Any] = column.to_numpy()
    return found


def _labels(column: Any) -> NDArray[Any]:
    import numpy as np

    return np.asarray(column.to_pylist())
