"""Formats numbers, in the same way for tables, messages, files and pages."""

from __future__ import annotations

import math

__all__ = ["at_bound", "bytes_text", "difference", "distinct", "interval", "number", "percent", "seconds"]

FLOAT_BYTES = 4
MIN_DIGITS, MAX_DIGITS = 5, 18  # 17 digits tell any two numbers apart
WIDTHS = 1e-6, 1e4  # between these, the width of an interval gives the number of decimals


def number(value: float | None, decimals: int | None = None) -> str:
    """Return a value as text; "-" for None.

    It has four decimals, or four significant digits if it is tiny or large. With `decimals`, tiny values have that many
    decimals too, so that columns of a leaderboard stay narrow.
    """
    if value is None:
        return "-"
    if value == 0 or (abs(value) < 10 and (decimals is not None or abs(value) >= 0.001)):
        return f"{value:.{4 if decimals is None else decimals}f}"
    return f"{value:.4g}"


def bytes_text(size: int | None, columns: int, whole: int | None = None) -> str:
    """Return the bytes of a code, and how many times smaller it is than a `whole`; empty for codes of floats.

    The bytes of floats follow from the number of columns.
    """
    if not size or size >= FLOAT_BYTES * columns:  # a file may have 0
        return ""
    return f"{size:,} bytes" + ("" if whole is None else f", {whole / size:.3g} times smaller than a point")


def distinct(first: float, second: float, form: str = "") -> tuple[str, str]:
    """Return two values as text, in this form if it is given, with more digits if they would look the same."""
    texts = (format(first, form), format(second, form)) if form else (number(first), number(second))
    if first == second or texts[0] != texts[1]:
        return texts
    digits = (f".{count}g" for count in range(MIN_DIGITS, MAX_DIGITS))
    return next(((a, b) for form in digits if (a := format(first, form)) != (b := format(second, form))), texts)


def interval(low: float | None, high: float | None, decimals: int | None = None) -> str:
    """Return an interval, such as "0.9410 to 0.9509"; "-" if there is none."""
    return "-" if low is None or high is None else f"{number(low, decimals)} to {number(high, decimals)}"


def difference(value: float, low: float | None, high: float | None) -> tuple[str, str]:
    """Return a difference and its interval with signs; the interval's width gives the number of decimals."""
    if low is None or high is None:
        return _signed(value), ""
    width = high - low
    if not WIDTHS[0] < width < WIDTHS[1]:
        return _signed(value), f"{_signed(low)} to {_signed(high)}"
    form = f"+.{max(0, 1 - math.floor(math.log10(width)))}f"
    return f"{value:{form}}", f"{low:{form}} to {high:{form}}"


def _signed(value: float) -> str:
    return f"{value:+.{2 if abs(value) < 100 else 4}g}"


def at_bound(direction: str, limit: str) -> str:
    """Return a limit after "at least" if higher is better, or after "at most" if lower is better."""
    return f"{'at least' if direction == 'up' else 'at most'} {limit}"


def percent(share: float) -> str:
    """Return a share as a percentage: "95%"."""
    return f"{100 * share:g}%"


def seconds(value: float | None) -> str:
    """Return a duration with one decimal, without its unit; "-" for None."""
    return "-" if value is None else f"{value:,.1f}"
