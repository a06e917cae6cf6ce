"""Estimates: differences and means of statistics on the same points."""

from __future__ import annotations

import math

import numpy as np
import pytest

from distbench.inference.estimate import Estimate, difference_of_intervals, mean_of, mean_of_intervals
from distbench.inference.jackknife import add_draws, jackknife_interval

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
    points = jackknife_interval(1.0, without, 0.95, (0, 2), twice, 9)
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
