"""Writes what tests left to be stored into the files beside their suites; on the controller alone."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from distbench._util.locks import locked
from distbench.errors import SuiteError
from distbench.results.suite_store import Item, read_store, store_path, write_store

__all__ = ["check_writable", "write_updates"]

INSTALLED = ("site-packages", "dist-packages")


def check_writable(path: Path) -> None:
    """Refuse to store where it cannot be, before anything is fitted for it.

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


def write_updates(records: Iterable[Mapping[str, Any]]) -> tuple[list[str], list[str]]:
    """Store what the tests of a run left.

    Parameters
    ----------
    records : iterable of mapping
        The record of each test, with ``rows`` and ``updates``.

    Returns
    -------
    written, failed : list of str
        One line a file.
    """
    items: dict[str, list[Item]] = {}
    for record in records:
        for update in record["updates"]:
            items.setdefault(update["suite"], []).append(_item(update, record["rows"]))
    written, failed = [], []
    for suite, of_suite in sorted(items.items()):
        path = store_path(Path(suite))
        try:
            with locked(path):  # another run may store rows of other encoders
                write_store(read_store(path).with_items(of_suite))
        except (OSError, SuiteError) as error:
            hint = "; it is as it was: make room for it, and run again" if isinstance(error, OSError) else ""
            failed.append(f"{path} could not be written: {error}{hint}")
        else:
            written.append(f"{path}: {_told(of_suite)}")
    return written, failed


def _item(update: Mapping[str, Any], rows: Iterable[Any]) -> Item:
    if update["finding"] is not None:
        return Item(update["environment"], finding=update["finding"])
    return Item(update["environment"], update["encoder"], update["code_size"], tuple(rows))


def _told(items: list[Item]) -> str:
    claims = sum(item.finding is not None for item in items)
    encoders, rows = len(items) - claims, sum(len(item.rows) for item in items)
    parts = [f"{encoders} encoder{'s' * (encoders > 1)} ({rows} rows)"] if encoders else []
    return " and ".join([*parts, *([f"{claims} claim{'s' * (claims > 1)}"] if claims else [])])
