from __future__ import annotations

import numpy as np
import pytest

import distbench
from distbench.inference.jackknife import jackknife_interval

rng = np.random.default_rng(0)
X = rng.normal(size=(200, 8))
GOOD, BAD = X[:, :6], X[:, :2]


def evaluated(Z, **options):
    return distbench.evaluate_codes(X, Z, **{"k": 7} | options)


@pytest.fixture(scope="module")
def reports():
    return evaluated(GOOD, name="good"), evaluated(BAD, name="bad")


def test_the_better_one_is_named_whatever_the_direction(reports):
    a, b = reports
    for name, difference in distbench.compare(a, b).items():
        if difference.low is not None:
            assert difference.better == "a", name
            assert distbench.compare(b, a)[name].better == "b", name
        assert difference.value == pytest.approx(a[name].value - b[name].value)


def test_nothing_is_better_than_itself_or_without_an_interval(reports):
    assert {(d.value, d.better) for d in distbench.compare(reports[0], reports[0]).values()} == {(0.0, None)}
    worst_case = distbench.compare(*reports)["distortion"]
    assert (worst_case.low, worst_case.high, worst_case.better) == (None, None, None)


def test_differences_are_paired_and_double_counts_are_taken_out(reports):
    a, b = (report["knn_recall"] for report in reports)
    value, without = a.value - b.value, a.leave_one_out - b.leave_one_out
    difference = distbench.compare(*reports)["knn_recall"]
    expected = jackknife_interval(value, without, 0.95, interaction=a.interaction - b.interaction)
    assert (difference.low, difference.high) == expected
    plain = jackknife_interval(value, without, 0.95)
    assert plain[0] < difference.low < difference.high < plain[1]
    unpaired = np.hypot(a.high - a.low, b.high - b.low)
    assert difference.high - difference.low < unpaired


def test_infinite_on_both_sides_is_no_difference():
    Z = BAD.copy()
    Z[1] = Z[0]  # distinct inputs that share a code
    first = evaluated(Z, metrics=["distortion"])
    assert first["distortion"].value == np.inf
    assert distbench.compare(first, first)["distortion"].value == 0
    assert distbench.compare(first, evaluated(GOOD, metrics=["distortion"]))["distortion"].value == np.inf


def test_the_same_queries_are_compared():
    first, second = (evaluated(Z, queries=50) for Z in (GOOD, BAD))
    assert distbench.compare(first, second)["continuity"].better == "a"
