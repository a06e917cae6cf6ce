"""Reads the claims of a suite file: which keys make which kind of claim."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from distbench.suites import _fields as fields
from distbench.suites._fields import Field, TomlLocation
from distbench.suites._model import AngleClaim, BetterClaim, BoundClaim, Claim, CollapseClaim, FloorClaim

__all__ = ["read_claim"]

_CLAIM = {
    "id": Field(fields.text),
    "statement": Field(fields.text),
    "source": Field(fields.text),
    "expect": Field(fields.verdict, default="borne out"),
    "dataset": Field(fields.text, default=None),
    "code_size": Field(fields.positive_integer, default=None),
}
_BOUND = _CLAIM | {
    "encoder": Field(fields.text),
    "metric": Field(fields.text),
    "at_least": Field(fields.number, default=None),
    "at_most": Field(fields.number, default=None),
}
_BETTER = _CLAIM | {
    "better": Field(fields.text),
    "than": Field(fields.text),
    "metric": Field(fields.text),
    "margin": Field(fields.not_negative, default=0.0),
}
_MEASURED = _CLAIM | {"measure": Field(fields.measure), "encoder": Field(fields.text)}
_ANGLE = _MEASURED | {"at_most": Field(fields.number)}
_COLLAPSE = _MEASURED | {"at_most": Field(fields.not_negative)}
_FLOOR = _CLAIM | {
    "measure": Field(fields.measure),
    "metric": Field(fields.text),
    "at_least": Field(fields.number),
}
_MEASURES: dict[str, tuple[Callable[..., Claim], Mapping[str, Field]]] = {
    "principal_angle": (AngleClaim, _ANGLE),
    "collapse": (CollapseClaim, _COLLAPSE),
    "floor": (FloorClaim, _FLOOR),
}


def read_claim(table: Mapping[str, Any], where: TomlLocation, suite: Mapping[str, Any]) -> Claim:
    """Return one claim.

    Parameters
    ----------
    table : mapping
        What the file says of it.
    where : TomlLocation
        Its place, for errors.
    suite : mapping
        Checked values of the suite: its data set and its only code size hold where the claim names none.

    Raises
    ------
    SuiteError
        One line: the file, the line, the key, what was found and what to do.
    """
    kind, known = _kind(table, where)
    values = fields.take(table, known, where)
    values.pop("measure", None)
    if kind is BoundClaim and (values["at_least"] is None) == (values["at_most"] is None):
        raise where.error("needs exactly one of at_least and at_most (or better and than, to compare)")
    values["dataset"] = values["dataset"] or suite["dataset"]
    values["code_size"] = _code_size(values["code_size"], where, suite["code_sizes"])
    return kind(**values)


def _kind(table: Mapping[str, Any], where: TomlLocation) -> tuple[Callable[..., Claim], Mapping[str, Field]]:
    if "measure" in table:
        return _MEASURES[fields.measure(table["measure"], where.at("measure"))]
    if "better" in table or "than" in table:
        return BetterClaim, _BETTER
    return BoundClaim, _BOUND


def _code_size(code_size: int | None, where: TomlLocation, code_sizes: tuple[int, ...]) -> int:
    if code_size is not None:
        return code_size
    if len(code_sizes) > 1:
        sizes = ", ".join(map(str, code_sizes))
        raise where.error(f"code_size is missing; add one, as the suite has several: {sizes}")
    return code_sizes[0]
