"""The parts of the summary on stored rows: where they are from, which are stale, and how far new ones lie off."""

from __future__ import annotations

import textwrap
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_distbench._record import DriftRecord, StaleRecord, StoredRecord
from pytest_distbench._session import RETRAIN, UPDATE

if TYPE_CHECKING:
    from distbench.suites._store_match import Change

__all__ = ["drift_lines", "stale_lines", "stored_lines", "written_lines"]

SHOWN = 3  # metrics of an encoder in the report of drift


def stored_lines(records: Sequence[StoredRecord], width: int) -> list[str]:
    """Return what was stored, by suite, day and versions; a block of text, or none."""
    from distbench.suites._store_environment import told

    groups: dict[tuple[str, str, str], Counter[str]] = {}
    for record in records:
        key = _file(record["suite"]), record["day"], told(record["environment"])
        groups.setdefault(key, Counter())[record["kind"]] += 1
    lines = [
        f"{file}: {_counted(kinds)}, of {day}: {versions}" for (file, day, versions), kinds in sorted(groups.items())
    ]
    return _block(f"Stored, not fitted in this run ({RETRAIN} does)", lines, width)


def _counted(kinds: Counter[str]) -> str:
    return " and ".join(f"{number} {kind}{'s' * (number > 1)}" for kind, number in sorted(kinds.items(), reverse=True))


def stale_lines(records: Sequence[StaleRecord], width: int) -> list[str]:
    """Return what is stale and why."""
    lines = [f"{_file(record['suite'])}: {record['name']}: {'; '.join(record['reasons'])}" for record in records]
    return _block(f"Stale, so of no use ({UPDATE} fits it anew and stores it)", sorted(lines), width)


def drift_lines(records: Sequence[DriftRecord], width: int) -> list[str]:
    """Return how far new rows lie from the stored ones: the largest changes first, those out of interval marked."""
    moved = [record for record in records if record["told"] or any(map(_size, record["changes"]))]
    moved.sort(key=lambda record: (-_largest(record), record["suite"], record["name"]))
    lines = [f"{_file(record['suite'])}: {record['name']}: {_changed(record)}" for record in moved]
    same = len(records) - len(moved)
    lines += [f"{same} without any change"] if same else []
    beyond = sum(_beyond(change) for record in records for change in record["changes"])
    compared = sum(len(record["changes"]) for record in records)
    head = f"Drift from the stored rows (of {compared} means over seeds, {beyond} beyond the stored 95 % interval: !)"
    return _block(head, lines, width) if records else []


def _changed(record: DriftRecord) -> str:
    """Return the metrics that lie out of their stored interval, at least the largest changes."""
    ordered = sorted(filter(_size, record["changes"]), key=lambda change: (not _beyond(change), -_size(change)))
    told = [one for number, one in enumerate(ordered) if number < SHOWN or _beyond(one)]
    parts = [
        f"{one['metric']} {one['stored']:.4g} -> {one['now']:.4g} ({one['now'] - one['stored']:+.2g}"
        f"{', beyond !' * _beyond(one)})"
        for one in told
    ]
    more = [f"{len(ordered) - len(told)} smaller"] if len(ordered) > len(told) else []
    return ", ".join([*([record["told"]] if record["told"] else []), *parts, *more])


def _largest(record: DriftRecord) -> float:
    if record["told"]:
        return float("inf")
    return max((_size(change) + 1e9 * _beyond(change) for change in record["changes"]), default=0.0)


def _size(change: Change) -> float:
    """Return the size of a change in half widths of the stored interval; without one, in shares of the value."""
    moved = abs(change["now"] - change["stored"])
    if not moved < float("inf"):  # to or from infinity; between infinities it is not a number
        return 0.0 if change["now"] == change["stored"] else 1e6
    if moved <= 1e-9 * abs(change["stored"]):  # stored with ten digits
        return 0.0
    low, high = change["low"], change["high"]
    half = abs(change["stored"]) if low is None or high is None else (high - low) / 2
    return moved / half if half > 0 else 1e6


def _beyond(change: Change) -> bool:
    low, high = change["low"], change["high"]
    if low is None or high is None or not _size(change):
        return False
    return not low <= change["now"] <= high


def written_lines(written: Sequence[str], failed: Sequence[str]) -> list[str]:
    """Return which files were written, and which could not be."""
    lines = [*(f"stored: {one}" for one in written), *(f"NOT STORED: {one}" for one in failed)]
    return ["\n".join(lines)] if lines else []


def _file(suite: str) -> str:
    return Path(suite).name


def _block(head: str, lines: Sequence[str], width: int) -> list[str]:
    if not lines:
        return []
    told = [
        part for line in lines for part in textwrap.wrap(line, width, initial_indent="  ", subsequent_indent="    ")
    ]
    return ["\n".join([*textwrap.wrap(head, width), "", *told])]
