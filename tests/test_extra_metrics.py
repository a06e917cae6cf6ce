"""The metrics beyond the default set against their definitions, with and without ties, in all settings."""

from __future__ import annotations

import sys
from itertools import permutations, product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from oracles import definitions
from scipy.stats import kendalltau

import distbench.metrics as metrics
from distbench.engine import gather, order_curves, sampled_pairs
from distbench.errors import InputError
from distbench.metrics import METRICS
from distbench.metrics._model import measure_reconstruction
from distbench.metrics._semantic import label_codes

FROM_EXTRAS = ("mrre_input", "mrre_code", "rnx_auc", "kendall", "nonmetric_stress", "density_kl", "label_agreement")
PER_QUERY = ("mrre_input", "mrre_code", "rnx_auc", "label_agreement")
NAMES = (*FROM_EXTRAS, "lcmc", "sammon", "expansion", "contraction")
KINDS = ("plain", "duplicates", "quantised", "collapsed", "half collapsed", "far", "binary")
SETTINGS = ("in sample", "train only", "train and test")


def cloud(kind, n, seed):
    """Points, codes and labels of one of the shapes that break other tools."""
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
    return X, Z, (X[:, 0] > X[0, 0]).astype(np.int64) + rng.integers(0, 2, n)


def split(X, Z, labels, setting):
    """Queries, references, the flag for one of the three settings, labels of both."""
    if setting == "in sample":
        return X, Z, None, None, True, labels, None
    cut = len(X) // 3
    return X[:cut], Z[:cut], X[cut:], Z[cut:], setting == "train and test", labels[:cut], labels[cut:]


def measure(
    X, Z, k, X_ref=None, Z_ref=None, include=True, labels=None, labels_ref=None, names=FROM_EXTRAS, judged=None
):
    families = frozenset().union(*(METRICS[name].families for name in names))
    gathered = gather(
        X,
        Z,
        X_ref,
        Z_ref,
        k=k,
        include_queries=include,
        labels=labels,
        labels_ref=labels_ref,
        families=families,
        judged=judged,
        threads=1,
    )
    return {name: METRICS[name].measure(gathered) for name in names}


@pytest.mark.parametrize("k", [1, 4, None], ids=["k=1", "k=4", "k<M/2"])
@pytest.mark.parametrize("setting", SETTINGS)
@pytest.mark.parametrize("kind", KINDS)
def test_matches_definitions(kind, setting, k):
    X, Z, X_ref, Z_ref, include, *labels = split(*cloud(kind, 33, seed=1), setting)
    M = len(X) - 1 if X_ref is None else len(X_ref) + (len(X) - 1 if include else 0)
    k = (M - 1) // 2 if k is None else k
    measured = measure(X, Z, k, X_ref, Z_ref, include, *labels, names=NAMES)
    expected = definitions.extra_score(X, Z, k, X_ref, Z_ref, include, *labels)
    points = definitions.extra_per_query(X, Z, k, X_ref, Z_ref, include, *labels)
    for name, result in measured.items():
        assert result.value == pytest.approx(expected[name], rel=1e-9, abs=1e-9), name
        if name in points:
            np.testing.assert_allclose(result.points, points[name], atol=1e-10, err_msg=name)


@pytest.mark.parametrize("k", [1, 3])
@pytest.mark.parametrize("setting", SETTINGS)
@pytest.mark.parametrize("kind", KINDS)
def test_leave_one_out_is_the_metric_without_the_point(kind, setting, k):
    X, Z, X_ref, Z_ref, include, *labels = split(*cloud(kind, 21, seed=2), setting)
    names = tuple(name for name in NAMES if name not in ("kendall", "nonmetric_stress"))
    measured = measure(X, Z, k, X_ref, Z_ref, include, *labels, names=names)
    expected = definitions.extra_leave_one_out(X, Z, k, X_ref, Z_ref, include, *labels)
    for name, result in measured.items():
        if name in ("expansion", "contraction"):  # worst cases have no honest interval
            assert result.leave_one_out is None
            continue
        np.testing.assert_allclose(result.leave_one_out, expected[name], rtol=1e-9, atol=1e-9, err_msg=name)


@pytest.mark.parametrize("setting", SETTINGS)
@pytest.mark.parametrize("name", ["kendall", "nonmetric_stress"])
def test_leave_one_out_is_right_to_first_order(name, setting):
    X, Z, X_ref, Z_ref, include, *_ = split(*cloud("plain", 90, seed=3), setting)
    measured = measure(X, Z, 3, X_ref, Z_ref, include, names=[name])[name]
    expected = []
    for p in range(len(X)):
        a, b = definitions.pairs(np.delete(X, p, 0), np.delete(Z, p, 0), X_ref, Z_ref, include)
        if name == "kendall":
            expected.append(kendalltau(a, b).statistic)
        else:
            expected.append(np.sqrt(definitions.monotone_residual(a, b) / (b @ b)))
    assert np.corrcoef(measured.leave_one_out, expected)[0, 1] > 0.995
    assert np.std(measured.leave_one_out) == pytest.approx(np.std(expected), rel=0.05)
    assert np.mean(measured.leave_one_out) == pytest.approx(np.mean(expected), abs=0.1 * np.std(expected) + 1e-3)


@pytest.mark.parametrize("kind", ["plain", "half collapsed"])
@pytest.mark.parametrize("setting", ["in sample", "train and test"])
def test_judged_points_only(kind, setting):
    X, Z, X_ref, Z_ref, _, *labels = split(*cloud(kind, 54, seed=4), setting)
    judged = np.array([5, 2, 11, 17, 3, 9])
    measured = measure(X, Z, 3, X_ref, Z_ref, True, *labels, names=PER_QUERY, judged=judged)
    points = definitions.extra_per_query(X, Z, 3, X_ref, Z_ref, True, *labels)
    order = np.concatenate([judged, np.setdiff1d(np.arange(len(X)), judged)])
    for name, result in measured.items():
        np.testing.assert_allclose(result.points, points[name][judged], atol=1e-10)
    for place, p in enumerate(order[:8]):  # judged ones first
        left = np.delete(X, p, 0), np.delete(Z, p, 0), 3, X_ref, Z_ref, True, np.delete(labels[0], p), labels[1]
        rest = judged[judged != p]
        without = definitions.extra_per_query(*left)
        for name, result in measured.items():
            expected = without[name][rest - (rest > p)].mean()
            assert result.leave_one_out[place] == pytest.approx(expected, abs=1e-10), name


def test_random_orders_of_ties_are_what_is_averaged():
    a, b = np.array([1.0, 1.0, 2.0, 2.0, 2.0, 3.0]), np.array([2.0, 1.0, 1.0, 1.0, 3.0, 1.0])

    def orders(values):
        """All rankings that random tie-breaking can give, equally often."""
        return [np.argsort(np.lexsort((tie, values))) + 1 for tie in permutations(range(6))]

    k = 2
    every = list(product(*({tuple(order) for order in orders(values)} for values in (a, b))))
    errors = [np.sum((np.abs(np.subtract(r, s)) / r)[np.array(r) <= k]) for r, s in every]
    assert definitions._relative_errors(a, b, k) == pytest.approx(np.mean(errors), abs=1e-12)
    areas = [definitions._area_under_rnx(np.array(r), np.array(s)) for r, s in every]
    assert order_curves.area(a, b, False)[0] == pytest.approx(np.mean(areas), abs=1e-12)


@pytest.mark.parametrize("setting", SETTINGS)
def test_result_does_not_depend_on_how_queries_are_cut(setting, monkeypatch):
    X, Z, X_ref, Z_ref, include, *labels = split(*cloud("half collapsed", 60, seed=5), setting)
    one = measure(X, Z, 4, X_ref, Z_ref, include, *labels)
    cuts = [range(start, min(start + 7, len(X))) for start in range(0, len(X), 7)]
    monkeypatch.setattr(sys.modules["distbench.engine.gather"], "_jobs", lambda m: cuts)
    two = measure(X, Z, 4, X_ref, Z_ref, include, *labels)
    for name in FROM_EXTRAS:
        assert one[name].value == pytest.approx(two[name].value, abs=1e-13), name
        np.testing.assert_allclose(one[name].leave_one_out, two[name].leave_one_out, atol=1e-12, err_msg=name)


def test_few_queries_are_sampled_and_said(monkeypatch):
    X, Z, _ = cloud("plain", 400, seed=6)
    whole = measure(X, Z, 4, names=["rnx_auc"])["rnx_auc"]
    monkeypatch.setattr(order_curves, "MAX_RANKS", 40_000)
    order_curves.sampled_queries.cache_clear()
    gathered = gather(X, Z, k=4, families=frozenset({"order_curves"}))
    order_curves.sampled_queries.cache_clear()
    curves, sample = gathered.extras["order_curves"], METRICS["rnx_auc"].measure(gathered)
    assert gathered.notes == ("rnx_auc: judged on 100 sampled queries of 400",)
    assert len(curves.rows) == 100
    np.testing.assert_array_equal(curves.rows, whole.points[curves.places])
    assert len(sample.leave_one_out) == 400

    def error(measured):
        return np.sqrt(399 / 400) * np.linalg.norm(measured.leave_one_out - measured.leave_one_out.mean())

    assert abs(sample.value - whole.value) < 3 * error(sample)
    assert error(sample) > error(whole)


def test_many_pairs_are_sampled_and_said(monkeypatch):
    X, Z, _ = cloud("plain", 300, seed=7)
    names = ["kendall", "nonmetric_stress"]
    whole = measure(X, Z, 4, names=names)
    monkeypatch.setattr(sampled_pairs, "MAX_PAIRS", 8000)
    sample = measure(X, Z, 4, names=names)
    notes = gather(X, Z, k=4, families=frozenset({"sampled_pairs"})).notes
    assert notes == ("kendall, nonmetric_stress: judged on 8,000 sampled pairs of 44,850",)
    for name, measured in sample.items():
        error = np.linalg.norm(measured.leave_one_out - measured.leave_one_out.mean())
        assert abs(measured.value - whole[name].value) < 2 * error
        assert error > np.linalg.norm(whole[name].leave_one_out - whole[name].leave_one_out.mean())


@settings(deadline=None, max_examples=25)
@given(
    kind=st.sampled_from(KINDS),
    n=st.integers(12, 50),
    seed=st.integers(0, 2**32 - 1),
    exponent=st.integers(-60, 60),
)
def test_order_of_rows_and_scale_of_codes_change_nothing(kind, n, seed, exponent):
    X, Z, labels = cloud(kind, n, seed)
    order = np.random.default_rng(seed).permutation(n)
    one = measure(X, Z, 4, labels=labels)
    two = measure(X[order], Z[order] * 2.0**exponent, 4, labels=labels[order])
    for name in FROM_EXTRAS:
        assert one[name].value == pytest.approx(two[name].value, rel=1e-9, abs=1e-9), name
        np.testing.assert_allclose(
            one[name].leave_one_out[order], two[name].leave_one_out, rtol=1e-8, atol=1e-8, err_msg=name
        )


@settings(deadline=None, max_examples=25)
@given(seed=st.integers(0, 10_000), kind=st.sampled_from(["plain", "duplicates", "quantised"]))
def test_an_isometry_is_perfect(seed, kind):
    X = cloud(kind, 40, seed)[0]
    best = {"mrre_input": 0, "mrre_code": 0, "rnx_auc": 1, "kendall": 1, "nonmetric_stress": 0, "density_kl": 0}
    if kind != "plain":  # ties are broken at random in each space by itself
        best = {name: best[name] for name in ("kendall", "nonmetric_stress", "density_kl")}
    for name, measured in measure(X, -X[:, ::-1], 4, names=tuple(best)).items():
        assert measured.value == pytest.approx(best[name], abs=1e-6), name


@settings(deadline=None, max_examples=25)
@given(seed=st.integers(0, 10_000), n=st.integers(12, 50))
def test_one_code_for_all_scores_chance(seed, n):
    X, _, labels = cloud("plain", n, seed)
    for name, measured in measure(X, np.ones((n, 2)), 4, labels=labels).items():
        if measured.chance is not None:
            assert measured.value == pytest.approx(measured.chance, abs=1e-12), name


@pytest.mark.parametrize("setting", SETTINGS)
def test_chance_is_what_shuffled_codes_score(setting):
    rng = np.random.default_rng(8)
    X, Z, X_ref, Z_ref, include, *labels = split(*cloud("plain", 100, seed=8), setting)
    if X_ref is not None:
        Z_ref = Z_ref + 0.5  # test and reference points differ
    names = (*PER_QUERY, "kendall")
    expected = measure(X, Z, 4, X_ref, Z_ref, include, *labels, names=names)
    values = []
    for _ in range(40):
        shuffled = None if Z_ref is None else Z_ref[rng.permutation(len(Z_ref))]
        found = measure(X, Z[rng.permutation(len(Z))], 4, X_ref, shuffled, include, *labels, names=names)
        values.append({name: measured.value for name, measured in found.items()})
    for name in names:
        mean = np.mean([value[name] for value in values])
        if setting != "in sample" and name in ("kendall", "rnx_auc"):
            continue  # chance is that of pairs of one kind
        assert mean == pytest.approx(expected[name].chance, abs=0.03), name


def test_reconstructions_are_judged_point_by_point():
    rng = np.random.default_rng(9)
    X = rng.normal(size=(30, 4))
    made = X + 0.1 * rng.normal(size=(30, 4))
    measured = measure_reconstruction(X, made)
    assert metrics.reconstruction_mse(X, made) == measured.value == pytest.approx(np.mean((X - made) ** 2), rel=1e-12)
    expected = [np.mean(np.delete(X - made, p, 0) ** 2) for p in range(30)]
    np.testing.assert_allclose(measured.leave_one_out, expected, rtol=1e-12)
    with pytest.raises(InputError, match="X_reconstructed"):
        metrics.reconstruction_mse(X, made[:, :2])


def test_labels_of_any_kind():
    own, others = label_codes(["cat", "dog", "cat"], ["eel", "dog"])
    np.testing.assert_array_equal(own, [0, 1, 0])
    np.testing.assert_array_equal(others, [2, 1])
    with pytest.raises(InputError, match="labels: found shape"):
        label_codes(np.zeros((3, 2)))
    with pytest.raises(InputError, match="reference_labels: found NaN at place 1"):
        label_codes([1.0, 2.0], [1.0, np.nan])
    with pytest.raises(InputError, match="labels of one kind"):
        label_codes([1, 2], ["1", "2"])


def test_missing_labels_are_named():
    X, Z, _ = cloud("plain", 30, seed=10)
    with pytest.raises(InputError, match="label_agreement needs"):
        measure(X, Z, 4, names=["label_agreement"])


def test_public_functions_judge_against_exactly_the_references():
    X, Z, X_ref, Z_ref, _, labels, labels_ref = split(*cloud("plain", 60, seed=11), "train only")
    expected = definitions.extra_score(X, Z, 4, X_ref, Z_ref, False, labels, labels_ref)
    for name in NAMES:
        options = {"k": 4} if name in ("mrre_input", "mrre_code", "lcmc", "label_agreement") else {}
        if name == "label_agreement":
            options |= {"labels": labels, "reference_labels": labels_ref}
        value = getattr(metrics, name)(X, Z, reference=(X_ref, Z_ref), **options)
        assert value == pytest.approx(expected[name], rel=1e-9), name


def test_sigma_is_the_width_of_the_density():
    X, Z, _ = cloud("plain", 40, seed=12)
    expected = definitions.density_kl(X, Z, sigma=0.5)
    assert metrics.density_kl(X, Z, sigma=0.5) == pytest.approx(expected, rel=1e-9)
    with pytest.raises(InputError, match="sigma: found 0"):
        metrics.density_kl(X, Z, sigma=0)


def test_no_score_is_missing_where_points_coincide_with_all_their_candidates():
    X = np.vstack([np.zeros((1, 2)), np.random.default_rng(13).normal(size=(9, 2))])
    zeros = np.zeros((30, 2))
    found = measure(X, X, 5, zeros, zeros, False, np.zeros(10, dtype=int), np.zeros(30, dtype=int), names=NAMES)
    for name, measured in found.items():
        assert not np.isnan(measured.value), name
        assert measured.points is None or not np.isnan(measured.points).any(), name
