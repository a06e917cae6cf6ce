"""Stores rows and claims in files beside their suites; with xdist, only the controller does."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from distbench._util.files import write_problem
from distbench._util.locks import locked
from distbench.errors import SuiteError
from distbench.results.suite_store import read_store, store_path, write_store
from pytest_distbench._record import Record, UpdateRecord

__all__ = ["check_writable", "write_updates"]

INSTALLED = ("site-packages", "dist-packages")


def check_writable(path: Path) -> None:
    """Raise SuiteError for a file of stored rows that cannot be written, before anything is fitted."""
    if set(INSTALLED) & set(path.parts):
        raise SuiteError(
            f"{path}",
            "belongs to an installed package, so --distbench-update does not write it",
            "copy the suite file to a folder of yours and run the copy",
        )
    if problem := write_problem(path):
        raise SuiteError(f"{path}", f"cannot be written: {problem}")


def write_updates(records: Iterable[Record]) -> tuple[list[tuple[Path, str]], list[str]]:
    """Store rows and claims; return each file that was written and what was, and a line for each that could not be."""
    by_suite: dict[str, list[tuple[UpdateRecord, Record]]] = {}
    for record in records:
        for update in record.updates:
            by_suite.setdefault(update["suite"], []).append((update, record))
    written: list[tuple[Path, str]] = []
    failed = []
    for suite, updates in sorted(by_suite.items()):
        path = store_path(Path(suite))
        try:
            with locked(path):  # another run may store rows of other encoders
                store = read_store(path)
                for update, record in updates:
                    store = store.updated(update["environment"], record.rows, record.claims)
                write_store(store)
        except (OSError, SuiteError) as error:
            hint = "; it is unchanged: make room, and run again" if isinstance(error, OSError) else ""
            failed.append(f"{path} could not be written: {error}{hint}")
        else:
            written.append((path, _counts([record for _, record in updates])))
    return written, failed


def _counts(records: Sequence[Record]) -> str:
    encoders, claims = sum(bool(record.rows) for record in records), sum(len(record.claims) for record in records)
    rows = sum(len(record.rows) for record in records)
    parts = [f"{encoders} encoder{'s' * (encoders > 1)} ({rows} rows)"] if encoders else []
    return " and ".join([*parts, *([f"{claims} claim{'s' * (claims > 1)}"] if claims else [])])
