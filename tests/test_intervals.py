"""Intervals by the jackknife: the textbook's standard error, coverage on fresh draws, and where there is none."""

from __future__ import annotations

import numpy as np
import pytest

from distbench.engine import gather
from distbench.errors import InputError
from distbench.inference.intervals import check_confidence, jackknife_interval, jackknife_standard_error
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
    assert low99 < low95 < values.mean() < high95
    assert high95 == 1.0


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
