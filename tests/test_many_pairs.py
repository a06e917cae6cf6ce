"""Comparisons of all pairs at once say what the interval of each difference says."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from distbench.inference.estimate import Estimate
from distbench.inference.many_pairs import kind_of, sure_differences


def estimates(with_interaction, scale=1.0, number=40, m=30):
    """Return estimates of several kinds of spread: alike, equal, of several seeds, with failures that none shows."""
    rng = np.random.default_rng(7)
    shared = rng.normal(size=m)
    found = []
    for place in range(number):
        value, spread = 0.5 + 0.002 * place, 0.002 * (1 + place % 3)
        without = value + spread * (shared + 0.3 * rng.standard_t(3, size=m)) / m
        interaction = spread * rng.normal(size=(m, 8)) / m if with_interaction else None
        seeds = ((0.001, 4),) if place % 4 == 0 else ()
        found.append(Estimate(value, without, interaction, (0, 1), m, seeds, failure=0.01 * (place % 2)))
    found += [found[3], replace(found[3], value=found[3].value + 1e-4)]
    return [
        replace(
            e,
            value=e.value * scale,
            leave_one_out=e.leave_one_out * scale,
            interaction=None if e.interaction is None else e.interaction * scale,
        )
        for e in found
    ]


@pytest.mark.parametrize("scale", [1.0, 1e-170, 1e170])
@pytest.mark.parametrize("with_interaction", [True, False])
def test_what_is_sure_agrees_with_the_interval_of_each_difference(with_interaction, scale):
    found, confidence, seen = estimates(with_interaction, scale), 0.99, []
    for place, signs in enumerate(sure_differences(found, confidence)):
        assert len(signs) == place
        for other, sign in zip(found[:place], signs.tolist(), strict=True):
            low, high = (other - found[place]).interval(confidence)
            assert sign in (0, -1 if low <= 0 <= high else 1)
            seen.append(sign)
    assert (seen.count(0) < 5) == (scale == 1.0), "nearly all are sure, unless their squares leave the range of numbers"
    assert {-1, 1} <= set(seen) or scale != 1.0


def test_only_estimates_with_finite_values_of_two_points_are_compared_at_once():
    one = estimates(True)[0]
    assert kind_of(one) == (30, (30, 8))
    for other in (None, replace(one, leave_one_out=None), replace(one, leave_one_out=np.ones(1)), Estimate(np.inf)):
        assert kind_of(other) is None
    assert kind_of(replace(one, leave_one_out=np.full(30, np.inf))) is None
    assert list(sure_differences([], 0.95)) == []
