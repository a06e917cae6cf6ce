"""Checks of values that many arguments share."""

from __future__ import annotations

from numbers import Integral
from typing import Any

from distbench._util.text import short_repr
from distbench.errors import InputError

__all__ = ["check_reference_pair", "flag", "has_queries_as_candidates", "whole_number"]


def check_reference_pair(reference: Any) -> None:
    """Raise InputError unless `reference` is None or a pair of points and codes."""
    if reference is not None and not (isinstance(reference, tuple | list) and len(reference) == 2):
        raise InputError("reference", f"found {type(reference).__name__}", "pass a pair (X_ref, Z_ref)")


def flag(value: Any, name: str) -> bool:
    """Return True or False. Raises InputError for anything else."""
    if not (isinstance(value, bool) or type(value).__name__ == "bool"):  # numpy's bool too
        raise InputError(name, f"found {short_repr(value)}", "pass True or False")
    return bool(value)


def has_queries_as_candidates(include_queries: Any, reference: Any) -> bool:
    """Return `include_queries` as a bool. Raises InputError if it leaves no candidates, as there is no reference."""
    include = flag(include_queries, "include_queries")
    if not include and reference is None:
        found = "found False without reference points, so there is nothing to compare test points with"
        raise InputError("include_queries", found, "pass reference=, or leave it out")
    return include


def whole_number(value: Any, name: str, least: int, advice: str = "") -> int:
    """Return a value as an int; raise InputError unless it is an integer of Python or numpy and at least `least`."""
    if isinstance(value, bool) or not isinstance(value, Integral) or int(value) < least:
        raise InputError(name, f"found {short_repr(value)}", advice or f"pass a whole number, {least} or more")
    return int(value)
