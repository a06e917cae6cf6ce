"""Rows as they stand in files: numbers that JSON has no word for as text, arrays packed, a line a record."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from distbench.errors import InputError
from distbench.results.packing import pack, unpack

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = [
    "Record",
    "array_problem",
    "document_text",
    "json_number",
    "named",
    "number_problem",
    "packed_arrays",
    "parsed",
]

Record = dict[str, Any]

ARRAYS = (("leave_one_out", "float16"), ("interaction", "root8"))
AXES = {"leave_one_out": 1, "interaction": 2}
WORDS = ("inf", "-inf", "nan")
"""How numbers that JSON has no word for stand in files."""
LARGEST = 1e300
"""A number beyond it is damage: means and sums of such overflow, and whole ones may be more than floats hold."""


def parsed(text: str) -> Any:
    """Return what a JSON text says.

    Raises
    ------
    ValueError
        It is no JSON: also where it has ``NaN`` or ``Infinity``, which Python reads and JSON has not, and where it is
        nested too deep.
    """
    try:
        return json.loads(text, parse_constant=_refuse)
    except RecursionError:
        raise ValueError("nested too deep") from None


def _refuse(word: str) -> Any:
    raise ValueError(f"{word} is no number that JSON has")


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


def json_number(value: Any) -> Any:
    """Return a value that JSON can hold: infinity and what is not a number as text."""
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value


def packed_arrays(row: Mapping[str, Any], value: Any) -> Record:
    """Return a row's arrays as they stand in a file; those that cannot be packed, or are not there, are left out.

    Parameters
    ----------
    row : mapping
        Of :class:`distbench.results.rows.Row`.
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


def number_problem(record: Mapping[str, Any], words: Iterable[str]) -> str:
    """Return what is wrong with the numbers of a record from a file; nothing where they can be used.

    Parameters
    ----------
    record : mapping
        From the file.
    words : iterable of str
        Names of the fields that hold numbers, which may be text as :func:`json_number` gives it.

    Returns
    -------
    str
    """
    for name in words:
        if isinstance(value := record.get(name), str) and value not in WORDS:
            return f"{name} is {value!r}"
    large = (name for name, value in record.items() if isinstance(value, int | float) and _is_too_large(value))
    return next((f"{name} is too large" for name in large), "")


def _is_too_large(value: float) -> bool:
    return LARGEST < abs(value) < math.inf


def array_problem(record: Mapping[str, Any], *, sampled: bool = False) -> str:
    """Return which packed array of a row from a file is damaged, or has not the form that intervals take.

    Parameters
    ----------
    record : mapping
        From the file, with whole numbers under ``m``.
    sampled : bool
        Whether only some of the test points may have been judged: then there are `m` scores without a point or more.
        What they count twice is then of the judged points or of all.

    Returns
    -------
    str
        Nothing where both can be used.
    """
    m = record["m"]
    lengths = {m}
    for name, axes in AXES.items():
        if record.get(name) is not None:
            array = _sound(record[name])
            is_more = array is not None and sampled and name == "leave_one_out" and len(array) > m
            if array is None or array.ndim != axes or not (is_more or len(array) in lengths):
                return f"{name} is damaged"
            lengths.add(len(array))
    return ""


def _sound(packed: Any) -> NDArray[np.float64] | None:
    """Return an array that is finite; None for what is none, or damaged."""
    import numpy as np

    try:
        with np.errstate(all="ignore"):
            array = unpack(packed)
        # Text and ragged lists, of which numpy makes no numbers, and numbers that are too large for it.
    except (InputError, TypeError, ValueError, OverflowError, MemoryError):
        return None
    return array if array is not None and array.ndim and np.isfinite(array).all() else None


def named(environment: Mapping[str, Any], known: dict[str, Record]) -> str:
    """Return an environment's name, its day and a number from the second of that day on, and add it to those known."""
    day, number = str(environment.get("date", "unknown")), 1
    while True:
        name = day if number == 1 else f"{day} ({number})"
        if known.setdefault(name, dict(environment)) == dict(environment):
            return name
        number += 1
