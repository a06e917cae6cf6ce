"""All metrics against the definitions on few points: quick even where kernels run as plain Python.

The driver of mutants (`benchmarks/mutation.py`) rests on these tests.
"""

from __future__ import annotations

import numpy as np
import pytest
from oracles import definitions

from distbench.engine import FAMILIES, gather, job, problem, space
from distbench.metrics import METRICS

KINDS = ("plain", "duplicates", "quantised", "collapsed", "half collapsed", "far", "binary")
SETTINGS = ("in sample", "train only", "train and test")
DEFAULT = tuple(name for name, metric in METRICS.items() if metric.default)
PER_QUERY = ("trustworthiness", "continuity", "knn_recall", "triplet_accuracy")
EXTRA = ("mrre_input", "mrre_code", "lcmc", "rnx_auc", "label_agreement", "kendall", "nonmetric_stress", "sammon")
WORST = ("distortion", "expansion", "contraction")
FIRST_ORDER = ("spearman", "kendall", "nonmetric_stress")  # left out to first order only
K = 2


def cloud(kind, setting, d=4, dim=2, seed=0):
    """Few points, codes and labels; for a reference twice as many."""
    n = 11 if setting == "in sample" else 21
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, d))
    Z = X[:, :dim] + 0.4 * rng.normal(size=(n, dim))
    if kind == "duplicates":
        X[n // 2 :], Z[n // 2 :] = X[: n - n // 2], Z[: n - n // 2]
    elif kind == "quantised":
        X, Z = np.round(X), np.round(Z)
    elif kind == "collapsed":
        Z = np.ones((n, dim))
    elif kind == "half collapsed":
        Z[::2] = 0.5
    elif kind == "far":
        X = (1e3 + 1e-4 * X).astype(np.float32).astype(np.float64)
    elif kind == "binary":
        Z = (Z > 0).astype(float)
    return X, Z, rng.integers(0, 3, n)


def split(X, Z, labels, setting):
    if setting == "in sample":
        return (X, Z, None, None, True), (labels, None)
    return (X[:7], Z[:7], X[7:], Z[7:], setting == "train and test"), (labels[:7], labels[7:])


def families(names):
    return frozenset().union(*(METRICS[name].families for name in names))


def gathered(points, names, labels=(None, None), **options):
    X, Z, X_ref, Z_ref, include = points
    return gather(
        X,
        Z,
        X_ref,
        Z_ref,
        k=K,
        include_queries=include,
        families=families(names),
        labels=labels[0],
        labels_ref=labels[1],
        threads=1,
        **options,
    )


def assert_values(found, names, expected):
    for name in names:
        value = METRICS[name].measure(found).value
        assert value == pytest.approx(expected[name], rel=1e-9, abs=1e-9), name


def assert_left_out(found, names, expected):
    for name in names:
        value, measured = METRICS[name].measure(found).value, METRICS[name].measure(found).leave_one_out
        if name in WORST:
            assert measured is None, name
        elif name == "distortion_q" and value == np.inf:  # no interval, whatever single points change
            assert (measured == np.inf).all()
        elif name not in FIRST_ORDER:
            np.testing.assert_allclose(measured, expected[name], rtol=1e-8, atol=1e-8, err_msg=name)


@pytest.mark.parametrize("d", [4, 18])  # differences, products of matrices
@pytest.mark.parametrize("setting", SETTINGS)
@pytest.mark.parametrize("kind", KINDS)
class TestDefinitions:
    def test_default_set(self, kind, setting, d):
        points, _ = split(*cloud(kind, setting, d, dim=d - 1), setting)
        found, expected = gathered(points, DEFAULT), definitions.score(*points[:2], K, *points[2:])
        assert_values(found, DEFAULT, expected)
        rows = definitions.per_query(*points[:2], K, *points[2:])
        for name in PER_QUERY:
            np.testing.assert_allclose(METRICS[name].measure(found).points, rows[name], atol=1e-12, err_msg=name)
        assert_left_out(found, DEFAULT, definitions.leave_one_out(*points[:2], K, *points[2:]))

    def test_the_others(self, kind, setting, d):
        points, labels = split(*cloud(kind, setting, d), setting)
        names = (*EXTRA, "density_kl", "expansion", "contraction")
        found = gathered(points, names, labels)
        assert_values(found, names, definitions.extra_score(*points[:2], K, *points[2:], *labels))
        rows = definitions.extra_per_query(*points[:2], K, *points[2:], *labels)
        for name in rows:
            np.testing.assert_allclose(METRICS[name].measure(found).points, rows[name], atol=1e-10, err_msg=name)
        assert_left_out(found, names, definitions.extra_leave_one_out(*points[:2], K, *points[2:], *labels))


@pytest.mark.parametrize("how", [("cosine", "cosine"), ("cityblock", "cityblock"), ("euclidean", "hamming")])
@pytest.mark.parametrize("d", [3, 18])
@pytest.mark.parametrize("setting", SETTINGS)
def test_other_distances(how, d, setting):
    points, _ = split(*cloud("binary" if how[1] == "hamming" else "plain", setting, d, dim=d - 1), setting)
    found = gathered(points, DEFAULT, distance_x=how[0], distance_z=how[1])
    assert_values(found, DEFAULT, definitions.score(*points[:2], K, *points[2:], distances=how))
    assert_left_out(found, DEFAULT, definitions.leave_one_out(*points[:2], K, *points[2:], distances=how))


@pytest.mark.parametrize("kind", ["plain", "quantised"])
@pytest.mark.parametrize("setting", ["in sample", "train and test"])
def test_some_points_are_judged(kind, setting):
    points, labels = split(*cloud(kind, setting, seed=3), setting)
    judged = np.array([5, 0, 2, 6])
    extra = ("mrre_input", "mrre_code", "lcmc", "rnx_auc", "label_agreement")
    found = gathered(points, (*DEFAULT, *extra), labels, judged=judged)
    assert_values(found, DEFAULT, definitions.score(*points[:2], K, *points[2:], judged=judged))
    rows = definitions.extra_per_query(*points[:2], K, *points[2:], *labels)
    for name in extra:
        np.testing.assert_allclose(METRICS[name].measure(found).points, rows[name][judged], atol=1e-10, err_msg=name)
    leaving = [*judged, *(p for p in range(len(points[0])) if p not in judged)]
    expected = []
    for p in leaving:
        rest = np.delete(points[0], p, 0), np.delete(points[1], p, 0)
        expected.append(definitions.score(*rest, K, *points[2:], [i - (i > p) for i in judged if i != p]))
    assert_left_out(found, DEFAULT, {name: [row[name] for row in expected] for name in DEFAULT})


@pytest.mark.parametrize("d", [4, 18])
@pytest.mark.parametrize("kind", ["plain", "far", "quantised"])
@pytest.mark.parametrize("judged", [None, np.array([4, 1, 6])])
@pytest.mark.parametrize("setting", ["train only", "train and test"])
def test_points_that_do_not_fit_memory_are_prepared_block_by_block(d, kind, setting, judged, monkeypatch):
    points, _ = split(*cloud(kind, setting, d, dim=d - 1), setting)
    whole = gathered(points, DEFAULT, judged=judged)
    monkeypatch.setattr(space, "PREPARED", 0)
    monkeypatch.setattr(space, "MOVED", 0)
    monkeypatch.setattr(space, "COLUMNS", 5)
    monkeypatch.setattr(problem, "BLOCK", 1)
    monkeypatch.setattr(job, "CACHED", 1)
    monkeypatch.setattr(space, "PAIRS", 7)
    blocks = gathered(points, DEFAULT, judged=judged)
    for name in DEFAULT:
        one, two = (METRICS[name].measure(found) for found in (whole, blocks))
        assert one.value == pytest.approx(two.value, rel=1e-12, abs=1e-12), name
        for part in ("leave_one_out", "points", "interaction"):
            if getattr(one, part) is not None:
                np.testing.assert_allclose(getattr(one, part), getattr(two, part), rtol=1e-11, atol=1e-11, err_msg=name)


@pytest.mark.parametrize("d", [4, 18])
@pytest.mark.parametrize("exponent", [-700, -60, 60, 700])
def test_scale_of_the_points_changes_nothing(d, exponent):
    points, _ = split(*cloud("plain", "train and test", d, dim=d - 1), "train and test")
    X, Z, X_ref, Z_ref, include = points
    scaled = (*(np.ldexp(values, exponent) for values in (X, Z, X_ref, Z_ref)), include)
    one, two = gathered(points, DEFAULT), gathered(scaled, DEFAULT)
    for name in DEFAULT:
        assert METRICS[name].measure(one).value == pytest.approx(METRICS[name].measure(two).value, rel=1e-12), name
    far = (np.ldexp(X, exponent), Z, np.ldexp(X_ref, exponent), Z_ref, include)  # one space alone
    three = gathered(far, [name for name in DEFAULT if METRICS[name].scale_free])
    for name in DEFAULT:
        if METRICS[name].scale_free:
            value = METRICS[name].measure(three).value
            assert value == pytest.approx(METRICS[name].measure(one).value, rel=1e-10), name


def test_triplets_of_all_candidates_are_exact():
    X = np.zeros((4, 18))
    X[1, 0], X[2, 1], X[3, 2] = 1.0, 1.0 + 1e-12, 1.0 + 2e-12  # nearer than the rounding of products
    found = gathered((X[:1], X[:1, :17], X[1:], X[1:, :17], False), ["triplet_accuracy"])
    assert METRICS["triplet_accuracy"].measure(found).value == 1.0


@pytest.mark.parametrize("setting", SETTINGS)
def test_what_is_gathered_says_what_it_is_of(setting):
    points, _ = split(*cloud("plain", setting), setting)
    found = gathered(points, DEFAULT)
    m = len(points[0])
    among = setting != "train only"
    assert (found.m, found.k, found.n_test, found.queries_are_candidates) == (m, K, m, among)
    assert (m - 1 if among else 0) + (0 if points[2] is None else 14) == found.M
    np.testing.assert_array_equal(found.judged, np.arange(m))
    assert set(FAMILIES) == {"ranks", "moments", "shepard", "triplets"}
    assert found.notes == ()


@pytest.mark.parametrize("judged", [None, np.array([5, 0, 2, 6])])
@pytest.mark.parametrize("setting", SETTINGS)
@pytest.mark.parametrize("kind", ["plain", "quantised"])
def test_partners_and_worst_neighbours_are_the_ones(kind, setting, judged):
    points, _ = split(*cloud(kind, setting, seed=4), setting)
    found = gathered(points, ("distortion", "trustworthiness", "continuity"), judged=judged)
    a, b = definitions._candidates(*points)  # columns: test points where they are candidates, then references
    rows = np.arange(len(points[0])) if judged is None else judged
    with np.errstate(all="ignore"):
        rho = np.where(a > 0, b / a, np.nan)
    for name, best in (("least", np.nanmin(rho[rows])), ("largest", np.nanmax(rho[rows]))):
        i, j = found.moments.partners[name]
        assert i in rows
        assert rho[i, j] == pytest.approx(best, rel=1e-12), name
    np.testing.assert_allclose(found.moments.ratios, np.stack([np.nanmin(rho, 1), np.nanmax(rho, 1)], 1)[rows])
    for side, here, there in ((found.ranks.trust, b, a), (found.ranks.continuity, a, b)):
        for place, i in enumerate(rows):
            others = np.flatnonzero(~np.isnan(here[i]))
            near = others[definitions._membership(here[i][others], K) > 0]
            ranks = dict(zip(others, np.mean(definitions._tie_groups(there[i][others]), axis=0), strict=True))
            largest = max(ranks[p] for p in near)
            if side.worst_rank[place] > K:
                assert side.worst_rank[place] == largest == ranks[side.worst[place]]
                assert side.worst[place] in near
            else:
                assert largest <= K


@pytest.mark.parametrize("codes", ["together", "apart"])
def test_a_point_that_coincides_with_all_its_candidates(codes):
    X, Z, _ = cloud("plain", "in sample")
    X_ref, Z_ref = (
        np.tile(X[:1], (9, 1)),
        np.tile(Z[:1], (9, 1)) if codes == "together" else np.random.default_rng(1).normal(size=(9, 2)),
    )
    points = X, Z, X_ref, Z_ref, False
    names = (
        "stress",
        "scaled_stress",
        "distortion",
        "sigma_distortion",
        "pearson",
        "expansion",
        "contraction",
        "sammon",
    )
    found = gathered(points, names)
    own = {name: METRICS[name].measure(found).points for name in names}
    assert own["stress"][0] == (0.0 if codes == "together" else np.inf)
    assert own["scaled_stress"][0] == (0.0 if codes == "together" else 1.0)
    assert own["distortion"][0] == 1.0
    assert own["sigma_distortion"][0] == np.inf
    assert own["pearson"][0] == own["expansion"][0] == own["contraction"][0] == own["sammon"][0] == 0.0
    expected = definitions.score(*points[:2], K, *points[2:]) | definitions.extra_score(
        *points[:2], K, *points[2:], np.zeros(11), np.zeros(9)
    )
    assert_values(found, names, expected)
