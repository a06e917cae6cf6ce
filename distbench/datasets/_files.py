"""Reads points and classes from files: ``.npy``, ``.npz`` and ``.parquet``. Nothing in a file is ever run."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from distbench.datasets._sizes import refuse_archive, refuse_array
from distbench.errors import DatasetError, MissingDependencyError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from distbench.datasets._parquet import Table

__all__ = ["NAMES", "Parts", "read_files"]

T = TypeVar("T")
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
    return _reading(path, lambda: _archive(path) if path.suffix.lower() == ".npz" else _split_table(path, label))


def _of_each(files: Mapping[str, Path], label: str) -> Parts:
    parts: dict[str, Any] = {}
    tables = {key: _table(path, label) for key, path in files.items() if path.suffix.lower() == ".parquet"}
    for key, path in files.items():
        parts[key] = tables[key].points if key in tables else _array(path)
    if len(tables) == 2 and tables["train"].columns != tables["test"].columns:
        names = (files["test"].name, files["train"].name)
        raise DatasetError(f"{names[0]}: its columns of numbers are not those of {names[1]}; give both the same")
    labels = {f"labels_{key}": table.labels for key, table in tables.items() if table.labels is not None}
    return {**parts, **labels}


def _table(path: Path, label: str) -> Table:
    from distbench.datasets._parquet import read_table

    return _reading(path, lambda: read_table(path, label))


def _split_table(path: Path, label: str) -> Parts:
    from distbench.datasets._dataset import split
    from distbench.datasets._own import classes
    from distbench.datasets._parquet import read_table

    table = read_table(path, label)
    labels = None if table.labels is None else classes(table.labels)[0]
    train, test = split(len(table.points), labels)
    parts = {"train": table.points[train], "test": table.points[test]}
    return parts if labels is None else {**parts, "labels_train": labels[train], "labels_test": labels[test]}


def _archive(path: Path) -> Parts:
    import numpy as np

    with path.open("rb") as file:  # which numpy would leave open where it is damaged
        refuse_archive(file)
        found = np.load(file, allow_pickle=False)
        if isinstance(found, np.ndarray):
            raise DatasetError("holds one array and no names; give it the ending .npy, or save it with numpy.savez")
        for name in NAMES[:2]:
            if name not in found.files:
                raise DatasetError(f"has no array {name!r}, only {', '.join(found.files)}; save it under that name")
        return {name: found[name] for name in NAMES if name in found.files}


def _array(path: Path) -> NDArray[Any]:
    import numpy as np

    def read() -> NDArray[Any]:
        with path.open("rb") as file:
            refuse_array(file)
            array = np.load(file, allow_pickle=False)
            if isinstance(array, np.ndarray):
                return array
            raise DatasetError("holds several arrays; give it the ending .npz and name it as file")

    return _reading(path, read)


def _reading(path: Path, read: Callable[[], T]) -> T:
    """Return what ``read`` does; its errors name the file."""
    try:
        return read()
    except MissingDependencyError as error:
        raise MissingDependencyError(f"{path.name}: {error}") from error
    except DatasetError as error:
        raise DatasetError(f"{path.name}: {error}") from None
    except FileNotFoundError as error:
        raise DatasetError(f"{path.name}: no such file: {path}") from error
    except Exception as error:  # numpy, zipfile and pyarrow raise all kinds for a damaged file
        raise DatasetError(f"{path.name}: cannot be read: {_reason(error)}") from error


def _reason(error: Exception) -> str:
    if "allow_pickle" in str(error):  # also numpy's guess about a file that is none of its own
        return "it is damaged, or holds Python objects, which could run code; save numbers with numpy.save"
    told = " ".join(f"{type(error).__name__}: {error}".split())
    return f"{told}; is it whole? save it anew"
