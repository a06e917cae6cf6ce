"""Notes of a report: which of them belong beside its scores wherever these stand."""

from __future__ import annotations

from collections.abc import Iterable

__all__ = ["Caution", "cautions"]


class Caution(str):
    """A note of a report on why its scores may flatter, or on what they are of: it stands under tables, too."""

    __slots__ = ()


def cautions(notes: Iterable[str]) -> str:
    """Return those of a report's notes that belong beside its scores wherever these stand, as one text."""
    return "; ".join(note for note in notes if isinstance(note, Caution))
