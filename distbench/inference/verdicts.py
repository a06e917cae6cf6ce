"""Whether a limit is met, broken or undecided, and roughly how many test points would decide it."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any, Literal, get_args

from distbench.errors import InputError

__all__ = ["Undecided", "Verdict", "check_undecided", "holm", "is_met", "passes", "points_to_decide", "verdict"]

Verdict = Literal["met", "broken", "undecided"]
Undecided = Literal["value", "fail", "pass"]
Direction = Literal["up", "down"]


def check_undecided(undecided: Any) -> Undecided:
    """Return how undecided checks end. Raises InputError unless it is one of the three words."""
    for known in get_args(Undecided):
        if isinstance(undecided, str) and undecided == known:
            return known  # type: ignore[no-any-return]
    raise InputError(
        "undecided",
        f"found {undecided!r}",
        'pass "value" (the value alone decides), "fail" or "pass" for a check whose interval contains its limit',
    )


def holm(p_values: Iterable[float], alpha: float = 0.05) -> int:
    """Return how many null hypotheses Holm's procedure rejects.

    A true null hypothesis is among them with a probability of at most `alpha`.

    References
    ----------
    .. [1] S. Holm (1979), A simple sequentially rejective multiple test procedure.
    """
    ordered = sorted(p_values)
    kept = (n for n, p in enumerate(ordered) if p > alpha / (len(ordered) - n))
    return next(kept, len(ordered))


def is_met(value: float, limit: float, direction: Direction) -> bool:
    """Return whether a value is on the good side of a limit, or at it."""
    return value >= limit if direction == "up" else value <= limit


def verdict(value: float, low: float | None, high: float | None, limit: float, direction: Direction) -> Verdict:
    """Return whether a value with an interval meets a limit.

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
        Met if the whole interval is on the good side of the limit, or at it; broken if the whole interval is on its
        bad side; else undecided.
    """
    if low is None or high is None:
        low = high = value
    worst, best = (low, high) if direction == "up" else (-high, -low)
    bound = limit if direction == "up" else -limit
    if worst >= bound:
        return "met"
    return "broken" if best < bound else "undecided"


def passes(verdict: Verdict, value: float, limit: float, direction: Direction, undecided: Undecided = "value") -> bool:
    """Return whether a check passes; for the verdict "undecided", `undecided` says what decides."""
    if verdict != "undecided":
        return verdict == "met"
    return is_met(value, limit, direction) if undecided == "value" else undecided == "pass"


def points_to_decide(value: float, low: float | None, high: float | None, limit: float, m: int) -> int | None:
    """Estimate how many test points would decide on a limit, if the value stays the same.

    The width of an interval falls with the square root of the number of points.

    Parameters
    ----------
    value : float
        The score.
    low, high : float or None
        Its interval.
    limit : float
        The limit.
    m : int
        Number of test points of the score.

    Returns
    -------
    int or None
        More than m, rounded up to two digits; None if no number is enough, because the value is at its limit, or if
        there is no interval.
    """
    if low is None or high is None:
        return None
    # the half of the interval on the side of the limit: a bound may cut the other
    half, distance = (value - low if limit < value else high - value), abs(value - limit)
    if distance == 0 or not math.isfinite(half) or half <= 0 or distance < 1e-4 * half:
        return None
    needed = m * (float(half) / float(distance)) ** 2
    digits: int = 10 ** max(0, len(str(int(needed))) - 2)
    return max(m + 1, math.ceil(needed / digits) * digits)
