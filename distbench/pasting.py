"""Options as code that can be pasted."""

from __future__ import annotations

import ast
from typing import Any

__all__ = ["as_code"]

MOST = 60  # characters


def as_code(name: str, value: Any) -> str:
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
