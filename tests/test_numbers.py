"""How numbers are written in tables, messages, files and pages."""

from __future__ import annotations

import math

import pytest

from distbench._util.numbers import at_bound, difference, distinct, interval, number, percent, seconds


@pytest.mark.parametrize(
    ("value", "text", "in_columns"),
    [
        (None, "-", "-"),
        (0, "0.0000", "0.000"),
        (-0.12346, "-0.1235", "-0.123"),
        (0.00012345, "0.0001234", "0.000"),
        (9.87654, "9.8765", "9.877"),
        (123.456, "123.5", "123.5"),
        (1.5e7, "1.5e+07", "1.5e+07"),
        (-math.inf, "-inf", "-inf"),
        (math.nan, "nan", "nan"),
    ],
)
def test_numbers_are_short_whatever_their_size(value, text, in_columns):
    assert (number(value), number(value, 3)) == (text, in_columns)


def test_intervals_have_both_ends_or_none():
    assert interval(0.5, 2.0) == "0.5000 to 2.0000"
    assert interval(0.5, 2.0, 3) == "0.500 to 2.000"
    assert interval(None, 2.0) == interval(0.5, None) == "-"


def test_different_values_never_look_the_same():
    assert distinct(0.94999, 0.95) == ("0.94999", "0.95")
    assert distinct(1.0, 1 - 3.71e-6) == ("1", "0.999996")
    assert distinct(1.0, math.nextafter(1, 2)) == ("1", "1.0000000000000002")
    assert distinct(0.996391, 0.996402, ".5g") == ("0.99639", "0.9964")
    assert distinct(0.9, 0.95) == ("0.9000", "0.9500")
    assert distinct(0.95, 0.95) == ("0.9500", "0.9500")


@pytest.mark.parametrize(
    ("ends", "texts"),
    [
        ((-0.25, -0.15), ("-0.20", "-0.25 to -0.15")),
        ((-0.2004, -0.1996), ("-0.20000", "-0.20040 to -0.19960")),
        ((-0.2, -0.2), ("-0.2", "-0.2 to -0.2")),
        ((None, None), ("-0.2", "")),
    ],
)
def test_differences_have_the_decimals_that_their_interval_needs(ends, texts):
    assert difference(-0.2, *ends) == texts


def test_large_differences_have_four_digits():
    assert difference(123.45, None, None) == ("+123.5", "")
    assert difference(-2e4, -3e4, -999.6) == ("-2e+04", "-3e+04 to -999.6")


def test_limits_shares_and_durations():
    assert [at_bound(direction, "0.5") for direction in ("up", "down")] == ["at least 0.5", "at most 0.5"]
    assert (percent(0.95), percent(0.999)) == ("95%", "99.9%")
    assert (seconds(None), seconds(0.25), seconds(1234.56)) == ("-", "0.2", "1,234.6")
