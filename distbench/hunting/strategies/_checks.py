"""Checks the arguments of strategies when a strategy is made, not when it draws."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from distbench._util.checks import whole_number
from distbench._util.text import did_you_mean, short_repr
from distbench.errors import InputError

__all__ = ["MAX_SEED", "checked_kinds", "checked_sizes"]

MAX_SEED = 2**16 - 1


def checked_kinds(kinds: Sequence[str] | str | None, known: Collection[str]) -> tuple[str, ...]:
    """Return the kinds, or all if None, in the order of `known`, because draws shrink towards the first."""
    names = tuple(known) if kinds is None else (kinds,) if isinstance(kinds, str) else tuple(kinds)
    for name in names:
        if name not in known:
            raise InputError("kinds", f"found {short_repr(name)}", did_you_mean(str(name), known))
    if not names:
        raise InputError("kinds", "found none", f"pass at least one of {', '.join(known)}")
    return tuple(name for name in known if name in names)


def checked_sizes(sizes: Any, name: str) -> tuple[int, int]:
    """Return the smallest and the largest size, at least 1; a single number is both."""
    low, high = sizes if isinstance(sizes, tuple) and len(sizes) == 2 else (sizes, sizes)
    for size in (low, high):
        whole_number(size, name, 1, "pass a whole number of at least 1, or (smallest, largest)")
    if low > high:
        raise InputError(name, f"found {short_repr(sizes)}", "pass the smaller one first")
    return int(low), int(high)
