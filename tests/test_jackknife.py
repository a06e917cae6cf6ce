"""Intervals by the jackknife: the formulas of `docs/intervals.md` a second time, and coverage on fresh draws."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import t as student

from distbench.engine import gather
from distbench.errors import InputError
from distbench.inference.jackknife import (
    allow_unseen_failures,
    check_confidence,
    degrees_of_freedom,
    jackknife_interval,
    jackknife_standard_error,
)
from distbench.metrics import METRICS


def test_against_train_points_only_is_that_of_a_mean():
    rng = np.random.default_rng(0)
    X, X_ref = rng.normal(size=(40, 4)), rng.normal(size=(200, 4))
    gathered = gather(X, X[:, :2], X_ref, X_ref[:, :2], k=5, include_queries=False)
    measured = METRICS["continuity"].measure(gathered)
    expected = measured.points.std(ddof=1) / np.sqrt(40)
    assert jackknife_standard_error(measured.leave_one_out) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize(
    ("value", "leave_one_out"),
    [(1.0, None), (1.0, np.array([1.0])), (np.inf, np.ones(5)), (np.nan, np.ones(2)), (1.0, np.array([1.0, np.inf]))],
)
def test_none_where_none_is_honest(value, leave_one_out):
    assert jackknife_interval(value, leave_one_out) == (None, None)


def test_confidence_must_be_a_share():
    for confidence in (0, 1, 95, 0.0, 1.0, True, "0.95", None):
        with pytest.raises(InputError, match="confidence: found"):
            check_confidence(confidence)


@pytest.mark.parametrize("in_sample", [True, False])
def test_covers_the_mean_over_fresh_draws(in_sample):
    rng = np.random.default_rng(1)
    turn = np.linalg.qr(rng.normal(size=(5, 5)))[0][:, :2]
    X_ref = None if in_sample else rng.normal(size=(150, 5))
    names = ("continuity", "knn_recall", "scaled_stress", "spearman", "triplet_accuracy")
    intervals = {name: [] for name in names}
    for _ in range(200):
        X = rng.normal(size=(80, 5))
        gathered = gather(X, X @ turn, X_ref, None if in_sample else X_ref @ turn, k=5)
        for name in names:
            measured = METRICS[name].measure(gathered)
            intervals[name].append((measured.value, *jackknife_interval(measured.value, measured.leave_one_out)))
    for name, draws in intervals.items():
        value, low, high = np.array(draws).T
        covered = np.mean((low <= value.mean()) & (value.mean() <= high))
        assert covered >= 0.9, f"{name}: {covered:.1%}"  # 95 % promised; 0.9 is 3 standard errors below
        assert np.mean(high - low) < 2 * 3.92 * value.std(), name


def test_an_encoder_below_its_limit_rarely_looks_certain_where_failures_are_rare():
    rng = np.random.default_rng(0)
    passes = 0
    for _ in range(2000):
        rows = (rng.random(60) < 0.98).astype(float)  # each point is kept or lost
        ends = jackknife_interval(rows.mean(), (rows.sum() - rows) / 59, bounds=(0, 1))
        low, _ = allow_unseen_failures(ends, rows.mean(), 1.0, 60, bounds=(0, 1))
        passes += low >= 0.985
    assert passes / 2000 <= 0.025


class TestIntervals:
    """The formulas."""

    VALUES = np.random.default_rng(0).beta(5, 2, size=20)

    def without(self):
        return (self.VALUES.sum() - self.VALUES) / 19

    def quantile(self, without, confidence):
        squares = (without - without.mean()) ** 2
        kurtosis = 20 * np.sum((squares / squares.sum()) ** 2)
        freedom = np.clip(2 * 20 / (kurtosis - 1), 3, 19)
        assert degrees_of_freedom(without) == pytest.approx(freedom, rel=1e-12)
        return student.ppf((1 + confidence) / 2, freedom)

    @pytest.mark.filterwarnings("error")
    @pytest.mark.parametrize("bounds", [(-np.inf, np.inf), (0.0, np.inf), (0.0, 1.0), (-1.0, 2.0)])
    @pytest.mark.parametrize("confidence", [0.8, 0.95])
    @pytest.mark.parametrize("interacting", [False, True])
    def test_are_symmetric_on_their_scale(self, bounds, confidence, interacting):
        low, high = bounds
        forward, back = {
            (False, False): (lambda v: v, lambda w: w),
            (True, False): (lambda v: np.log(v - low), lambda w: low + np.exp(w)),
            (True, True): (
                lambda v: np.log((v - low) / (high - v)),
                lambda w: (low + high * np.exp(w)) / (1 + np.exp(w)),
            ),
        }[np.isfinite(low), np.isfinite(high)]
        value, without = self.VALUES.mean(), self.without()
        interaction = 0.003 * np.random.default_rng(1).normal(size=(20, 4)) if interacting else None
        moved = forward(without)
        variance = 19 / 20 * np.sum((moved - moved.mean()) ** 2)
        if interacting:
            slope = (forward(value + 1e-6) - forward(value - 1e-6)) / 2e-6
            less = variance - np.sum((slope * interaction) ** 2) / 4
            assert less > 0.4 * variance
            variance = less
        half = self.quantile(without, confidence) * np.sqrt(variance)
        expected = back(forward(value) - half), back(forward(value) + half)
        assert jackknife_interval(value, without, confidence, bounds, interaction) == pytest.approx(expected, rel=1e-6)
        for size in (1e150, 1e-170):
            scaled = tuple(end * size for end in bounds)
            more = None if interaction is None else interaction * size
            ends = jackknife_interval(value * size, without * size, confidence, scaled, more)
            assert np.divide(ends, size) == pytest.approx(expected, rel=1e-6)

    def test_at_a_bound_nothing_is_stretched(self):
        for edge, bounds in ((1.0, (0.0, 1.0)), (0.0, (0.0, 2.0))):
            without = np.append(self.without(), edge)
            low, high = jackknife_interval(without.mean(), without)
            expected = max(low, bounds[0]), min(high, bounds[1])
            assert jackknife_interval(without.mean(), without, 0.95, bounds) == pytest.approx(expected)

    def test_of_two_points_there_is_one(self):
        low, high = jackknife_interval(1.5, np.array([1.0, 2.0]))
        half = student.ppf(0.975, 1) * np.sqrt(1 / 2 * 0.5)
        assert (low, high) == pytest.approx((1.5 - half, 1.5 + half))

    def test_degrees_of_freedom_at_their_ends(self):
        assert degrees_of_freedom(np.array([1.0, 2.0, 4.0, 9.0])) == 3  # four points: no kurtosis to speak of
        assert degrees_of_freedom(np.append(np.zeros(40), 1.0)) == 3
        assert degrees_of_freedom(np.ones(7)) == 6
        assert degrees_of_freedom(np.array([1.0, -1.0] * 5)) == 9
        assert degrees_of_freedom(np.array([3.0])) == 0

    def test_the_more_points_have_no_failure_the_more_their_own_variance_counts(self):
        rng = np.random.default_rng(2)
        without, interaction = 0.9 + 0.01 * rng.normal(size=20), 0.001 * rng.normal(size=(20, 4))
        for failures in (20, 12, 1):
            losses = np.append(np.zeros(20 - failures), 0.01 * rng.integers(1, 4, failures))
            ends = jackknife_interval(0.9, without, 0.95, (0, 1), interaction, losses, 0.01)
            moved, slope, share = np.log(without / (1 - without)), 1 / 0.9 / 0.1, 1 - failures / 20
            variance = jackknife_standard_error(moved, slope * interaction) ** 2
            variance = (1 - share) * variance + share * slope**2 * losses.var(ddof=1) / 20
            half = self.quantile(without, 0.95) * np.sqrt(variance)
            odds = np.exp(np.log(0.9 / 0.1) + half * np.array([-1, 1]))
            assert ends == pytest.approx(tuple(odds / (1 + odds)), rel=1e-9)

    def test_failures_that_no_point_shows_are_allowed_for(self):
        share = 1 - 0.05 ** (1 / 8)
        assert allow_unseen_failures((1.0, 1.0), 1.0, 0.1, 8, 0.9, (0, 1)) == pytest.approx((1 - 0.1 * share, 1.0))
        assert allow_unseen_failures((2.0, 2.0), 2.0, 2.0, 8, 0.9, (2, 4)) == pytest.approx((2.0, 2 + 2 * share))
        assert allow_unseen_failures((0.3, 0.6), 0.5, 0.1, 8, 0.9, (0, 1)) == (0.3, 0.6)
        assert allow_unseen_failures((0.5, 0.5), 0.5, 0.0, 8) == (0.5, 0.5)
        assert allow_unseen_failures((None, None), 0.5, 0.1, 8) == (None, None)

    def test_what_is_counted_twice_leaves_two_fifths(self):
        without = self.without()
        whole = jackknife_standard_error(without)
        assert whole == pytest.approx(np.sqrt(19 / 20 * np.sum((without - without.mean()) ** 2)), rel=1e-13)
        assert jackknife_standard_error(without, np.ones((20, 4))) == pytest.approx(whole * np.sqrt(0.4), rel=1e-13)
        share = whole * np.sqrt(0.3 / 20)
        assert jackknife_standard_error(without, np.full((20, 4), share)) == pytest.approx(whole * np.sqrt(0.7))
