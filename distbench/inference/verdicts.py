"""Whether a limit is met, broken or undecided, and how many test points would about decide it."""

from __future__ import annotations

import math
from typing import Any, Literal, get_args

from distbench.errors import InputError

__all__ = ["Undecided", "Verdict", "check_undecided", "is_met", "passes", "points_to_decide", "verdict"]

Verdict = Literal["met", "broken", "undecided"]
Undecided = Literal["value", "fail", "pass"]
Direction = Literal["up", "down"]


def check_undecided(undecided: Any) -> Undecided:
    """Return what becomes of undecided checks. Raises InputError unless it is one of the three ways."""
    for known in get_args(Undecided):
        if isinstance(undecided, str) and undecided == known:
            return known  # type: ignore[no-any-return]
    raise InputError(
        "undecided",
        f"found {undecided!r}",
        'pass "value" (the value alone decides), "fail" or "pass": what becomes of a check whose interval holds its '
        "limit",
    )


def is_met(value: float, limit: float, direction: Direction) -> bool:
    """Return whether a value is on the good side of a limit, or at it."""
    return value >= limit if direction == "up" else value <= limit


def verdict(value: float, low: float | None, high: float | None, limit: float, direction: Direction) -> Verdict:
    """Return what an interval says of a limit.

    Parameters
    ----------
    value : float
        The score.
    low, high : float or None
        Its interval; without an interval the value alone decides.
    limit : float
        Least good value (direction "up") or largest good value ("down").
    direction : {"up", "down"}
        Direction of the metric.

    Returns
    -------
    {"met", "broken", "undecided"}
        Met when the whole interval is on the limit's good side (the limit itself is good), broken when the whole
        interval is on its bad side, else undecided.
    """
    if low is None or high is None:
        low = high = value
    worst, best = (low, high) if direction == "up" else (-high, -low)
    bound = limit if direction == "up" else -limit
    if worst >= bound:
        return "met"
    return "broken" if best < bound else "undecided"


def passes(verdict: Verdict, value: float, limit: float, direction: Direction, undecided: Undecided = "value") -> bool:
    """Return whether a check of that verdict passes.

    Where it is undecided, the value alone decides, or it fails, or it passes, as `undecided` says.
    """
    if verdict != "undecided":
        return verdict == "met"
    return is_met(value, limit, direction) if undecided == "value" else undecided == "pass"


def points_to_decide(value: float, low: float | None, high: float | None, limit: float, m: int) -> int | None:
    """Return about how many test points would decide, were the value to stay where it is.

    The width of an interval falls with the square root of the number of points.

    Parameters
    ----------
    value : float
        The score.
    low, high : float or None
        Its interval.
    limit : float
        What it is held to.
    m : int
        Test points that it was measured on.

    Returns
    -------
    int or None
        More than m, rounded up to two digits; None where no number would do, because the value is at its limit or
        there is no interval.
    """
    if low is None or high is None:
        return None
    # the side of the interval that reaches for the limit: bounds may have cut the other
    half, distance = (value - low if limit < value else high - value), abs(value - limit)
    if distance == 0 or not math.isfinite(half) or half <= 0 or distance < 1e-4 * half:
        return None
    needed = m * (float(half) / float(distance)) ** 2
    digits: int = 10 ** max(0, len(str(int(needed))) - 2)
    return max(m + 1, math.ceil(needed / digits) * digits)
