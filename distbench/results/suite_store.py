"""The file beside a suite in which its rows and findings are stored: read, merged and written whole or not at all."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from distbench._util.files import write_whole
from distbench.errors import SuiteError
from distbench.results.json_rows import document_text, json_number, named, packed_arrays, parsed
from distbench.results.rows import Row
from distbench.results.suite_store_schema import (
    KINDS,
    LEFT_OUT,
    MEND,
    NUMBERS,
    SCHEMA,
    Record,
    check_document,
    check_records,
)

__all__ = ["Item", "Store", "read_store", "store_path", "write_store"]

FOLDER = "baselines"
DIGITS = 10


@dataclass(frozen=True)
class Item:
    """What one test of a suite leaves to be stored.

    Attributes
    ----------
    environment : mapping
        Where it was measured, from :func:`distbench.results.environment.environment`.
    encoder, code_size
        Which encoder's rows these are; all that were stored for it go.
    rows : tuple of Row
        The rows.
    finding : mapping or None
        Of a claim, in place of rows: ``id``, ``key``, ``verdict`` and ``evidence``.
    """

    environment: Mapping[str, Any]
    encoder: str = ""
    code_size: int = 0
    rows: tuple[Row, ...] = ()
    finding: Mapping[str, str] | None = None


@dataclass(frozen=True)
class Store:
    """The rows and findings of one suite; empty where nothing was stored yet.

    ``environments`` says by name (the day) with what they were measured.
    """

    path: Path
    environments: Mapping[str, Record] = field(default_factory=dict)
    rows: tuple[Record, ...] = ()
    findings: tuple[Record, ...] = ()

    def rows_of(self, encoder: str, code_size: int) -> list[Row]:
        """Return the rows of an encoder at a code size, each with the day it was measured on."""
        found = [row for row in self.rows if (row["encoder"], row["code_size"]) == (encoder, code_size)]
        return [self._row(record) for record in found]

    def finding(self, claim: str) -> Record | None:
        """Return what was found of a claim, with the day it was judged on; None where nothing is stored."""
        for record in self.findings:
            if record["id"] == claim:
                return record | {"date": self._day(record)}
        return None

    def environment_of(self, encoder: str, code_size: int) -> Record:
        """Return with what an encoder's rows were measured."""
        names = [row["environment"] for row in self.rows if (row["encoder"], row["code_size"]) == (encoder, code_size)]
        return self.environments[names[0]] if names else {}

    def with_items(self, items: Iterable[Item]) -> Store:
        """Return the store with items in place of what it had of them; all else stays."""
        environments = {name: dict(one) for name, one in self.environments.items()}
        rows, findings = list(self.rows), list(self.findings)
        for item in items:
            name = named(item.environment, environments)
            if item.finding is not None:
                findings = [one for one in findings if one["id"] != item.finding["id"]]
                findings.append({**item.finding, "environment": name})
                continue
            rows = [row for row in rows if (row["encoder"], row["code_size"]) != (item.encoder, item.code_size)]
            rows += [_record(row, name) for row in item.rows]
        used = {record["environment"] for record in (*rows, *findings)}
        kept = {name: environments[name] for name in sorted(used)}
        return Store(self.path, kept, tuple(sorted(rows, key=_order)), tuple(sorted(findings, key=lambda f: f["id"])))

    def _row(self, record: Record) -> Row:
        row = {**LEFT_OUT, "leave_one_out": None, "interaction": None, "test": "", **record}
        del row["environment"]
        for name in NUMBERS:
            row[name] = None if row[name] is None else float(row[name])
        return cast(Row, {**row, "stored": self._day(record)})

    def _day(self, record: Record) -> str:
        return str(self.environments[record["environment"]].get("date", record["environment"]))


def store_path(suite: Path) -> Path:
    """Return where the rows of a suite file are stored."""
    return suite.parent / FOLDER / f"{suite.stem}.json"


def read_store(path: Path) -> Store:
    """Read stored rows; there are none where there is no such file.

    Raises
    ------
    SuiteError
        The file cannot be read or is none of ours: which file, what is wrong, what to do.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return Store(path)
    except (OSError, UnicodeDecodeError) as error:
        raise SuiteError(f"{path}", f"cannot be read: {error}") from error
    try:
        document = parsed(text)
    except ValueError as error:
        raise SuiteError(f"{path}", f"not valid JSON: {error}", MEND) from error
    check_document(document, path)
    store = Store(path, document["environments"], tuple(document["rows"]), tuple(document["findings"]))
    check_records(path, store.environments, store.rows, store.findings)
    return store


def write_store(store: Store) -> None:
    """Write a store in place of its file: whoever reads it finds the old one or the new one, never a part.

    Raises
    ------
    OSError
        The folder or file cannot be written; the old file, if any, is as it was.
    """
    write_whole(store.path, _text(store))


def _text(store: Store) -> str:
    """Return the file's text: a line a row, so that changes are lines too."""
    parts: Record = {"environments": store.environments, "rows": store.rows, "findings": store.findings}
    return document_text(SCHEMA, parts)


def _record(row: Row, environment: str) -> Record:
    """Return a row as it stands in the file."""
    names = [name for name in KINDS if name != "environment"]
    record: Record = {name: _rounded(row.get(name, LEFT_OUT.get(name)), DIGITS) for name in names}
    record["seconds"] = _rounded(record["seconds"], 3)
    record = {name: value for name, value in record.items() if name not in LEFT_OUT or value != LEFT_OUT[name]}
    record["environment"] = environment
    return record | packed_arrays(row, record.get("value"))


def _rounded(value: Any, digits: int) -> Any:
    """Return a number with so many significant digits; what JSON has no word for as text."""
    return float(f"{value:.{digits}g}") if isinstance(value, float) and math.isfinite(value) else json_number(value)


def _order(row: Record) -> tuple[Any, ...]:
    seed = row["seed"]
    return row["encoder"], row["code_size"], -1 if seed is None else seed  # metrics stay in the order of reports
