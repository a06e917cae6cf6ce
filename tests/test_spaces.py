"""Inner products and given distances: each agrees with a search by hand, with ties, in every setting of candidates."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest
from oracles import definitions
from scipy.sparse import csr_array
from scipy.sparse.csgraph import shortest_path
from scipy.spatial.distance import squareform
from sklearn.neighbors import kneighbors_graph

import distbench
from distbench.engine.spaces import space_of
from distbench.metrics import METRICS

K = 3
SETTINGS = ("in sample", "with reference", "reference alone")
OF_ORDER = [name for name, metric in METRICS.items() if metric.family in ("ranks", "order")]
OF_POINTS = [name for name in OF_ORDER if name in ("trustworthiness", "continuity", "knn_recall", "triplet_accuracy")]
WORDS = ["kitten", "sitting", "mitten", "smitten", "bitten", "kitchen", "chicken", "thicken", "sicken", "mittens"]
WORDS += ["sit", "sat", "set", "bet", "bit", "bat", "but"]


def cloud(kind, d, n=27):
    rng = np.random.default_rng(d)
    if kind == "float32":
        return rng.normal(size=(n, d)).astype(np.float32) + np.float32(0.3)
    if kind == "whole numbers":  # many inner products are equal
        return rng.integers(-2, 3, size=(n, d)).astype(float)
    scale = {"huge": 1e150, "tiny": 1e-150, "one zero": 1.0}[kind]
    X = rng.normal(size=(n, d)) * scale
    X[4] = 0
    return X


def split(X, Z, setting):
    """Return the arguments of `evaluate_codes` and of the definitions for 11 test points."""
    if setting == "in sample":
        return (X, Z, {}), (X, Z, K)
    include = setting == "with reference"
    options = {"reference": (X[11:], Z[11:]), "include_queries": include}
    return (X[:11], Z[:11], options), (X[:11], Z[:11], K, X[11:], Z[11:], include)


def defined(points):
    """Return the scores of single points by the definitions."""
    return definitions.per_query(*points) | {
        name: row
        for name, row in definitions.extra_per_query(
            *points, labels=np.zeros(len(points[0])), labels_ref=None if len(points) == 3 else np.zeros(len(points[3]))
        ).items()
        if name in OF_ORDER
    }


def without(points, row):
    return tuple(np.delete(part, row, axis=0) if place < 2 else part for place, part in enumerate(points))


@pytest.mark.parametrize("setting", SETTINGS)
@pytest.mark.parametrize("kind", ["float32", "whole numbers", "huge", "tiny", "one zero"])
@pytest.mark.parametrize("d", [5, 40])
def test_inner_products_agree_with_a_search_by_hand(kind, d, setting, monkeypatch):
    how = ("inner_product", "inner_product")
    monkeypatch.setattr(definitions, "_candidates", partial(definitions._candidates, distances=how))
    X = cloud(kind, d)
    Z = np.round(X.astype(float) / np.abs(X).max() * 4)  # codes of few bits
    (X_test, Z_test, options), points = split(X.astype(float), Z, setting)
    X_test = X_test.astype(X.dtype)
    report = distbench.evaluate_codes(
        X_test, Z_test, k=K, metrics=OF_ORDER, distance_x="inner_product", distance_z="inner_product", **options
    )
    for name, row in defined(points).items():
        np.testing.assert_allclose(report[name].points, row, atol=1e-12, err_msg=name)
    left_out = [definitions.per_query(*without(points, row)) for row in range(len(X_test))]
    for name in OF_POINTS:
        wanted = [scores[name].mean() for scores in left_out]
        np.testing.assert_allclose(report[name].leave_one_out, wanted, atol=1e-12, err_msg=name)


def edit_distance(a, b):
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, start=1):
        corner, row[0] = row[0], i
        for j, y in enumerate(b, start=1):
            corner, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, corner + (x != y))
    return row[-1]


def geodesic():
    """Return distances along the swiss roll, and its points."""
    data = distbench.load_dataset("swiss_roll")
    points = data.test[:200]
    return shortest_path(kneighbors_graph(points, 12, mode="distance"), directed=False), points


def words():
    """Return edit distances of words, of which most are tied, and codes: counts of letters."""
    distances = np.array([[edit_distance(a, b) for b in WORDS] for a in WORDS], dtype=float)
    return distances, np.array([[word.count(letter) for letter in "abcehikmnstu"] for word in WORDS], dtype=float)


@pytest.mark.parametrize("setting", SETTINGS)
@pytest.mark.parametrize("case", [geodesic, words])
def test_given_distances_agree_with_a_search_by_hand(case, setting, monkeypatch):
    D, Z = case()
    assert np.isfinite(D).all()
    m = 11
    rows = np.arange(len(D))[:, None].astype(float)
    by_row = lambda i, j: D[int(i[0]), int(j[0])]  # noqa: E731
    monkeypatch.setattr(definitions, "_candidates", partial(definitions._candidates, distances=(by_row, "euclidean")))
    _, points = split(rows, Z, setting)
    columns = {"in sample": D, "with reference": D[:m], "reference alone": D[:m, m:]}[setting]
    tests = Z if setting == "in sample" else Z[:m]
    options = {} if setting == "in sample" else {"include_queries": setting == "with reference"}
    reference = {} if setting == "in sample" else {"reference": (None, Z[m:])}
    names = [name for name in METRICS if METRICS[name].family not in ("semantic", "model")]
    given = {"k": K, "metrics": names, **options}
    report = distbench.evaluate_codes(columns, tests, distance_x="precomputed", **given, **reference)
    wanted = definitions.score(*points)
    for name, value in wanted.items():
        assert report[name].value == pytest.approx(value, abs=1e-12, rel=1e-12), name
    for name in OF_POINTS:
        np.testing.assert_allclose(report[name].points, definitions.per_query(*points)[name], atol=1e-12)
    assert {note.code for note in report.notes} <= {"triplet_accuracy", "judged"}
    # the same with codes of which the distances are given
    code_columns = {"in sample": slice(None), "with reference": slice(None), "reference alone": slice(m, None)}[setting]
    E = np.sqrt(((Z[: len(tests), None] - Z[None]) ** 2).sum(axis=2))[:, code_columns]
    both = distbench.evaluate_codes(columns, E, distance_x="precomputed", distance_z="precomputed", **given)
    for name, score in report.items():
        assert both[name].value == pytest.approx(score.value, abs=1e-12, rel=1e-12), name
        assert (both[name].low is None) == (score.low is None)
    assert [(pair.query, pair.partner) for pair in both.worst_pairs()] == [
        (pair.query, pair.partner) for pair in report.worst_pairs()
    ]
    assert both.n_reference == report.n_reference


def test_recall_alone_of_given_distances_may_have_no_pairs():
    D = np.abs(np.subtract.outer(*[2.0 ** np.arange(12)] * 2))  # without ties
    report = distbench.evaluate_codes(
        D, D, k=3, distance_x="precomputed", distance_z="precomputed", metrics="knn_recall"
    )
    assert report["knn_recall"].value == 1
    assert not any(report.pairs.values())


@pytest.mark.parametrize("queries", [None, 60])
def test_given_distances_do_not_depend_on_the_order_of_points(queries):
    D, Z = geodesic()
    order = np.random.default_rng(1).permutation(len(D))
    Z = Z[:, :1]
    given = {"k": 5, "queries": queries, "distance_x": "precomputed"}
    here = distbench.evaluate_codes(D, Z, **given)
    there = distbench.evaluate_codes(D[np.ix_(order, order)], Z[order], **given)
    for name, score in here.items():
        assert there[name].value == pytest.approx(score.value, abs=1e-9), name
        if score.low is not None:
            assert there[name].low == pytest.approx(score.low, abs=1e-9), name
    assert here.worst_pairs(1)[0].input_distance == there.worst_pairs(1)[0].input_distance


def test_worst_pairs_of_inner_products_have_their_ranks():
    X = cloud("float32", 40).astype(float)
    Z = X[:, :2]
    report = distbench.evaluate_codes(X, Z, k=K, distance_x="inner_product", distance_z="inner_product")
    pair = report.worst_pairs(1)[0]
    for distance, rank, points in ((pair.input_distance, pair.rank_input, X), (pair.code_distance, pair.rank_code, Z)):
        products = np.delete(points @ points[pair.query], pair.query)
        assert distance == pytest.approx(-points[pair.partner] @ points[pair.query])
        assert rank == 1 + np.count_nonzero(products > -distance + 1e-12)


def test_a_package_metric_gets_given_distances():
    from distbench.metrics.user_metrics import with_metric_inputs

    D, Z = words()
    seen = []

    @distbench.metrics.point_metric(direction="up")
    def farthest(inputs):
        seen.append(inputs.distances())
        return inputs.distances()[0].max(axis=1)

    from distbench.engine import gather

    for judged in (None, np.array([2, 5, 7])):
        statistics = gather(D, Z, k=2, judged=judged, distance_x="precomputed", families=frozenset({"ranks"}))
        with_metric_inputs(statistics, (D, Z), None, True, ("precomputed", "euclidean"))
        rows = statistics.judged
        wanted = [np.delete(D[row], row).max() for row in rows]
        np.testing.assert_array_equal(farthest.measure(statistics).points, wanted)
        assert seen[-1][0].shape == seen[-1][1].shape


def test_metrics_of_lengths_are_refused_or_left_out():
    X = cloud("float32", 5)
    inner = {"distance_x": "inner_product", "k": K}
    with pytest.raises(distbench.InputError, match="'stress', which cannot be measured: inner products are no lengths"):
        distbench.evaluate_codes(X, X, metrics="stress", **inner)
    assert list(distbench.evaluate_codes(X, X, **inner)) == OF_POINTS
    assert set(distbench.evaluate_codes(X, X, metrics="all", **inner)) == set(OF_ORDER)
    assert distbench.evaluate_codes(X, X, **inner).clouds is None


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda D: D[:, :-1], r"found distances of shape \(17, 16\); pass a row for each test point, and a column"),
        (lambda D: -D, "found -5 in row 0; pass distances, which are never negative, not similarities"),
        (lambda D: D - 1e-9, "found -1e-09 in row 0; set what rounding left to 0: numpy.maximum"),
        (lambda D: D + 1e-9 * np.eye(17), "to itself; set what rounding left to 0: numpy.fill_diagonal"),
        (lambda D: D + np.eye(17), "found 1 from test point 0 to itself; pass distances, not similarities"),
        (
            lambda D: D + np.tri(17, k=-1),
            "found 3 from test point 0 to 1, but 1 more back; pass distances that are the same in both directions",
        ),
        (lambda D: D * (1 + 1e-8 * np.tri(17)), r"found 7 from test point 6 to 11, but 7e-08 more back"),
        (squareform, "found a vector of 136 distances; pass a matrix; scipy.spatial.distance.squareform makes one"),
        (lambda D: D * 0, "found distances that are all 0"),
        (
            csr_array,
            "found a sparse matrix, in which a distance that is missing",
        ),
    ],
)
def test_matrices_that_are_no_distances_are_refused(change, message):
    D, Z = words()
    with pytest.raises(distbench.InputError, match=message) as error:
        distbench.evaluate_codes(change(D), Z, k=2, distance_x="precomputed")
    assert "\n" not in str(error.value)
    assert str(error.value).startswith("X_test: ")


def test_given_distances_beside_points_and_encoders():
    D, Z = words()
    given = {"k": 2, "distance_x": "precomputed"}
    with pytest.raises(distbench.InputError, match=r"reference\[0\]: found points beside given distances; pass None"):
        distbench.evaluate_codes(D[:9], Z[:9], reference=(Z[9:], Z[9:]), **given)
    with pytest.raises(distbench.InputError, match=r"reference\[0\]: found None"):
        distbench.evaluate_codes(Z[:9], Z[:9], reference=(None, Z[9:]), k=2)
    with pytest.raises(distbench.InputError, match="distance_z: found 'precomputed' for codes that an encoder makes"):
        distbench.evaluate(lambda batch: batch, Z, k=2, distance_z="precomputed")
    encoded = distbench.evaluate(lambda batch: batch[:, :5], Z[:9], reference=Z[9:], input_space=D[:9], **given)
    ready = distbench.evaluate_codes(D[:9], Z[:9, :5], reference=(None, Z[9:, :5]), **given)
    assert encoded.as_dict() == ready.as_dict()
    assert encoded.space == "distances given"
    texts = distbench.evaluate(lambda batch: [[len(word)] for word in batch], WORDS, input_space=D, **given)
    assert texts.m == len(WORDS)
    with pytest.raises(distbench.InputError, match="input_space: found distances of shape"):
        distbench.evaluate(lambda batch: batch, Z[:9], reference=Z[9:], input_space=D[:8], **given)


def default_rng(batch):
    return np.random.default_rng().normal(size=batch.shape)


def test_queries_and_documents_may_have_codes_of_their_own():
    X = cloud("float32", 16, n=60)
    queries, documents = X[:20], X[20:]
    full, signs = (lambda batch: batch), (lambda batch: np.where(batch > 0, 1, -1).astype(np.int8))
    inner = {"k": K, "metrics": OF_POINTS, "distance_z": "inner_product"}
    report = distbench.evaluate(full, queries, reference=documents, reference_encoder=signs, **inner)
    scores = queries.astype(float) @ signs(documents).T
    near = [set(np.argsort(-row)[:K]) for row in scores]
    lengths = ((queries[:, None].astype(float) - documents[None]) ** 2).sum(axis=2)
    true = [set(np.argsort(row)[:K]) for row in lengths]
    kept = [len(a & b) / K for a, b in zip(near, true, strict=True)]
    np.testing.assert_allclose(report["knn_recall"].points, kept, atol=1e-12)
    assert (report.M, report.code_bytes, report.point_bytes) == (40, 16, 64)
    ready = distbench.evaluate_codes(
        queries, full(queries), reference=(documents, signs(documents)), include_queries=False, **inner
    )
    assert ready.as_dict() == report.as_dict()
    assert (ready.M, ready.code_bytes) == (40, 16)
    with pytest.raises(
        distbench.InputError, match="reference_encoder: given without reference points; pass reference="
    ):
        distbench.evaluate(full, queries, reference_encoder=signs, **inner)
    with pytest.raises(distbench.EncoderError, match=r"'default_rng' gave different codes .* same points of reference"):
        distbench.evaluate(full, queries, reference=documents, reference_encoder=default_rng, **inner)


def test_an_encoder_that_decodes_its_codes_says_their_bytes():
    class Quantiser:
        code_bytes = 3

        def transform(self, batch):
            return np.round(batch)

    X = cloud("float32", 16)
    assert distbench.evaluate(Quantiser(), X, k=K).code_bytes == 3
    assert distbench.evaluate(lambda b: b, X, reference=X + 1, reference_encoder=Quantiser(), k=K).code_bytes == 3


@pytest.mark.parametrize("scale", [1e-150, 1.0, 1e150])
@pytest.mark.parametrize("d", [3, 40])  # 40 columns are compared by products of matrices
def test_keys_of_inner_products_are_positive_and_in_their_unit(d, scale):
    rng = np.random.default_rng(5)
    X, X_ref = rng.normal(size=(9, d)), rng.normal(size=(14, d)) * 3
    space = space_of([X * scale, X_ref * scale], None, 9, "inner_product")
    keys = space.keys(0, 9, np.empty((9, 14)))
    assert keys.min() > 0  # as kernels need them
    products = -np.stack([space.exact_distances(i) for i in range(9)])
    unit = np.ldexp(1.0, space.exponent // 2)
    np.testing.assert_allclose(products, (X * scale / unit) @ (X_ref * scale / unit).T, rtol=1e-9, atol=1e-12)
