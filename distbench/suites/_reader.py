"""Reads a suite file and checks it by hand: one line of error that names file, key and what to do.

Names of data sets, baselines and metrics are not looked up here (that loads numpy): see ``_names``.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from distbench.errors import SuiteError
from distbench.suites import _fields as fields
from distbench.suites._claims_reader import read_claim
from distbench.suites._fields import Field, Where
from distbench.suites._model import Suite, SuiteEncoder

__all__ = ["SCHEMA", "is_suite", "read_suite"]

SCHEMA = 1
_MARK = re.compile(r"distbench\s*=\s*\d+\s*(#.*)?$")

_SUITE = {
    "distbench": Field(fields.integer),
    "name": Field(fields.text, default=""),
    "question": Field(fields.text),
    "dataset": Field(fields.text),
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


def is_suite(path: Path) -> bool:
    """Say whether a file calls itself a suite: ``distbench = 1`` before the first table.

    Cheap, and quiet about files that are not ours: it reads no further than the first table header and
    answers no for what cannot be read or decoded.
    """
    try:
        with path.open(encoding="utf-8") as lines:
            for line in lines:
                if line.lstrip().startswith("["):
                    return False
                if _MARK.match(line.strip()):
                    return True
    except (OSError, UnicodeDecodeError):
        return False
    return False


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
        One line: the file, the key, what was found and what to do.
    """
    top = Where(path.name)
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise SuiteError(f"{path.name}: cannot be read: {error}") from error
    except tomllib.TOMLDecodeError as error:
        raise SuiteError(f"{path.name}: not valid TOML: {error}") from error
    if document.get("distbench") != SCHEMA:
        raise top.error(f"distbench = {document.get('distbench')!r} is not a known schema; write {SCHEMA}")
    values = fields.take(document, _SUITE, top)
    encoders = tuple(_encoder(e, top.at("encoder", n), values) for n, e in enumerate(values["encoder"], 1))
    claims = tuple(read_claim(c, top.at("claim", n), values) for n, c in enumerate(values["claim"], 1))
    _refuse_repeats([entry.name for entry in encoders], top.at("encoder"), "name")
    _refuse_repeats([claim.id for claim in claims], top.at("claim"), "id")
    if not encoders and not claims:
        raise top.error("nothing to run; add [[encoder]] or [[claim]]")
    return Suite(
        path=path,
        name=values["name"] or path.stem,
        question=values["question"],
        dataset=values["dataset"],
        code_sizes=values["code_sizes"],
        seeds=values["seeds"],
        k=values["k"],
        encoders=encoders,
        claims=claims,
    )


def _encoder(table: Mapping[str, Any], where: Where, suite: Mapping[str, Any]) -> SuiteEncoder:
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


def _check_subset(values: tuple[int, ...] | None, known: tuple[int, ...], where: Where, key: str) -> None:
    for value in values or ():
        if value not in known:
            raise where.error(f"{value} is not one of the suite's {key}: {', '.join(map(str, known))}")


def _limit(limit: Any, where: Where, code_sizes: tuple[int, ...]) -> float | dict[int, float]:
    if not isinstance(limit, Mapping):
        return fields.number(limit, where)
    known = {str(size): size for size in code_sizes}
    for key in limit:
        if key not in known:
            raise where.error(f"{key!r} is not one of the encoder's code_sizes: {', '.join(known)}")
    return {known[key]: fields.number(value, where.at(key)) for key, value in limit.items()}


def _refuse_repeats(names: list[str], where: Where, key: str) -> None:
    for name in names:
        if names.count(name) > 1:
            raise where.error(f"{key} {name!r} is used twice; give each its own")
