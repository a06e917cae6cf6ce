"""Checks of values that many arguments share."""

from __future__ import annotations

from numbers import Integral
from typing import Any

from distbench._util.text import short_repr
from distbench.errors import InputError

__all__ = ["whole_number"]


def whole_number(value: Any, name: str, least: int, advice: str = "") -> int:
    """Return a value as an int; raise InputError unless it is an integer of Python or numpy and at least `least`."""
    if isinstance(value, bool) or not isinstance(value, Integral) or int(value) < least:
        raise InputError(name, f"found {short_repr(value)}", advice or f"pass a whole number, {least} or more")
    return int(value)
