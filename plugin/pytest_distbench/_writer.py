"""Stores rows and claims in the files beside their suites; with xdist only the controller does."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path

from distbench._util.locks import locked
from distbench.errors import SuiteError
from distbench.results.suite_store import read_store, store_path, write_store
from pytest_distbench._record import Record, UpdateRecord

__all__ = ["check_writable", "write_updates"]

INSTALLED = ("site-packages", "dist-packages")


def check_writable(path: Path) -> None:
    """Raise an error for a file that cannot be written, before anything is fitted for it.

    Raises
    ------
    SuiteError
        The file belongs to an installed package, or its folder cannot be written.
    """
    if set(INSTALLED) & set(path.parts):
        raise SuiteError(
            f"{path}",
            "belongs to an installed package, so --distbench-update does not write it",
            "copy the suite file to a folder of yours and run that",
        )
    folder = path.parent
    while not folder.exists():
        folder = folder.parent
    if not folder.is_dir() or not os.access(folder, os.W_OK | os.X_OK):
        raise SuiteError(f"{path}", f"cannot be written: {folder} is no folder that you may write to")


def write_updates(records: Iterable[Record]) -> tuple[list[str], list[str]]:
    """Store the rows and claims of the tests that are to be stored.

    Returns
    -------
    written, failed : list of str
        One line a file.
    """
    by_suite: dict[str, list[tuple[UpdateRecord, Record]]] = {}
    for record in records:
        for update in record.updates:
            by_suite.setdefault(update["suite"], []).append((update, record))
    written, failed = [], []
    for suite, updates in sorted(by_suite.items()):
        path = store_path(Path(suite))
        try:
            with locked(path):  # another run may store rows of other encoders
                store = read_store(path)
                for update, record in updates:
                    store = store.updated(update["environment"], record.rows, record.claims)
                write_store(store)
        except (OSError, SuiteError) as error:
            hint = "; it is as it was: make room for it, and run again" if isinstance(error, OSError) else ""
            failed.append(f"{path} could not be written: {error}{hint}")
        else:
            written.append(f"{path}: {_counts([record for _, record in updates])}")
    return written, failed


def _counts(records: Sequence[Record]) -> str:
    encoders, claims = sum(bool(record.rows) for record in records), sum(len(record.claims) for record in records)
    rows = sum(len(record.rows) for record in records)
    parts = [f"{encoders} encoder{'s' * (encoders > 1)} ({rows} rows)"] if encoders else []
    return " and ".join([*parts, *([f"{claims} claim{'s' * (claims > 1)}"] if claims else [])])
