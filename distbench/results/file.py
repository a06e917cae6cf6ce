"""Reads, merges and writes files of results: those of runs, and stored rows of suites.

A file is one JSON object, ``{"schema": 1, "environment": {...}, "earlier": {...}, "rows": [...], "claims": [...]}``,
with a line for each row, so that changed rows are changed lines. A row or claim that is older than the last run has
a field with the name of its environment in ``earlier``.
"""

from __future__ import annotations

import json
import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import fields, replace
from itertools import count
from operator import attrgetter
from pathlib import Path
from typing import Any, TypeVar

from distbench._util.files import is_stream, kind_of, read_text, write_whole
from distbench._util.locks import locked
from distbench._util.text import cut, shortened
from distbench.errors import InputError, ResultsError
from distbench.results.packing import ARRAYS, packed_arrays
from distbench.results.rows import ClaimOutcome, Row
from distbench.results.schema import EMPTY, MAX_CHARACTERS, SCHEMA, CutOffError, Results, parse_results

__all__ = [
    "EMPTY",
    "Results",
    "json_number",
    "merged",
    "read_file",
    "read_results",
    "write_file",
    "write_results",
]

READ = "give another file"
RESTORE = "restore it, or move it away and run the tests again"
"""Advice if the file that new results would replace is damaged."""
ALWAYS_WRITTEN = ("code_width", "value", "low", "high", "seconds", "test")
"""Fields that are written even if they have their default."""

Record = TypeVar("Record", Row, ClaimOutcome)


def read_results(path: Path) -> Results:
    """Read a file of results, or one in which a suite stores its rows.

    Parameters
    ----------
    path : Path
        A file from ``pytest --distbench-report json:PATH``, or ``baselines/NAME.json`` beside a suite.

    Returns
    -------
    Results
        The content of the file.

    Raises
    ------
    ResultsError
        There is no such file, or it cannot be used.
    """
    path = Path(path)
    results = read_file(path, ResultsError, READ)
    if results is None:
        raise ResultsError(f"{path}", "found no such file", f"write one with pytest --distbench-report json:{path}")
    return results


def write_results(
    path: Path,
    rows: Collection[Row],
    environment: Mapping[str, Any],
    *,
    claims: Collection[ClaimOutcome] = (),
    whole: bool,
    apart: Sequence[str] = (),
) -> int:
    """Write a file of results, completely or not at all; other runs that write it wait.

    Parameters
    ----------
    path : Path
        The file; its folder is made if it is missing.
    rows : collection of Row
        The new rows.
    environment : mapping
        Their environment, from :func:`distbench.results.environment.environment`.
    claims : collection of ClaimOutcome
        The new verdicts on claims.
    whole : bool
        True writes only these rows and claims. False keeps the file's rows of other tests, encoders, data sets and code
        sizes, with their environments, and its other claims.
    apart : sequence of str
        More fields, such as ``"k"``. The file's rows that differ from the new ones in one of these fields are kept too.

    Returns
    -------
    int
        Number of rows that were replaced.

    Raises
    ------
    ResultsError
        The old file is damaged or is not a file of results; it stays as it is.
    OSError
        The file cannot be written; the old file stays as it is.
    """
    path = Path(path)
    with locked(path):
        old = None if is_stream(path) else read_file(path, ResultsError, RESTORE)
        if old is not None and old.earlier and not old.environment:
            raise ResultsError(f"{path}", "holds the stored rows of a suite", "give the results another file")
        if old is None or whole:
            old = EMPTY
        # Rows are not matched by `setting`, since that would replace rows of other tests of the same data set.
        subject = attrgetter("test", "encoder", "dataset", "code_size", "in_sample", *apart)
        new_subjects, new_claims = {subject(row) for row in rows}, {claim.id for claim in claims}
        kept = [row for row in old.rows if subject(row) not in new_subjects]
        kept_claims = [claim for claim in old.claims if claim.id not in new_claims]
        write_file(path, merged(replace(old, rows=kept, claims=kept_claims), rows, claims, environment, is_run=True))
        return len(old.rows) - len(kept)


def merged(
    old: Results, rows: Iterable[Row], claims: Iterable[ClaimOutcome], environment: Mapping[str, Any], *, is_run: bool
) -> Results:
    """Return old and new results together; the new rows and claims were measured in this environment.

    Each row and claim gets the name of its environment. In the results of a run (`is_run`), the rows and claims of this
    run get none.
    """
    known = dict(old.earlier)

    def placed(record: Record, measured_in: Mapping[str, Any]) -> Record:
        name = "" if is_run and measured_in == environment else _named(measured_in, known)
        return replace(record, environment=name)

    def kept(records: Iterable[Record]) -> list[Record]:
        return [placed(record, old.earlier.get(record.environment, old.environment)) for record in records]

    all_rows = sorted([*(placed(row, environment) for row in rows), *kept(old.rows)], key=_order)
    all_claims = sorted([*(placed(claim, environment) for claim in claims), *kept(old.claims)], key=attrgetter("id"))
    used = {row.environment for row in all_rows} | {claim.environment for claim in all_claims}
    earlier = {name: known[name] for name in sorted(used - {""})}
    return Results(all_rows, dict(environment) if is_run else {}, earlier, all_claims)


def read_file(path: Path, error: type[InputError], remedy: str) -> Results | None:
    """Return a file's checked content, with the day of each row from an earlier run; None if there is no file.

    Raises `error` with `remedy` as advice if the file cannot be read or is not a valid file of results.
    """
    if kind_of(path) == "a device":  # it may have no end
        raise error(f"{path}", "is a device", remedy)
    try:
        text = read_text(path)
        if "\0" in text:  # as of UTF-16
            raise UnicodeError
        results = parse_results(text)
    except FileNotFoundError:
        return None
    except OSError as problem:
        raise error(f"{path}", f"cannot be read: {problem.strerror or problem}") from problem
    except UnicodeError as problem:
        raise error(f"{path}", "is not text in UTF-8", remedy) from problem
    except ValueError as problem:
        if isinstance(problem, CutOffError) and remedy == READ:
            remedy = f"{READ}, or delete it to start anew"
        raise error(f"{path}", shortened(str(problem)), remedy) from problem

    def dated(record: Record) -> Record:
        name = record.environment
        return replace(record, stored=record.stored or _day(name, results.earlier)) if name else record

    return replace(results, rows=list(map(dated, results.rows)), claims=list(map(dated, results.claims)))


def write_file(path: Path, results: Results) -> None:
    """Replace a file with one of these results; readers find the old file or the new one, never a part.

    Raises OSError if it cannot be written; the old file then stays as it is.
    """
    parts = [
        f'"schema": {SCHEMA}',
        f'"environment": {_json(results.environment)}',
        f'"earlier": {{{_lines(f"{_json(name)}: {_json(values)}" for name, values in results.earlier.items())}}}',
        f'"rows": [{_lines(_json(_plain(row, results.earlier)) for row in results.rows)}]',
        f'"claims": [{_lines(_json(_plain(claim, results.earlier)) for claim in results.claims)}]',
    ]
    write_whole(path, "{\n" + ",\n".join(parts) + "\n}\n")


def _lines(texts: Iterable[str]) -> str:
    lines = ",\n".join(texts)
    return f"\n{lines}\n" if lines else ""


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False)


def _plain(record: Row | ClaimOutcome, earlier: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Return a record's fields for a file, without those that have their default or follow from its environment."""
    values = {
        field.name: cut(value, MAX_CHARACTERS) if isinstance(value, str) else json_number(value)
        for field in fields(record)
        if (value := getattr(record, field.name)) != field.default or field.name in ALWAYS_WRITTEN
    }
    if record.environment and record.stored == _day(record.environment, earlier):
        del values["stored"]
    if isinstance(record, Row):  # arrays that are not finite cannot be packed, and are left out
        values = {name: value for name, value in values.items() if name not in ARRAYS} | packed_arrays(record)
    return values


def json_number(value: Any) -> Any:
    """Return a value for JSON, in which infinity and nan become text."""
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value


def _named(environment: Mapping[str, Any], known: dict[str, dict[str, Any]]) -> str:
    """Add an environment to `known` and return its name: its day, with a number unless it is the first of that day."""
    day = str(environment.get("date", "unknown"))
    names = (day if number == 1 else f"{day} ({number})" for number in count(1))
    return next(name for name in names if known.setdefault(name, dict(environment)) == environment)


def _day(name: str, earlier: Mapping[str, Mapping[str, Any]]) -> str:
    return str(earlier[name].get("date", name))


def _order(row: Row) -> tuple[Any, ...]:
    """Return the key for sorting rows; rows of one report stay in the report's order."""
    seed = -1 if row.seed is None else row.seed
    return row.dataset, row.test, row.encoder, row.code_size, row.in_sample, seed, row.k, row.distance
