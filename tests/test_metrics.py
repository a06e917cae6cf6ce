"""Every metric against the definitions, against scikit-learn, and against what must hold for any points."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from oracles import definitions
from scipy.stats import spearmanr
from sklearn.datasets import load_digits
from sklearn.manifold import trustworthiness as sklearn_trustworthiness

import distbench.metrics as metrics
from distbench.engine import FAMILIES, gather
from distbench.metrics import METRICS as ALL_METRICS

METRICS = {name: metric for name, metric in ALL_METRICS.items() if metric.default}
RANKED = ("trustworthiness", "continuity", "knn_recall", "triplet_accuracy")
EXACT = tuple(name for name in METRICS if name != "spearman")
LEFT_OUT = tuple(name for name in EXACT if name != "distortion")


def cloud(kind: str, n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Points and codes of one of the shapes that break other tools."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, 5))
    Z = X[:, :2] + 0.3 * rng.normal(size=(n, 2))
    if kind == "duplicates":
        X[n // 2 :] = X[: n - n // 2]
        Z[n // 2 :] = Z[: n - n // 2]
    elif kind == "quantised":
        X, Z = np.round(X), np.round(Z)
    elif kind == "collapsed":
        Z = np.ones((n, 2))
    elif kind == "half collapsed":
        Z[::2] = 0.5
    elif kind == "far":
        X = (1e3 + 1e-4 * X).astype(np.float32).astype(np.float64)
    elif kind == "binary":
        Z = (Z > 0).astype(float)
    return X, Z


KINDS = ("plain", "duplicates", "quantised", "collapsed", "half collapsed", "far", "binary")
SETTINGS = ("in sample", "train only", "train and test")


def split(X, Z, setting):
    """Queries, reference and the flag for one of the three settings."""
    if setting == "in sample":
        return (X, Z), (None, None), True
    cut = len(X) // 3
    return (X[:cut], Z[:cut]), (X[cut:], Z[cut:]), setting == "train and test"


@pytest.mark.parametrize("k", [1, 4, None], ids=["k=1", "k=4", "k<M/2"])
@pytest.mark.parametrize("setting", SETTINGS)
@pytest.mark.parametrize("kind", KINDS)
def test_matches_definitions(kind, setting, k):
    X, Z = cloud(kind, 33, seed=1)
    (Q, C), (X_ref, Z_ref), include = split(X, Z, setting)
    M = len(X) - 1 if include else len(X_ref)
    k = (M - 1) // 2 if k is None else k
    gathered = gather(Q, C, X_ref, Z_ref, k=k, include_queries=include, threads=1)
    expected = definitions.score(Q, C, k, X_ref, Z_ref, include)
    points = definitions.per_query(Q, C, k, X_ref, Z_ref, include)
    for name in EXACT:
        measured = METRICS[name].measure(gathered)
        assert measured.value == pytest.approx(expected[name], rel=1e-9, abs=1e-9), name
        if name in RANKED:
            np.testing.assert_allclose(measured.points, points[name], atol=1e-12, err_msg=name)
    spearman = METRICS["spearman"].measure(gathered).value
    assert spearman == pytest.approx(expected["spearman"], abs=1e-4)


@pytest.mark.parametrize("setting", SETTINGS)
@pytest.mark.parametrize("kind", KINDS)
def test_leave_one_out_is_the_metric_without_the_point(kind, setting):
    X, Z = cloud(kind, 27, seed=2)
    (Q, C), (X_ref, Z_ref), include = split(X, Z, setting)
    gathered = gather(Q, C, X_ref, Z_ref, k=3, include_queries=include, threads=1)
    expected = definitions.leave_one_out(Q, C, 3, X_ref, Z_ref, include)
    for name in LEFT_OUT:
        measured = METRICS[name].measure(gathered).leave_one_out
        np.testing.assert_allclose(measured, expected[name], rtol=1e-9, atol=1e-9, err_msg=name)


def test_leave_one_out_of_spearman_is_right_to_first_order():
    X, Z = cloud("plain", 150, seed=3)
    measured = METRICS["spearman"].measure(gather(X, Z, k=3)).leave_one_out
    without = [definitions.pairs(np.delete(X, p, 0), np.delete(Z, p, 0)) for p in range(len(X))]
    expected = np.array([spearmanr(a, b).statistic for a, b in without])
    assert np.corrcoef(measured, expected)[0, 1] > 0.999
    assert np.std(measured) == pytest.approx(np.std(expected), rel=0.02)


def test_quantiles_of_many_pairs_are_exact():
    rng = np.random.default_rng(6)
    X = rng.normal(size=(600, 3))  # more pairs than the pilot looks at
    Z = X[:, :2].copy()
    Z[0] = X[0, :2] * 1e3  # one point owns the whole upper tail
    measured = METRICS["distortion_q"].measure(gather(X, Z, k=3))
    assert measured.value == pytest.approx(definitions.quantile_ratio(*definitions.pairs(X, Z)), rel=1e-12)
    pairs = definitions.pairs(X[1:], Z[1:])
    assert measured.leave_one_out[0] == pytest.approx(definitions.quantile_ratio(*pairs), rel=1e-12)


def test_equals_scikit_learn_without_ties():
    X = np.random.default_rng(0).normal(size=(1000, 8))
    Z = X[:, :2]
    assert abs(metrics.trustworthiness(X, Z) - sklearn_trustworthiness(X, Z, n_neighbors=10)) < 1e-9
    assert abs(metrics.continuity(X, Z) - sklearn_trustworthiness(Z, X, n_neighbors=10)) < 1e-9


def test_a_rare_level_of_distance_keeps_its_rank():
    E = np.repeat(np.eye(600), 2, axis=0)  # 600 pairs of duplicates among 719,400 equal distances
    assert metrics.spearman(E, E) == pytest.approx(1, abs=1e-12)


def test_ratios_too_far_apart_for_their_squares_are_infinite_not_nan():
    X, Z = cloud("plain", 30, seed=8)
    X[:2] = 0.0
    X[1, 0] = 1e-160
    assert metrics.sigma_distortion(X, Z) == np.inf


def test_chance_where_test_and_train_points_differ():
    rng = np.random.default_rng(9)
    X, X_ref = rng.normal(2, 1, (60, 4)), rng.normal(0, 1, (90, 4))
    Z, Z_ref = X[:, :2], X_ref[:, :2]
    families = frozenset({"moments"})
    shuffled = [
        METRICS["scaled_stress"].measure(
            gather(X, Z[rng.permutation(60)], X_ref, Z_ref[rng.permutation(90)], k=4, families=families)
        )
        for _ in range(100)
    ]
    chance = METRICS["scaled_stress"].measure(gather(X, Z, X_ref, Z_ref, k=4, families=families)).chance
    assert np.mean([measured.value for measured in shuffled]) == pytest.approx(chance, abs=0.006)


def test_no_interval_where_one_point_owns_a_sum():
    X, Z = cloud("plain", 80, seed=10)
    Z[0] = 1e12
    for name in ("scaled_stress", "pearson", "sigma_distortion"):
        left_out = METRICS[name].measure(gather(X, Z, k=4)).leave_one_out
        assert np.isnan(left_out[0])
        assert np.isfinite(left_out[1:]).all()


def test_points_that_coincide_with_all_their_candidates_have_scores():
    X = np.vstack([np.zeros((1, 2)), np.random.default_rng(11).normal(size=(9, 2))])
    gathered = gather(X, X, np.zeros((30, 2)), np.zeros((30, 2)), k=5, include_queries=False)
    for metric in METRICS.values():
        points = metric.measure(gathered).points
        assert points is None or not np.isnan(points).any(), metric.name


def test_stress_of_codes_many_orders_larger():
    X, Z = cloud("plain", 30, seed=7)
    expected = definitions.score(X, Z * 2.0**20, 4)["stress"]
    assert metrics.stress(X, Z * 2.0**20) == pytest.approx(expected, rel=1e-12)
    assert metrics.stress(X, Z * 2.0**900) == pytest.approx(expected * 2.0**880, rel=1e-5)


def test_order_of_rows_does_not_matter_where_pixels_tie():
    X = load_digits().data[:400]
    Z = np.round(X[:, 20:22])
    shuffled = np.random.default_rng(0).permutation(400)
    for name in ("trustworthiness", "continuity", "knn_recall"):
        function = getattr(metrics, name)
        assert function(X, Z) == pytest.approx(function(X[shuffled], Z[shuffled]), abs=1e-13)


def test_many_candidates_are_sampled_and_said():
    from distbench.engine import triplets

    rng = np.random.default_rng(0)
    X = rng.normal(size=(triplets.MOST + 500, 3))
    X_ref, Q = X[40:], X[:40]
    gathered = gather(Q, Q[:, :2], X_ref, X_ref[:, :2], k=5, families=frozenset({"triplets"}))
    exact = definitions.per_query(Q[:5], Q[:5, :2], 5, X[5:], X[5:, :2])["triplet_accuracy"]
    np.testing.assert_allclose(METRICS["triplet_accuracy"].measure(gathered).points[:5], exact, atol=0.02)
    assert "candidates, sampled" in gathered.notes[0]


clouds = st.builds(
    cloud,
    kind=st.sampled_from(KINDS),
    n=st.integers(12, 60),
    seed=st.integers(0, 2**32 - 1),
)


def _all(X, Z, **options):
    gathered = gather(X, Z, k=4, threads=1, families=FAMILIES, **options)
    return {name: metric.measure(gathered).value for name, metric in METRICS.items()}


def assert_same(left, right, names=METRICS, rel=1e-9):
    for name in names:
        assert left[name] == pytest.approx(right[name], rel=rel, abs=1e-7), name


@settings(deadline=None, max_examples=25)
@given(points=clouds, seed=st.integers(0, 1000))
def test_permutation_of_rows_changes_nothing(points, seed):
    X, Z = points
    order = np.random.default_rng(seed).permutation(len(X))
    assert_same(_all(X, Z), _all(X[order], Z[order]))


@settings(deadline=None, max_examples=25)
@given(seed=st.integers(0, 10_000), angle=st.floats(0, 6.3), shift=st.floats(-100, 100))
def test_rotation_and_translation_of_codes_change_nothing(seed, angle, shift):
    X, Z = cloud("plain", 40, seed)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    assert_same(_all(X, Z), _all(X, Z @ turn + shift), rel=1e-8)


@settings(deadline=None, max_examples=25)
@given(points=clouds, exponent=st.integers(-400, 400))
def test_scale_of_codes_changes_nothing_where_scale_free(points, exponent):
    X, Z = points
    names = [name for name, metric in METRICS.items() if metric.scale_free]
    assert_same(_all(X, Z), _all(X, Z * 2.0**exponent), names)


@settings(deadline=None, max_examples=25)
@given(
    seed=st.integers(0, 10_000),
    offset=st.sampled_from([0.0, 1e8]),
    scale=st.sampled_from([1, 2.0**498, 2.0**-498]),
)
def test_an_isometry_is_perfect(seed, offset, scale):
    X = np.random.default_rng(seed).integers(-(2**20), 2**20, size=(40, 4)) / 1024 + offset
    X *= scale
    for name, value in _all(X, -X[:, ::-1]).items():
        best = {"distortion": 1, "distortion_q": 1, "spearman": 1}.get(
            name, 0 if METRICS[name].direction == "down" else 1
        )
        assert value == pytest.approx(best, abs=1e-5 if name == "spearman" else 1e-12), name


@settings(deadline=None, max_examples=25)
@given(seed=st.integers(0, 10_000), n=st.integers(12, 60))
def test_one_code_for_all_scores_chance(seed, n):
    X = np.random.default_rng(seed).normal(size=(n, 3))
    gathered = gather(X, np.ones((n, 2)), k=4, threads=1)
    for name in (*RANKED, "pearson", "spearman", "scaled_stress", "stress"):
        measured = METRICS[name].measure(gathered)
        assert measured.value == pytest.approx(measured.chance, abs=1e-12), name
    assert METRICS["distortion"].measure(gathered).value == np.inf


def test_chance_is_what_shuffled_codes_score():
    X, Z = cloud("plain", 120, seed=4)
    rng = np.random.default_rng(0)
    shuffled = [_all(X, Z[rng.permutation(120)]) for _ in range(40)]
    gathered = gather(X, Z, k=4)
    for name, metric in METRICS.items():
        chance = metric.measure(gathered).chance
        if chance is not None:
            assert np.mean([s[name] for s in shuffled]) == pytest.approx(chance, abs=0.03), name


def test_same_to_the_last_bit_for_any_number_of_threads():
    X, Z = cloud("half collapsed", 300, seed=5)
    one, two = (gather(X[:200], Z[:200], X[200:], Z[200:], k=7, threads=t) for t in (1, 2))
    for metric in METRICS.values():
        a, b = metric.measure(one), metric.measure(two)
        assert a.value == b.value
        if a.leave_one_out is not None:
            np.testing.assert_array_equal(a.leave_one_out, b.leave_one_out)


def test_near_points_far_from_the_origin_rank_as_direct_differences_do():
    rng = np.random.default_rng(0)
    X = (1e3 + 1e-4 * rng.normal(size=(200, 4))).astype(np.float32)
    moved = X.astype(np.float64) - 1e3
    assert metrics.knn_recall(X, moved) == pytest.approx(metrics.knn_recall(moved, moved), abs=1e-12)
