"""Reads what a suite file says of its data: the name of a shipped data set, or a table about data of its own."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from distbench.datasets import DataSource
from distbench.suites import _fields as fields
from distbench.suites._fields import Field, TomlLocation

__all__ = ["dataset", "read_data"]

_FUNCTION = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)*:[^\W\d]\w*(\.[^\W\d]\w*)*")
_ARRAYS = (".npy",)
_TABLES = (".npy", ".parquet")
_WHOLE = (".npz", ".parquet")

_SPLIT = {
    "name": Field(fields.text),
    "train": Field(fields.text),
    "test": Field(fields.text),
    "labels_train": Field(fields.text, default=""),
    "labels_test": Field(fields.text, default=""),
    "label": Field(fields.text, default=""),
}
_FILE = {"name": Field(fields.text), "file": Field(fields.text), "label": Field(fields.text, default="")}
_LOAD = {"name": Field(fields.text), "load": Field(fields.text)}


def dataset(value: Any, where: TomlLocation) -> Any:
    """Accept the name of a data set, or a table about data of the suite's own."""
    if isinstance(value, Mapping):
        return value
    if not isinstance(value, str) or not value.strip():
        raise where.error(f"found {value!r}; give a name in quotes, or a table for data of your own: {{name = ...}}")
    return value


def read_data(found: str | Mapping[str, Any], where: TomlLocation, folder: Path) -> tuple[str, DataSource | None]:
    """Return the name of the data set, and where it comes from if it is the suite's own.

    Parameters
    ----------
    found : str or mapping
        What the file says.
    where : TomlLocation
        Its place, for errors.
    folder : Path
        What relative paths start from.

    Raises
    ------
    SuiteError
        One line: the file, the line, the key, what was found and what to do.
    """
    if isinstance(found, str):
        return found, None
    fields.refuse_unknown(found, {**_SPLIT, **_FILE, **_LOAD}, where)
    ways = [way for way in ("load", "file") if way in found] + ["train"] * ("train" in found or "test" in found)
    if len(ways) != 1:
        raise where.error("needs exactly one of: load; file; train and test")
    values = fields.take(found, {"load": _LOAD, "file": _FILE, "train": _SPLIT}[ways[0]], where)
    name = values.pop("name")
    if ways == ["load"]:
        return name, DataSource(name, function=_function(values["load"], where.at("load")))
    label = values.pop("label")
    paths = {key: _path(value, where.at(key), folder, _kinds(key)) for key, value in values.items() if value}
    _check_labels(label, paths, where)
    return name, DataSource(name, tuple(paths.items()), label)


def _function(value: str, where: TomlLocation) -> str:
    if not _FUNCTION.fullmatch(value):
        raise where.error(f"found {value!r}; give module:function, such as my_package.data:load")
    return value


def _kinds(key: str) -> tuple[str, ...]:
    return {"file": _WHOLE, "train": _TABLES, "test": _TABLES}.get(key, _ARRAYS)


def _path(value: str, where: TomlLocation, folder: Path, kinds: tuple[str, ...]) -> Path:
    path = Path(value)
    if path.suffix.lower() not in kinds:
        raise where.error(f"found {value!r}; give a file that ends in {' or '.join(kinds)}")
    if ".." in path.parts and not path.is_absolute():
        raise where.error(
            f"found {value!r}, which leaves the folder of the suite; put the file below it, or give its whole path"
        )
    return folder / path


def _check_labels(label: str, paths: Mapping[str, Path], where: TomlLocation) -> None:
    points = [path for key, path in paths.items() if key in ("file", "train", "test")]
    if label and not all(path.suffix.lower() == ".parquet" for path in points):
        raise where.at("label").error("names a column, which only .parquet files have; give labels as arrays instead")
    given = [key for key in ("labels_train", "labels_test") if key in paths]
    if label and given:
        raise where.at(given[0]).error("is given beside label; leave one of them out")
    if len(given) == 1:
        other = "labels_test" if given == ["labels_train"] else "labels_train"
        raise where.error(f"{other} is missing; add it, as there is {given[0]}", given[0])
