from __future__ import annotations

import json

import numpy as np
import pytest
from scipy.spatial.distance import cdist

import distbench
from distbench import InputError
from distbench.results.diagrams import diagrams_of
from distbench.results.rows import report_of, rows_of

RNG = np.random.default_rng(3)
X, X_REF = RNG.normal(size=(40, 5)), RNG.normal(size=(70, 5))
WEIGHTS = RNG.normal(size=(5, 3))


def project(points):
    return points @ WEIGHTS


@pytest.fixture(scope="module")
def report():
    return distbench.evaluate(project, X, reference=X_REF, k=5, name="projection")


def distances(x, z, x_ref=None, z_ref=None, metric=("euclidean", "euclidean"), own=True):
    """Each query's distances to all of its candidates, in both spaces: the plain way."""
    diagrams = []
    for points, others, name in ((x, x_ref, metric[0]), (z, z_ref, metric[1])):
        inside = cdist(points, points, name)[~np.eye(len(points), dtype=bool)].reshape(len(points), -1)
        blocks = ([inside] if own else []) + ([] if others is None else [cdist(points, others, name)])
        diagrams.append(np.concatenate(blocks, axis=1))
    return diagrams


def kept(a, b, sizes):
    """R_NX(K) from the K nearest neighbors themselves, where nothing is tied."""
    near_a, near_b, m = np.argsort(a, axis=1), np.argsort(b, axis=1), a.shape[1]
    values = []
    for size in sizes:
        common = [len({*one[:size]} & {*two[:size]}) for one, two in zip(near_a, near_b, strict=True)]
        values.append((m * np.mean(common) / size - size) / (m - size))
    return values


def test_diagrams_are_plain_values_with_their_settings(report):
    about = {"encoder": "mine", "dataset": "d", "code_size": 4, "seed": 7, "test": "t", "in_sample": True}
    diagrams = diagrams_of(report, **about)
    assert {**diagrams, **about, "k": 5, "m": 40, "M": 109} == diagrams
    assert diagrams["values"] == report.as_dict()
    assert json.loads(json.dumps(diagrams))["map"]["points"] == diagrams["map"]["points"]
    assert diagrams_of(report) == diagrams_of(report)
    assert (diagrams_of(report)["encoder"], diagrams_of(report)["code_size"]) == ("projection", 3)
    assert np.shares_memory(report.clouds.X, X)
    assert np.shares_memory(report.clouds.X_ref, X_REF)


def test_density_counts_every_pair_in_its_cell(report):
    density = diagrams_of(report)["shepard"]
    a, b = (part.ravel() for part in distances(X, project(X), X_REF, project(X_REF)))
    counts, _, _ = np.histogram2d(b, a, bins=64, range=[[0, b.max()], [0, a.max()]])
    np.testing.assert_array_equal(density["counts"], counts)
    assert (density["pairs"], density["beyond"]) == (a.size, 0)
    assert density["input_edges"][-1] == pytest.approx(a.max(), rel=1e-4)
    assert density["code_edges"][-1] == pytest.approx(b.max(), rel=1e-4)
    factor = np.linalg.lstsq(b[:, None], a, rcond=None)[0][0]  # brings codes nearest to inputs
    assert density["slope"] == pytest.approx(1 / factor, rel=1e-4)


def test_an_outlier_does_not_squeeze_the_density():
    points = RNG.normal(size=(1500, 2))
    codes = points.copy()
    codes[7] = 4000
    density = diagrams_of(distbench.evaluate_codes(points, codes, k=5))["shepard"]
    assert density["pairs"] == 500 * 1499
    assert density["beyond"] >= 499
    assert sum(map(sum, density["counts"])) == density["pairs"] - density["beyond"]
    usual = np.quantile(distances(points, points)[0], 0.994)
    assert density["code_edges"][-1] == pytest.approx(1.1 * usual, rel=0.2)
    codes = X.copy()
    codes[7] = 4000  # far pairs that are many stay inside
    density = diagrams_of(distbench.evaluate_codes(X, codes, k=5))["shepard"]
    assert density["beyond"] == 0
    assert density["code_edges"][-1] > 4000


@pytest.mark.parametrize(("own", "M", "last"), [(True, 109, 54), (False, 70, None)])
def test_curve_is_that_of_the_neighbors_themselves(own, M, last):
    report = distbench.evaluate(project, X, reference=X_REF, k=5, include_queries=own)
    curve = diagrams_of(report)["curve"]
    a, b = distances(X, project(X), X_REF, project(X_REF), own=own)
    assert (curve["M"], curve["queries"], curve["K"][0]) == (M, 40, 1)
    assert last in (None, curve["K"][-1])
    np.testing.assert_allclose(curve["kept"], kept(a, b, curve["K"]), atol=1e-4)


def test_curve_counts_ties_by_their_chances():
    points = RNG.normal(size=(30, 4))
    codes = RNG.integers(0, 2, size=(30, 3)).astype(float)
    curve = diagrams_of(distbench.evaluate_codes(points, codes, k=3, distance_z="hamming"))["curve"]
    a, b = distances(points, codes, metric=("euclidean", "hamming"))
    draws = [kept(a, b + RNG.uniform(0, 1e-6, b.shape), curve["K"]) for _ in range(400)]
    error = np.std(draws, axis=0) / 20
    assert (np.abs(np.mean(draws, axis=0) - curve["kept"]) < 5 * error + 1e-4).all()


def test_curve_of_isometry_and_of_shuffled_codes():
    same = diagrams_of(distbench.evaluate_codes(X, 3 * X, k=5))
    assert same["curve"]["kept"] == [1.0] * len(same["curve"]["K"])
    assert same["shepard"]["slope"] == pytest.approx(3)
    big = RNG.normal(size=(400, 3))
    shuffled = diagrams_of(distbench.evaluate_codes(big, RNG.permutation(big), k=5))["curve"]
    assert np.abs(shuffled["kept"][10:]).max() < 0.05


@pytest.mark.parametrize("scale", [1e-200, 1e200])
def test_extreme_scales(scale):
    diagrams = diagrams_of(distbench.evaluate_codes(X, X * scale, k=5))
    assert diagrams["shepard"]["slope"] == pytest.approx(scale, rel=1e-4)
    assert diagrams["curve"]["kept"][0] == 1.0
    diagrams = diagrams_of(distbench.evaluate_codes(X * scale, np.zeros((40, 2)), k=5))  # codes that all coincide
    assert diagrams["shepard"]["slope"] is None
    assert sum(diagrams["shepard"]["counts"][0]) == 40 * 39
    np.testing.assert_allclose(diagrams["curve"]["kept"], 0, atol=1e-9)


def test_map_has_points_scores_and_the_worst(report):
    diagrams = diagrams_of(report)["map"]
    codes = project(X)
    assert diagrams["rows"] == list(range(40))
    np.testing.assert_allclose(diagrams["points"], codes[:, :2], rtol=1e-4)
    np.testing.assert_allclose(diagrams["continuity"], report["continuity"].points, rtol=1e-4)
    assert [diagrams["rows"][place] for place in diagrams["marked"]] == [row for row, _ in report.worst_points(4)]
    assert (diagrams["columns"], diagrams["of"], diagrams["labels"], diagrams["classes"]) == (3, 40, None, [])
    pairs = report.worst_pairs(10)
    assert len(diagrams["torn"]) == len(pairs) > 0
    for torn, pair in zip(diagrams["torn"], pairs, strict=True):
        other = project(X if pair.partner_set == "test" else X_REF)[pair.partner]
        np.testing.assert_allclose(torn["line"], [*codes[pair.query, :2], *other[:2]], rtol=1e-4)
        assert (torn["query"], torn["partner"], torn["rank_code"]) == (pair.query, pair.partner, pair.rank_code)


def test_map_names_classes_at_their_medians(report):
    labels = np.array(["one", "two"])[np.arange(40) % 2]
    diagrams = diagrams_of(report, labels=labels)["map"]
    assert diagrams["labels"] == labels.tolist()
    names, *_ = zip(*diagrams["classes"], strict=True)
    assert names == ("one", "two")
    np.testing.assert_allclose(diagrams["classes"][1][1:], np.median(project(X)[1::2, :2], axis=0), rtol=1e-4)
    assert diagrams_of(report, labels=np.arange(40))["map"]["classes"] == []
    with pytest.raises(InputError, match="labels: found 3 for 40 test points"):
        diagrams_of(report, labels=[1, 2, 3])
    with pytest.raises(InputError, match="report: has no points, since it comes from stored rows"):
        diagrams_of(report_of(rows_of(report)))


def test_map_of_many_points_keeps_the_worst():
    points = RNG.normal(size=(1500, 3))
    report = distbench.evaluate(lambda x: x[:, :2], points, k=5)
    diagrams = diagrams_of(report)["map"]
    assert len(diagrams["rows"]) == len(set(diagrams["rows"])) == 1000
    worst = {row for row, _ in report.worst_points(10)}
    assert {diagrams["rows"][place] for place in diagrams["marked"]} == worst
    assert {pair["query"] for pair in diagrams["torn"]} <= set(diagrams["rows"])
    assert diagrams_of(report)["curve"]["queries"] == 500
    report = distbench.evaluate(lambda x: x[:, :2], points[:300], k=5, queries=50)
    diagrams = diagrams_of(report)
    scores = dict(zip(diagrams["map"]["rows"], diagrams["map"]["continuity"], strict=True))
    assert {row for row, score in scores.items() if score is not None} == set(report.judged.tolist())
    assert diagrams["curve"]["queries"] == 50


def test_map_of_one_column_and_without_continuity():
    report = distbench.evaluate(lambda x: x[:, :1], X, k=5, metrics=["scaled_stress"])
    diagrams = diagrams_of(report)["map"]
    assert (diagrams["columns"], diagrams["continuity"], diagrams["marked"]) == (1, None, [])
    np.testing.assert_allclose(np.array(diagrams["points"])[:, 0], X[:, 0], rtol=1e-4)
    assert len({y for _, y in diagrams["points"]}) == 40
