"""Reads points and classes from a Parquet file."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from distbench.datasets._sizes import refuse_table
from distbench.errors import DatasetError, MissingDependencyError
from distbench.limits import near_miss

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["Table", "read_table"]


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
    try:
        import pyarrow.parquet as pq
    except ImportError as error:
        raise MissingDependencyError("needs pyarrow, which is not installed; pip install pyarrow") from error
    refuse_table(pq.read_metadata(path), path.stat().st_size)
    found = pq.read_table(path)
    names = [str(name) for name in found.column_names]
    if label and label not in names:
        raise DatasetError(f"label: there is no column {label!r}; {near_miss(label, names)}")
    columns = dict(zip(names, found.columns, strict=True))
    if len(columns) < len(names):
        raise DatasetError("two of its columns have the same name; give each its own")
    left_out = {label, *_index(found.schema)}
    _refuse_lists(columns, left_out)
    features = {name: column for name, column in columns.items() if name not in left_out and _is_number(column)}
    if not features:
        raise DatasetError(f"has no column of numbers; found {', '.join(names) or 'none at all'}")
    for name, column in columns.items():
        if column.null_count and (name in features or name == label):
            raise DatasetError(f"column {name!r} has {column.null_count} empty cells; fill them or leave the rows out")
    return Table(_points(features), tuple(features), _labels(columns[label]) if label else None)


def _refuse_lists(columns: Mapping[str, Any], left_out: Collection[str]) -> None:
    """Refuse columns that hold a list a row: left out silently, other columns would be judged in their place."""
    import pyarrow.types as types

    lists = types.is_list, types.is_large_list, types.is_fixed_size_list
    for name, column in columns.items():
        if name not in left_out and any(is_kind(column.type) for is_kind in lists):
            raise DatasetError(
                f"column {name!r} has a list in each row; give each number a column of its own, or save the points as "
                f".npy: numpy.save(path, numpy.stack(frame[{name!r}]))"
            )


def _index(schema: Any) -> list[str]:
    """Return the columns that are the index of a pandas frame: they number rows, and say nothing of the points."""
    about = json.loads((schema.metadata or {}).get(b"pandas", b"{}"))
    return [name for name in about.get("index_columns", []) if isinstance(name, str)]


def _is_number(column: Any) -> bool:
    import pyarrow.types as types

    return bool(types.is_integer(column.type) or types.is_floating(column.type))


def _points(features: dict[str, Any]) -> NDArray[np.floating]:
    import numpy as np

    return np.column_stack([column.to_numpy() for column in features.values()])


def _labels(column: Any) -> NDArray[Any]:
    import numpy as np

    return np.asarray(column.to_pylist())
