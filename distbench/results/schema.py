"""What a file of results must look like, checked by hand: which file, which row, what is wrong, what to do."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from distbench._util.text import short_repr, shortened
from distbench.errors import ResultsError
from distbench.results.json_rows import Record, array_problem, number_problem, parsed
from distbench.results.rows import OK

__all__ = ["DEFAULTS", "MEND", "NUMBERS", "REQUIRED", "SCHEMA", "read_document"]

SCHEMA = 1
MEND = "restore it, or move it away and run the tests again"
"""What to do about a file that is in the way of new results."""
READ = "give another file"
CUT = f"{READ}, or delete it to start anew"
VERDICTS = ("met", "broken", "undecided", "")

_NONE = type(None)
_NUMBER: tuple[type, ...] = (int, float, str, _NONE)

NUMBERS = ("value", "low", "high", "seconds", "limit")
REQUIRED: dict[str, tuple[type, ...]] = {
    "encoder": (str,),
    "dataset": (str,),
    "code_size": (int,),
    "code_width": (int, _NONE),
    "metric": (str,),
    "metric_version": (int,),
    "value": _NUMBER,
    "low": _NUMBER,
    "high": _NUMBER,
    "k": (int,),
    "m": (int,),
    "M": (int,),
    "seed": (int, _NONE),
    "seconds": _NUMBER,
    "status": (str,),
    "direction": (str,),
    "test": (str,),
}
_OPTIONAL: dict[str, tuple[type, ...]] = {
    "in_sample": (bool,),
    "note": (str,),
    "data_sha256": (str,),
    "recipe_hash": (str,),
    "stored": (str,),
    "fingerprint": (str,),
    "distance": (str,),
    "limit": _NUMBER,
    "verdict": (str,),
    "leave_one_out": (dict, list, _NONE),
    "interaction": (dict, list, _NONE),
}
DEFAULTS: Record = {
    **dict.fromkeys(("code_width", "value", "low", "high", "seconds", "leave_one_out", "interaction", "limit")),
    **dict.fromkeys(("test", "note", "data_sha256", "recipe_hash", "stored", "fingerprint", "distance", "verdict"), ""),
    "in_sample": False,
}
"""What a row in a file may lack, and what that means; suites' stored rows lack more than those of a run."""

_CLAIM = dict.fromkeys(("id", "statement", "source", "verdict", "expect", "evidence", "stored"), (str,))


def read_document(path: Path, mend: str = READ) -> Record | None:
    """Return what a file holds, checked; None where there is no such file.

    Parameters
    ----------
    path : Path
        The file.
    mend : str
        What to do about a damaged one, at the end of the error.

    Returns
    -------
    dict or None

    Raises
    ------
    ResultsError
        It cannot be read, is damaged or none of ours.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise ResultsError(f"{path}", f"cannot be read: {error}") from error
    try:
        document = parsed(text)
    except ValueError as error:
        is_cut = text.startswith("{") and not text.rstrip().endswith("}")  # damage to its insides leaves both
        told = f"{error} (it seems cut off)" if is_cut else str(error)
        mend = CUT if is_cut and mend == READ else mend
        raise ResultsError(f"{path}", f"not valid JSON: {told}", mend) from error
    return _checked(document, path, mend)


def _checked(document: Any, path: Path, mend: str) -> Record:
    if not isinstance(document, dict) or "schema" not in document:
        raise ResultsError(f"{path}", "is no file of results (it has no schema)", "give another path")
    if document["schema"] != SCHEMA or isinstance(document["schema"], bool):
        raise ResultsError(
            f"{path}",
            f"schema {short_repr(document['schema'])} is not known here, only {SCHEMA}",
            "install the distbench that wrote it, or give another path",
        )
    if "environments" in document:  # of a suite: other parts, the same rows
        document = {"environment": {}, "earlier": {}, "claims": [], **document}
        document.pop("findings", None)
    for name, kind in (("environment", dict), ("earlier", dict), ("environments", dict), ("rows", list)):
        if not isinstance(document.get(name, {} if name == "environments" else None), kind):
            raise ResultsError(f"{path}", f"{name} is missing or of the wrong kind", mend)
    for name, environment in (document["earlier"] | document.get("environments", {})).items():
        if not isinstance(environment, dict):
            raise ResultsError(shortened(f"{path}: environment {name!r} is no table; {mend}"))
    return _with_records(document, path, mend)


def _with_records(document: Record, path: Path, mend: str) -> Record:
    document.setdefault("claims", [])
    if not isinstance(document["claims"], list):
        raise ResultsError(f"{path}", "claims is of the wrong kind", mend)
    environments = document["earlier"] | document.get("environments", {})
    for kind, check in (("row", _row_problem), ("claim", _claim_problem)):
        for number, record in enumerate(document[f"{kind}s"], 1):
            problem = _common_problem(record, environments) or check(record)
            if problem:
                raise ResultsError(shortened(f"{path}: {kind} {number}: {problem}; {mend}"))
    return document


def _common_problem(record: Any, environments: Mapping[str, Any]) -> str:
    if not isinstance(record, dict):
        return "is no table"
    name = record.get("environment")
    if name is not None and (not isinstance(name, str) or not isinstance(environments.get(name), dict)):
        return f"environment {name!r} is not in the file"
    return ""


def _claim_problem(claim: Record) -> str:
    wrong = (name for name, kinds in _CLAIM.items() if not isinstance(claim.get(name), kinds))
    return next((f"{name} is {claim.get(name)!r}" for name in wrong), "")


def _row_problem(row: Record) -> str:
    for name, kinds in (REQUIRED | _OPTIONAL).items():
        if name not in row and name not in DEFAULTS:
            return f"{name} is missing"
        value = row.get(name, DEFAULTS.get(name))
        if not isinstance(value, kinds) or (isinstance(value, bool) and bool not in kinds):
            return f"{name} is {value!r}"
    if wrong := number_problem(row, NUMBERS):
        return wrong
    if row["status"] == OK and row.get("value") is None:
        return "has no value"
    if row["direction"] not in ("up", "down"):
        return f"direction is {row['direction']!r}"
    if row.get("verdict", "") not in VERDICTS:
        return f"verdict is {row['verdict']!r}, none of met, broken and undecided"
    if row.get("verdict") and row.get("limit") is None:
        return "has a verdict and no limit"
    return array_problem(row, sampled=True)
