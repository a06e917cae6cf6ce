"""Neighbors that a search returned: indexes of real packages, and ids; each agrees with a count by hand."""

from __future__ import annotations

import numpy as np
import pytest
from frameworks import faiss, needs, pd
from hypothesis import given, settings
from hypothesis import strategies as st
from oracles import definitions
from scipy.spatial.distance import cdist
from sklearn.neighbors import NearestNeighbors

import distbench
from distbench.evaluation.failure_message import advice

RNG = np.random.default_rng(5)
D, Q = RNG.normal(size=(700, 24)).astype(np.float32), RNG.normal(size=(150, 24)).astype(np.float32)
KS = (1, 10, 100)


def by_hand(ids, k, X=Q, Y=D, distance="euclidean"):
    """Return the share of each query's k nearest among its first k ids, ties shared."""
    a = -X.astype(float) @ Y.astype(float).T if distance == "inner_product" else cdist(X, Y, distance)
    near = np.stack([definitions._membership(row, k) for row in a])
    return np.array([sum(near[i, j] for j in set(row[:k]) if j >= 0) / k for i, row in enumerate(ids)])


def assert_counted(report, ids, **how):
    for k in KS:
        np.testing.assert_allclose(report[f"knn_recall@{k}"].points, by_hand(ids, k, **how), atol=1e-12)


def faiss_index(name, metric=1):
    index = faiss.index_factory(24, name, metric)
    faiss.omp_set_num_threads(1)
    index.train(D)
    index.add(D)
    return index


@needs("faiss")
@pytest.mark.parametrize(("name", "code_bytes"), [("PQ8x4", 4), ("SQ8", 24), ("IVF16,Flat", 97), ("HNSW8", None)])
def test_indexes_of_faiss(name, code_bytes):
    index = faiss_index(name)
    report = distbench.evaluate(index, Q, reference=D, k=KS)
    assert_counted(report, index.search(Q, 100)[1])
    assert (report.m, report.M, report.n_reference, report.point_bytes) == (150, 700, 700, 96)
    assert (report.code_bytes, report.code_size) == (code_bytes, code_bytes or 24)
    assert report.encoder.startswith("Index")
    missing = {"found_ids"} if name.startswith("IVF") else set()  # one cell of 16 has fewer than 100 points
    assert {note.code for note in report.notes} == missing


def hnswlib_index():
    import hnswlib

    index = hnswlib.Index(space="l2", dim=24)
    index.init_index(len(D), random_seed=1)
    index.set_num_threads(1)
    index.add_items(D)
    index.set_ef(120)
    return index, lambda: index.knn_query(Q, 100)[0].astype(np.int64)


def usearch_index():
    from usearch.index import Index

    index = Index(ndim=24, metric="l2sq")
    index.add(np.arange(len(D)), D, threads=1)
    return index, lambda: index.search(Q, 100).keys.astype(np.int64)


def sklearn_index():
    index = NearestNeighbors(metric="cityblock").fit(D)
    return index, lambda: index.kneighbors(Q, 100, return_distance=False)


@pytest.mark.parametrize(
    ("make", "name"),
    [
        pytest.param(hnswlib_index, "hnswlib.Index", marks=needs("hnswlib")),
        pytest.param(usearch_index, "usearch.Index", marks=needs("usearch")),
        (sklearn_index, "NearestNeighbors"),
    ],
)
def test_indexes_of_other_packages(make, name):
    index, search = make()
    report = distbench.evaluate(index, Q, reference=D, k=KS)
    assert_counted(report, search())
    assert report.encoder == name
    if name == "NearestNeighbors":
        text = "the index searches by cityblock, but true neighbors are nearest by euclidean; pass"
        assert [str(note)[: len(text)] for note in report.notes] == [text]
        exact = distbench.evaluate(index, Q, reference=D, k=KS, distance_x="cityblock")
        assert set(exact.as_dict().values()) == {1.0}
        assert not exact.notes


def test_an_index_of_unit_vectors_finds_cosine_neighbors():
    """Points of other lengths may be in the index as unit vectors: a note says what must hold."""
    units, queries = (part / np.linalg.norm(part, axis=1, keepdims=True) for part in (D, Q))
    index = NearestNeighbors().fit(units)
    report = distbench.evaluate(index, queries, reference=units, distance_x="cosine")
    assert (report["knn_recall"].value, report.notes) == (1.0, ())
    (note,) = distbench.evaluate(index, Q, reference=D, distance_x="cosine").notes
    assert str(note).endswith("only if the vectors in the index have length 1, which those of reference have not")


KINDS = {
    "plain": ("euclidean", "cosine", "cityblock", "inner_product"),
    "ties": ("euclidean", "cityblock", "inner_product"),
    "far from 0": ("euclidean", "cityblock"),
    "all but equal": ("euclidean", "cityblock"),
}


@pytest.mark.parametrize(("kind", "distance"), [(kind, how) for kind, every in KINDS.items() for how in every])
@pytest.mark.parametrize("d", [3, 24])
def test_ids_agree_with_a_count_by_hand(kind, distance, d):
    X, Y = Q[:40, :d].copy(), D[:300, :d].copy()
    if kind == "ties":
        X, Y = np.round(X) + 5, np.round(Y) + 5
    elif kind == "far from 0":
        X, Y = X + 1e4, Y + 1e4
    elif kind == "all but equal":
        X, Y = X * 1e-7 + 1, Y * 1e-7 + 1
    ids = np.argsort(cdist(X, Y + 0.3 * RNG.normal(size=Y.shape)), axis=1)[:, :100]
    report = distbench.evaluate_neighbors(ids, X, Y, k=KS, distance_x=distance)
    assert_counted(report, ids, X=X, Y=Y, distance=distance)


@given(
    distance=st.sampled_from(["euclidean", "cosine", "cityblock", "inner_product", "precomputed"]),
    d=st.sampled_from([3, 20]),  # 20 columns are compared by products of matrices
    k=st.integers(1, 9),
    high=st.integers(1, 12),
    copies=st.sampled_from([1, 1, 9, 300]),  # with 300 there is no room for all that are near
    seed=st.integers(0, 2**32 - 1),
)
@settings(max_examples=40, deadline=None)
def test_near_ones_agree_with_a_count_by_hand(distance, d, k, high, copies, seed):
    rng = np.random.default_rng(seed)
    X, Y = rng.integers(-1, high, (5, d)) + 0.0, np.repeat(rng.integers(-1, high, (40, d)) + 0.0, copies, axis=0)
    X[:, 0] += 1
    Y[:, 0] += 20 if distance == "cosine" else 0  # no row is 0
    X[:, 0] += 20 if distance == "cosine" else 0
    ids = np.array([rng.permutation(len(Y))[:12] for _ in X])
    ids[0, 3:] = -1
    a = -X @ Y.T if distance == "inner_product" else cdist(X, Y, "euclidean" if distance == "precomputed" else distance)
    kth = np.sort(a, axis=1)[:, k - 1 : k]
    counts = a <= kth + 0.01 * abs(kth) + 1e-9 * abs(kth) + (1e-14 if distance == "cosine" else 0)
    points = (a, None) if distance == "precomputed" else (X, Y)
    report = distbench.evaluate_neighbors(ids, *points, k=k, metrics=("near_recall", "knn_recall"), distance_x=distance)
    wanted = [sum(counts[i, j] for j in row[:k] if j >= 0) / k for i, row in enumerate(ids)]
    np.testing.assert_allclose(report["near_recall"].points, wanted, atol=1e-12)
    assert report["near_recall"].chance == pytest.approx(counts.mean())
    if distance != "cosine":  # equal cosines differ in the last bits here
        exact = [sum(definitions._membership(a[i], k)[j] for j in row[:k] if j >= 0) / k for i, row in enumerate(ids)]
        np.testing.assert_allclose(report["knn_recall"].points, exact, atol=1e-12)


def test_given_distances_and_duplicates_of_points():
    Y = np.repeat(D[:30], 10, axis=0)  # more are tied than there is room for
    distances = cdist(Q, Y)
    ids = np.argsort(distances, axis=1, kind="stable")[:, :100]
    report = distbench.evaluate_neighbors(ids, distances, None, k=KS, distance_x="precomputed")
    assert_counted(report, ids, Y=Y)
    assert report.as_dict() == distbench.evaluate_neighbors(ids, Q, Y, k=KS).as_dict()
    assert report["knn_recall@1"].value == pytest.approx(0.1)


def test_queries_among_the_points_that_are_searched_have_a_note():
    ids = np.argsort(cdist(D[:30], D), axis=1)[:, :10]
    notes = distbench.evaluate_neighbors(ids, D[:30], D).notes
    assert notes == ("30 of the 30 test points equal a reference point: each counts as a neighbor of itself",)


def test_the_report_is_that_of_codes_which_give_these_neighbors():
    Z, Z_ref = Q[:, :6], D[:, :6]
    ids = np.argsort(cdist(Z, Z_ref), axis=1)[:, :10]
    options = {"metrics": ("knn_recall", "lcmc"), "groups": np.arange(150) // 5}
    report = distbench.evaluate_neighbors(ids, Q, D, name="six", **options)
    codes = distbench.evaluate_codes(Q, Z, reference=(D, Z_ref), include_queries=False, **options)
    for name, score in codes.items():
        own = report[name]
        assert (own.value, own.low, own.high) == pytest.approx((score.value, score.low, score.high), abs=1e-12)
        assert own.chance == pytest.approx(score.chance)
        np.testing.assert_allclose(own.points, score.points, atol=1e-12)
    assert report.worst_points(3, "knn_recall") == codes.worst_points(3, "knn_recall")
    assert report.by_group("knn_recall")[0].value == codes.by_group("knn_recall")[0].value
    assert distbench.compare(report, codes)["knn_recall"].value == pytest.approx(0, abs=1e-12)
    assert str(report).startswith("six: m = 150 test points in 30 groups, M = 700 candidates each")
    assert report.check(knn_recall=0.05) is report
    with pytest.raises(distbench.PreservationError, match="six does not meet 1 limit"):
        report.check(knn_recall=0.9)


def test_what_sorting_again_could_restore_and_what_is_nearly_as_near():
    ids = np.argsort(cdist(Q[:, :8], D[:, :8]), axis=1)[:, :100]
    options = {"metrics": ("recall@10_in_100", "recall@1_in_10", "knn_recall", "near_recall", "near_recall@30")}
    report = distbench.evaluate_neighbors(ids, Q, D, **options)
    codes = distbench.evaluate_codes(Q, Q[:, :8], reference=(D, D[:, :8]), include_queries=False, **options)
    for name, score in codes.items():
        own = report[name]
        assert (own.value, own.low, own.high) == pytest.approx((score.value, score.low, score.high), abs=1e-12)
        assert own.chance == pytest.approx(score.chance)
    with pytest.raises(distbench.InputError, match="found 30 for each test point, but recall@10_in_100 needs 100"):
        distbench.evaluate_neighbors(ids[:, :30], Q, D, **options)


@pytest.mark.parametrize("make", ["pandas", "polars", "arrow", "objects", "arrays", "one column", "nothing found"])
def test_ids_in_columns_of_lists(make):
    ids = np.argsort(cdist(Q, D[:, :20] @ np.eye(20, 24)), axis=1)[:, :10].tolist()
    wanted = distbench.evaluate_neighbors([[-1] * 10, *ids[1:]] if make == "nothing found" else ids, Q, D).as_dict()
    if make == "polars":
        column = pytest.importorskip("polars").Series(ids)
    elif make == "arrow":
        column = pytest.importorskip("pyarrow").array(ids)
    else:
        column = pd.Series(list(map(np.array, ids)) if make == "arrays" else ids)
        column = {"objects": column.to_numpy(), "one column": column.to_frame("ids")}.get(make, column)
        column = column.mask(column.index == 0, None) if make == "nothing found" else column
    assert distbench.evaluate_neighbors(column, Q, D).as_dict() == wanted


def test_missing_and_repeated_ids():
    ids = np.argsort(cdist(Q, D), axis=1)[:, :10]
    ids[0, 4:] = -1
    ids[1, 7] = ids[1, 2]
    report = distbench.evaluate_neighbors(ids, Q, D)
    assert report["knn_recall"].points[:3].tolist() == [0.4, 0.9, 1.0]
    assert [str(note) for note in report.notes] == [
        "ids: 1 of 150 queries have fewer than 10 neighbors; those that are missing count as not found",
        "ids: 1 of 150 queries have one id twice among 10; it counts once",
    ]
    ragged = [row[: 4 if i == 0 else 10] for i, row in enumerate(ids.tolist())]
    assert distbench.evaluate_neighbors(ragged, Q, D).as_dict() == report.as_dict()


@pytest.mark.parametrize("kind", ["texts", "numbers", "both"])
def test_ids_of_a_database(kind):
    ids = np.argsort(cdist(Q, D[:, :20] @ np.eye(20, 24)), axis=1)[:, :10]
    wanted = distbench.evaluate_neighbors(ids, Q, D).as_dict()
    own = [f"doc-{place}" for place in range(700)] if kind == "texts" else [1000 + 3 * place for place in range(700)]
    own[1::2] = [str(place - 3) for place in own[1::2]] if kind == "both" else own[1::2]  # 1000 and "1000" differ
    named = [[own[place] for place in row] for row in ids]
    assert distbench.evaluate_neighbors(named, Q, D, ids_of=own).as_dict() == wanted
    named[3] = [*named[3][:5], *[-1 if kind == "numbers" else None] * 5]
    assert distbench.evaluate_neighbors(named, Q, D, ids_of=own)["knn_recall"].points[3] <= 0.5


IDS = np.tile(np.arange(10), (150, 1))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"ids": IDS[:9]}, "ids: found 9 rows for 150 test points; pass one row of ids for each test point"),
        (
            {"ids": IDS + 695},
            "ids: found 700 in row 0, but reference has 700 rows; pass the id of each reference point",
        ),
        (
            {"ids": IDS + 691},
            "ids: found 700 in row 0, .*; if ids count from 1, pass ids - 1; else pass the id of each",
        ),
        ({"ids": IDS - 2}, "ids: found -2 in row 0, but reference has 700 rows"),
        ({"ids": IDS / 2}, "ids: found float64 values; pass rows of the reference, or the id of each"),
        ({"ids": IDS.astype(str)}, "ids: found <U21 values; pass rows"),
        ({"ids": IDS[0]}, r"ids: found shape \(10,\); pass one row of ids"),
        (
            {"k": 20},
            "ids: found 10 for each test point, but knn_recall needs 20; search for more, or pass a smaller k=",
        ),
        ({"ids_of": np.arange(9)}, r"ids_of: found shape \(9,\) for 700 reference points; pass one id for each"),
        ({"ids_of": np.arange(700)[:, None]}, r"ids_of: found shape \(700, 1\) for 700 reference points"),
        ({"ids_of": np.ma.array(np.arange(700), mask=np.arange(700) == 3)}, "ids_of: found a masked array"),
        ({"ids": np.ma.array(IDS, mask=IDS > 300)}, "ids: found a masked array; fill or drop"),
        ({"ids": IDS + 2.0**60, "ids_of": np.arange(700) + 2**60}, "ids: found float64 values; pass ids as int64"),
        ({"X_test": cdist(Q, D), "distance_x": "precomputed"}, "reference: found points beside given distances"),
        ({"ids_of": np.zeros(700)}, "ids_of: found one id twice; pass a different id"),
        ({"ids_of": np.arange(1, 701)}, "ids: found 0 in row 0, which is not in ids_of; pass the ids of these"),
        ({"metrics": "stress"}, "metrics: found 'stress', which the ids of neighbors cannot answer; they answer"),
        ({"metrics": "trustworthiness"}, "metrics: found 'trustworthiness', which the ids of neighbors cannot answer"),
        ({"metrics": "knn_recal"}, "metrics: found no metric 'knn_recal'; did you mean 'knn_recall'"),
        ({"codes": Q}, r"codes: found ndarray; pass a pair \(Z_test, Z_ref\)"),
        ({"codes": (Q[:9], D)}, r"codes\[0\]: found 9 rows, but X_test has 150"),
        ({"reference": D[:, :5]}, "reference: found 5 columns, but X_test has 24"),
    ],
)
def test_errors_are_one_line(change, message):
    with pytest.raises(distbench.InputError, match=message) as error:
        distbench.evaluate_neighbors(**{"ids": IDS, "X_test": Q, "reference": D} | change)
    assert "\n" not in str(error.value)


@needs("pandas")
def test_tables_with_rows_in_another_order_are_refused():
    rows, others = [f"q{row}" for row in range(len(Q))], [f"d{row}" for row in range(len(D))]
    queries, documents = pd.DataFrame(Q, index=rows), pd.DataFrame(D, index=others)
    ids, ids_of = pd.DataFrame(IDS, index=rows), pd.Series(np.arange(700), index=others)
    right = {"ids": ids, "X_test": queries, "reference": documents, "ids_of": ids_of, "codes": (queries, documents)}
    distbench.evaluate_neighbors(**right)
    for name, change in {
        "ids": {"ids": ids[::-1]},
        "ids_of": {"ids_of": ids_of[::-1]},
        r"codes\[0\]": {"codes": (queries[::-1], documents)},
        r"codes\[1\]": {"codes": (queries, documents[::-1])},
    }.items():
        with pytest.raises(distbench.InputError, match=f"{name}: found names of rows in another order"):
            distbench.evaluate_neighbors(**right | change)


@needs("pandas")
def test_tables_with_columns_in_another_order_are_refused():
    columns = [f"f{column}" for column in range(24)]
    tables = [pd.DataFrame(points, columns=columns) for points in (Q, D)]
    distbench.evaluate_neighbors(IDS, *tables)
    for found in (IDS, NearestNeighbors().fit(D)):
        with pytest.raises(distbench.InputError, match="reference: found columns in another order"):
            distbench.evaluate_neighbors(found, tables[0], tables[1][columns[::-1]])
    with pytest.raises(distbench.InputError, match=r"codes\[1\]: found columns in another order"):
        distbench.evaluate_neighbors(IDS, Q, D, codes=(tables[0], tables[1][columns[::-1]]))


@needs("faiss")
def test_what_codes_lose_and_what_the_search_loses():
    index = faiss_index("IVF16,SQ4")
    index.make_direct_map()
    decoded = index.reconstruct_n(0, len(D))
    report = distbench.evaluate_neighbors(index, Q, D, codes=(Q, decoded))
    codes = distbench.evaluate_codes(Q, Q, reference=(D, decoded), include_queries=False, metrics="knn_recall")
    exact, own = codes["knn_recall"].value, report["knn_recall"].value
    assert own < exact < 1
    assert [str(note) for note in report.notes] == [
        f"knn_recall: an exact search among the codes finds {exact:.4f}: {1 - exact:.4f} are lost by the codes, "
        f"{exact - own:.4f} by the search"
    ]
    assert distbench.evaluate(index, Q, reference=D, codes=(Q, decoded)).notes == report.notes
    rows = distbench.check_encoder(index, Q, reference=D, codes=(Q, decoded), knn_recall=0.1)
    assert {row.note for row in rows} == {""}, "rows keep warnings alone"
    with pytest.raises(distbench.InputError, match="codes: given beside an encoder; leave it out; evaluate_codes"):
        distbench.evaluate(np.sign, Q, codes=(Q, decoded))
    assert str(report).startswith("IndexIVFScalarQuantizer: codes of 13 bytes, 7.38 times smaller than a point, m = ")
    with pytest.raises(distbench.PreservationError, match=r"Quantizer \(13 bytes a point\) does not meet"):
        report.check(knn_recall=0.99)
    assert "the search loses most (see the note): search more" in advice(report, {"knn_recall": 0.99}, {})
    index.nprobe = 16  # all cells
    whole = distbench.evaluate_neighbors(index, Q, D, codes=(Q, decoded))
    assert "the codes lose most (see the note): take larger codes" in advice(whole, {"knn_recall": 0.99}, {})
    assert whole["knn_recall"].value == pytest.approx(exact, abs=0.002)  # faiss rounds to single precision


@needs("faiss")
@pytest.mark.parametrize(
    ("name", "searches_all"),
    [
        *(("SQ4", True), ("PQ8x4", True), ("PQ8x4fs", True), ("LSH", True), ("PCA8,SQ8", True), ("OPQ4,PQ4x4", True)),
        *(("IVF16,SQ4", False), ("HNSW8,SQ4", False), ("PCA8,IVF16,Flat", False), ("SQ4,RFlat", False)),
    ],
)
def test_nobody_is_told_to_search_more_of_an_index_that_searches_all(name, searches_all):
    report = distbench.evaluate(faiss_index(name), Q, reference=D)
    start = "the index searches all codes already: take larger codes, or" if searches_all else "search more of the inde"
    assert advice(report, {"knn_recall": 1.0}, {}).startswith(start)


@needs("faiss")
def test_what_a_search_of_all_codes_can_lose():
    def next_step(index, Z):
        return advice(distbench.evaluate(index, Q, reference=D, codes=(Q, Z)), {"knn_recall": 1.0}, {})

    index = faiss_index("SQ4")
    assert next_step(index, index.reconstruct_n(0, len(D))).startswith("the codes lose most (see the note): take")
    other = "the search loses most (see the note): the index searches all codes already; let it search by the distance"
    assert next_step(faiss_index("Flat", metric=0), D).startswith(other)
    rough = faiss_index("PQ8x4")
    rough.search_type = faiss.IndexPQ.ST_HE  # Hamming distances
    assert "search more of the index" in advice(distbench.evaluate(rough, Q, reference=D), {"knn_recall": 1.0}, {})


@pytest.mark.parametrize(("shift", "k"), [(0, 10), (1, 10), (1, 1), (5, (1, 10))])
def test_ids_of_other_rows_have_a_note(shift, k):
    """Ids that count from 1, or are rows of a table in another order, are as random ones."""
    ids = NearestNeighbors().fit(D[:690]).kneighbors(Q, 20, return_distance=False) + shift
    noted = [str(note) for note in distbench.evaluate_neighbors(ids, Q, D, k=k).notes]
    assert [" is no better than that of random ids (" in note for note in noted] == [True] * bool(shift)
    few = distbench.evaluate_neighbors(IDS[:3], Q[:3], D[:12], k=10)  # random ids, of which no word is true
    assert not few.notes


@pytest.mark.parametrize(
    "make",
    [
        lambda: NearestNeighbors().fit(D),
        pytest.param(lambda: hnswlib_index()[0], marks=needs("hnswlib")),
        pytest.param(lambda: usearch_index()[0], marks=needs("usearch")),
        pytest.param(lambda: faiss_index("Flat"), marks=needs("faiss")),
    ],
)
def test_an_index_of_more_or_fewer_points_has_a_note(make):
    index = make()
    more = np.concatenate([D, Q[:5] + 1])
    assert not distbench.evaluate(index, Q, reference=D).notes
    (note,) = distbench.evaluate(index, Q, reference=more).notes
    assert note == "the index has 700 points, but reference 705: those that it lacks count as not found"
    (note,) = distbench.evaluate(index, Q, reference=D[:699], k=1).notes
    assert note == "the index has 700 points, but reference 699: pass all of its points"


@pytest.mark.parametrize("Z", [-D, RNG.normal(size=D.shape)])
def test_codes_that_are_not_those_of_the_index_have_a_note(Z):
    (note,) = distbench.evaluate_neighbors(NearestNeighbors().fit(D), Q, D, codes=(Q, Z)).notes
    assert note.code == "index_distance"
    assert note.endswith("check that codes= and distance_z= are what the search compares")


@needs("faiss")
def test_limits_and_options_of_an_index():
    index = faiss_index("IVF16,Flat")
    rows = distbench.check_encoder(index, Q, reference=D, knn_recall=0.99)
    assert [(row.metric, row.verdict, row.encoder) for row in rows] == [("knn_recall", "broken", "IndexIVFFlat")]
    for option, value in (("input_space", D), ("stochastic", True), ("labels", [1] * 150)):
        with pytest.raises(distbench.InputError, match=f"{option}: given for a search index; leave it out"):
            distbench.evaluate(index, Q, reference=D, **{option: value})
    with pytest.raises(distbench.InputError, match="reference: found None; pass the points in the index"):
        distbench.evaluate(index, Q)
    index.reset()
    index.is_trained = False
    with pytest.raises(distbench.EncoderError, match=r"index 'IndexIVFFlat' raised .* for 10 neighbors$"):
        distbench.evaluate(index, Q, reference=D)


@pytest.mark.parametrize(
    "make", [pytest.param(lambda: faiss_index("Flat"), marks=needs("faiss")), lambda: NearestNeighbors().fit(D)]
)
def test_an_index_of_other_points_is_refused(make):
    with pytest.raises(distbench.EncoderError, match=r"has points of 24 columns, but the queries have 5; search it yo"):
        distbench.evaluate(make(), Q[:, :5], reference=D[:, :5])
