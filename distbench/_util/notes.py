"""Notes of a report: each has a level and a code for programs, and a text for readers."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

__all__ = ["Note", "codes_of", "warnings_of"]


class Note(str):
    """A line that qualifies scores: the text itself, with a level and a code.

    Parameters
    ----------
    level : {"warning", "info"}
        A warning means that scores may be better than the encoder deserves; it is shown wherever they are, even under
        leaderboards.
    code : str
        The kind of note, which many texts may share; a metric's name for a note on that metric alone.
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
    """Return the codes of the notes that have a code."""
    return {note.code for note in notes if isinstance(note, Note)}


def warnings_of(notes: Iterable[str]) -> str:
    """Return the warnings among notes as one text."""
    return "; ".join(note for note in notes if isinstance(note, Note) and note.level == "warning")
