"""Reads a suite file and checks it by hand: one line of error that names file, line, key and what to do.

Names of data sets, baselines and metrics are not looked up here (that loads numpy): see ``_names``.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from distbench.errors import SuiteError
from distbench.suites import _fields as fields
from distbench.suites._claims_reader import read_claim
from distbench.suites._data_reader import dataset, read_data
from distbench.suites._fields import Field, TomlLocation
from distbench.suites._lines import Lines
from distbench.suites._model import Suite, SuiteEncoder

__all__ = ["SCHEMA", "read_suite"]

SCHEMA = 1
_PLACE = re.compile(r" \(at (?:line (\d+), column (\d+)|end of document)\)$")

_SUITE = {
    "distbench": Field(fields.integer),
    "name": Field(fields.text, default=""),
    "question": Field(fields.text),
    "dataset": Field(dataset),
    "code_sizes": Field(fields.positive_integers),
    "seeds": Field(fields.integers, default=(0,)),
    "k": Field(fields.positive_integer, default=10),
    "encoder": Field(fields.tables, default=()),
    "claim": Field(fields.tables, default=()),
}
_ENCODER = {
    "name": Field(fields.text),
    "recipe": Field(fields.text, default=""),
    "limits": Field(fields.table, default=None),
    "in_sample": Field(fields.boolean, default=False),
    "options": Field(fields.table, default=None),
    "code_sizes": Field(fields.positive_integers_or_none, default=None),
    "seeds": Field(fields.integers, default=None),
}


def read_suite(path: Path) -> Suite:
    """Read a suite file and check its keys and the kinds of its values.

    Parameters
    ----------
    path : Path
        A TOML file.

    Returns
    -------
    Suite

    Raises
    ------
    SuiteError
        One line: the file, the line, the key, what was found and what to do.
    """
    text = _text(path)
    top = TomlLocation(path.name, Lines(text))
    document = _document(text, top)
    values = fields.take(document, _SUITE, top)
    dataset, source = read_data(values["dataset"], top.at("dataset"), path.parent)
    values["dataset"] = dataset
    encoders = tuple(_encoder(e, top.at("encoder", n), values) for n, e in enumerate(values["encoder"], 1))
    claims = tuple(read_claim(c, top.at("claim", n), values) for n, c in enumerate(values["claim"], 1))
    _refuse_repeats([encoder.name for encoder in encoders], "encoder", "name", top)
    _refuse_repeats([claim.id for claim in claims], "claim", "id", top)
    if not encoders and not claims:
        raise top.error("nothing to run; add [[encoder]] or [[claim]]")
    return Suite(
        path=path,
        name=values["name"] or path.stem,
        question=values["question"],
        dataset=dataset,
        code_sizes=values["code_sizes"],
        seeds=values["seeds"],
        k=values["k"],
        encoders=encoders,
        claims=claims,
        source=source,
        lines=top.lines,
    )


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise SuiteError(path.name, f"cannot be read: {error}", "save it as UTF-8") from error
    except OSError as error:
        raise SuiteError(path.name, f"cannot be read: {error}") from error


def _document(text: str, top: TomlLocation) -> dict[str, Any]:
    try:
        document = tomllib.loads(text)
    except (ValueError, RecursionError) as error:  # a number of very many digits is a bare ValueError
        raise _syntax_error(str(error), text, top) from error
    schema = document.get("distbench")
    if "distbench" not in document:
        raise top.error(f"distbench is missing; write distbench = {SCHEMA} as the first line")
    if type(schema) is not int or schema != SCHEMA:
        shown = json.dumps(schema, default=str)
        raise top.error(f"distbench = {shown} is not a known schema; write distbench = {SCHEMA}", "distbench")
    return document


def _syntax_error(message: str, text: str, top: TomlLocation) -> SuiteError:
    place = _PLACE.search(message)
    if place is None:
        return SuiteError(f"{top.file}:1: not valid TOML: {message}")
    line = place[1] or text.rstrip().count("\n") + 1
    told = message[: place.start()] + (f" (column {place[2]})" if place[1] else " (at the end of the file)")
    return SuiteError(f"{top.file}:{line}", f"not valid TOML: {told}")


def _encoder(table: Mapping[str, Any], where: TomlLocation, suite: Mapping[str, Any]) -> SuiteEncoder:
    values = fields.take(table, _ENCODER, where)
    for key in ("code_sizes", "seeds"):
        _check_subset(values[key], suite[key], where.at(key), key)
    code_sizes = suite["code_sizes"] if values["code_sizes"] is None else values["code_sizes"]
    limits = values["limits"] or {}
    if limits and not code_sizes:
        raise where.at("limits").error("never looked at, as code_sizes is empty; name some, or take the limits out")
    return SuiteEncoder(
        name=values["name"],
        recipe=values["recipe"] or values["name"],
        limits={metric: _limit(limit, where.at("limits").at(metric), code_sizes) for metric, limit in limits.items()},
        in_sample=values["in_sample"],
        options=dict(values["options"] or {}),
        code_sizes=values["code_sizes"],
        seeds=values["seeds"],
    )


def _check_subset(values: tuple[int, ...] | None, known: tuple[int, ...], where: TomlLocation, key: str) -> None:
    for value in values or ():
        if value not in known:
            raise where.error(f"{value} is not one of the suite's {key}: {', '.join(map(str, known))}")


def _limit(limit: Any, where: TomlLocation, code_sizes: tuple[int, ...]) -> float | dict[int, float]:
    if not isinstance(limit, Mapping):
        return fields.number(limit, where)
    known = {str(size): size for size in code_sizes}
    for key in limit:
        if key not in known:
            raise where.error(f"{key!r} is not one of the encoder's code_sizes: {', '.join(known)}", key)
    return {known[key]: fields.number(value, where.at(key)) for key, value in limit.items()}


def _refuse_repeats(names: list[str], kind: str, key: str, top: TomlLocation) -> None:
    for number, name in enumerate(names, 1):
        first = names.index(name) + 1
        if first < number:
            line = top.at(kind, first).at(key).line
            raise top.at(kind, number).at(key).error(f"{name!r} is used in line {line} too; give each its own")
