"""Data sets of users, which are loaded from files or made by a function."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from distbench._util.imports import imported
from distbench._util.text import did_you_mean, raised
from distbench.datasets._checks import checked_classes, checked_groups, checked_labels, checked_points
from distbench.datasets._dataset import Dataset, frozen_dataset, split
from distbench.errors import DatasetError, DistbenchError, InputError, MissingDependencyError
from distbench.inputs.files import open_archive, read_array, reading

if TYPE_CHECKING:
    from distbench.inputs.parquet import Table

__all__ = ["DataSource"]

Parts = Mapping[str, Any]  # arrays by name

LICENCE = "not stated"
POINTS = ("train", "test")
LABELS = ("labels_train", "labels_test")
NAMES = POINTS + LABELS
GROUPS = "groups_test"


@dataclass(frozen=True)
class DataSource:
    """A data set of a user that is not loaded yet.

    Attributes
    ----------
    name : str
        Name of the data set.
    files : tuple of (str, Path)
        Paths by key. Either one ``file``: an ``.npz`` with arrays ``train`` and ``test``, and ``labels_train`` and
        ``labels_test`` if there are classes; or a ``.parquet``, of which a fifth of each class become test points. Or
        ``train`` and ``test`` (``.npy`` or ``.parquet``), and ``labels_train`` and ``labels_test`` (``.npy``).
    label : str
        The column of ``.parquet`` files that holds the classes; empty for none. All other columns of numbers are
        features.
    group : str
        The column of ``.parquet`` files that holds the groups; empty for none. In other files the groups of the test
        points are an array ``groups_test``: in the ``.npz``, or an ``.npy`` beside ``test``.
    function : str
        ``module:function`` in place of files; it is called without arguments. It returns a :class:`Dataset`; a mapping
        with keys ``train``, ``test``, ``labels_train``, ``labels_test`` and ``groups_test``; or a tuple of the first
        two or four.
    """

    name: str
    files: tuple[tuple[str, Path], ...] = ()
    label: str = ""
    group: str = ""
    function: str = ""

    def missing(self) -> dict[str, Path]:
        """Return the files that do not exist, by key."""
        return {key: path for key, path in self.files if not path.is_file()}

    def load(self) -> Dataset:
        """Return the data set, checked; the same object again as long as the files do not change.

        Raises
        ------
        DatasetError
            The data cannot be read or used.
        MissingDependencyError
            The package that reads the files is not installed.
        """
        try:
            return _loaded(self, tuple(_stamp(path) for _, path in self.files))
        except DatasetError as error:
            raise DatasetError(f"data set {self.name!r}", str(error)) from error.__cause__
        except MissingDependencyError as error:
            raise MissingDependencyError(f"data set {self.name!r}: {error}") from error


def _stamp(path: Path) -> tuple[int, ...]:
    try:
        status = path.stat()
    except OSError:
        return ()
    # The time of the last change alone is not enough: clocks may be set back, and archives restore old times.
    return status.st_mtime_ns, status.st_size, status.st_ino, status.st_dev


@lru_cache(maxsize=8)
def _loaded(source: DataSource, stamp: tuple[tuple[int, ...], ...]) -> Dataset:
    if source.files:
        files = ", ".join(path.name for _, path in source.files)
        return _checked_dataset(
            source.name, _read_files(dict(source.files), source.label, source.group), files, LICENCE
        )
    made = _call(source.function)
    terms = (made.source, made.licence) if isinstance(made, Dataset) else (source.function, LICENCE)
    try:
        return _checked_dataset(source.name, _parts(made), *terms)
    except DatasetError as error:
        raise DatasetError(source.function, str(error)) from None


def _checked_dataset(name: str, parts: Parts, source: str, licence: str) -> Dataset:
    import numpy as np

    train, test = (checked_points(parts[key], key) for key in POINTS)
    if train.shape[1] != test.shape[1]:
        raise DatasetError("test", f"found {test.shape[1]} features, train has {train.shape[1]}", "give both the same")
    dtype = np.result_type(train, test)
    keys = [key for key in LABELS if parts.get(key) is not None]
    if len(keys) == 1:
        raise DatasetError(keys[0], "found alone", f"give both of {', '.join(LABELS)}, or none")
    labels = [checked_labels(parts[key], key, len(points)) for key, points in zip(keys, (train, test), strict=False)]
    classes = checked_classes(*labels) if labels else None
    groups = None if parts.get(GROUPS) is None else checked_groups(parts[GROUPS], GROUPS, len(test))
    return frozen_dataset(name, [train.astype(dtype), test.astype(dtype)], classes, source, licence, groups)


def _call(function: str) -> Any:
    """Return the result of the user's function; errors name the line that raised them."""
    try:
        target = imported(function)
    except InputError as error:
        raise DatasetError(function, str(error)) from error.__cause__
    if not callable(target):
        raise DatasetError(function, f"found {type(target).__name__}", "name a function that returns the points")
    try:
        return target()
    except DistbenchError:
        raise
    except (Exception, SystemExit) as error:  # sys.exit() would end the run of all tests
        raise DatasetError(function, raised(error)) from error


def _parts(made: Any) -> Parts:
    """Return the arrays in the result of the user's function by name."""
    if isinstance(made, Dataset):
        return {name: getattr(made, name) for name in (*NAMES, GROUPS)}
    if isinstance(made, tuple | list) and len(made) in (2, 4):
        return dict(zip(NAMES, made, strict=False))
    if not isinstance(made, Mapping):
        returned = f"{len(made)} values" if isinstance(made, tuple | list) else type(made).__name__
        advice = f"return (train, test), {NAMES}, a dict of these, or a distbench.Dataset"
        raise DatasetError(f"returned {returned}; {advice}")
    for name in made:
        if name not in (*NAMES, GROUPS):
            raise DatasetError(f"returned a dict with {name!r}; {did_you_mean(str(name), (*NAMES, GROUPS))}")
    for name in POINTS:
        if name not in made:
            raise DatasetError(f"returned a dict without {name!r}; add it")
    return made


def _read_files(files: Mapping[str, Path], label: str, group: str) -> Parts:
    """Return the arrays of files by name, before any check."""
    if "file" in files:
        path = files["file"]
        return reading(
            path, lambda: _archive(path) if path.suffix.lower() == ".npz" else _split_table(path, label, group)
        )
    tables = {key: _table(path, label, group) for key, path in files.items() if path.suffix.lower() == ".parquet"}
    if len(tables) == 2 and tables["train"].columns != tables["test"].columns:
        test, train = files["test"].name, files["train"].name
        raise DatasetError(test, f"has other columns of numbers than {train}", "give both the same columns")
    points = {
        key: tables[key].points if key in tables else reading(path, partial(read_array, path))
        for key, path in files.items()
    }
    points |= {f"labels_{key}": table.labels for key, table in tables.items() if table.labels is not None}
    return points if not group else {**points, GROUPS: tables["test"].groups}


def _table(path: Path, label: str, group: str) -> Table:
    from distbench.inputs.parquet import read_table

    return reading(path, lambda: read_table(path, label, group))


def _split_table(path: Path, label: str, group: str) -> Parts:
    from distbench.inputs.parquet import read_table

    table = read_table(path, label, group)
    labels = None if table.labels is None else checked_classes(table.labels)[0]
    train, test = split(len(table.points), labels)
    parts = {"train": table.points[train], "test": table.points[test]}
    parts |= {} if table.groups is None else {GROUPS: table.groups[test]}
    return parts if labels is None else {**parts, "labels_train": labels[train], "labels_test": labels[test]}


def _archive(path: Path) -> Parts:
    with path.open("rb") as file:  # given a path, numpy would leave a damaged file open
        arrays = open_archive(file)
        for name in POINTS:
            if name not in arrays.files:
                raise DatasetError(f"has no array {name!r}, only {', '.join(arrays.files)}; save it under that name")
        return {name: arrays[name] for name in (*NAMES, GROUPS) if name in arrays.files}
