"""What strategies are asked for, checked when they are made and not when they draw."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

import numpy as np

from distbench._util.text import did_you_mean, short_repr
from distbench.errors import InputError

__all__ = ["SEEDS", "checked_kinds", "checked_sizes"]

SEEDS = 2**16 - 1  # the largest one that is drawn


def checked_kinds(given: Sequence[str] | None, known: Collection[str]) -> tuple[str, ...]:
    """Return kinds, all known ones for None, in the order of `known`: what is drawn shrinks towards the first."""
    if given is None:
        return tuple(known)
    names = (given,) if isinstance(given, str) else tuple(given)
    for name in names:
        if name not in known:
            raise InputError("kinds", f"found {short_repr(name)}", did_you_mean(str(name), known))
    if not names:
        raise InputError("kinds", "found none", f"pass at least one of {', '.join(known)}")
    return tuple(name for name in known if name in names)


def checked_sizes(given: Any, name: str, least: int) -> tuple[int, int]:
    """Return the least and the largest size; one number stands for both."""
    low, high = given if isinstance(given, tuple) and len(given) == 2 else (given, given)
    for size in (low, high):
        if isinstance(size, bool) or not isinstance(size, int | np.integer) or size < least:
            raise InputError(
                name, f"found {short_repr(given)}", f"pass a whole number from {least} on, or (least, largest)"
            )
    if low > high:
        raise InputError(name, f"found {short_repr(given)}", "pass the smaller one first")
    return int(low), int(high)
