"""The isometries among the baselines keep distances, which a sigmoid after them bends."""

from __future__ import annotations

import numpy as np
import pytest
from frameworks import needs
from scipy.spatial.distance import pdist

from distbench import evaluate, load_dataset
from distbench.baselines import fit_baseline

pytestmark = needs("keras", "tensorflow")

NAMES = ["isometry", "isometry_projection", "isometry_sigmoid"]
X = np.random.default_rng(0).normal(size=(80, 6)) * [5, 4, 3, 2, 1, 1] + 100
DEGENERATE = {
    "constant column": np.concatenate([X, np.ones((80, 1))], axis=1),
    "20 rows": X[:20],
    "duplicates": np.repeat(X[:20], 3, axis=0),
    "large": X * 1e6,
    "one column": X[:, :1],
}


def codes_of(name, points=X, code_size=2, seed=0, **options):
    return fit_baseline(name, points, code_size, seed, **options).encode(points)


@pytest.mark.parametrize("points", DEGENERATE.values(), ids=DEGENERATE)
def test_an_isometry_keeps_all_distances_and_all_codes_are_finite(points):
    a, b = pdist(points), pdist(codes_of("isometry", points))
    np.testing.assert_allclose(b, a, rtol=2e-6, atol=2e-6 * np.abs(points - points.mean(axis=0)).max())
    for name in NAMES:
        assert np.isfinite(codes_of(name, points, code_size=1)).all()


@pytest.mark.parametrize("code_size", [1, 3, 6])
def test_a_projection_lets_no_distance_grow(code_size):
    a, b = pdist(X), pdist(codes_of("isometry_projection", code_size=code_size))
    assert (b <= a * (1 + 1e-5)).all()
    assert np.allclose(a, b, rtol=1e-5) == (code_size == 6)


def test_the_sigmoid_bends_distances_the_more_the_steeper_it_is():
    def bend(gain):
        ratios = pdist(codes_of("isometry_sigmoid", gain=gain)) / pdist(X)
        return float(ratios.std() / ratios.mean())

    gentle, usual, steep = bend(0.01), bend(4.0), bend(40.0)
    assert gentle < 1e-3 < 0.02 < usual < steep
    np.testing.assert_allclose(pdist(codes_of("isometry_sigmoid", gain=0.01)), pdist(X), rtol=1e-2)


def test_new_points_keep_their_distances_until_the_sigmoid_of_them():
    isometry, squashed = (fit_baseline(name, X, 2) for name in ("isometry", "isometry_sigmoid"))
    new = np.random.default_rng(1).normal(size=(50, 6)) * 30
    np.testing.assert_allclose(pdist(isometry.encode(new)), pdist(new), rtol=1e-5)
    inner = isometry.encode(X) / isometry.units.scale
    expected = isometry.units.scale / (1 + np.exp(-4 * inner))
    np.testing.assert_allclose(squashed.encode(X), expected, rtol=1e-5)


@pytest.mark.nightly
def test_on_digits_only_the_sigmoid_loses_distances():
    data = load_dataset("digits")
    kept, bent = (
        evaluate(fit_baseline(name, data.train, 2), data.test, reference=data.train)
        for name in ("isometry", "isometry_sigmoid")
    )
    assert kept["stress"].value < 1e-5
    assert kept["distortion"].value < 1.0001
    assert bent["stress"].value > 0.1
    assert bent["distortion"].value > 1.2
