"""Values and intervals are the same for every order of the rows, samples included."""

from __future__ import annotations

import numpy as np
import pytest
from clouds import ALL, FEW, MANY, SETTINGS, Split, cloud, gathered, split
from hypothesis import given, settings
from hypothesis import strategies as st
from nightly import over_all

import distbench
from distbench import metrics
from distbench.engine import canonical_order as ordering
from distbench.engine import gather, rank_correlation, rnx_curve, sampled_pairs, triplets
from distbench.engine.canonical_order import canonical_order, inverse
from distbench.engine.random_signs import signs_of
from distbench.inference import attainable as attainable_values
from distbench.inference import floors
from distbench.inference.attainable import attainable
from distbench.inference.chance import chance
from distbench.inference.estimate import Estimate
from distbench.metrics import METRICS
from distbench.metrics.user_metrics import with_metric_inputs

CLOUDS = {
    "normal": ("plain", FEW, 2),
    "duplicates": ("duplicates", FEW, 2),
    "whole numbers": ("quantised", FEW, 2),
    "binary codes": ("binary", MANY, 8),
    "products of matrices": ("plain", MANY, MANY - 1),
}
POINTS, K = 150, 5


@pytest.fixture
def _small_samples(monkeypatch):
    """Make every family of statistics draw a sample from so few points."""
    rnx_curve.sampled_queries.cache_clear()
    monkeypatch.setattr(rnx_curve, "MAX_RANKS", 3_000)
    monkeypatch.setattr(sampled_pairs, "MAX_PAIRS", 800)
    monkeypatch.setattr(rank_correlation, "SAMPLE_PAIRS", 2_000)
    monkeypatch.setattr(triplets, "MAX_COMPARISONS", POINTS * 20**2)
    monkeypatch.setattr(triplets, "MIN_CANDIDATES", 10)
    yield
    rnx_curve.sampled_queries.cache_clear()


def results(points: Split):
    """Return value, low and high of every metric, a row each."""
    statistics, rows = gathered(points, K), []
    for name in ALL:
        measured = METRICS[name].measure(statistics)
        count = None if measured.points is None else len(measured.points)
        estimate = Estimate.of_metric(name, measured.value, measured.leave_one_out, measured.interaction, count)
        rows.append([measured.value, *estimate.interval()])
    return np.array(rows, dtype=float)


def permuted(points: Split, rng):
    """Return the same points in another order, queries and references apart."""
    tests, others = (rng.permutation(len(X)) if X is not None else None for X in (points.X, points.X_ref))
    arrays = [values[tests] for values in (points.X, points.Z, points.labels)]
    if others is not None:
        arrays += [values[others] for values in (points.X_ref, points.Z_ref, points.labels_ref)]
    return Split(*arrays, *[None] * (6 - len(arrays)), points.include)


def check(name, setting, orders, queries=2 * POINTS // 3):
    kind, d, dim = CLOUDS[name]
    points, rng = split(*cloud(kind, POINTS, 3, d, dim), setting, queries), np.random.default_rng(0)
    expected = results(points)
    for _ in range(orders):
        np.testing.assert_allclose(results(permuted(points, rng)), expected, rtol=1e-9, atol=1e-9)


@over_all(("name", "setting"), CLOUDS, SETTINGS, stand={("duplicates", "train only"), ("binary codes", "in sample")})
def test_of_all_pairs(name, setting):
    check(name, setting, 40)


@pytest.mark.usefixtures("_small_samples")
@over_all(("name", "setting"), CLOUDS, SETTINGS, stand={("whole numbers", "train and test"), ("normal", "in sample")})
def test_of_samples(name, setting):
    check(name, setting, 40)


def scores(X, Z, reference=None, **options):
    """Return value, low and high of each default metric."""
    report = distbench.evaluate_codes(X, Z, reference=reference, k=K, **options)
    return {name: (score.value, score.low, score.high) for name, score in report.items()}


@pytest.mark.parametrize("options", [{"queries": 60}, {"precision": {"continuity": 0.02}, "queries": 40}])
def test_of_queries_that_are_drawn(options):
    X, Z, _ = cloud("duplicates", POINTS)
    expected, rng = scores(X, Z, **options), np.random.default_rng(0)
    for _ in range(10):
        order = rng.permutation(POINTS)
        found = scores(X[order], Z[order], **options)
        for name, (value, low, high) in expected.items():
            assert found[name] == (
                pytest.approx(value, rel=1e-9),
                low if low is None else pytest.approx(low, rel=1e-9),
                high if high is None else pytest.approx(high, rel=1e-9),
            ), name


def test_of_metrics_of_users():
    @metrics.point_metric(direction="down")
    def spread(inputs):
        a, b = inputs.distances()
        return np.abs(a - b).mean(axis=1)

    X, Z, _ = cloud("duplicates", POINTS)
    order = np.random.default_rng(0).permutation(POINTS)
    one, two = (gather(X[rows], Z[rows], k=K) for rows in (np.arange(POINTS), order))
    without = [
        spread.measure(with_metric_inputs(statistics, (X[rows], Z[rows]), None, True)).leave_one_out
        for statistics, rows in ((one, np.arange(POINTS)), (two, order))
    ]
    assert len(set(np.round(without[0], 12))) > 30
    np.testing.assert_allclose(np.sort(without[1]), np.sort(without[0]), rtol=1e-12)


def test_of_shuffled_codes_floors_and_attainable_values(monkeypatch):
    monkeypatch.setattr(attainable_values, "MAX_POINTS", 40)
    monkeypatch.setattr(floors, "MAX_POINTS", 60)
    X, Z, _ = cloud("duplicates", POINTS)
    order, others = np.random.default_rng(0).permutation(100), 100 + np.random.default_rng(1).permutation(50)
    X[:100], Z[:100] = X[order[order]], Z[order[order]]
    rows = np.arange(100), np.arange(100, POINTS)
    for name in ("scaled_stress", "kendall"):
        one, two = (
            chance(X[tests], Z[tests], name, reference=(X[more], Z[more])) for tests, more in (rows, (order, others))
        )
        assert two == pytest.approx(one, rel=1e-9)
    assert attainable(X[order], 2, k=K) == attainable(X[rows[0]], 2, k=K)
    assert floors.floors(X[order], 1, k=K) == pytest.approx(floors.floors(X[rows[0]], 1, k=K), rel=1e-9)


class TestCanonicalOrder:
    @settings(deadline=None)
    @given(n=st.integers(1, 40), d=st.integers(1, 5), levels=st.integers(1, 4), seed=st.integers(0, 2**32 - 1))
    def test_it_is_that_of_the_set_of_points_with_their_codes(self, n, d, levels, seed):
        rng = np.random.default_rng(seed)
        X, Z = rng.integers(0, levels, (n, d)) - 0.0, rng.integers(0, 2, (n, 1)) / 3
        rows = rng.permutation(n)
        one, two = canonical_order(X, Z), rows[canonical_order(X[rows], Z[rows])]
        assert sorted(one) == list(range(n))
        np.testing.assert_array_equal(np.hstack([X, Z])[one], np.hstack([X, Z])[two])
        np.testing.assert_array_equal(X[canonical_order(X)], X[one])  # equal for all codes

    @pytest.mark.parametrize("dtype", [np.float32, np.int16, bool])
    def test_it_is_that_of_the_values(self, dtype):
        X = (10 * np.random.default_rng(0).normal(size=(300, 3))).astype(dtype)
        order = canonical_order(np.ascontiguousarray(X, dtype=np.float64))
        np.testing.assert_array_equal(canonical_order(X), order)
        zeros = np.where(X == 0, -0.0, X)
        np.testing.assert_array_equal(canonical_order(zeros), order)

    @pytest.mark.parametrize("values", [2, 256])
    def test_rows_that_differ_have_other_hashes(self, values):
        """Whole numbers have few bits that differ, and rows of the same numbers are not the same row."""
        rows = np.random.default_rng(0).integers(0, values, (20_000, 24)).astype(float)
        assert len(np.unique(ordering.row_hashes(rows))) == len(np.unique(rows, axis=0))

    def test_it_looks_random(self):
        places = inverse(canonical_order(np.arange(5_000.0)[:, None]))
        assert abs(np.corrcoef(places, np.arange(5_000))[0, 1]) < 4 / np.sqrt(5_000)

    def test_equal_rows_have_other_signs(self):
        signs = signs_of(gather(np.repeat(np.eye(4), 100, axis=0), np.ones((400, 1)), k=K).places)
        assert set(np.unique(signs[:100])) == set(range(16))

    def test_large_arrays_are_not_read_again(self, monkeypatch):
        X = np.random.default_rng(0).normal(size=(20, 3))
        monkeypatch.setattr(ordering, "HASHED_BYTES", X.nbytes - 1)
        assert canonical_order(X).tolist() == list(range(20))


def test_one_sign_a_point_for_all_codes_without_equal_rows():
    X, Z, _ = cloud("plain", POINTS)
    one, two = (gather(X, codes, k=K).places for codes in (Z, Z[::-1].copy()))
    np.testing.assert_array_equal(one, two)


def test_equal_points_are_in_the_order_of_their_codes():
    X = np.repeat(np.arange(12.0).reshape(6, 2), 4, axis=0)
    Z = np.random.default_rng(2).normal(size=(24, 2))
    order, rows = ordering.canonical_order(X, Z), np.random.default_rng(3).permutation(24)
    assert np.array_equal(rows[ordering.canonical_order(X[rows], Z[rows])], order)
