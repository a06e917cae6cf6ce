"""What was found, in few words: errors are one line, whatever a user passes."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

__all__ = ["first_line", "in_brief", "listed", "raised", "shortened"]

MOST = 60  # characters of a value
MOST_OF_ERROR = 160
MOST_OF_LINE = 400
FEW = 4  # names in a row
COLOURS = re.compile(r"\x1b\[[\d;]*m")  # of a terminal
PREAMBLE = re.compile(
    r"Exception encountered when calling|Graph execution error:|Detected at node|<stack traces|File \""
)


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
    """Return the first line of an error's text that says something, cut where it is long; or that there is none.

    What frameworks put before it, which call it was, is passed over.
    """
    lines = [line.strip() for line in COLOURS.sub("", _text_of(error)).splitlines() if line.strip()]
    telling = [line for line in lines if not PREAMBLE.match(line)] or lines
    if len(telling) > 1 and telling[0].endswith((":", "indices")):
        telling[0] += f" {telling[1]}"
    return _cut(_printable(telling[0]), MOST_OF_ERROR) if telling else "no message"


def shortened(text: str, most: int = MOST_OF_LINE) -> str:
    """Return a message as one line of about so many characters: its middle goes, for its end says what to do."""
    line = _printable(" ".join(text.splitlines()))
    return line if len(line) <= most else f"{line[: most // 2]} ... {line[-most // 2 :]}"


def raised(error: BaseException) -> str:
    """Return what a user's code raised, and where."""
    import traceback

    frames = traceback.extract_tb(error.__traceback__)
    place = f" (at {Path(frames[-1].filename).name}:{frames[-1].lineno})" if frames else ""
    return shortened(f"raised {type(error).__name__}: {_text_of(error)}{place}")


def listed(names: Sequence[str]) -> str:
    """Return the first few names, and how many more there are."""
    shown = ", ".join(_cut(_printable(name), MOST) for name in names[:FEW])
    return shown if len(names) <= FEW else f"{shown} and {len(names) - FEW} more"


def _text_of(error: BaseException) -> str:
    try:
        return str(error)
    except Exception:  # of a class of the user's
        return ""


def _printable(text: str) -> str:
    """Return a text whose control signs, such as those that colour a terminal, are spelt out."""
    return text if text.isprintable() else "".join(sign if sign.isprintable() else repr(sign)[1:-1] for sign in text)


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 3] + "..."
