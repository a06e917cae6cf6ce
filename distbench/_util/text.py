"""What was found, in few words: errors are one line, whatever a user passes."""

from __future__ import annotations

import ast
import difflib
import re
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

__all__ = ["code_repr", "did_you_mean", "first_line", "join_names", "plain_text", "raised", "short_repr", "shortened"]


MOST = 60  # characters of a value
MOST_OF_ERROR = 160
MOST_OF_LINE = 400
FEW = 4  # names in a row
COLOURS = re.compile(r"\x1b\[[\d;]*m")  # of a terminal
PREAMBLE = re.compile(
    r"Exception encountered when calling|Graph execution error:|Detected at node|<stack traces|File \""
)


def short_repr(value: Any) -> str:
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


def join_names(names: Sequence[str]) -> str:
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


MOST = 60  # characters


def code_repr(name: str, value: Any) -> str:
    """Return an option's value as code: a function by its own name, what is long or has no literal by the option's.

    Parameters
    ----------
    name : str
        Of the option.
    value : any
        A number, text, function, array, or a tuple of these.
    """
    if callable(value):
        own = str(getattr(value, "__name__", ""))
        return own if own.isidentifier() else name
    try:
        text = repr(_plain(value))
        ast.literal_eval(text)
    except Exception:  # of a class of the user's, too
        return name
    return text if len(text) <= MOST else name


def _plain(value: Any) -> Any:
    """Return a value with lists for arrays and Python's numbers for numpy's."""
    if isinstance(value, tuple):
        return tuple(_plain(part) for part in value)
    return value.tolist() if hasattr(value, "tolist") else value


def did_you_mean(name: str, known: Collection[str], otherwise: str = "") -> str:
    """Return a hint at the known name that `name` is nearest to; without one, `otherwise` or all known names."""
    close = difflib.get_close_matches(name, known, n=1)
    return f"did you mean {close[0]!r}?" if close else otherwise or f"known are {', '.join(known)}"


def plain_text(text: object) -> str:
    """Return a name as plain text that files and other processes can take: no numpy string, no half of a character."""
    return str(text).encode("utf-8", errors="replace").decode("utf-8")
