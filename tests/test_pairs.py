"""Differences of many estimates at once decide as their intervals do."""

from __future__ import annotations

import numpy as np
import pytest

from distbench.inference.estimate import Estimate
from distbench.inference.pairs import clear_differences


def estimates(kind, n=70, m=40):
    """Return estimates in groups that agree closely, some of them perfect, and all that estimates may have."""
    rng = np.random.default_rng(0)
    shared = rng.standard_t(3, size=(7, m))
    for number in range(n):
        without = 0.9 + 1e-3 * (shared[number % 7] + rng.choice([0, 1e-9, 0.1, 1]) * rng.standard_t(2, size=m))
        interaction = 2e-3 * rng.normal(size=(m, 4)) if kind == "interaction" else None
        yield Estimate(
            0.9 + rng.choice([0, 1e-3, 0.03, 3]) * rng.normal(),
            np.full(m, 0.9) if number % 9 == 0 else without,
            interaction if number % 5 else None,
            rows=m if kind == "failures" else None,
            replicates=((1e-3, 3),) * (number % 3) if kind == "replicates" else (),
            failure=0.5 * (number % 2) if kind == "failures" else 0.0,
        )


@pytest.mark.parametrize("kind", ["plain", "interaction", "replicates", "failures"])
@pytest.mark.parametrize("confidence", [0.95, 1 - 1e-5])
def test_clear_differences_are_those_of_the_intervals(kind, confidence):
    made = [*estimates(kind), None, Estimate(0.9, ends=(0.8, 0.95)), Estimate(np.inf, np.ones(40))]
    groups = [number % 2 for number in range(len(made))]
    clear = clear_differences(made, groups, confidence)
    assert (clear == clear.T).all()
    decided = {-1: 0, 0: 0, 1: 0}
    for i, j in zip(*np.triu_indices(len(made), 1), strict=True):
        decided[int(clear[i, j])] += groups[i] == groups[j]
        if clear[i, j]:
            assert groups[i] == groups[j]
            low, high = (made[i] - made[j]).interval(confidence)
            assert (clear[i, j] > 0) == (not low <= 0 <= high), (i, j)
    assert decided[0] < 0.45 * sum(decided.values()), "the rest is close, or has no arrays"
    assert min(decided[1], decided[-1]) > 50
