"""What a file of stored rows must look like, checked by hand: which file, which row, what is wrong, what to do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from distbench._util.text import short_repr, shortened
from distbench.errors import SuiteError
from distbench.results.json_rows import Record, array_problem, number_problem
from distbench.results.rows import OK

__all__ = ["KINDS", "LEFT_OUT", "MEND", "NUMBERS", "SCHEMA", "Record", "check_document", "check_records"]

SCHEMA = 1
MEND = "restore it from version control, or delete it and run pytest --distbench-update"

NUMBERS = ("value", "low", "high", "seconds")
KINDS: dict[str, tuple[type, ...]] = {
    "encoder": (str,),
    "dataset": (str,),
    "code_size": (int,),
    "code_width": (int, type(None)),
    "metric": (str,),
    "metric_version": (int,),
    "value": (int, float, str, type(None)),
    "low": (int, float, str, type(None)),
    "high": (int, float, str, type(None)),
    "k": (int,),
    "m": (int,),
    "M": (int,),
    "seed": (int, type(None)),
    "seconds": (int, float, type(None)),
    "status": (str,),
    "direction": (str,),
    "in_sample": (bool,),
    "note": (str,),
    "data_sha256": (str,),
    "recipe_hash": (str,),
    "environment": (str,),
}
_FINDING: dict[str, tuple[type, ...]] = dict.fromkeys(("id", "key", "verdict", "evidence", "environment"), (str,))
LEFT_OUT: Record = {"code_width": None, "value": None, "low": None, "high": None, "seconds": None}
LEFT_OUT |= {"in_sample": False, "note": ""}
"""What a row in a file may lack, and what that means."""


def check_document(document: Any, path: Path) -> None:
    """Raise SuiteError for a document that is none of ours, or of another schema."""
    if not isinstance(document, dict) or "schema" not in document:
        raise SuiteError(
            f"{path}", "is no file of stored rows (it has no schema)", "move it away or give it another name"
        )
    if document["schema"] != SCHEMA:
        raise SuiteError(
            f"{path}",
            f"schema {short_repr(document['schema'])} is not known here, only {SCHEMA}",
            "install the distbench that wrote it, or delete it and run pytest --distbench-update",
        )
    for name, kind in (("environments", dict), ("rows", list), ("findings", list)):
        if not isinstance(document.get(name), kind):
            raise SuiteError(f"{path}", f"{name} is missing or of the wrong kind", MEND)
    for name, environment in document["environments"].items():
        if not isinstance(environment, dict):
            raise SuiteError(shortened(f"{path}: environment {name!r} is no table; {MEND}"))


def check_records(path: Path, environments: Mapping[str, Any], rows: Sequence[Any], findings: Sequence[Any]) -> None:
    """Raise SuiteError for a row or finding that cannot be used, or is there twice."""
    seen = set()
    of_rows = ("encoder", "code_size", "seed", "metric")
    for kind, records, known, names in (("row", rows, KINDS, of_rows), ("finding", findings, _FINDING, ("id",))):
        for number, record in enumerate(records, 1):
            problem = _problem(record, known, environments)
            if problem:
                raise SuiteError(shortened(f"{path}: {kind} {number}: {problem}; {MEND}"))
            key = (kind, *(record[name] for name in names))
            if key in seen:
                raise SuiteError(f"{path}", f"{kind} {number}: stored twice", MEND)
            seen.add(key)


def _problem(record: Any, known: Mapping[str, tuple[type, ...]], environments: Mapping[str, Any]) -> str:
    if not isinstance(record, dict):
        return "is no table"
    for name, kinds in known.items():
        if name not in record and name not in LEFT_OUT:
            return f"{name} is missing"
        value = record.get(name, LEFT_OUT.get(name))
        if not isinstance(value, kinds) or (isinstance(value, bool) and bool not in kinds):
            return f"{name} is {value!r}"
    if wrong := number_problem(record, NUMBERS):
        return wrong
    if record["environment"] not in environments:
        return f"environment {record['environment']!r} is not in the file"
    if record.get("status") == OK and record.get("value") is None:
        return "has no value"
    return array_problem(record) if "m" in known else ""
