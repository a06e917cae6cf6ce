"""Metrics against scikit-learn, against chance, on samples, and properties that hold for any points.

Against their definitions: `test_definitions.py`.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from clouds import ALL, FEW, FIRST_ORDER, KINDS, MANY, RANKED, SETTINGS, Split, cloud, measure, split
from hypothesis import given, settings
from hypothesis import strategies as st
from oracles import definitions
from scipy.stats import kendalltau, spearmanr
from sklearn.manifold import trustworthiness as sklearn_trustworthiness

import distbench.metrics as metrics
from distbench.engine import sampled_pairs
from distbench.errors import InputError
from distbench.metrics import METRICS

ERRORS = ("mrre_input", "mrre_code", "lcmc", "rnx_auc")
WITHIN = {"spearman": 1e-9, "kendall": 1e-9, "nonmetric_stress": 1e-6}
TAME = tuple(kind for kind in KINDS if kind not in ("mixed scales", "outlier"))


def assert_same(left, right, names=ALL, rel=1e-9):
    for name in names:
        assert left[name].value == pytest.approx(right[name].value, rel=rel, abs=1e-7), name


class TestAnyPoints:
    """Properties that hold for any points."""

    @settings(deadline=None, max_examples=25)
    @given(
        kind=st.sampled_from(TAME),
        n=st.integers(12, 60),
        d=st.sampled_from([FEW, MANY]),
        seed=st.integers(0, 2**32 - 1),
    )
    def test_order_of_rows_changes_nothing(self, kind, n, d, seed):
        X, Z, labels = cloud(kind, n, seed, d)
        order = np.random.default_rng(seed).permutation(n)
        one, two = measure(Split(X, Z, labels), 4), measure(Split(X[order], Z[order], labels[order]), 4)
        assert_same(one, two)
        for name in ALL:
            for part in ("leave_one_out", "points"):
                left, right = getattr(one[name], part), getattr(two[name], part)
                if left is not None:
                    np.testing.assert_allclose(left[order], right, rtol=1e-8, atol=1e-8, err_msg=f"{name} {part}")

    @settings(deadline=None, max_examples=25)
    @given(seed=st.integers(0, 10_000), angle=st.floats(0, 6.3), shift=st.floats(-100, 100))
    def test_rotation_and_translation_of_codes_change_nothing(self, seed, angle, shift):
        X, Z, labels = cloud("plain", 40, seed)
        turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        assert_same(measure(Split(X, Z, labels), 4), measure(Split(X, Z @ turn + shift, labels), 4), rel=1e-8)

    @settings(deadline=None, max_examples=25)
    @given(
        kind=st.sampled_from(TAME),
        n=st.integers(12, 60),
        seed=st.integers(0, 2**32 - 1),
        exponent=st.integers(-400, 400),
    )
    def test_scale_of_codes_changes_nothing_where_scale_free(self, kind, n, seed, exponent):
        X, Z, labels = cloud(kind, n, seed)
        names = [name for name in ALL if METRICS[name].scale_free]
        one, two = (measure(Split(X, codes, labels), 4, names) for codes in (Z, np.ldexp(Z, exponent)))
        assert_same(one, two, names)

    @settings(deadline=None, max_examples=25)
    @given(
        seed=st.integers(0, 10_000),
        d=st.sampled_from([FEW, MANY]),
        steps=st.sampled_from([2**20, 3]),
        offset=st.sampled_from([0.0, 1e8]),
        exponent=st.sampled_from([0, 498, -498]),
    )
    def test_an_isometry_is_perfect(self, seed, d, steps, offset, exponent):
        X = np.random.default_rng(seed).integers(-steps, steps, size=(40, d)) / 1024 + offset  # exact on a grid
        X, labels = np.ldexp(X, exponent), np.zeros(40, dtype=int)
        best = {name: 0.0 if METRICS[name].direction == "down" else 1.0 for name in ALL}
        best |= dict.fromkeys(("distortion", "distortion_q", "expansion", "contraction"), 1.0)
        best["lcmc"] -= 4 / 39
        if steps == 3:  # ties are broken at random in each space by itself
            alike = measure(Split(X, X, labels), 4, (*RANKED, *ERRORS))
            best |= {name: measured.value for name, measured in alike.items()}
        for name, measured in measure(Split(X, -X[:, ::-1], labels), 4).items():
            assert measured.value == pytest.approx(best[name], abs=WITHIN.get(name, 1e-12)), name

    @settings(deadline=None, max_examples=25)
    @given(seed=st.integers(0, 10_000), n=st.integers(12, 60))
    def test_one_code_for_all_scores_chance(self, seed, n):
        X, _, labels = cloud("plain", n, seed)
        results = measure(Split(X, np.ones((n, 2)), labels), 4)
        for name, measured in results.items():
            if measured.chance is not None:
                assert measured.value == pytest.approx(measured.chance, abs=1e-12), name
        assert results["distortion"].value == np.inf


class TestLeavingOut:
    @pytest.mark.parametrize("setting", SETTINGS)
    def test_is_right_to_first_order(self, setting):
        points = split(*cloud("plain", 60, seed=3), setting)
        expected = []
        for p in range(len(points.X)):
            without = points.without(p)
            a, b = definitions.pairs(without.X, without.Z, *without.where)
            stress = np.sqrt(definitions.monotone_residual(a, b) / (b @ b))
            expected.append((spearmanr(a, b).statistic, kendalltau(a, b).statistic, stress))
        measured = measure(points, 3, FIRST_ORDER)
        for name, without in zip(FIRST_ORDER, np.transpose(expected), strict=True):
            left_out, spread = measured[name].leave_one_out, np.std(without)
            strict = name == "spearman"
            assert np.corrcoef(left_out, without)[0, 1] > (0.999 if strict else 0.995), name
            within = 0.02 if strict and setting == "in sample" else 0.05
            assert np.std(left_out) == pytest.approx(spread, rel=within), name
            assert np.mean(left_out) == pytest.approx(np.mean(without), abs=0.1 * spread + 1e-3), name

    def test_quantiles_of_many_pairs_are_exact(self):
        rng = np.random.default_rng(6)
        X = rng.normal(size=(600, 3))  # more pairs than the pilot looks at
        Z = X[:, :2].copy()
        Z[0] = X[0, :2] * 1e3  # one point owns the whole upper tail
        measured = measure(Split(X, Z), 3, ["distortion_q"])["distortion_q"]
        assert measured.value == pytest.approx(definitions.quantile_ratio(*definitions.pairs(X, Z)), rel=1e-12)
        expected = definitions.quantile_ratio(*definitions.pairs(X[1:], Z[1:]))
        assert measured.leave_one_out[0] == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize(
    ("setting", "moved", "names"),
    [
        ("in sample", 0.0, ALL),
        ("train only", 2.0, ALL),
        ("train and test", 0.5, ALL),
        ("train and test", 2.0, ("scaled_stress", "stress", "label_agreement")),  # others' is that of pairs of one kind
    ],
)
def test_chance_is_the_score_of_shuffled_codes(setting, moved, names):
    rng = np.random.default_rng(8)
    points = split(*cloud("plain", 120, seed=4), setting)
    references = None
    if points.X_ref is not None:
        references = points.Z_ref + moved
        points = replace(points, X_ref=points.X_ref + moved, Z_ref=references)
    values = []
    for _ in range(40):
        shuffled = None if references is None else rng.permutation(references)
        results = measure(replace(points, Z=rng.permutation(points.Z), Z_ref=shuffled), 4, names)
        values.append({name: measured.value for name, measured in results.items()})
    for name, measured in measure(points, 4, names).items():
        if measured.chance is not None:
            within = 0.006 if name == "scaled_stress" else 0.03
            assert np.mean([value[name] for value in values]) == pytest.approx(measured.chance, abs=within), name


def test_sampled_pairs_have_larger_errors_that_hold(monkeypatch):
    points, names = split(*cloud("plain", 400, seed=6), "in sample"), ["kendall", "nonmetric_stress"]
    whole = measure(points, 4, names)
    monkeypatch.setattr(sampled_pairs, "MAX_PAIRS", 8000)
    for name, measured in measure(points, 4, names).items():
        error, error_whole = (
            np.linalg.norm(result.leave_one_out - result.leave_one_out.mean()) for result in (measured, whole[name])
        )
        assert len(measured.leave_one_out) == 400
        assert abs(measured.value - whole[name].value) < 3 * error
        assert error > error_whole


def test_equals_scikit_learn_without_ties():
    X = np.random.default_rng(0).normal(size=(1000, 8))
    Z = X[:, :2]
    assert abs(metrics.trustworthiness(X, Z) - sklearn_trustworthiness(X, Z, n_neighbors=10)) < 1e-9
    assert abs(metrics.continuity(X, Z) - sklearn_trustworthiness(Z, X, n_neighbors=10)) < 1e-9


def test_a_rare_level_of_distance_keeps_its_rank():
    E = np.repeat(np.eye(600), 2, axis=0)  # 600 pairs of duplicates among 719,400 equal distances
    assert metrics.spearman(E, E) == pytest.approx(1, abs=1e-12)


def test_ratios_too_far_apart_for_their_squares_are_infinite_not_nan():
    X, Z, _ = cloud("plain", 30, seed=8)
    X[:2] = 0.0
    X[1, 0] = 1e-160
    assert metrics.sigma_distortion(X, Z) == np.inf


def test_stress_of_codes_many_orders_larger():
    X, Z, _ = cloud("plain", 30, seed=7)
    expected = definitions.score(X, Z * 2.0**20, 4)["stress"]
    assert metrics.stress(X, Z * 2.0**20) == pytest.approx(expected, rel=1e-12)
    assert metrics.stress(X, Z * 2.0**900) == pytest.approx(expected * 2.0**880, rel=1e-5)


def test_sigma_is_the_width_of_the_density():
    X, Z, _ = cloud("plain", 40, seed=12)
    expected = definitions.density_kl(X, Z, sigma=0.5)
    assert metrics.density_kl(X, Z, sigma=0.5) == pytest.approx(expected, rel=1e-9)
    expected = definitions.density_kl(X[:20], Z[:20], X[20:], Z[20:], False, sigma=0.5)
    result = metrics.density_kl(X[:20], Z[:20], reference=(X[20:], Z[20:]), sigma=0.5)
    assert result == pytest.approx(expected, rel=1e-9)
    with pytest.raises(InputError, match="sigma: found 0"):
        metrics.density_kl(X, Z, sigma=0)


@pytest.mark.parametrize("exponent", [160, 165, 300])
@pytest.mark.parametrize("distance", ["euclidean", "cityblock"])
def test_density_where_the_others_coincide_beside_one_point(distance, exponent):
    X, Z, _ = cloud("plain", 40, seed=12)
    X[0] = 10.0**exponent
    measured = measure(Split(X, Z), 5, ["density_kl"], distance_x=distance)["density_kl"]
    assert np.isfinite([measured.value, *measured.leave_one_out]).all()


@pytest.mark.parametrize("codes", ["together", "apart"])
def test_a_point_that_coincides_with_all_its_candidates(codes):
    X, Z, labels = cloud("plain", 11)
    X_ref, Z_ref = np.tile(X[:1], (9, 1)), np.tile(Z[:1], (9, 1))
    if codes == "apart":
        Z_ref = np.random.default_rng(1).normal(size=(9, 2))
    points = Split(X, Z, labels, X_ref, Z_ref, np.zeros(9, dtype=int), include=False)
    results = measure(points, 4)
    for name, measured in results.items():
        assert not np.isnan(measured.value), name
        assert measured.points is None or not np.isnan(measured.points).any(), name
    own = {name: measured.points[0] for name, measured in results.items() if measured.points is not None}
    assert own["stress"] == (0.0 if codes == "together" else np.inf)
    assert own["scaled_stress"] == (0.0 if codes == "together" else 1.0)
    assert own["distortion"] == 1.0
    assert own["sigma_distortion"] == np.inf
    assert own["pearson"] == own["expansion"] == own["contraction"] == own["sammon"] == 0.0
    expected = definitions.score(X, Z, 4, *points.where)
    expected |= definitions.extra_score(X, Z, 4, *points.where, labels, points.labels_ref)
    for name, value in expected.items():
        assert results[name].value == pytest.approx(value, rel=1e-9, abs=1e-9), name
