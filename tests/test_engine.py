"""The engine: one answer whatever path, cut or number of threads, and the definitions where matrices are multiplied."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from oracles import definitions
from scipy.spatial.distance import cdist
from scipy.stats import spearmanr

from distbench.engine import gather, job, problem, space
from distbench.engine.neighbours import CONTINUITY_LEFT, OVERLAP_LEFT, SIGNED, TRUST_LEFT
from distbench.metrics import METRICS as ALL_METRICS

METRICS = {name: metric for name, metric in ALL_METRICS.items() if metric.default}
EXACT = tuple(name for name in METRICS if name != "spearman")
LEFT_OUT = tuple(name for name in EXACT if name != "distortion")
SETTINGS = ("in sample", "train only", "train and test")
WIDE = space.FEW_COLUMNS + 8  # beyond the columns up to which differences are taken directly


def split(X, Z, setting):
    """What `gather` and the definitions take: queries, codes, references, their codes, whether queries count."""
    if setting == "in sample":
        return X, Z, None, None, True
    cut = len(X) // 3
    return X[:cut], Z[:cut], X[cut:], Z[cut:], setting == "train and test"


def gathered(points, k, **options):
    X, Z, X_ref, Z_ref, include = points
    return gather(X, Z, X_ref, Z_ref, k=k, include_queries=include, **{"threads": 1} | options)


def parts(found):
    """Every array that the default metrics rest on, by name."""
    out = {}
    for name, metric in METRICS.items():
        measured = metric.measure(found)
        out[name] = np.array(measured.value)
        for part in ("leave_one_out", "points", "interaction"):
            if getattr(measured, part) is not None:
                out[f"{name} {part}"] = np.asarray(getattr(measured, part))
    for side in ("trust", "continuity"):
        ranks = getattr(found.ranks, side)
        beyond = ranks.worst_rank > found.k  # a neighbour in both spaces is no witness of anything
        out[f"{side} worst"] = np.where(beyond, ranks.worst, -1)
        out[f"{side} worst rank"] = np.where(beyond, ranks.worst_rank, 0)
    return out


def assert_equal(one, two, **tolerance):
    assert one.keys() == two.keys()
    for name in one:
        if tolerance:
            np.testing.assert_allclose(one[name], two[name], err_msg=name, **tolerance)
        else:
            np.testing.assert_array_equal(one[name], two[name], err_msg=name)


def cloud(kind, n=40, seed=0, d=WIDE, dim=WIDE - 4):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, d))
    Z = X[:, :dim] + 0.3 * rng.normal(size=(n, dim))
    half = n // 2
    if kind == "duplicates":
        X[half:], Z[half:] = X[: n - half], Z[: n - half]
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
    elif kind == "mixed scales":
        X[:half] *= 1e-6
    elif kind == "outlier":
        X[0] *= 1e7
        Z[1] *= 1e6
    return X, Z


KINDS = (
    "plain",
    "duplicates",
    "quantised",
    "collapsed",
    "half collapsed",
    "far",
    "binary",
    "mixed scales",
    "outlier",
)


def all_left(*arguments):
    """Leave every query to the path for ties."""
    *_, out, left = arguments
    out[:, SIGNED:] = 0
    left[:] = TRUST_LEFT | CONTINUITY_LEFT | OVERLAP_LEFT


class TestOneAnswer:
    @pytest.mark.parametrize("k", [1, 5, 60])
    @pytest.mark.parametrize("setting", SETTINGS)
    @pytest.mark.parametrize("d", [3, WIDE])
    def test_both_paths_of_ranks_agree_where_nothing_ties(self, setting, k, d, monkeypatch):
        points = split(*cloud("plain", 240, seed=1, d=d, dim=2), setting)
        fast = parts(gathered(points, k))
        monkeypatch.setattr(job.neighbours, "rank_rows", all_left)
        assert_equal(fast, parts(gathered(points, k)), rtol=1e-11, atol=1e-11)

    @pytest.mark.parametrize("kind", ["duplicates", "quantised", "half collapsed", "far"])
    def test_both_paths_of_ranks_agree_where_some_tie(self, kind, monkeypatch):
        points = split(*cloud(kind, 150, seed=2), "train and test")
        fast = parts(gathered(points, 5))
        monkeypatch.setattr(job.neighbours, "rank_rows", all_left)
        slow = parts(gathered(points, 5))
        for side in ("trust worst", "continuity worst"):  # of several tied worst neighbours, any will do
            fast.pop(side), slow.pop(side)
        assert_equal(fast, slow, rtol=1e-11, atol=1e-11)

    @pytest.mark.parametrize("setting", SETTINGS)
    @pytest.mark.parametrize("kind", ["plain", "quantised"])
    def test_any_size_of_block(self, kind, setting, monkeypatch):
        points = split(*cloud(kind, 150, seed=3), setting)
        whole = parts(gathered(points, 5))
        for block, cached, columns in ((1, 1, 16), (1 << 12, 700, 37), (1 << 30, 1 << 30, 1 << 20)):
            monkeypatch.setattr(problem, "BLOCK", block)
            monkeypatch.setattr(job, "CACHED", cached)
            monkeypatch.setattr(space, "COLUMNS", columns)
            assert_equal(whole, parts(gathered(points, 5)), rtol=1e-12, atol=1e-12)

    @pytest.mark.parametrize("setting", SETTINGS)
    def test_any_number_of_threads_to_the_last_bit(self, setting):
        points = split(*cloud("plain", 700, seed=4), setting)
        one = parts(gathered(points, 5, threads=1))
        assert_equal(one, parts(gathered(points, 5, threads=2)))
        assert_equal(one, parts(gathered(points, 5, threads=5)))
        with ThreadPoolExecutor(3) as executor:
            assert_equal(one, parts(gathered(points, 5, executor=executor)))

    def test_the_order_of_rows_changes_nothing(self):
        X, Z = cloud("quantised", 120, seed=5)
        order = np.random.default_rng(0).permutation(120)
        one, two = (
            parts(gathered((X, Z, None, None, True), 5)),
            parts(gathered((X[order], Z[order], None, None, True), 5)),
        )
        for name in METRICS:
            assert one[name] == pytest.approx(two[name], rel=1e-11, abs=1e-11), name


class TestManyColumns:
    """Where distances come from products of matrices."""

    @pytest.mark.parametrize("k", [1, 4, None], ids=["k=1", "k=4", "k<M/2"])
    @pytest.mark.parametrize("setting", SETTINGS)
    @pytest.mark.parametrize("kind", KINDS)
    def test_values_match_the_definitions(self, kind, setting, k):
        points = split(*cloud(kind), setting)
        M = len(points[0]) - 1 if points[2] is None else len(points[2]) + (len(points[0]) - 1) * points[4]
        k = (M - 1) // 2 if k is None else k
        found, expected = gathered(points, k), definitions.score(points[0], points[1], k, *points[2:])
        for name, metric in METRICS.items():
            bound = 1e-4 if name == "spearman" else 1e-9
            assert metric.measure(found).value == pytest.approx(expected[name], rel=bound, abs=bound), name

    @pytest.mark.parametrize("setting", SETTINGS)
    @pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "outlier"])
    def test_leave_one_out_is_the_metric_without_the_point(self, kind, setting):
        points = split(*cloud(kind, 36, seed=1), setting)
        found = gathered(points, 3)
        expected = definitions.leave_one_out(points[0], points[1], 3, *points[2:])
        for name in LEFT_OUT:
            measured = METRICS[name].measure(found).leave_one_out
            np.testing.assert_allclose(measured, expected[name], rtol=1e-8, atol=1e-8, err_msg=name)

    @pytest.mark.parametrize("dtype", [np.float32, np.float64])
    def test_near_points_far_from_the_origin_rank_as_by_differences(self, dtype):
        rng = np.random.default_rng(0)
        X = (1e3 + 1e-4 * rng.normal(size=(300, WIDE))).astype(dtype)
        Z = X.astype(np.float64)[:, :WIDE] - 1e3  # exact: differences of codes are those of the points
        assert (Z + 1e3 == X).all()
        found, alike = gathered((X, Z, None, None, True), 7), gathered((Z, Z, None, None, True), 7)
        for name in ("trustworthiness", "continuity", "knn_recall", "triplet_accuracy"):
            value = METRICS[name].measure(found).value
            assert value == METRICS[name].measure(alike).value, name  # in single precision some tie
            assert value > 0.97, name

    @pytest.mark.parametrize("scale", [1.0, 1e150, 1e-150])
    @pytest.mark.parametrize("offset", [0.0, 1e8])
    def test_an_isometry_keeps_all_ranks(self, offset, scale):
        rng = np.random.default_rng(1)
        X = rng.integers(-9, 10, size=(250, WIDE)) / 4.0
        Z = (X + offset)[:, rng.permutation(WIDE)] * -1.0  # exact: a grid, moved, turned over and about
        power = 2.0 ** np.round(np.log2(scale))
        found = gathered((X * power, Z * power, None, None, True), 6)
        values = {name: METRICS[name].measure(found).value for name in METRICS}
        for name in ("trustworthiness", "continuity", "knn_recall", "triplet_accuracy"):
            # tied neighbours share their places alike in both spaces, by which an expected overlap falls short of 1
            alike = METRICS[name].measure(gathered((X, X, None, None, True), 6)).value
            assert values[name] == pytest.approx(alike, abs=1e-15), name
        assert values["spearman"] == pytest.approx(1, abs=1e-9)
        assert values["scaled_stress"] == pytest.approx(0, abs=1e-7)
        assert values["distortion"] == pytest.approx(1, abs=1e-12)

    @pytest.mark.parametrize("exponent", [500, -500])
    def test_an_isometry_of_points_off_any_grid_scores_one_at_any_scale(self, exponent):
        X = np.ldexp(np.random.default_rng(2).normal(size=(250, WIDE)), exponent)
        found = gathered((X, -X, None, None, True), 6)
        for name in ("trustworthiness", "continuity", "knn_recall", "triplet_accuracy"):
            assert METRICS[name].measure(found).value == 1.0, name


class TestDistances:
    @pytest.mark.parametrize("d", [5, WIDE])
    @pytest.mark.parametrize(
        "how",
        [
            ("cosine", "cosine"),
            ("cityblock", "cityblock"),
            ("cosine", "euclidean"),
            ("euclidean", "cityblock"),
            ("cityblock", "hamming"),
        ],
        ids="-".join,
    )
    @pytest.mark.parametrize("setting", SETTINGS)
    def test_match_the_definitions(self, how, setting, d):
        X, Z = cloud("binary" if how[1] == "hamming" else "plain", 40, seed=6, d=d, dim=d - 1)
        points = split(X, Z, setting)
        found = gathered(points, 4, distance_x=how[0], distance_z=how[1])
        expected = definitions.score(points[0], points[1], 4, *points[2:], distances=how)
        for name, metric in METRICS.items():
            bound = 1e-4 if name == "spearman" else 1e-9
            assert metric.measure(found).value == pytest.approx(expected[name], rel=bound, abs=bound), name
        without = definitions.leave_one_out(points[0], points[1], 4, *points[2:], distances=how)
        for name in LEFT_OUT:
            measured = METRICS[name].measure(found).leave_one_out
            np.testing.assert_allclose(measured, without[name], rtol=1e-8, atol=1e-8, err_msg=name)

    @pytest.mark.parametrize("distance", ["euclidean", "cosine", "cityblock"])
    @pytest.mark.parametrize("d", [1, 2, 3, 16, 17, 100])
    def test_keys_are_distances(self, distance, d):
        X = np.random.default_rng(7).normal(size=(90, d)) + (1.0 if d == 1 else 0.0)
        made = space.Space([X[:50], X[50:]], None, 0, distance)
        exact = np.array([made.to_distance(made.exact_keys(i)) for i in range(10)])
        fast = made.to_distance(made.keys(0, 10, np.empty((10, 90))))
        i, j = np.repeat(np.arange(10), 90), np.tile(np.arange(90), 10)
        paired = made.to_distance(made.pair_keys(i, j)).reshape(10, 90)
        expected = np.ldexp(cdist(X[:10], X, distance), -made.exponent)
        for keys in (exact, fast, paired):
            np.testing.assert_allclose(keys, expected, rtol=1e-9, atol=1e-15)
        assert (exact == paired).all()


class TestJudgedSubset:
    JUDGED = np.array([3, 0, 9, 17, 11, 6])

    @pytest.mark.parametrize("setting", SETTINGS)
    @pytest.mark.parametrize("kind", ["plain", "quantised", "half collapsed"])
    @pytest.mark.parametrize("d", [4, WIDE])
    def test_values_are_those_of_the_queries_that_are_judged(self, kind, setting, d):
        points = split(*cloud(kind, 54, seed=8, d=d, dim=d - 2), setting)
        found = gathered(points, 4, judged=self.JUDGED)
        assert (found.m, found.judged.tolist()) == (6, self.JUDGED.tolist())
        expected = definitions.score(points[0], points[1], 4, *points[2:], judged=self.JUDGED)
        rows = definitions.per_query(points[0], points[1], 4, *points[2:])
        for name, metric in METRICS.items():
            bound = 1e-4 if name == "spearman" else 1e-9
            measured = metric.measure(found)
            assert measured.value == pytest.approx(expected[name], rel=bound, abs=bound), name
            if name in rows:
                np.testing.assert_allclose(measured.points, rows[name][self.JUDGED], atol=1e-12, err_msg=name)

    @pytest.mark.parametrize("setting", SETTINGS)
    @pytest.mark.parametrize("kind", ["plain", "quantised"])
    def test_leave_one_out_removes_test_points_judged_or_not(self, kind, setting):
        X, Z, X_ref, Z_ref, include = split(
            *cloud(kind, 27 if setting == "in sample" else 54, seed=9, d=4, dim=2), setting
        )
        found = gathered((X, Z, X_ref, Z_ref, include), 4, judged=self.JUDGED)
        judged = self.JUDGED.tolist()
        leaving = judged + ([p for p in range(len(X)) if p not in judged] if found.queries_are_candidates else [])
        rows = []
        for p in leaving:
            left = [i - (i > p) for i in judged if i != p]
            rows.append(definitions.score(np.delete(X, p, 0), np.delete(Z, p, 0), 4, X_ref, Z_ref, include, left))
        for name in LEFT_OUT:
            measured = METRICS[name].measure(found).leave_one_out
            expected = [row[name] for row in rows]
            np.testing.assert_allclose(measured, expected, rtol=1e-8, atol=1e-8, err_msg=name)

    def test_all_points_judged_is_no_subset(self):
        X, Z = cloud("plain", 60, seed=10)
        everything = gathered((X, Z, None, None, True), 4, judged=np.arange(60))
        assert_equal(parts(gathered((X, Z, None, None, True), 4)), parts(everything), rtol=1e-12, atol=1e-12)


def gaussian(rng):
    X = rng.normal(size=(1500, 8))
    return X, X[:, :2]


def two_far_clusters(rng):
    X = rng.normal(size=(1500, 8))
    X[:300, 0] += 1e4
    return X, X[:, :3] + rng.normal(size=(1500, 3))


def heavy_tail(rng):
    X = rng.standard_cauchy(size=(1500, 4))
    return X, X[:, :2]


def lattice(rng):
    X = rng.integers(0, 6, size=(1500, 3)).astype(float)
    return X, X[:, :2]


def one_shell(rng):
    X = rng.normal(size=(1500, 400))
    return X / np.linalg.norm(X, axis=1, keepdims=True), X[:, :2]


@pytest.mark.parametrize("shape", [gaussian, two_far_clusters, heavy_tail, lattice, one_shell])
def test_spearman_without_sorting_is_within_its_bound(shape):
    X, Z = shape(np.random.default_rng(11))
    measured = METRICS["spearman"].measure(gather(X, Z, k=1, families=frozenset({"shepard"}))).value
    upper = np.triu_indices(1500, 1)
    exact = spearmanr(cdist(X, X)[upper], cdist(Z, Z)[upper]).statistic
    assert measured == pytest.approx(exact, abs=1e-4)
