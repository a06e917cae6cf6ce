"""Notes of a report: a level and a code for programs, a text for readers."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

__all__ = ["Note", "codes_of", "warnings_of"]


class Note(str):
    """One line on what scores rest on. It is its text; level and code say what kind of note it is.

    Parameters
    ----------
    level : {"warning", "info"}
        A warning stands wherever the scores stand, under leaderboards too: they may flatter the encoder.
    code : str
        The kind of note, whatever numbers are in its text; the metric's name where the note is about one metric alone.
    text : str
        The line for readers.
    """

    level: Literal["warning", "info"]
    code: str

    def __new__(cls, level: Literal["warning", "info"], code: str, text: str) -> Note:
        note = super().__new__(cls, text)
        note.level, note.code = level, code
        return note

    def __getnewargs__(self) -> tuple[str, str, str]:  # type: ignore[override]
        return self.level, self.code, str(self)


def codes_of(notes: Iterable[str]) -> set[str]:
    """Return the codes of those notes that have one."""
    return {note.code for note in notes if isinstance(note, Note)}


def warnings_of(notes: Iterable[str]) -> str:
    """Return the warnings among notes as one text."""
    return "; ".join(note for note in notes if isinstance(note, Note) and note.level == "warning")
