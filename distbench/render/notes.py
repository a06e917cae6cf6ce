"""What stands under a leaderboard: everything a reader must know that no column says."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Sequence

from distbench.results.leaderboard import Leaderboard, LeaderboardRow

__all__ = [
    "IGNORES_SIZE",
    "VERDICT_MARKS",
    "left_out",
    "mark_notes",
    "other_width",
    "own_notes",
    "shown_name",
    "table_notes",
    "wrapped",
]

IGNORES_SIZE = "*"
VERDICT_MARKS = {"broken": "!", "undecided": "?"}


def shown_name(entry: LeaderboardRow) -> str:
    """Return an encoder's name, with a word on it where it was fitted on the test points too."""
    says_so = "in sample" in entry.encoder.replace("_", " ").replace("-", " ")
    return f"{entry.encoder} (in sample)" if entry.in_sample and not says_so else entry.encoder


def other_width(entry: LeaderboardRow, table: Leaderboard) -> bool:
    """Say whether codes have another width than was asked for."""
    return entry.code_width is not None and entry.code_width != table.code_size


def table_notes(table: Leaderboard) -> list[str]:
    """Return the lines under a table: who has no place and why, what marks mean, notes, and what was stored."""
    ranked = [entry for entry in table.entries if entry.place is not None]
    lines = [f"no place: {shown_name(entry)}: {entry.reason}" for entry in table.entries if entry.place is None]
    lines += [
        f"{IGNORES_SIZE} {entry.encoder}: code size ignored, its codes have {entry.code_width} columns"
        for entry in ranked
        if other_width(entry, table)
    ]
    lines += own_notes(ranked)
    if any(entry.in_sample for entry in ranked):
        lines.append("in sample: fitted on train and test points together; others never saw the test points")
    if len({entry.place for entry in ranked}) < len(ranked):
        lines.append("=  shares the place of the best it cannot be told from (paired, 95 %)")
    return [*lines, *mark_notes(ranked), *_stored(ranked, len(ranked) == len(table.entries))]


def own_notes(entries: Iterable[LeaderboardRow]) -> list[str]:
    """Return what a reader must know of each encoder, where there is anything."""
    return [f"{shown_name(entry)}: {entry.note}" for entry in entries if entry.note]


def mark_notes(ranked: Sequence[LeaderboardRow]) -> list[str]:
    """Return what the marks behind numbers mean, where there are any."""
    found = {said for entry in ranked for said in entry.verdicts.values()}
    told = {
        "broken": "the limit is broken (the whole interval is on its bad side)",
        "undecided": "the interval contains the limit: the test points do not decide",
    }
    return [f"{mark}  {told[said]}" for said, mark in VERDICT_MARKS.items() if said in found]


def _stored(ranked: Sequence[LeaderboardRow], everyone: bool) -> list[str]:
    days: dict[str, list[str]] = {}
    for entry in ranked:
        if entry.stored:
            days.setdefault(entry.stored, []).append(shown_name(entry))
    if len(days) == 1 and len(next(iter(days.values()))) == len(ranked):
        return [f"stored {day}: all rows{'' if everyone else ' that have a place'}" for day in days]
    return [f"stored {day}: {', '.join(names)}" for day, names in sorted(days.items())]


def left_out(dropped: Sequence[str], width: int) -> list[str]:
    """Return the line that names the columns that went, and the width at which none does."""
    return [f"left out at this width (COLUMNS={width} shows all): {', '.join(dropped)}"] if dropped else []


def wrapped(notes: Iterable[str], width: int) -> list[str]:
    """Return notes as lines of at most that width."""
    return [line for note in notes for line in textwrap.wrap(note, width, subsequent_indent="  ")]
