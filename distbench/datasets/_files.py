"""Reads the train and test points of a data set, and their classes, from files."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from distbench.errors import DatasetError
from distbench.inputs.files import open_archive, read_array, reading

if TYPE_CHECKING:
    from distbench.inputs.parquet import Table

__all__ = ["NAMES", "Parts", "read_files"]

Parts = Mapping[str, Any]
"""Arrays by name: ``train``, ``test``, and ``labels_train`` and ``labels_test`` where there are classes."""

NAMES = ("train", "test", "labels_train", "labels_test")


def read_files(files: Mapping[str, Path], label: str = "") -> Parts:
    """Read the files of a data set.

    Parameters
    ----------
    files : mapping of str to Path
        As in :class:`DataSource`.
    label : str
        Likewise.

    Returns
    -------
    mapping
        Arrays by name, not checked yet.

    Raises
    ------
    DatasetError
        A file is missing, damaged or lacks something: which, and what to do.
    MissingDependencyError
        The package that reads such files is not installed.
    """
    if "file" not in files:
        return _of_each(files, label)
    path = files["file"]
    return reading(path, lambda: _archive(path) if path.suffix.lower() == ".npz" else _split_table(path, label))


def _of_each(files: Mapping[str, Path], label: str) -> Parts:
    parts: dict[str, Any] = {}
    tables = {key: _table(path, label) for key, path in files.items() if path.suffix.lower() == ".parquet"}
    for key, path in files.items():
        parts[key] = tables[key].points if key in tables else reading(path, partial(read_array, path))
    if len(tables) == 2 and tables["train"].columns != tables["test"].columns:
        names = (files["test"].name, files["train"].name)
        raise DatasetError(names[0], f"its columns of numbers are not those of {names[1]}", "give both the same")
    labels = {f"labels_{key}": table.labels for key, table in tables.items() if table.labels is not None}
    return {**parts, **labels}


def _table(path: Path, label: str) -> Table:
    from distbench.inputs.parquet import read_table

    return reading(path, lambda: read_table(path, label))


def _split_table(path: Path, label: str) -> Parts:
    from distbench.datasets._dataset import split
    from distbench.datasets._own import classes
    from distbench.inputs.parquet import read_table

    table = read_table(path, label)
    labels = None if table.labels is None else classes(table.labels)[0]
    train, test = split(len(table.points), labels)
    parts = {"train": table.points[train], "test": table.points[test]}
    return parts if labels is None else {**parts, "labels_train": labels[train], "labels_test": labels[test]}


def _archive(path: Path) -> Parts:
    with path.open("rb") as file:  # which numpy would leave open where it is damaged
        found = open_archive(file)
        for name in NAMES[:2]:
            if name not in found.files:
                raise DatasetError(f"has no array {name!r}, only {', '.join(found.files)}; save it under that name")
        return {name: found[name] for name in NAMES if name in found.files}
