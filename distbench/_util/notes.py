"""Notes of a report: each has a level and a code for programs, and a text for readers."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from typing import Literal

__all__ = ["CODES", "Note", "coded_texts", "codes_of", "warnings_of", "without_codes"]

CODES = (
    *("all_codes_equal", "batches", "code_loss", "code_size", "distance_matrix", "draws", "draws_alike", "few_columns"),
    *("columns_left_out", "few_groups", "flattened", "found_ids", "id_columns", "index_distance", "input_space"),
    *("judged", "k", "lost_scale", "packed_bits", "precision", "queries", "ranges", "rnx_auc", "row_names"),
    *("sampled_pairs", "search_loss", "seen_points", "shared_codes", "symbols", "triplet_accuracy", "zero_codes"),
)
"""The codes of all notes."""

_CODE = re.compile(r" \[(\w+)\](?:; |$)")


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
    """Return the warnings among notes as one text, each with its code in brackets."""
    return "; ".join(f"{note} [{note.code}]" for note in notes if isinstance(note, Note) and note.level == "warning")


def coded_texts(text: str) -> list[tuple[str, str]]:
    """Return the code and the text of each note in a text of `warnings_of`; any other text has an empty code."""
    *coded, rest = _CODE.split(text)
    return list(zip(coded[1::2], coded[::2], strict=True)) + ([("", rest)] if rest else [])


def without_codes(notes: Iterable[str], codes: Collection[str]) -> tuple[str, ...]:
    """Return the notes without those that have one of the codes."""
    return tuple(note for note in notes if not codes_of([note]) & set(codes))
