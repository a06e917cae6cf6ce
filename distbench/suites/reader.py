"""Reads a suite file. An error is one line that names the file, the line, the key and a remedy.

Names of data sets, baselines and metrics are looked up in ``check_names``, a separate module, since that loads numpy.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from msgspec import Meta

from distbench._util.text import plain_name, short_repr
from distbench.datasets import DataSource
from distbench.errors import MAX_NAME, SuiteError
from distbench.suites._toml import TomlLocation, checked, key_lines, take
from distbench.suites.suite import (
    AngleClaim,
    BetterClaim,
    BoundClaim,
    Claim,
    CollapseClaim,
    Count,
    Counts,
    FloorClaim,
    Number,
    Seeds,
    Suite,
    SuiteEncoder,
    Text,
)

__all__ = ["read_suite"]

SCHEMA = 1
_PLACE = re.compile(r" \(at (?:line (\d+), column (\d+)|end of document)\)$")
_FUNCTION = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)*:[^\W\d]\w*(\.[^\W\d]\w*)*")
_SUFFIXES = {"file": (".npz", ".parquet"), "train": (".npy", ".parquet"), "test": (".npy", ".parquet")}
_LABELS = ("labels_train", "labels_test")

_Dataset = Annotated[
    Text | dict[str, Any], Meta(description="a name in quotes, or a table for your data: {name = ...}")
]


def _tables(name: str) -> Meta:
    return Meta(description=f"tables, each under its own header with two brackets: [[{name}]]")


_Distance = Annotated[
    Literal["euclidean", "cosine", "cityblock"], Meta(description="one of 'euclidean', 'cosine', 'cityblock'")
]


@dataclass(frozen=True)
class _SuiteKeys:
    distbench: int
    question: Text
    dataset: _Dataset
    code_sizes: Counts
    name: Text = ""
    seeds: Seeds = (0,)
    k: Count = 10
    distance: _Distance = "euclidean"
    encoder: Annotated[tuple[dict[str, Any], ...], _tables("encoder")] = ()
    claim: Annotated[tuple[dict[str, Any], ...], _tables("claim")] = ()


@dataclass(frozen=True)
class _DataKeys:
    name: Text
    load: Text = ""
    file: Text = ""
    train: Text = ""
    test: Text = ""
    labels_train: Text = ""
    labels_test: Text = ""
    groups_test: Text = ""
    label: Text = ""
    group: Text = ""


_BESIDE = {
    "load": ("name",),
    "file": ("name", "label", "group"),
    "train": ("name", "test", *_LABELS, "groups_test", "label", "group"),
}
_Measure = Annotated[
    Literal["principal_angle", "floor", "collapse"], Meta(description="one of 'principal_angle', 'floor', 'collapse'")
]
_MEASURES: dict[str, type[Claim]] = {"principal_angle": AngleClaim, "floor": FloorClaim, "collapse": CollapseClaim}


def read_suite(path: Path) -> Suite:
    """Read a suite file and check its keys and the types of its values; raise SuiteError for a mistake."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise SuiteError(path.name, f"cannot be read: {error}", "save it as UTF-8") from error
    except OSError as error:
        raise SuiteError(path.name, f"cannot be read: {error}") from error
    if "\0" in text:
        raise SuiteError(path.name, "found zero bytes, as those of UTF-16", "save it as UTF-8")
    top = TomlLocation(path.name, key_lines(text))
    keys = _SuiteKeys(**take(_document(text, top), _SuiteKeys, top))
    name, source = _data(keys.dataset, top.at("dataset"), path.parent)
    for key, text in (("dataset", name), ("name", keys.name)):
        _refuse_unprintable(text, top.at(key))
    encoders = tuple(_encoder(table, top.at("encoder", n), keys) for n, table in enumerate(keys.encoder))
    claims = tuple(_claim(table, top.at("claim", n), name, keys.code_sizes) for n, table in enumerate(keys.claim))
    _check_names([encoder.name for encoder in encoders], "encoder", "name", top)
    _check_names([claim.id for claim in claims], "claim", "id", top)
    if not encoders and not claims:
        raise top.error("nothing to run", "add [[encoder]] or [[claim]]")
    return Suite(
        path=path,
        name=keys.name or path.stem,
        question=keys.question,
        dataset=name,
        code_sizes=keys.code_sizes,
        seeds=keys.seeds,
        k=keys.k,
        distance=keys.distance,
        encoders=encoders,
        claims=claims,
        source=source,
        where=top,
    )


def _document(text: str, top: TomlLocation) -> dict[str, Any]:
    try:
        document = tomllib.loads(text)
    except (ValueError, RecursionError) as error:  # a number with too many digits raises a plain ValueError
        raise _syntax_error(str(error), text, top.file) from error
    schema = document.get("distbench")
    if "distbench" not in document:
        raise top.error("distbench is missing", f"write distbench = {SCHEMA} as the first line")
    if type(schema) is not int or schema != SCHEMA:
        shown = json.dumps(schema, default=str)
        raise top.error(f"distbench = {shown} is not a known schema", f"write distbench = {SCHEMA}", key="distbench")
    return document


def _syntax_error(message: str, text: str, file: str) -> SuiteError:
    place = _PLACE.search(message)
    if place is None:
        return SuiteError(f"{file}:1", f"not valid TOML: {message}")
    line = place[1] or text.rstrip().count("\n") + 1
    where = f"column {place[2]}" if place[1] else "at the end of the file"
    return SuiteError(f"{file}:{line}", f"not valid TOML: {message[: place.start()]} ({where})")


def _data(dataset: str | dict[str, Any], where: TomlLocation, folder: Path) -> tuple[str, DataSource | None]:
    """Return the name of the data set, and the source of its points if it is not a shipped one."""
    if isinstance(dataset, str):
        return dataset, None
    values: dict[str, str] = take(dataset, _DataKeys, where)
    has_parts = bool(values["train"] or values["test"])
    found = [source for source in ("load", "file") if values[source]] + ["train"] * has_parts
    if len(found) != 1:
        raise where.error("needs exactly one of: load; file; train and test")
    source, name, label, group = found[0], values.pop("name"), values.pop("label"), values.pop("group")
    for key in dataset:
        if key != source and key not in _BESIDE[source]:
            raise where.error(f"unknown key {key!r} beside {source}", "take it out", key=key)
    if source == "load":
        if not _FUNCTION.fullmatch(values["load"]):
            advice = "give module:function, such as my_package.data:load"
            raise where.at("load").error(f"found {values['load']!r}", advice)
        return name, DataSource(name, function=values["load"])
    for key in ("train", "test"):
        if source == "train" and not values[key]:
            raise where.error(f"{key} is missing", "add it")
    paths = {key: _path(value, where.at(key), folder) for key, value in values.items() if value}
    labels = [key for key in _LABELS if key in paths]
    tables = all(path.suffix.lower() == ".parquet" for key, path in paths.items() if key in _SUFFIXES)
    for key in [key for key, column in (("label", label), ("group", group)) if column and not tables]:
        raise where.at(key).error("names a column, which only .parquet files have", f"give {key}s as arrays instead")
    if group and "groups_test" in paths:
        raise where.at("groups_test").error("is given beside group", "leave one of them out")
    if label and labels:
        raise where.at(labels[0]).error("is given beside label", "leave one of them out")
    if len(labels) == 1:
        missing = "labels_test" if labels == ["labels_train"] else "labels_train"
        raise where.error(f"{missing} is missing", f"add it, as there is {labels[0]}", key=labels[0])
    return name, DataSource(name, tuple(paths.items()), label, group)


def _path(value: str, where: TomlLocation, folder: Path) -> Path:
    path, suffixes = Path(value), _SUFFIXES.get(str(where.path[-1]), (".npy",))
    if path.suffix.lower() not in suffixes:
        raise where.error(f"found {value!r}", f"give a file that ends in {' or '.join(suffixes)}")
    if ".." in path.parts and not path.is_absolute():
        raise where.error(
            f"found {value!r}, which is outside the suite's folder", "put the file inside, or give its absolute path"
        )
    return folder / path


def _encoder(table: Mapping[str, Any], where: TomlLocation, suite: _SuiteKeys) -> SuiteEncoder:
    named = {"recipe": table["name"]} if "name" in table else {}
    encoder = SuiteEncoder(**take(named | dict(table), SuiteEncoder, where))
    for key, values, known in (
        ("code_sizes", encoder.code_sizes, suite.code_sizes),
        ("seeds", encoder.seeds, suite.seeds),
    ):
        for value in values or ():
            if value not in known:
                names = ", ".join(map(str, known))
                raise where.at(key).error(f"{value} is not one of the suite's {key}: {names}")
    code_sizes = suite.code_sizes if encoder.code_sizes is None else encoder.code_sizes
    limits = where.at("limits")
    if encoder.limits and not code_sizes:
        raise limits.error("are not checked, since code_sizes is empty", "add code sizes, or take the limits out")
    for metric, limit in encoder.limits.items():
        encoder.limits[metric] = _limit(limit, limits.at(metric), code_sizes)
    return encoder


def _limit(limit: Any, where: TomlLocation, code_sizes: Sequence[int]) -> float | dict[int, float]:
    if not isinstance(limit, Mapping):
        return float(checked(limit, Number, where))
    known = {str(size): size for size in code_sizes}
    for key in limit:
        if key not in known:
            raise where.error(f"{key!r} is not one of the encoder's code_sizes: {', '.join(known)}", key=key)
    return {known[key]: checked(value, Number, where.at(key)) for key, value in limit.items()}


def _claim(table: Mapping[str, Any], where: TomlLocation, dataset: str, code_sizes: Sequence[int]) -> Claim:
    """Return a claim; by default it has the suite's data set, and the suite's code size if there is only one."""
    values = {"dataset": dataset, **table}
    kind: type[Claim] = BetterClaim if "better" in table or "than" in table else BoundClaim
    if "measure" in values:
        kind = _MEASURES[checked(values.pop("measure"), _Measure, where.at("measure"))]
    if "code_size" not in values:
        if len(code_sizes) > 1:
            sizes = ", ".join(map(str, code_sizes))
            raise where.error("code_size is missing", f"add one, as the suite has several: {sizes}")
        values["code_size"] = code_sizes[0]
    claim = kind(**take(values, kind, where))
    if isinstance(claim, BoundClaim) and (claim.at_least is None) == (claim.at_most is None):
        raise where.error("needs exactly one of at_least and at_most (or better and than, to compare)")
    return claim


def _refuse_unprintable(name: str, where: TomlLocation) -> None:
    """Raise SuiteError for a name that pytest would print, and that could control a terminal or a CI service."""
    if plain_name(name) != name:
        raise where.error(
            f"found {short_repr(name)}",
            f"use at most {MAX_NAME} printable characters, and nothing that a CI service takes for a command",
        )


def _check_names(names: Sequence[str], kind: str, key: str, top: TomlLocation) -> None:
    """Raise SuiteError for a name that is used twice, or cannot be printed as it is."""
    for number, name in enumerate(names):
        _refuse_unprintable(name, top.at(kind, number, key))
        first = names.index(name)
        if first < number:
            line = top.at(kind, first, key).line
            raise top.at(kind, number, key).error(f"{name!r} is used in line {line} too", "give each another one")
