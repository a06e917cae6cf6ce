"""Reads points and classes from a Parquet file."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from distbench._util.text import did_you_mean, join_names
from distbench.errors import DatasetError, MissingDependencyError
from distbench.inputs.frames import ID_NAME, id_columns
from distbench.inputs.size_guards import refuse_table, refuse_unfolded

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["Table", "read_columns", "read_one", "read_table", "table_names"]

Columns = Mapping[str, Any]  # pyarrow columns by name


@dataclass(frozen=True, eq=False)
class Table:
    """The points of a file, the names of their columns, and unchecked classes and groups."""

    points: NDArray[np.floating]
    columns: tuple[str, ...]
    labels: NDArray[Any] | None
    groups: NDArray[Any] | None = None


def read_table(path: Path, label: str, group: str = "") -> Table:
    """Read the columns of numbers as points, and the columns ``label`` and ``group``, if given, as classes and groups.

    One column may be both.
    """
    import numpy as np

    columns, index, _ = _columns(path)
    for key, name in (("label", label), ("group", group)):
        if name and name not in columns:
            raise DatasetError(key, f"there is no column {name!r}", did_you_mean(name, columns))
    for name in _lists(columns, {label, group, *index}):  # ignoring it would evaluate the other columns alone
        raise DatasetError(
            f"column {name!r} has a list in each row; put each number into a separate column, or save the points as "
            f".npy: numpy.save(path, numpy.stack(frame[{name!r}]))"
        )
    numbers = _numbers(columns, {label, group, *index})
    for name in filter(None, (label, group)):
        _refuse_empty(name, columns[name])
    labels, groups = (np.asarray(columns[name].to_pylist()) if name else None for name in (label, group))
    return Table(_stack(numbers), tuple(numbers), labels, groups)


def read_columns(path: Path, column: str = "") -> NDArray[Any]:
    """Read points: all columns of numbers, or the column that has a list of numbers in each row.

    `column` is needed if several columns have lists, or some have lists and some numbers.
    """
    columns, index, _ = _columns(path)
    if column and column not in columns:
        raise DatasetError(f"has no column {column!r}; {did_you_mean(column, columns)}")
    lists = _lists(columns, index)
    if column:
        return _from_lists(column, columns[column]) if column in lists else _stack(_numbers({column: columns[column]}))
    if not lists:
        return _stack(_numbers(columns, index))
    others = [name for name, values in columns.items() if name not in (*lists, *index) and _is_number(values)]
    if len(lists) > 1 or others:
        names = join_names([*lists, *others])
        raise DatasetError(f"has lists and other columns ({names}); name one: {path}:{lists[0]}")
    return _from_lists(lists[0], columns[lists[0]])


def read_one(path: Path, column: str = "") -> NDArray[Any]:
    """Read one column of any type, such as labels; `column` is needed if there are several beside the index."""
    import numpy as np

    columns, index, _ = _columns(path)
    names = [name for name in columns if name not in index]
    if column and column not in columns:
        raise DatasetError(f"has no column {column!r}; {did_you_mean(column, columns)}")
    if not column and len(names) != 1:
        raise DatasetError(
            f"has {len(names)} columns ({join_names(names)}); name one: {path}:{(names or ['column'])[0]}"
        )
    column = column or names[0]
    _refuse_empty(column, columns[column])
    return np.asarray(columns[column].to_pylist())


def table_names(path: Path) -> tuple[list[Any] | None, list[str], list[str], list[str]]:
    """Return the names of rows, if any; of columns that are read; of all others; and of likely ids among those read.

    Rows have the names of a pandas frame's index, or else those in the first column of others that can be ids.
    """
    columns, index, rows = _columns(path)
    if index:
        values = [columns[name].to_pylist() for name in index]
        rows = values[0] if len(index) == 1 else list(zip(*values, strict=True))
    lists = _lists(columns, index)
    read = lists or [name for name, column in columns.items() if name not in index and _is_number(column)]
    others = [name for name in columns if name not in (*read, *index)]
    if not index:
        rows = next((columns[name].to_pylist() for name in others if _names_rows(name, columns[name])), rows)
    return rows, read, others, id_columns({name: columns[name] for name in read})


def _names_rows(name: str, column: Any) -> bool:
    """Return whether a column has another id in each row: a text without spaces, or one by the column's own name."""
    import pyarrow as pa
    import pyarrow.compute as pc

    is_text = pa.types.is_string(column.type) or pa.types.is_large_string(column.type)
    if not ID_NAME.fullmatch(name) and (not is_text or pc.any(pc.match_substring(column, " ")).as_py()):
        return False
    is_id = is_text or pa.types.is_integer(column.type)
    return is_id and int(pc.count_distinct(column, mode="all").as_py()) == len(column)


def _columns(path: Path) -> tuple[dict[str, Any], list[str], list[Any] | None]:
    """Return all columns by name, the names of those that are only the index of a pandas frame, and its numbers.

    A frame that only numbers its rows is stored without a column for them.
    """
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError as error:
        raise MissingDependencyError("needs pyarrow, which is not installed; pip install pyarrow") from error
    size = path.stat().st_size
    with pa.OSFile(str(path)) as opened:  # unlike ParquetFile(path), takes any name literally
        file = pq.ParquetFile(opened)
        refuse_table(file.metadata, size)
        if any(
            "list" in str(kind) for kind in file.schema_arrow.types
        ):  # the header does not contain the lengths of lists
            first = next(file.iter_batches(batch_size=1), None)
            refuse_unfolded(0 if first is None else first.nbytes * file.metadata.num_rows, size, "compression=None")
        table = file.read()
    names = [str(name) for name in table.column_names]
    columns = dict(zip(names, table.columns, strict=True))
    if len(columns) < len(names):
        raise DatasetError("two of its columns have the same name; rename one")
    frame = json.loads((table.schema.metadata or {}).get(b"pandas", b"{}"))
    index = frame.get("index_columns", [])
    numbers = [list(range(one["start"], one["stop"], one["step"])) for one in index if isinstance(one, dict)]
    rows = numbers[0] if numbers and len(numbers[0]) == len(table) else None  # a part of a table keeps its numbers
    return columns, [name for name in index if isinstance(name, str)], rows


def _numbers(columns: Columns, left_out: Collection[str] = ()) -> dict[str, Any]:
    """Return the columns of numbers; raise DatasetError if one has empty cells."""
    numbers = {name: column for name, column in columns.items() if name not in left_out and _is_number(column)}
    if not numbers:
        raise DatasetError(f"has no column of numbers; found {', '.join(columns) or 'none at all'}")
    for name, column in numbers.items():
        _refuse_empty(name, column)
    return numbers


def _refuse_empty(name: str, column: Any) -> None:
    if column.null_count:
        raise DatasetError(f"column {name!r} has {column.null_count} empty cells; fill them or leave the rows out")


def _lists(columns: Columns, left_out: Collection[str]) -> list[str]:
    """Return the columns that have a list in each row."""
    import pyarrow.types as types

    kinds = types.is_list, types.is_large_list, types.is_fixed_size_list
    return [name for name, column in columns.items() if name not in left_out and any(is_(column.type) for is_ in kinds)]


def _from_lists(name: str, column: Any) -> NDArray[Any]:
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


def _is_number(column: Any) -> bool:
    import pyarrow.types as types

    kinds = types.is_integer, types.is_floating, types.is_boolean, types.is_decimal
    return any(is_kind(column.type) for is_kind in kinds)


def _stack(numbers: Columns) -> NDArray[np.floating]:
    import numpy as np
    import pyarrow as pa

    return np.column_stack(
        [  # decimals are cast to text first, which rounds correctly
            (column.cast(pa.string()).cast(pa.float64()) if pa.types.is_decimal(column.type) else column).to_numpy()
            for column in numbers.values()
        ]
    )
