"""All metrics of one pass against their definitions: all kinds of clouds, all settings, both ways of distances.

Clouds are so small that kernels are quick as plain Python, too: the driver of mutants (`benchmarks/mutation.py`) rests
on these tests.
"""

from __future__ import annotations

from functools import partial
from itertools import cycle, permutations, product

import numpy as np
import pytest
from clouds import DEFAULT, FEW, FIRST_ORDER, KINDS, MANY, SETTINGS, WORST, Split, cloud, measure, split
from oracles import definitions

import distbench.metrics
from distbench.metrics import METRICS

SMALL = 3  # neighbors
JUDGED = np.array([5, 0, 2, 6])
DISTANCES = (
    ("cosine", "cosine"),
    ("cityblock", "cityblock"),
    ("cosine", "euclidean"),
    ("euclidean", "cityblock"),
    ("euclidean", "hamming"),
    ("cityblock", "hamming"),
)


def small(kind, setting, d, dim=None, seed=0):
    """Return 10 points, or 7 with 14 references."""
    return split(*cloud(kind, 10 if setting == "in sample" else 21, seed, d, dim or d - 1), setting)


def rows(points, k, judged=None):
    """Return the queries' own values of the metrics that are means over queries."""
    queries, labels = (points.X, points.Z, k, *points.where), (points.labels, points.labels_ref)
    every = definitions.per_query(*queries) | definitions.extra_per_query(*queries, *labels)
    return every if judged is None else {name: row[judged] for name, row in every.items()}


def values(points, k, judged=None):
    """Return the metrics by their definitions; for a sample of the queries those that are defined for it."""
    queries, labels = (points.X, points.Z, k, *points.where), (points.labels, points.labels_ref)
    if judged is None:
        return definitions.score(*queries) | definitions.extra_score(*queries, *labels)
    return definitions.score(*queries, judged) | means(rows(points, k, judged))


def means(own):
    return {name: row.mean() for name, row in own.items()}


def assert_defined(measured, expected, own, k):
    """Compare values, and those of single queries, with the definitions."""
    for name, value in expected.items():
        assert measured[name].value == pytest.approx(value, rel=1e-9, abs=1e-9), (name, k)
    for name, row in own.items():
        bound = 1e-12 if name in DEFAULT else 1e-10
        np.testing.assert_allclose(measured[name].points, row, atol=bound, err_msg=f"{name}, k={k}")


def without_each(points, k, judged=None):
    """Return the test points that can be left out, queries first, and the definitions without each of them."""
    queries = np.arange(len(points.X)) if judged is None else judged
    others = np.setdiff1d(np.arange(len(points.X)), queries) if points.include else []
    leaving, left_out = [*queries, *others], []
    for p in leaving:
        left = queries[queries != p]
        left_out.append(values(points.without(p), k, None if judged is None else left - (left > p)))
    return leaving, {name: np.array([value[name] for value in left_out]) for name in left_out[0]}


def assert_left_out(measured, points, k, judged=None, lost=()):
    """Compare metrics without each point with the definitions; without the `lost` ones some are not known."""
    leaving, without = without_each(points, k, judged)
    for name, expected in without.items():
        left_out = measured[name].leave_one_out
        if name in (*WORST, "distortion_q"):  # tails of so few pairs are nearly worst cases
            assert left_out is None, name
        elif name not in FIRST_ORDER:
            expected[np.isin(leaving, lost) & np.isnan(left_out)] = np.nan
            np.testing.assert_allclose(left_out, expected, rtol=1e-9, atol=1e-9, err_msg=f"{name}, k={k}")


def check(points, judged=None, lost=(), **options):
    """Compare all metrics with the definitions for one neighbor, some, and as many as are allowed."""
    whole = values(points, SMALL, judged)
    for k in (1, SMALL, points.M // 2):
        measured, own = measure(points, k, judged=judged, **options), rows(points, k, judged)
        assert_defined(measured, whole | means(own), own, k)  # metrics of pairs have no k
        if k == SMALL:
            assert_left_out(measured, points, k, judged, lost)


@pytest.mark.parametrize("columns", [FEW, MANY])
@pytest.mark.parametrize("setting", SETTINGS)
@pytest.mark.parametrize("kind", KINDS)
def test_each_kind(kind, setting, columns):
    check(small(kind, setting, columns), lost=(0, 1) if kind == "outlier" else ())


@pytest.mark.parametrize("kind", KINDS)
def test_points_are_left_out_for_any_number_of_neighbors(kind):
    points = small(kind, "train and test", FEW, dim=1, seed=1)
    for k in (1, points.M // 2):
        assert_left_out(measure(points, k), points, k, lost=(0, 1) if kind == "outlier" else ())


@pytest.mark.parametrize("setting", SETTINGS)
@pytest.mark.parametrize("kind", ["plain", "quantised", "half collapsed"])
def test_more_than_half_of_the_candidates_may_be_neighbors(kind, setting):
    points = small(kind, setting, FEW)
    for k in (points.M // 2 + 1, points.M - 1):
        names = [name for name, metric in METRICS.items() if metric.largest_k and metric.largest_k(points.M) >= k]
        assert set(names) == {"knn_recall", "near_recall", "lcmc", "mrre_code", "mrre_input", "label_agreement"}
        measured, own = measure(points, k, names), rows(points, k)
        assert_defined(measured, {name: own[name].mean() for name in names}, {name: own[name] for name in names}, k)
        _, without = without_each(points, k)
        for name in names:
            np.testing.assert_allclose(measured[name].leave_one_out, without[name], atol=1e-9, err_msg=f"{name}, k={k}")


@pytest.mark.parametrize(
    ("how", "setting", "d"),
    [(*row, d) for row, d in zip(product(DISTANCES, SETTINGS), cycle((FEW, MANY)), strict=False)],
    ids=lambda value: "-".join(value) if isinstance(value, tuple) else None,
)
def test_other_distances(how, setting, d, monkeypatch):
    monkeypatch.setattr(definitions, "_candidates", partial(definitions._candidates, distances=how))
    points = small("binary" if how[1] == "hamming" else "plain", setting, d)
    check(points, distance_x=how[0], distance_z=how[1])


@pytest.mark.parametrize("setting", SETTINGS)
@pytest.mark.parametrize("d", [FEW, MANY])
def test_cosines_of_counts_tie(setting, d, monkeypatch):
    """Some points and codes are multiples of each other, and some codes are zeros."""
    rng = np.random.default_rng(d)
    X, Z = (rng.poisson(0.7, size=(21, columns)) for columns in (d, 3))
    X[:, 0] += 1
    X[3], X[9], Z[5], Z[6], Z[19] = 2 * X[1], 3 * X[12], 2 * Z[17], 0, 0
    how = ("whole cosine", "whole cosine")
    monkeypatch.setattr(definitions, "_candidates", partial(definitions._candidates, distances=how))
    points = split(X.astype(float), Z.astype(float), rng.integers(0, 2, 21), setting)
    check(points, distance_x="cosine", distance_z="cosine")


@pytest.mark.parametrize(
    ("kind", "setting", "d"),
    [
        (*row, d)
        for row, d in zip(product(("plain", "quantised", "half collapsed"), SETTINGS), cycle((FEW, MANY)), strict=False)
    ],
)
def test_a_sample_of_the_points_is_measured(kind, setting, d):
    check(small(kind, setting, d, seed=3), judged=JUDGED)


@pytest.mark.parametrize("setting", ["in sample", "train and test"])
def test_more_points_than_one_job_takes(setting):
    points = split(*cloud("quantised", 34 if setting == "in sample" else 50, d=MANY), setting, queries=34)
    assert_defined(measure(points, SMALL), values(points, SMALL), rows(points, SMALL), SMALL)


def test_ties_are_averaged_over_random_orders():
    a, b = np.array([1.0, 1.0, 2.0, 2.0, 2.0, 3.0]), np.array([2.0, 1.0, 1.0, 1.0, 3.0, 1.0])

    def orders(values):
        """All rankings that random tie-breaking can give, equally often."""
        return {tuple(np.argsort(np.lexsort((tie, values))) + 1) for tie in permutations(range(6))}

    k = 2
    every = list(product(orders(a), orders(b)))
    errors = [np.sum((np.abs(np.subtract(r, s)) / r)[np.array(r) <= k]) for r, s in every]
    assert definitions._relative_errors(a, b, k) == pytest.approx(np.mean(errors), abs=1e-12)
    areas = [definitions._area_under_rnx(np.array(r), np.array(s)) for r, s in every]
    points = Split(np.zeros((1, 1)), np.zeros((1, 1)), None, a[:, None], b[:, None], include=False)
    assert measure(points, k, ["rnx_auc"])["rnx_auc"].value == pytest.approx(np.mean(areas), abs=1e-12)


@pytest.mark.parametrize("kind", ["plain", "quantised", "duplicates", "collapsed"])
@pytest.mark.parametrize("queries", [3, 2])
def test_two_candidates_give_values_without_intervals(kind, queries):
    X, Z, labels = cloud(kind, 3, 0)
    points = split(X, Z, labels, "in sample" if queries == 3 else "train and test", queries)
    reference = None if queries == 3 else (points.X_ref, points.Z_ref)
    expected = definitions.score(points.X, points.Z, 1, *points.where)
    names = [name for name in expected if name in distbench.metrics.METRICS]
    report = distbench.evaluate_codes(points.X, points.Z, reference=reference, k=1, metrics=names)
    for name in names:
        assert report[name].value == pytest.approx(expected[name], rel=1e-9, abs=1e-9), name
        assert report[name].low is None, name
