"""Files of results: the rows of a run, merged with those of earlier runs, written whole or not at all.

One JSON object, ``{"schema": 1, "environment": {...}, "earlier": {...}, "rows": [...], "claims": [...]}``, a line a
row. A row or claim of an earlier run that stays names its environment, which then stands under ``earlier``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from distbench._util.files import write_whole
from distbench._util.locks import locked
from distbench.errors import ResultsError
from distbench.results.json_rows import Record, document_text, json_number, named, packed_arrays
from distbench.results.rows import Row
from distbench.results.run import ClaimOutcome
from distbench.results.schema import DEFAULTS, MEND, NUMBERS, REQUIRED, SCHEMA, read_document

__all__ = ["Results", "read_results", "write_results"]

ARRAYS = ("leave_one_out", "interaction")


@dataclass(frozen=True)
class Results:
    """What a file of results holds.

    Attributes
    ----------
    rows : sequence of Row
        Those of earlier runs, and of suites' stored rows, with the day they were measured on.
    environment : mapping
        That of the run which wrote the file last; empty for stored rows of a suite.
    earlier : mapping
        Environments of rows that stayed from runs before, by name.
    claims : sequence of ClaimOutcome
        What became of claims.
    """

    rows: Sequence[Row]
    environment: Mapping[str, Any] = field(default_factory=dict)
    earlier: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    claims: Sequence[ClaimOutcome] = ()


def read_results(path: Path) -> Results:
    """Read a file of results, or one in which a suite stores its rows.

    Parameters
    ----------
    path : Path
        From ``pytest --distbench-report json:PATH``, or ``baselines/NAME.json`` beside a suite.

    Returns
    -------
    Results
        Rows, the environment of the last run, and what else the file holds.

    Raises
    ------
    ResultsError
        There is no such file or it cannot be used: which, what is wrong and what to do.
    """
    path = Path(path)
    document = read_document(path)
    if document is None:
        raise ResultsError(f"{path}", "found no such file", f"write one with pytest --distbench-report json:{path}")
    earlier = document["earlier"] | document.get("environments", {})
    rows = [_row(record, earlier) for record in document["rows"]]
    claims = [_dated(record, earlier) for record in document["claims"]]
    return Results(rows, document["environment"], earlier, cast(list[ClaimOutcome], claims))


def write_results(
    path: Path,
    rows: Iterable[Row],
    environment: Mapping[str, Any],
    *,
    claims: Iterable[ClaimOutcome] = (),
    whole: bool,
    apart: Sequence[str] = (),
) -> int:
    """Write results, whole or not at all, while no other run does.

    Parameters
    ----------
    path : Path
        The file; its folder is made where there is none.
    rows : iterable of Row
        What was measured.
    environment : mapping
        With what, from :func:`distbench.results.environment.environment`.
    claims : iterable of ClaimOutcome
        What became of claims.
    whole : bool
        True writes these rows alone. False keeps what the file has of other tests, encoders, data sets and code sizes,
        with the environment that each is of, and of other claims.
    apart : sequence of str
        More columns in which a row that is kept may differ from the new ones, such as ``"k"``.

    Returns
    -------
    int
        How many rows gave way to the new ones.

    Raises
    ------
    ResultsError
        The file that is there is damaged, or none of ours; it stays as it is.
    OSError
        It cannot be written; the old file, if any, stays as it is.
    """
    path = Path(path)
    with locked(path):
        return _merge(path, list(rows), environment, list(claims), whole, apart)


def _merge(
    path: Path,
    rows: Sequence[Row],
    environment: Mapping[str, Any],
    claims: Sequence[ClaimOutcome],
    whole: bool,
    apart: Sequence[str],
) -> int:
    old = read_document(path, MEND)
    if old is not None and "environments" in old:
        raise ResultsError(f"{path}", "holds the stored rows of a suite", "give the results another file")
    records = [_record(row) for row in rows]
    found: list[Record] = [dict(claim) for claim in claims]
    if old is None or whole:
        old = {"environment": {}, "earlier": {}, "rows": [], "claims": []}
    earlier: dict[str, Record] = {}
    new, judged = {_group(record, apart) for record in records}, {claim["id"] for claim in found}
    kept = [record for record in old["rows"] if _group(record, apart) not in new]
    known = [claim for claim in old["claims"] if claim["id"] not in judged]
    records += [_renamed(record, old, environment, earlier) for record in kept]
    found += [_renamed(claim, old, environment, earlier) for claim in known]
    parts: Record = {
        "environment": environment,
        "earlier": dict(sorted(earlier.items())),
        "rows": sorted(records, key=_order),
        "claims": sorted(found, key=lambda claim: claim["id"]),
    }
    try:
        text = document_text(SCHEMA, parts)
    except ValueError as error:  # of what was there and stays: numbers too large for floats
        raise ResultsError(f"{path}", str(error), MEND) from error
    write_whole(path, text)
    return len(old["rows"]) - len(kept)


def _row(record: Record, earlier: Mapping[str, Mapping[str, Any]]) -> Row:
    row = _dated({**DEFAULTS, **record}, earlier)
    for name in NUMBERS:
        row[name] = None if row[name] is None else float(row[name])
    return cast(Row, row)


def _dated(record: Record, earlier: Mapping[str, Mapping[str, Any]]) -> Record:
    """Return what an earlier run left with its day in place of the environment's name."""
    name = record.get("environment")
    if name is None:
        return record
    plain = {key: value for key, value in record.items() if key != "environment"}
    return plain | {"stored": plain.get("stored") or str(earlier[name].get("date", name))}


def _record(row: Row) -> Record:
    """Return a row as it stands in the file: numbers in full, what it may lack only where it has it."""
    record: Record = {name: json_number(row[name]) for name in REQUIRED}  # type: ignore[literal-required]
    more = {name: json_number(row.get(name, DEFAULTS[name])) for name in DEFAULTS if name not in (*REQUIRED, *ARRAYS)}
    record |= {name: value for name, value in more.items() if value != DEFAULTS[name]}
    return record | packed_arrays(row, row["value"])


def _renamed(record: Record, old: Record, now: Mapping[str, Any], earlier: dict[str, Record]) -> Record:
    """Return what stays, with the name of its environment; none where that is this run's too."""
    name = record.get("environment")
    its = old["environment"] if name is None else old["earlier"][name]
    plain = {key: value for key, value in record.items() if key != "environment"}
    return plain if its == now else plain | {"environment": named(its, earlier)}


def _group(record: Record, apart: Sequence[str]) -> tuple[Any, ...]:
    names = "test", "encoder", "dataset", "code_size", "in_sample", *apart
    return tuple(record.get(name, DEFAULTS.get(name)) for name in names)


def _order(record: Record) -> tuple[Any, ...]:
    """Sort by what was judged, not by what finished first; metrics stay in the order of reports."""
    seed = record["seed"]
    where = (
        record["dataset"],
        record.get("test", ""),
        record["encoder"],
        record["code_size"],
        record.get("in_sample", False),
    )
    return (*where, -1 if seed is None else seed, record["k"], record.get("distance", ""))
