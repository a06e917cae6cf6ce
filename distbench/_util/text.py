"""Short texts for messages: any value or error becomes one printable line."""

from __future__ import annotations

import ast
import difflib
import itertools
import re
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

from distbench.errors import cut_middle, plain_name, plain_text

__all__ = [
    "code_repr",
    "cut",
    "cut_middle",
    "did_you_mean",
    "first_line",
    "join_names",
    "plain_lines",
    "plain_name",
    "plain_text",
    "raised",
    "short_repr",
    "shortened",
    "slices_of_columns",
    "type_and_line",
]

MAX_VALUE_CHARACTERS = 60
MAX_ERROR_CHARACTERS = 160
MAX_LINE_CHARACTERS = 400
MAX_NAMES = 4
TERMINAL_COLOR = re.compile(r"\x1b\[[\d;]*m")
PREAMBLE = re.compile(
    r"Exception encountered when calling|Graph execution error:|Detected at node|<stack traces|File \""
)


def short_repr(value: Any) -> str:
    """Return the repr of a value if it is short and printable, else its type and shape."""
    try:
        text = repr(value)
    except Exception:  # the value may be of any class
        text = ""
    if text and len(text) <= MAX_VALUE_CHARACTERS and text.isprintable():
        return plain_text(text)
    if isinstance(value, str):
        return plain_text(repr(value[: MAX_VALUE_CHARACTERS // 2] + "..."))
    shape = getattr(value, "shape", None)
    return type(value).__name__ + (f" of shape {shape}" if isinstance(shape, tuple) else "")


def type_and_line(error: BaseException) -> str:
    """Return the type of an error and the first line of its text, cut in the middle if it is long."""
    return shortened(f"{type(error).__name__}: {_first_line(error)}")


def first_line(error: BaseException) -> str:
    """Return the first line of an error's text, cut if it is long, or "no message" if there is none."""
    return cut(plain_text(_first_line(error)), MAX_ERROR_CHARACTERS)


def _first_line(error: BaseException) -> str:
    """Return the first line of an error's text as it is, or "no message" if there is none.

    Lines in which frameworks name the call that failed are skipped.
    """
    lines = [line.strip() for line in TERMINAL_COLOR.sub("", _text_of(error)).splitlines() if line.strip()]
    lines = [line for line in lines if not PREAMBLE.match(line)] or lines
    if len(lines) > 1 and lines[0].endswith((":", "indices")):
        lines[0] += f" {lines[1]}"
    return lines[0] if lines else "no message"


def shortened(text: str) -> str:
    """Return a message as one line; a long one is cut in the middle, because its end says what to do."""
    line, half = plain_text(" ".join(text.splitlines())), MAX_LINE_CHARACTERS // 2
    return line if len(line) <= MAX_LINE_CHARACTERS else f"{line[:half]} ... {line[-half:]}"


def raised(error: BaseException) -> str:
    """Return the type, text and line of an error that a user's code raised."""
    import traceback

    frames = traceback.extract_tb(error.__traceback__)
    place = f" (at {Path(frames[-1].filename).name}:{frames[-1].lineno})" if frames else ""
    return shortened(f"raised {type(error).__name__}: {_text_of(error)}{place}")


def join_names(names: Sequence[str]) -> str:
    """Return the first few names, and how many more there are."""
    shown = ", ".join(cut(plain_text(name), MAX_VALUE_CHARACTERS) for name in names[:MAX_NAMES])
    return shown if len(names) <= MAX_NAMES else f"{shown} and {len(names) - MAX_NAMES} more"


def _text_of(error: BaseException) -> str:
    try:
        return str(error)
    except Exception:  # the error may be of any class
        return ""


def cut(text: str, size: int) -> str:
    """Return a text of at most `size` characters, which ends with "..." if it was longer."""
    return text if len(text) <= size else text[: size - 3] + "..."


def code_repr(name: str, value: Any) -> str:
    """Return an option's value as Python code: a short literal or the name of a function; else the option's `name`."""
    if callable(value):
        function = str(getattr(value, "__name__", ""))
        return function if function.isidentifier() else name
    try:
        text = repr(_plain(value))
        ast.literal_eval(text)
    except Exception:  # the value may be of any class
        return name
    return text if len(text) <= MAX_VALUE_CHARACTERS else name


def _plain(value: Any) -> Any:
    """Return a value in which arrays are lists and numpy's numbers are Python's."""
    if isinstance(value, tuple):
        return tuple(_plain(part) for part in value)
    return value.tolist() if hasattr(value, "tolist") else value


def did_you_mean(name: str, known: Collection[str], otherwise: str = "") -> str:
    """Return a hint with the known name most similar to `name`; if none is similar, `otherwise` or all known names."""
    close = difflib.get_close_matches(name, known, n=1)
    return f"did you mean {close[0]!r}?" if close else otherwise or f"known are {', '.join(known)}"


def slices_of_columns(widths: Sequence[int]) -> str:
    """Return code for the parts of a batch, side by side, that have so many columns."""
    ends = list(itertools.accumulate(widths[:-1]))
    return ", ".join(f"batch[:, {start or ''}:{end or ''}]" for start, end in zip([0, *ends], [*ends, 0], strict=True))


def plain_lines(text: str) -> str:
    """Return lines that are safe to print, as `plain_text` does for one."""
    return "\n".join(map(plain_text, text.split("\n")))
