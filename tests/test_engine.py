"""The engine: the same statistics for any path, cut and number of threads, at any place and scale."""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from clouds import ALL, FEW, MANY, RANKED, SETTINGS, Split, cloud, gathered, measure, split
from oracles import definitions
from scipy.spatial.distance import cdist
from scipy.stats import spearmanr
from sklearn.datasets import load_digits

from distbench.engine import FAMILIES, gather, job, orders, point_space, problem
from distbench.engine.neighbors import ALL_OPEN, SIGNED
from distbench.metrics import METRICS

JUDGED = np.array([5, 0, 2, 6])
BY_RANK = ("trustworthiness", "continuity", "knn_recall")


def parts(statistics, names=ALL):
    """Return every array that the metrics rest on, by name."""
    out = {}
    for name in names:
        measured = METRICS[name].measure(statistics)
        out[name] = np.array(measured.value)
        for part in ("leave_one_out", "points", "interaction"):
            if getattr(measured, part) is not None:
                out[f"{name} {part}"] = np.asarray(getattr(measured, part))
    for side in ("trust", "continuity"):
        ranks = getattr(statistics.ranks, side)
        beyond = ranks.worst_rank > statistics.k  # a neighbor in both spaces is no witness of anything
        out[f"{side} worst"] = np.where(beyond, ranks.worst, -1)
        out[f"{side} worst rank"] = np.where(beyond, ranks.worst_rank, 0)
    return out


def assert_equal(one, two, bound=0.0):
    assert one.keys() == two.keys()
    for name in one:
        np.testing.assert_allclose(one[name], two[name], rtol=bound, atol=bound, err_msg=name)


def all_left(*arguments):
    """Leave every query to the ordered path."""
    *_, out, left = arguments
    out[:, SIGNED:] = 0
    left[:] = ALL_OPEN


class TestOneAnswer:
    @pytest.mark.parametrize(
        ("kind", "setting", "d"),
        [
            *(("plain", setting, d) for setting in SETTINGS for d in (3, MANY)),
            ("duplicates", "train and test", FEW),
            *((kind, "train and test", MANY) for kind in ("quantised", "half collapsed", "far")),
        ],
    )
    @pytest.mark.parametrize("are_few", [False, True])
    def test_both_paths_of_ranks_agree(self, kind, setting, d, are_few, monkeypatch):
        monkeypatch.setattr(orders, "FEW_CANDIDATES", 1000 * are_few)  # all of so few are ordered
        points = split(*cloud(kind, 100, seed=1, d=d, dim=2 if kind == "plain" else d - 1), setting)
        fast = {k: parts(gathered(points, k, BY_RANK), BY_RANK) for k in (1, 5, 30)}
        monkeypatch.setattr(job.neighbors, "rank_rows", all_left)
        for k, expected in fast.items():
            slow = parts(gathered(points, k, BY_RANK), BY_RANK)
            for side in ("trust worst", "continuity worst") if kind != "plain" else ():  # any of those that tie will do
                expected.pop(side), slow.pop(side)
            assert_equal(expected, slow, 1e-11)

    @pytest.mark.parametrize("setting", SETTINGS)
    @pytest.mark.parametrize("kind", ["plain", "duplicates", "quantised", "half collapsed", "far"])
    def test_ranks_by_rounded_keys_are_those_by_exact_ones(self, kind, setting, monkeypatch):
        points = split(*cloud(kind, 150, seed=1, d=MANY, dim=MANY - 1), setting)
        rounded = {k: parts(gathered(points, k, BY_RANK), BY_RANK) for k in (1, 5, 20)}
        monkeypatch.setattr(orders, "FEW_CANDIDATES", 0)
        monkeypatch.setattr(orders, "ROOM_FOR_DOUBTS", 0)
        monkeypatch.setattr(point_space.distances, "tolerance", lambda d: 1e9)  # all are in doubt
        for k, expected in rounded.items():
            assert_equal(expected, parts(gathered(points, k, BY_RANK), BY_RANK), 1e-12)

    @pytest.mark.parametrize("setting", SETTINGS)
    @pytest.mark.parametrize("kind", ["plain", "quantised"])
    def test_any_size_of_block(self, kind, setting, monkeypatch):
        points = split(*cloud(kind, 80, seed=3, d=MANY, dim=MANY - 1), setting)
        whole = parts(gathered(points, 5))
        for block, cached, columns in ((1, 1, 16), (1 << 12, 700, 37), (1 << 30, 1 << 30, 1 << 20)):
            monkeypatch.setattr(problem, "BLOCK_KEYS", block)
            monkeypatch.setattr(job, "CACHED_KEYS", cached)
            monkeypatch.setattr(point_space, "BLOCK_COLUMNS", columns)
            assert_equal(whole, parts(gathered(points, 5)), 1e-12)

    @pytest.mark.parametrize("judged", [None, np.array([4, 1, 6])], ids=["all", "some"])
    @pytest.mark.parametrize(
        ("kind", "setting", "d"),
        [
            *((kind, "train only", d) for kind, d in (("plain", FEW), ("far", MANY), ("quantised", MANY))),
            *((kind, "train and test", d) for kind, d in (("quantised", FEW), ("far", MANY), ("plain", MANY))),
        ],
    )
    def test_points_that_do_not_fit_memory_are_prepared_block_by_block(self, kind, setting, d, judged, monkeypatch):
        points = split(*cloud(kind, 21, d=d, dim=d - 1), setting)
        whole = parts(gathered(points, 3, judged=judged))
        for module, name, size in (
            (point_space, "PREPARED_BYTES", 0),
            (point_space, "MOVED_BYTES", 0),
            (point_space, "BLOCK_COLUMNS", 5),
            (point_space, "BLOCK_PAIRS", 7),
            (problem, "BLOCK_KEYS", 1),
            (job, "CACHED_KEYS", 1),
        ):
            monkeypatch.setattr(module, name, size)
        assert_equal(whole, parts(gathered(points, 3, judged=judged)), 1e-12)

    @pytest.mark.parametrize(
        ("kind", "setting", "n"),
        [
            ("plain", "in sample", 80),  # so many pairs that quantiles are left out to first order
            *(("half collapsed", setting, 39) for setting in SETTINGS),
        ],
    )
    def test_any_cut_of_queries(self, kind, setting, n, monkeypatch):
        points = split(*cloud(kind, n, seed=5), setting)
        whole = parts(gathered(points, 4))
        m = len(points.X)
        cuts = [range(start, min(start + 7, m)) for start in range(0, m, 7)]
        monkeypatch.setattr(sys.modules["distbench.engine.gather"], "_jobs", lambda m, least=16: cuts)
        assert_equal(whole, parts(gathered(points, 4)), 1e-12)

    @pytest.mark.parametrize(
        ("kind", "setting"), [("plain", "in sample"), ("plain", "train only"), ("half collapsed", "train and test")]
    )
    def test_any_number_of_threads_to_the_last_bit(self, kind, setting):
        points = split(*cloud(kind, 300, seed=4, d=MANY, dim=MANY - 1), setting)
        one = parts(gathered(points, 5))
        assert_equal(one, parts(gathered(points, 5, threads=2)))
        assert_equal(one, parts(gathered(points, 5, threads=5)))
        with ThreadPoolExecutor(3) as executor:
            assert_equal(one, parts(gathered(points, 5, executor=executor)))

    def test_the_order_of_rows_changes_nothing_where_pixels_tie(self):
        X = load_digits().data[:400]
        Z, labels = np.round(X[:, 20:22]), np.zeros(400, dtype=int)
        order = np.random.default_rng(0).permutation(400)
        one, two = (measure(Split(X[rows], Z[rows], labels), 10) for rows in (slice(None), order))
        for name in ALL:
            assert one[name].value == pytest.approx(two[name].value, rel=1e-11, abs=1e-11), name

    def test_a_sample_of_all_points_changes_nothing(self):
        points = split(*cloud("plain", 30, seed=10), "in sample")
        assert_equal(parts(gathered(points, 4)), parts(gathered(points, 4, judged=np.arange(30))), 1e-12)


class TestAnyPlaceAndScale:
    @pytest.mark.parametrize("d", [FEW, MANY])
    @pytest.mark.parametrize("dtype", [np.float32, np.float64])
    def test_near_points_far_from_the_origin_rank_as_by_differences(self, dtype, d):
        rng = np.random.default_rng(0)
        X = (1e3 + 1e-4 * rng.normal(size=(100, d))).astype(dtype)
        Z = X.astype(np.float64) - 1e3  # exact: differences of codes are those of the points
        assert (Z + 1e3 == X).all()
        far, near = (measure(Split(points, Z), 7, RANKED) for points in (X, Z))
        for name in RANKED:
            assert far[name].value == near[name].value, name  # in single precision some tie
            assert d == FEW or far[name].value > 0.97, name

    @pytest.mark.parametrize("exponent", [500, -500])
    def test_an_isometry_of_points_off_any_grid_scores_one_at_any_scale(self, exponent):
        X = np.ldexp(np.random.default_rng(2).normal(size=(100, MANY)), exponent)
        for name, measured in measure(Split(X, -X), 6, RANKED).items():
            assert measured.value == 1.0, name

    @pytest.mark.parametrize("d", [FEW, MANY])
    @pytest.mark.parametrize("exponent", [-700, -60, 60, 700])
    def test_scale_of_the_points_changes_nothing(self, d, exponent):
        points = split(*cloud("plain", 21, d=d, dim=d - 1), "train and test")
        one = measure(points, 2)
        X, X_ref, Z, Z_ref = (np.ldexp(some, exponent) for some in (points.X, points.X_ref, points.Z, points.Z_ref))
        both = measure(Split(X, Z, points.labels, X_ref, Z_ref, points.labels_ref), 2)
        alone = measure(Split(X, points.Z, points.labels, X_ref, points.Z_ref, points.labels_ref), 2)
        for name in ALL:
            assert both[name].value == pytest.approx(one[name].value, rel=1e-12), name
            if METRICS[name].scale_free:
                assert alone[name].value == pytest.approx(one[name].value, rel=1e-10), name


class TestWhatIsGathered:
    @pytest.mark.parametrize("setting", SETTINGS)
    def test_sizes_and_settings_are_kept(self, setting):
        points = split(*cloud("plain", 11 if setting == "in sample" else 21), setting)
        m, among = len(points.X), setting != "train only"
        for judged in (None, JUDGED):
            statistics = gathered(points, 2, judged=judged)
            rows = np.arange(m) if judged is None else judged
            assert (statistics.m, statistics.k, statistics.queries_are_candidates) == (len(rows), 2, among)
            assert statistics.n_test == (m if among else len(rows))
            assert (m - 1 if among else 0) + (0 if setting == "in sample" else 14) == statistics.M
            np.testing.assert_array_equal(statistics.judged, rows)
            assert statistics.notes == ()
        assert set(FAMILIES) == {"ranks", "moments", "shepard", "triplets"}

    @pytest.mark.parametrize("setting", SETTINGS)
    @pytest.mark.parametrize("kind", ["plain", "quantised"])
    def test_several_numbers_of_neighbors_in_one_pass(self, kind, setting):
        points = split(*cloud(kind, 60, seed=6), setting)
        together = gathered(points, (3, 1, 9, 3))
        assert (together.k, list(together.by_k)) == (3, [3, 1, 9])
        for k in (3, 1, 9):
            assert together.at(k).k == k
            assert_equal(parts(together.at(k)), parts(gathered(points, k)))

    @pytest.mark.parametrize("setting", SETTINGS)
    @pytest.mark.parametrize("kind", ["plain", "quantised"])
    def test_partners_and_worst_neighbors_are_the_ones(self, kind, setting):
        points = split(*cloud(kind, 11 if setting == "in sample" else 21, seed=4), setting)
        a, b = definitions._candidates(points.X, points.Z, *points.where)  # columns: test points, then references
        for judged in (None, JUDGED):
            statistics = gathered(points, 2, ("distortion", "trustworthiness", "continuity"), judged=judged)
            assert_partners(statistics.moments, statistics.judged, a, b)
            assert_worst(statistics.ranks.trust, statistics.judged, b, a)
            assert_worst(statistics.ranks.continuity, statistics.judged, a, b)

    def test_triplets_of_all_candidates_are_exact(self):
        X = np.zeros((4, MANY))
        X[1, 0], X[2, 1], X[3, 2] = 1.0, 1.0 + 1e-12, 1.0 + 2e-12  # nearer than the rounding of products
        points = Split(X[:1], X[:1, : MANY - 1], None, X[1:], X[1:, : MANY - 1], include=False)
        assert measure(points, 2, ["triplet_accuracy"])["triplet_accuracy"].value == 1.0


def assert_partners(moments, rows, a, b):
    """Check the extreme ratios and the pairs that have them."""
    with np.errstate(all="ignore"):
        rho = np.where(a > 0, b / a, np.nan)
    for name, best in (("least", np.nanmin(rho[rows])), ("largest", np.nanmax(rho[rows]))):
        i, j = moments.partners[name]
        assert i in rows
        assert rho[i, j] == pytest.approx(best, rel=1e-12), name
    np.testing.assert_allclose(moments.ratios, np.stack([np.nanmin(rho, 1), np.nanmax(rho, 1)], 1)[rows])


def assert_worst(side, rows, here, there):
    """Check which of two neighbors `here` has the largest rank `there`."""
    for place, i in enumerate(rows):
        others = np.flatnonzero(~np.isnan(here[i]))
        near = others[definitions._membership(here[i][others], 2) > 0]
        ranks = dict(zip(others, np.mean(definitions._tie_groups(there[i][others]), axis=0), strict=True))
        largest = max(ranks[p] for p in near)
        if side.worst_rank[place] > 2:
            assert side.worst_rank[place] == largest == ranks[side.worst[place]]
            assert side.worst[place] in near
        else:
            assert largest <= 2


@pytest.mark.parametrize("shape", ["gaussian", "two far clusters", "heavy tail", "lattice", "one shell"])
def test_spearman_without_sorting_is_within_its_bound(shape):
    rng = np.random.default_rng(11)
    if shape == "heavy tail":
        X = rng.standard_cauchy(size=(1500, 4))
    elif shape == "lattice":
        X = rng.integers(0, 6, size=(1500, 3)).astype(float)
    else:
        X = rng.normal(size=(1500, 400 if shape == "one shell" else 8))
    Z = X[:, :2]
    if shape == "two far clusters":
        X[:300, 0] += 1e4
        Z = X[:, :3] + rng.normal(size=(1500, 3))
    elif shape == "one shell":
        X = X / np.linalg.norm(X, axis=1, keepdims=True)
    measured = METRICS["spearman"].measure(gather(X, Z, k=1, families=frozenset({"shepard"}))).value
    upper = np.triu_indices(1500, 1)
    exact = spearmanr(cdist(X, X)[upper], cdist(Z, Z)[upper]).statistic
    assert measured == pytest.approx(exact, abs=1e-4)
