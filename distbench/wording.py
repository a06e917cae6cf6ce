"""What was found, in few words: errors are one line, whatever a user passes."""

from __future__ import annotations

from typing import Any

__all__ = ["first_line", "in_brief"]

MOST = 60  # characters of a value
MOST_OF_ERROR = 160


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
        return repr(value[: MOST // 2])[:-1] + "...'"
    return f"{type(value).__name__}{of_shape}"


def first_line(error: BaseException) -> str:
    """Return the first line of an error's text, cut where it is long; its class's words where it has none."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    text = lines[0] if lines else "no message"
    return text if len(text) <= MOST_OF_ERROR else text[: MOST_OF_ERROR - 3] + "..."
