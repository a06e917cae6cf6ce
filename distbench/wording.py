"""What was found, in few words: errors are one line, whatever a user passes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

__all__ = ["first_line", "in_brief", "listed"]

MOST = 60  # characters of a value
MOST_OF_ERROR = 160
FEW = 4  # names in a row


def in_brief(value: Any) -> str:
    """Return the repr of a value, or its type where that is long or many lines."""
    try:
        text = repr(value)
    except Exception:  # of a class of the user's
        text = ""
    if text and len(text) <= MOST and text.isprintable():
        return text
    shape = getattr(value, "shape", None)
    of_shape = f" of shape {shape}" if isinstance(shape, tuple) else ""
    if isinstance(value, str):
        return repr(value[: MOST // 2] + "...")
    return f"{type(value).__name__}{of_shape}"


def first_line(error: BaseException) -> str:
    """Return the first line of an error's text, cut where it is long; its class's words where it has none."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    text = lines[0] if lines else "no message"
    return text if len(text) <= MOST_OF_ERROR else text[: MOST_OF_ERROR - 3] + "..."


def listed(names: Sequence[str]) -> str:
    """Return the first few names, and how many more there are."""
    shown = ", ".join(name if len(name) <= MOST else name[: MOST - 3] + "..." for name in names[:FEW])
    return shown if len(names) <= FEW else f"{shown} and {len(names) - FEW} more"
