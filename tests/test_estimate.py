"""Estimates: differences and means of statistics on the same points."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import stdtrit

import distbench
from distbench.inference.estimate import Estimate, mean_of
from distbench.inference.jackknife import add_replicates, jackknife_interval
from distbench.metrics import METRICS

RNG = np.random.default_rng(0)
A, B = (Estimate(0.5 + n, RNG.normal(size=9), RNG.normal(size=(9, 2)), (0, 2), 9) for n in range(2))


def test_a_difference_is_paired_and_unbounded():
    difference = A - B
    low, high = difference.interval(0.9)
    moved, twice = A.leave_one_out - B.leave_one_out, A.interaction - B.interaction
    assert (low, high) == jackknife_interval(-1.0, moved, 0.9, interaction=twice)


@pytest.mark.parametrize("other", [Estimate(1.0), Estimate(1.0, np.ones(4)), Estimate(math.inf, np.full(9, math.inf))])
def test_no_interval_without_one_of_each_value_or_of_infinite_values(other):
    without_arrays = Estimate(A.value, bounds=A.bounds)
    assert (without_arrays - other).interval() == (None, None)
    assert Estimate.mean([without_arrays, other]).interval() == (None, None)


def test_a_mean_over_seeds_has_the_variance_of_training():
    stochastic = Estimate(A.value, A.leave_one_out, A.interaction, A.bounds, A.rows, ((0.2, 5),))
    mean = Estimate.mean([stochastic, B])
    without, twice = (A.leave_one_out + B.leave_one_out) / 2, (A.interaction + B.interaction) / 2
    points = jackknife_interval(1.0, without, 0.95, (0, 2), twice)
    assert mean.interval() == add_replicates(points, 1.0, abs(A.value - B.value) / 2**0.5, 2, bounds=(0, 2))
    assert Estimate.mean([A, Estimate(1.0, A.leave_one_out)]).interaction is None
    assert Estimate.mean([stochastic]) is stochastic


def test_equal_values_of_all_seeds_add_no_variance():
    assert Estimate.mean([A, A, A]).interval() == pytest.approx(A.interval())
    assert Estimate.mean([A, A]).replicates == ()


def test_without_leave_one_out_values_the_ends_are_averaged_and_seeds_added():
    values = [Estimate(0.5, ends=(0.0, 1.0)), Estimate(1.5, ends=(1.0, 4.0))]
    assert Estimate.mean(values).interval() == add_replicates((0.5, 2.5), 1.0, 0.5**0.5, 2)
    assert Estimate.mean([values[0], Estimate(1.0)]).interval() == (None, None)


def test_means_of_values_may_be_infinite():
    assert mean_of([1.0, math.inf]) == math.inf
    assert math.isnan(mean_of([-math.inf, math.inf]))


def test_intervals_of_independent_values_add_as_variances_do():
    a, b = Estimate(5.0, ends=(2.0, 6.0)), Estimate(1.0, ends=(-1.0, 5.0))
    assert (a - b).interval() == (4 - 5, 4 + math.hypot(1, 2))
    assert (a - Estimate(1.0)).interval() == (None, None)
    assert (Estimate(math.inf, ends=(2.0, 6.0)) - b).interval() == (None, None)


def test_both_encoders_add_the_variance_of_their_trainings():
    a, b = (Estimate.mean([Estimate(v, ends=(v, v)) for v in values]) for values in ((1.0, 2.0, 3.0), (5.0, 5.0)))
    half = stdtrit(2, 0.975) / 3**0.5
    assert (a - b).interval() == pytest.approx((-3 - half, -3 + half))


@given(threshold=st.floats(-3, 5))
def test_the_p_value_is_where_the_interval_ends(threshold):
    p = A.p_value(threshold)
    for alpha, excludes in ((min(1.0, p * 1.03), True), (p * 0.97, False)):
        low, high = A.interval(1 - alpha) if alpha < 1 else (A.value, A.value)
        if 1e-9 < alpha < 0.97:
            assert (not low <= threshold <= high) == excludes


def test_an_interval_without_leave_one_out_values_grows_with_the_confidence():
    low, high = Estimate(1.0, bounds=(0.0, 9.0), ends=(0.5, 2.0)).interval(0.99)
    factor = 2.5758 / 1.95996
    assert (low, high) == pytest.approx((1 - 0.5 * factor, 1 + factor), abs=1e-4)
    assert Estimate(1.0).p_value() is None


@settings(deadline=None)
@given(
    metric=st.sampled_from([name for name, metric in METRICS.items() if metric.least_failure]),
    m=st.integers(2, 400),
    failing=st.floats(0, 1),
    seed=st.integers(0, 99),
)
def test_no_single_scores_have_a_better_interval_than_perfect_ones(metric, m, failing, seed):
    rng = np.random.default_rng(seed)
    (low, high), up = METRICS[metric].bounds, METRICS[metric].direction == "up"
    best = high if up else low
    failure = METRICS[metric].least_failure(5, 80, m)
    losses = failure * (rng.random(m) < failing) * rng.integers(1, 4, m)
    changes = failure * rng.integers(-1, 2, m)
    ends = []
    for loss, change, kept in ((0 * losses, changes, True), (losses, changes, True), (losses, 0 * changes, False)):
        points = best - loss if up else best + loss
        without = (points.sum() - points + change) / (m - 1)
        interaction = np.outer(change, rng.choice([-1, 1], 4)) / m if kept else None
        estimate = Estimate.of_metric(
            metric, float(points.mean()), without, interaction, points if kept else None, (5, 80, m)
        )
        ends.append(estimate.interval()[0 if up else 1])
    perfect, *others = ends
    for other in others:
        assert perfect >= other if up else perfect <= other
    assert perfect != best


def test_the_difference_of_two_perfect_scores_allows_for_points_that_were_not_seen():
    perfect = Estimate.of_metric("continuity", 1.0, np.ones(15), counts=(3, 40, 15))
    low, high = (perfect - perfect).interval()
    assert (low, high) == pytest.approx((perfect.interval()[0] - 1, 1 - perfect.interval()[0]))
    assert low < 0 < high


@settings(deadline=None)
@given(
    m=st.integers(15, 120),
    columns=st.integers(1, 6),
    amplitude=st.floats(1e-7, 0.05),
    setting=st.sampled_from(["in sample", "train only", "train and test"]),
)
def test_an_identity_meets_every_limit_that_a_bent_one_meets(m, columns, amplitude, setting):
    check_identity(m, columns, amplitude, setting)


def test_an_identity_of_1000_points_meets_every_limit_that_a_bent_one_meets():
    for setting in ("in sample", "train only", "train and test"):
        check_identity(1_000, 3, 0.004, setting)


def check_identity(m, columns, amplitude, setting):
    rng = np.random.default_rng(m)
    X, X_ref = rng.normal(size=(m, columns)), rng.normal(size=(200, columns))
    reports = []
    for encoder in (lambda x: x, lambda x: x + amplitude * np.sin(7 * x)):
        reference = None if setting == "in sample" else (X_ref, encoder(X_ref))
        options = {"k": min(10, m // 3), "include_queries": setting != "train only"}
        reports.append(distbench.evaluate_codes(X, encoder(X), reference=reference, **options))
    identity, bent = reports
    for name, score in identity.items():
        if score.low is not None and bent[name].low is not None:
            if score.direction == "up":
                assert score.low >= bent[name].low - 1e-12, name
            else:
                assert score.high <= bent[name].high + 1e-12, name
