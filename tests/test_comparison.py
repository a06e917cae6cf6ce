from __future__ import annotations

import numpy as np
import pytest

import distbench
from distbench.inference.intervals import jackknife_interval

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


def test_nothing_is_better_than_itself(reports):
    assert {(d.value, d.better) for d in distbench.compare(reports[0], reports[0]).values()} == {(0.0, None)}


def test_differences_are_paired_and_what_is_counted_twice_is_taken_out(reports):
    a, b = (report["knn_recall"] for report in reports)
    value, without = a.value - b.value, a.leave_one_out - b.leave_one_out
    difference = distbench.compare(*reports)["knn_recall"]
    expected = jackknife_interval(value, without, 0.95, interaction=a.interaction - b.interaction)
    assert (difference.low, difference.high) == expected
    plain = jackknife_interval(value, without, 0.95)
    assert plain[0] < difference.low < difference.high < plain[1]
    unpaired = np.hypot(a.high - a.low, b.high - b.low)
    assert difference.high - difference.low < unpaired


def test_worst_cases_have_no_interval(reports):
    difference = distbench.compare(*reports)["distortion"]
    assert (difference.low, difference.high, difference.better) == (None, None, None)


def test_infinite_on_both_sides_is_no_difference():
    Z = BAD.copy()
    Z[1] = Z[0]  # distinct inputs that share a code
    one = evaluated(Z, metrics=["distortion"])
    assert one["distortion"].value == np.inf
    assert distbench.compare(one, one)["distortion"].value == 0
    assert distbench.compare(one, evaluated(GOOD, metrics=["distortion"]))["distortion"].value == np.inf


@pytest.mark.parametrize(
    ("options", "said"),
    [({"k": 5}, "found k = 7 and 5"), ({"queries": 200 - 1}, "found m"), ({"reference": (X[:9], BAD[:9])}, "found M")],
)
def test_other_points_are_not_compared(reports, options, said):
    with pytest.raises(distbench.InputError, match=said):
        distbench.compare(reports[0], evaluated(BAD, **options))


def test_other_queries_are_not_compared():
    one, two, same = (evaluated(Z, queries=50, seed=s) for Z, s in ((GOOD, 0), (BAD, 1), (BAD, 0)))
    with pytest.raises(distbench.InputError, match="other test points judged"):
        distbench.compare(one, two)
    assert distbench.compare(one, same)["continuity"].better == "a"


def test_reports_measured_in_another_way_are_not_compared(reports):
    for options in ({"distance_x": "cityblock"}, {"confidence": 0.9}):
        with pytest.raises(distbench.InputError, match=next(iter(options))):
            distbench.compare(reports[0], evaluated(BAD, **options))
    moved = distbench.evaluate_codes(X + 1e-9, BAD, k=7)
    with pytest.raises(distbench.InputError, match="other points"):
        distbench.compare(reports[0], moved)
    with pytest.raises(distbench.InputError, match="report_b: found int"):
        distbench.compare(reports[0], 5)
