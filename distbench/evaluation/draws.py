"""Encoders that answer differently each time: judged over draws of their codes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from distbench._util.notes import Note
from distbench.errors import EncoderError
from distbench.metrics import Measured

__all__ = ["check_same_width", "mean_measured", "note_on_draws", "notes_of_draws", "spread_of"]


def mean_measured(draws: Sequence[Measured]) -> Measured:
    """Return one metric's mean over draws: its value, and what it is made of, point by point."""
    first = draws[0]
    if len(draws) == 1:
        return first
    return Measured(
        value=float(np.mean([draw.value for draw in draws])),
        leave_one_out=_mean([draw.leave_one_out for draw in draws]),
        points=_mean([draw.points for draw in draws]),
        chance=None if first.chance is None else float(np.mean([draw.chance for draw in draws])),
        interaction=_mean([draw.interaction for draw in draws]),
    )


def _mean(arrays: Sequence[Any]) -> Any:
    return None if any(one is None for one in arrays) else np.mean(arrays, axis=0)


def spread_of(draws: Sequence[Measured]) -> float | None:
    """Return the standard deviation of a metric over draws; None for one draw, and where values are infinite."""
    values = np.array([draw.value for draw in draws])
    if len(values) < 2 or not np.isfinite(values).all():
        return None
    return float(values.std(ddof=1))


def note_on_draws(draws: int, alike: bool) -> list[Note]:
    """Return what a reader of scores must know of draws."""
    if draws == 1:
        return []
    if alike:
        text = f"{draws} draws of the encoder are all alike: it is deterministic, and stochastic=True is not needed"
        return [Note("info", "draws_alike", text)]
    text = f"scores: mean of {draws} draws of a stochastic encoder; pairs are those of the first"
    return [Note("warning", "draws", text)]


def check_same_width(name: str, widths: Sequence[int]) -> None:
    """Raise EncoderError unless an encoder of that name gave codes of one size in all draws."""
    for number, width in enumerate(widths, start=1):
        if width != widths[0]:
            raise EncoderError(
                f"encoder {name!r} returned codes of size {width} in draw {number}, {widths[0]} in the first; return "
                "codes of one size"
            )


def notes_of_draws(notes: Sequence[Sequence[Note]]) -> list[Note]:
    """Return the notes on all draws, given those on each: the first of a kind, and in how many draws it holds."""
    by_code: dict[str, list[Note]] = {}
    for of_draw in notes:
        for note in of_draw:
            by_code.setdefault(note.code, []).append(note)
    return [
        same[0]
        if len(same) == len(notes)
        else Note(same[0].level, same[0].code, f"in {len(same)} of {len(notes)} draws: {same[0]}")
        for same in by_code.values()
    ]
