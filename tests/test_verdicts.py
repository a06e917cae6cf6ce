"""Verdicts, the effect of undecided checks, and the number of points that would decide them."""

from __future__ import annotations

import numpy as np
import pytest

import distbench
from distbench.inference.jackknife import jackknife_interval
from distbench.inference.verdicts import check_undecided, holm, passes, points_to_decide, verdict


@pytest.mark.parametrize(
    ("limit", "up", "down"),
    [
        (0.75, "met", "broken"),
        (0.8, "met", "undecided"),
        (0.85, "undecided", "undecided"),
        (0.9, "undecided", "met"),
        (0.95, "broken", "met"),
    ],
)
def test_the_interval_decides(limit, up, down):
    assert verdict(0.86, 0.8, 0.9, limit, "up") == up
    assert verdict(0.86, 0.8, 0.9, limit, "down") == down


def test_without_both_ends_of_an_interval_the_value_decides():
    assert verdict(3.0, None, None, 3.0, "down") == "met"
    assert verdict(np.inf, None, None, 2.0, "down") == "broken"
    for low, high in ((None, 0.9), (0.7, None), (None, None)):
        assert verdict(0.8, low, high, 0.75, "up") == "met"
        assert verdict(0.8, low, high, 0.85, "up") == verdict(0.8, low, high, 0.75, "down") == "broken"


@pytest.mark.parametrize(
    ("setting", "good", "bad"), [("value", True, False), ("fail", False, False), ("pass", True, True)]
)
def test_the_setting_decides_on_undecided_limits(setting, good, bad):
    assert passes("undecided", 0.86, 0.85, "up", setting) is good
    assert passes("undecided", 0.84, 0.85, "up", setting) is bad
    assert passes("undecided", 0.84, 0.85, "down", setting) is good
    assert passes("undecided", 0.85, 0.85, "up", setting) is passes("undecided", 0.85, 0.85, "down", setting) is good
    assert passes("met", 0.86, 0.7, "up", setting)
    assert not passes("broken", 0.86, 0.95, "up", setting)


@pytest.mark.parametrize("undecided", ["maybe", None, True, ["value"]])
def test_undecided_is_one_of_three(undecided):
    with pytest.raises(distbench.InputError, match="undecided: found"):
        check_undecided(undecided)


@pytest.mark.parametrize(
    ("value", "low", "high", "limit", "m", "expected"),
    [
        (0.5, 0.25, 0.75, 0.375, 100, 400),
        (0.5, 0.25, 0.75, 0.625, 100, 400),
        (0.5, 0.375, 0.75, 0.625, 100, 400),  # by the side toward the limit
        (0.5, 0.375, 0.75, 0.375, 100, 101),  # one more at least
        (0.8, 0.7, 0.9, 0.77, 100, 1200),  # 1111, to two digits, upwards
        (0.8, 0.7, 0.9, 0.79, 7, 700),
        (0.5, 0.4, 0.6, 0.3, 10, 11),
        (0.5, 0.25, 0.75, 0.375, 4, 16),  # two digits as they are
        (0.5, 0.125, 0.875, 0.75, 4, 9),
        (0.8, 0.7, 0.9, 0.8, 100, None),
        (0.8, 0.8, 0.9, 0.7, 100, None),
        (0.8, -np.inf, 0.9, 0.7, 100, None),
        (0.8, 0.7, 0.9, 0.80000999, 100, None),
        (0.8, 0.7, 0.9, 0.80002, 100, 2_600_000_000),
        (0.8, None, 0.9, 0.7, 100, None),
        (0.8, 0.7, None, 0.7, 100, None),
    ],
)
def test_points_that_would_decide(value, low, high, limit, m, expected):
    result = points_to_decide(value, low, high, limit, m)
    assert result is None if expected is None else result == pytest.approx(expected, rel=0.05)
    if expected is not None and expected < 10**6:
        assert (result, type(result)) == (expected, int)


def test_an_encoder_at_its_limit_is_undecided_and_seldom_met():
    rng = np.random.default_rng(0)
    verdicts = []
    for _ in range(2_000):
        values = rng.normal(0.8, 0.1, size=60)
        without = (values.sum() - values) / 59
        verdicts.append(verdict(values.mean(), *jackknife_interval(values.mean(), without), 0.8, "up"))
    assert 0.93 <= verdicts.count("undecided") / len(verdicts) <= 0.97
    assert verdicts.count("met") / len(verdicts) <= 0.035  # 2.5 % and 3 standard errors


@pytest.fixture(scope="module")
def report():
    X = np.random.default_rng(0).normal(size=(60, 6))
    return distbench.evaluate_codes(X, X[:, :3], k=5, metrics=["continuity", "stress", "distortion"])


def test_a_check_that_rests_on_the_value(report):
    score = report["continuity"]
    below, above = (score.value + score.low) / 2, (score.value + score.high) / 2
    assert report.verdicts(continuity=below) == {"continuity": "undecided"}
    assert report.check(continuity=below) is report
    assert report.check(continuity=above, undecided="pass") is report
    with pytest.raises(distbench.PreservationError, match="contains it, so undecided: about"):
        report.check(continuity=below, undecided="fail")
    with pytest.raises(distbench.PreservationError, match="test points would decide"):
        report.check(continuity=above)
    with pytest.raises(distbench.PreservationError, match="more test points are unlikely to help"):
        report.check(continuity=1.0, undecided="pass")


@pytest.mark.parametrize("limits", [{"stress": -0.1}, {"distortion": 0.9}])
def test_limits_outside_the_range_are_refused(report, limits):
    with pytest.raises(distbench.InputError, match="pass one between"):
        report.check(**limits)


@pytest.mark.parametrize(
    ("p_values", "rejected"),
    [((), 0), ((0.04,), 1), ((0.04, 0.04), 0), ((0.01, 0.04), 2), ((0.03, 0.001, 0.02), 3), ((0.03, 0.001, 0.03), 1)],
)
def test_holm_rejects_the_smallest_p_values_step_by_step(p_values, rejected):
    assert holm(p_values) == rejected
