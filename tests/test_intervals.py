"""Intervals by the jackknife: the textbook's standard error, coverage on fresh draws, and where there is none."""

from __future__ import annotations

import numpy as np
import pytest

from distbench.engine import gather
from distbench.errors import InputError
from distbench.inference.intervals import (
    LEAST_SHARE,
    check_confidence,
    degrees_of_freedom,
    jackknife_interval,
    jackknife_standard_error,
)
from distbench.metrics import METRICS


def test_of_a_mean_is_the_textbook_standard_error():
    values = np.random.default_rng(0).normal(size=50)
    leave_one_out = (values.sum() - values) / 49
    assert jackknife_standard_error(leave_one_out) == pytest.approx(values.std(ddof=1) / np.sqrt(50), rel=1e-12)


def test_against_train_points_only_is_that_of_a_mean():
    rng = np.random.default_rng(0)
    X, X_ref = rng.normal(size=(40, 4)), rng.normal(size=(200, 4))
    gathered = gather(X, X[:, :2], X_ref, X_ref[:, :2], k=5, include_queries=False)
    measured = METRICS["continuity"].measure(gathered)
    expected = measured.points.std(ddof=1) / np.sqrt(40)
    assert jackknife_standard_error(measured.leave_one_out) == pytest.approx(expected, rel=1e-9)


def test_wider_for_more_confidence_and_within_bounds():
    values = np.array([0.9, 1.0, 1.0, 1.0])
    leave_one_out = (values.sum() - values) / 3
    low95, high95 = jackknife_interval(values.mean(), leave_one_out, 0.95, (0, 1))
    low99, _ = jackknife_interval(values.mean(), leave_one_out, 0.99, (0, 1))
    assert 0 < low99 < low95 < values.mean() < high95 <= 1.0


def test_what_is_counted_twice_is_taken_out_once_but_never_most_of_it():
    rng = np.random.default_rng(0)
    without, small = rng.normal(size=40), 0.1 * rng.normal(size=(40, 4))
    whole = jackknife_standard_error(without) ** 2
    less = jackknife_standard_error(without, small) ** 2
    assert less == pytest.approx(whole - np.sum(small**2) / 4)
    assert jackknife_standard_error(without, 1e3 * small) ** 2 == pytest.approx(LEAST_SHARE * whole)


def test_intervals_of_bounded_statistics_stay_inside_and_lean():
    rng = np.random.default_rng(0)
    values = rng.exponential(size=30)
    without = (values.sum() - values) / 29
    low, high = jackknife_interval(values.mean(), without, 0.95, (0, np.inf))
    assert 0 < low < values.mean() < high
    assert high - values.mean() > values.mean() - low
    plain = jackknife_interval(values.mean(), without)
    assert high - low == pytest.approx(plain[1] - plain[0], rel=0.1)
    assert jackknife_interval(1.0, np.ones(5), 0.95, (0, 1)) == (1.0, 1.0)


def test_a_few_points_that_make_the_error_cost_degrees_of_freedom():
    rng = np.random.default_rng(0)
    assert degrees_of_freedom(rng.uniform(size=500)) == 499
    assert degrees_of_freedom(np.append(np.zeros(99), 1.0)) == 3
    assert 10 < degrees_of_freedom(rng.standard_t(5, size=500)) < 400
    assert degrees_of_freedom(np.ones(50)) == 49


@pytest.mark.parametrize(
    ("value", "leave_one_out"),
    [(1.0, None), (1.0, np.array([1.0])), (np.inf, np.ones(5)), (1.0, np.array([1.0, np.inf]))],
)
def test_none_where_none_is_honest(value, leave_one_out):
    assert jackknife_interval(value, leave_one_out) == (None, None)


@pytest.mark.parametrize("confidence", [0, 1, 95, 0.0, 1.0, True, "0.95", None])
def test_confidence_must_be_a_share(confidence):
    with pytest.raises(InputError, match="confidence: found"):
        check_confidence(confidence)


@pytest.mark.parametrize("in_sample", [True, False])
def test_covers_the_mean_over_fresh_draws(in_sample):
    rng = np.random.default_rng(1)
    turn = np.linalg.qr(rng.normal(size=(5, 5)))[0][:, :2]
    X_ref = None if in_sample else rng.normal(size=(150, 5))
    names = ("continuity", "knn_recall", "scaled_stress", "spearman", "triplet_accuracy")
    found: dict[str, list[tuple[float, float, float]]] = {name: [] for name in names}
    for _ in range(200):
        X = rng.normal(size=(80, 5))
        gathered = gather(X, X @ turn, X_ref, None if in_sample else X_ref @ turn, k=5)
        for name in names:
            measured = METRICS[name].measure(gathered)
            found[name].append((measured.value, *jackknife_interval(measured.value, measured.leave_one_out)))
    for name, draws in found.items():
        value, low, high = np.array(draws).T
        covered = np.mean((low <= value.mean()) & (value.mean() <= high))
        assert covered >= 0.9, f"{name}: {covered:.1%}"  # 95 % promised; 0.9 is 3 standard errors below
        assert np.mean(high - low) < 2 * 3.92 * value.std(), name


@pytest.mark.parametrize("value", [0.0, 1.0])
def test_scores_that_all_stand_at_a_bound_do_not_make_it_certain(value):
    low, high = jackknife_interval(value, np.full(50, value), bounds=(0, 1), rows=50)
    assert (low, high) == pytest.approx((0.0, 1 - 0.025 ** (1 / 50)) if value == 0 else (0.025 ** (1 / 50), 1.0))


def test_an_encoder_below_its_limit_rarely_looks_certain_where_failures_are_rare():
    rng = np.random.default_rng(0)
    passes = 0
    for _ in range(2000):
        rows = (rng.random(60) < 0.98).astype(float)  # each point is kept or lost
        low, _ = jackknife_interval(rows.mean(), (rows.sum() - rows) / 59, bounds=(0, 1), rows=60)
        passes += low >= 0.985
    assert passes / 2000 <= 0.025


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("size", [1e-200, 1e200, 1e300])
def test_of_values_whose_squares_leave_the_range_of_numbers(size):
    leave_one_out = 1 + 0.1 * np.random.default_rng(0).normal(size=40)
    plain = jackknife_interval(1.0, leave_one_out, bounds=(0, np.inf))
    scaled = jackknife_interval(size, leave_one_out * size, bounds=(0, np.inf))
    assert scaled == pytest.approx(tuple(end * size for end in plain), rel=1e-9)
