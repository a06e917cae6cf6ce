"""Estimates: differences and means of statistics on the same points."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import distbench
from distbench.inference.estimate import Estimate, difference_of_intervals, mean_of, mean_of_intervals
from distbench.inference.jackknife import add_draws, jackknife_interval
from distbench.metrics import METRICS

RNG = np.random.default_rng(0)
A, B = (Estimate(0.5 + n, RNG.normal(size=9), RNG.normal(size=(9, 2)), (0, 2), 9) for n in range(2))


def test_a_difference_is_paired_and_unbounded():
    difference = A - B
    low, high = difference.interval(0.9)
    moved, twice = A.leave_one_out - B.leave_one_out, A.interaction - B.interaction
    assert (low, high) == jackknife_interval(-1.0, moved, 0.9, interaction=twice)


@pytest.mark.parametrize("other", [Estimate(1.0), Estimate(1.0, np.ones(4)), Estimate(math.inf, np.full(9, math.inf))])
def test_no_interval_between_other_points_or_infinite_values(other):
    assert (A - other).interval() == (None, None)
    assert Estimate.mean([A, other]).interval() == (None, None)


def test_a_mean_keeps_bounds_and_its_share_of_the_draws():
    stochastic = Estimate(A.value, A.leave_one_out, A.interaction, A.bounds, A.rows, ((0.2, 5),))
    mean = Estimate.mean([stochastic, B])
    without, twice = (A.leave_one_out + B.leave_one_out) / 2, (A.interaction + B.interaction) / 2
    points = jackknife_interval(1.0, without, 0.95, (0, 2), twice)
    assert mean.interval() == add_draws(points, 1.0, 0.1, 5, bounds=(0, 2))
    assert Estimate.mean([A, Estimate(1.0, A.leave_one_out)]).interaction is None


def test_means_of_ends_and_of_values():
    assert mean_of_intervals([(0.0, 1.0), (1.0, 4.0)]) == (0.5, 2.5)
    assert mean_of_intervals([(0.0, None), (1.0, 4.0)]) == (0.5, None)
    assert mean_of_intervals([]) == (None, None)
    assert mean_of([1.0, math.inf]) == math.inf
    assert math.isnan(mean_of([-math.inf, math.inf]))


def test_intervals_of_independent_values_add_as_variances_do():
    assert difference_of_intervals(5.0, (2.0, 6.0), 1.0, (-1.0, 5.0)) == (4 - 5, 4 + math.hypot(1, 2))
    assert difference_of_intervals(5.0, (2.0, 6.0), 1.0, (None, None)) == (None, None)
    assert difference_of_intervals(math.inf, (2.0, 6.0), 1.0, (0.0, 1.0)) == (None, None)


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
