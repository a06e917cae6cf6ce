"""Distances and ranks of the pairs in a report are right in both spaces."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.distance import cdist

import distbench
from distbench.engine import gather, single_keys
from distbench.evaluation import measure
from distbench.evaluation.worst_pairs import MAX_POINTS, worst_pairs

RNG = np.random.default_rng(0)
METRICS = ("euclidean", "cosine", "cityblock", "hamming")


def points(m, n, d):
    return RNG.normal(size=(m, d)), RNG.normal(size=(n, d))


def rank_of(distances, column, own):
    """Return the mean rank of a candidate among the others, by sorting."""
    others = np.delete(distances, own) if own is not None else distances
    places = 1 + np.flatnonzero(np.sort(others) == distances[column])
    return places.mean()


def check(worst, test, reference, *, include_queries=True, metrics=("euclidean", "euclidean")):
    assert any(worst.values())
    m = len(test[0])
    tables = []
    for side, metric in enumerate(metrics):
        blocks = [test[side]] if include_queries else []
        blocks += [reference[side]] if reference is not None else []
        tables.append(cdist(test[side], np.vstack(blocks), metric).round(12))
    for pairs in worst.values():
        for pair in pairs:
            column = pair.partner
            if pair.partner_set == "reference":
                column += m if include_queries else 0
            own = pair.query if include_queries else None
            for table, distance, rank in zip(
                tables,
                (pair.input_distance, pair.code_distance),
                (pair.rank_input, pair.rank_code),
                strict=True,
            ):
                assert distance == pytest.approx(table[pair.query, column], abs=1e-11)
                assert rank == rank_of(table[pair.query], column, own)


@pytest.mark.parametrize("block", [1, 7, 4096])
@pytest.mark.parametrize("include_queries", [True, False])
def test_distances_and_ranks_are_right_for_any_block_size(monkeypatch, include_queries, block):
    monkeypatch.setattr(single_keys, "BLOCK_CANDIDATES", block)
    X, X_ref = points(40, 60, 5)
    Z, Z_ref = (X[:, :2] * 8).round() / 8, (X_ref[:, :2] * 8).round() / 8  # with ties
    gathered = gather(X, Z, X_ref, Z_ref, k=4, include_queries=include_queries)
    worst = worst_pairs(gathered)
    check(worst, (X, Z), (X_ref, Z_ref), include_queries=include_queries)
    assert {pair.partner_set for pair in worst["torn"]} <= {"reference", "test" if include_queries else "reference"}
    for pair in worst["torn"]:
        assert pair.rank_input <= 4 < pair.rank_code
    for pair in worst["merged"]:
        assert pair.rank_code < pair.rank_input > 4


def test_in_sample():
    X, _ = points(50, 0, 5)
    Z = X[:, :2]
    check(worst_pairs(gather(X, Z, k=4)), (X, Z), None)


@pytest.mark.parametrize("known", [("test", "reference"), ("test",), ("reference",)])
def test_a_pair_has_labels_if_both_of_its_points_have_one(known):
    X, X_ref = points(40, 60, 5)
    of_test, of_reference = ([f"{name} {row}" for row in range(n)] for name, n in (("test", 40), ("reference", 60)))
    labels = {
        "labels": of_test if "test" in known else None,
        "reference_labels": of_reference if "reference" in known else None,
    }
    report = distbench.evaluate_codes(X, X[:, :2], reference=(X_ref, X_ref[:, :2]), k=4, **labels)
    pairs = [pair for kind in report.pairs.values() for pair in kind]
    assert {pair.partner_set for pair in pairs} == {"test", "reference"}
    for pair in pairs:
        expected = (f"test {pair.query}", f"{pair.partner_set} {pair.partner}")
        assert pair.labels == (expected if {"test", pair.partner_set} <= set(known) else None)


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("d", [6, 40])  # 40 columns are compared by products of matrices
@pytest.mark.parametrize("judged", [None, [19, 7, 0]])
def test_any_distance(metric, d, judged):
    X, X_ref = points(20, 30, d)
    X_ref[:3], X_ref[3] = X[0], 3 * X[7]  # ties
    if metric == "hamming":
        X, X_ref = (X > 0).astype(float), (X_ref > 0).astype(float)
    table = cdist(X, np.vstack([X, X_ref]), metric)
    distances = {"distance_x": "euclidean" if metric == "hamming" else metric, "distance_z": metric}
    gathered = gather(X, X, X_ref, X_ref, k=4, judged=judged, families=frozenset({"ranks"}), **distances)
    places = [(i, j) for i in range(3) for j in range(50) if gathered.judged[i] != j]
    queries, candidates = np.array(places).T
    for (i, j), found in zip(places, gathered.pair_ranks(queries, candidates), strict=True):
        query = gathered.judged[i]
        assert found[2] == pytest.approx(table[query, j], abs=1e-12)
        assert found[3] == rank_of(table[query].round(10), j, query)


@pytest.mark.parametrize("scale", [1e-300, 1e-170, 1.0, 1e170, 1e300])
def test_any_scale(scale):
    X, X_ref = points(30, 50, 6)
    X_ref[:5] = X[:5]
    plain, scaled = (worst_pairs(gather(X * by, X[:, :2], X_ref * by, X_ref[:, :2], k=4)) for by in (1.0, scale))
    for kind, pairs in plain.items():
        for pair, larger in zip(pairs, scaled[kind], strict=True):
            assert larger.input_distance == pytest.approx(pair.input_distance * scale)
            assert (larger.rank_input, larger.rank_code) == (pair.rank_input, pair.rank_code)


def test_equal_rows_share_rank_one_at_any_scale():
    X = np.repeat(RNG.normal(size=(20, 3)), 3, axis=0)
    for scale in (1e-300, 1.0, 1e300):
        look_up = gather(X * scale, X, k=4).pair_ranks
        one, other, *far = look_up(np.array([0, 3, 0, 0, 0]), np.array([1, 5, 3, 4, 5])).tolist()
        assert one[:2] == other[:2] == [0.0, 1.5]
        assert far[0] == far[1] == far[2]


def test_memory_maps_and_single_precision(tmp_path):
    X, X_ref = points(30, 200, 20)
    X, X_ref = X.astype(np.float32), X_ref.astype(np.float32)
    X_ref.tofile(tmp_path / "points")
    mapped = np.memmap(tmp_path / "points", dtype=np.float32, mode="r", shape=X_ref.shape)
    doubles = X.astype(float), X_ref.astype(float)
    of_doubles = worst_pairs(gather(doubles[0], doubles[0][:, :2], doubles[1], doubles[1][:, :2], k=4))
    assert worst_pairs(gather(X, X[:, :2], mapped, mapped[:, :2], k=4)) == of_doubles


def test_points_that_lost_most_have_pairs_if_only_recall_is_measured(monkeypatch):
    monkeypatch.setattr(measure, "RANKED_PAIRS", 200 * 400)
    X, X_ref = points(200, 300, 20)
    Z, Z_ref = X[:, :3].copy(), X_ref[:, :3]
    Z[7] += 50
    report = distbench.evaluate_codes(X, Z, reference=(X_ref, Z_ref), metrics="knn_recall")
    scores = report["knn_recall"].points
    whole = distbench.evaluate_codes(X, Z, reference=(X_ref, Z_ref), metrics=("knn_recall", "trustworthiness"))
    assert report["knn_recall"].value == whole["knn_recall"].value
    assert report.pairs["torn"]
    largest = np.sort(scores)[MAX_POINTS - 1]
    assert all(scores[pair.query] <= largest for pair in report.pairs["torn"])
    check(report.pairs, (X, Z), (X_ref, Z_ref))


@pytest.mark.parametrize("metric", ["inner_product", *METRICS])
@pytest.mark.parametrize(("judged", "include_queries"), [(None, True), (None, False), ([19, 7, 0], True)])
def test_farthest_neighbors_are_those_that_the_pass_over_all_candidates_finds(metric, judged, include_queries):
    X, X_ref = points(40, 60, 20)
    X[5], X_ref[:20] = X[4], X[:20]  # ties
    codes, known = (np.rint(each[:, :18]) for each in (X, X_ref))
    options = {"judged": judged, "include_queries": include_queries, "distance_z": metric, "k": 4}
    gathered = gather(X, codes, X_ref, known, families=frozenset({"ranks"}), **options)
    for side, expected in enumerate((gathered.ranks.trust, gathered.ranks.continuity)):
        worst = gathered.pair_ranks.farthest(side, np.arange(gathered.m), 4)
        ranks = gathered.pair_ranks(np.arange(gathered.m), worst)[:, 1 + 2 * side]
        assert np.array_equal(ranks[ranks > 4], expected.worst_rank[ranks > 4])
        assert np.array_equal(worst[ranks > 4], expected.worst[ranks > 4])
        assert (expected.worst_rank[ranks <= 4] <= 4).all()


def test_few_points_have_worst_pairs_of_fewer_neighbors():
    X = RNG.normal(size=(9, 3))
    report = distbench.evaluate_codes(X, X[:, :1], metrics="stress")  # the default of k is 10
    assert (report.k, report.M) == (4, 8)
    assert report.pairs["torn"] == distbench.evaluate_codes(X, X[:, :1], k=4).pairs["torn"] != ()
    assert report.as_dict() == distbench.evaluate_codes(X, X[:, :1], k=2, metrics="stress").as_dict()


def test_pairs_that_only_ties_push_beyond_k_are_not_shown():
    X = np.repeat(np.arange(20.0), 2)[:, None]  # each point twice, so that ties end at k = 2
    worst = worst_pairs(gather(X, X, k=2))
    assert (worst["torn"], worst["merged"]) == ((), ())
