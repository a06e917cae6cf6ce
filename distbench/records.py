"""Rows as they stand in files: numbers that JSON has no word for as text, arrays packed, a line a record."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from distbench.packing import pack

__all__ = ["Record", "document_text", "named", "packed_arrays", "worded"]

Record = dict[str, Any]

ARRAYS = (("leave_one_out", "float16"), ("interaction", "root8"))


def document_text(schema: int, parts: Mapping[str, Mapping[str, Any] | Sequence[Any]]) -> str:
    """Return a file's text: a line a record, so that changes are lines too.

    Parameters
    ----------
    schema : int
        What says how to read it.
    parts : mapping
        Lists of records, or records by name.

    Returns
    -------
    str
        JSON, with a new line at its end.
    """
    blocks = [f'"schema": {schema}', *(f'"{name}": {_block(part)}' for name, part in parts.items())]
    return "{\n" + ",\n".join(blocks) + "\n}\n"


def _block(part: Mapping[str, Any] | Sequence[Any]) -> str:
    if isinstance(part, Mapping):
        return f"{{{_lines(f'{_plain(name)}: {_plain(one)}' for name, one in part.items())}\n}}"
    return f"[{_lines(map(_plain, part))}\n]"


def _lines(records: Iterable[str]) -> str:
    return "".join(f"{',' * (number > 0)}\n{record}" for number, record in enumerate(records))


def _plain(record: Any) -> str:
    return json.dumps(record, ensure_ascii=False, allow_nan=False)


def worded(value: Any) -> Any:
    """Return a value that JSON can hold: infinity and what is not a number as text."""
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value


def packed_arrays(row: Mapping[str, Any], value: Any) -> Record:
    """Return a row's arrays as they stand in a file; those that cannot be packed, or are not there, are left out.

    Parameters
    ----------
    row : mapping
        Of :class:`distbench.results.Row`.
    value : float
        What leave-one-out values are near.

    Returns
    -------
    dict
        By name.
    """
    found: Record = {}
    for name, dtype in ARRAYS:
        given = row.get(name)
        if given is not None and not isinstance(given, dict) and isinstance(value, float):
            given = pack(given, dtype, value if name == "leave_one_out" else 0.0)
        if isinstance(given, dict):
            found[name] = given
    return found


def named(environment: Mapping[str, Any], known: dict[str, Record]) -> str:
    """Return an environment's name, its day and a number from the second of that day on, and add it to those known."""
    day, number = str(environment.get("date", "unknown")), 1
    while True:
        name = day if number == 1 else f"{day} ({number})"
        if known.setdefault(name, dict(environment)) == dict(environment):
            return name
        number += 1
