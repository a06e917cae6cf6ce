"""The notes below a leaderboard: on its encoders, its marks, its intervals and its stored rows."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from distbench._util.notes import coded_texts
from distbench._util.text import join_names

if TYPE_CHECKING:
    from distbench.results.leaderboard_rows import LeaderboardRow

__all__ = ["SHARED_PLACE", "explanations", "interval_note", "mark_notes", "notes_on_encoders", "stored_notes"]

MARK_NOTES = {
    "broken": "!  a fitted encoder breaks the limit (its whole interval is on the bad side)",
    "undecided": "?  the interval of a fitted encoder contains the limit: the test points do not decide",
}
SHARED_PLACE = "shares a place, which is one more than the number of encoders shown to be better"


def notes_on_encoders(tables: Sequence[Sequence[tuple[str, str]]]) -> list[list[str]]:
    """Return the lines with encoders' notes for each table, whose encoders are pairs of a name and a text of notes.

    Each kind of note is shown once, below the last table with it, for all encoders that have it.
    """
    found: dict[str, list[tuple[int, str, str]]] = {}
    for place, table in enumerate(tables):
        for name, note in table:
            for code, text in coded_texts(note):
                found.setdefault(code or text, []).append((place, name, f"{text} [{code}]" if code else text))
    lines: list[list[str]] = [[] for _ in tables]
    for alike in found.values():
        names = list(dict.fromkeys(name for _, name, _ in alike))
        texts = {text for _, _, text in alike}
        of_first = ", here of the first" if len(texts) > 1 else ""
        subject = names[0] if len(names) == 1 else f"{len(names):,} encoders ({join_names(names)}){of_first}"
        lines[alike[-1][0]].append(f"{subject}: {alike[0][2]}")
    return lines


def interval_note(entries: Sequence[LeaderboardRow]) -> str:
    """Return which question the intervals answer: of fitted encoders, or of recipes that are trained again."""
    has_several_seeds = [entry.ran > 1 for entry in entries]
    if not any(has_several_seeds):
        return "95 % interval: of these fitted encoders, on new test points"
    if all(has_several_seeds):
        return "95 % interval: of these recipes, trained again, on new test points"
    return "95 % interval: on new test points; for an encoder with several seeds, of its recipe trained again"


def explanations(entries: Sequence[LeaderboardRow]) -> list[str]:
    """Return the explanations of intervals, of "in sample" and of shared places."""
    notes = []
    if any(entry.in_sample for entry in entries):
        notes.append("in sample: fitted on train and test points together; the others on train points alone")
    places = [entry.place for entry in entries if entry.place is not None]
    if len(set(places)) < len(places):
        notes.append(f"=  {SHARED_PLACE} (95 % for all pairs together)")
    if any(entry.low is not None for entry in entries):
        notes.append(interval_note(entries))
    return notes


def mark_notes(entries: Iterable[LeaderboardRow]) -> list[str]:
    """Return the explanations of the marks after values with a limit."""
    verdicts = {verdict for entry in entries for verdict in entry.verdicts.values()}
    return [note for verdict, note in MARK_NOTES.items() if verdict in verdicts]


def stored_notes(entries: Sequence[LeaderboardRow], unranked: Sequence[LeaderboardRow]) -> list[str]:
    """Return the days on which rows were stored, with the encoders of each."""
    names_of: dict[str, list[str]] = {}
    for entry in entries:
        if entry.stored:
            names_of.setdefault(entry.stored, []).append(entry.shown_name)
    if [len(names) for names in names_of.values()] == [len(entries)]:
        return [f"stored {day}: all rows{' that have a place' if unranked else ''}" for day in names_of]
    return [f"stored {day}: {', '.join(names)}" for day, names in sorted(names_of.items())]
