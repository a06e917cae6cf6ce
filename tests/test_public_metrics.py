"""The public function and the properties of each metric."""

from __future__ import annotations

import inspect
import pickle
import sys

import numpy as np
import pytest
from frameworks import pd
from oracles import definitions
from scipy.stats import kendalltau

import distbench.metrics as metrics
from distbench.engine import gather, problem, rank_correlation, rnx_curve, sampled_pairs, triplets
from distbench.engine.canonical_order import canonical_order, inverse
from distbench.engine.parallel.executors import workers_for
from distbench.errors import InputError
from distbench.metrics import METRICS
from distbench.metrics._correlation import correlation
from distbench.metrics._leave_one_out import leave_one_out_mean, pairs_of_points
from distbench.metrics.functions import gather_checked
from distbench.metrics.reconstruction import measure_reconstruction, squared_errors
from distbench.metrics.semantic import label_codes

RNG = np.random.default_rng(0)


@pytest.fixture(autouse=True)
def _seeded(monkeypatch):
    """Draw the same numbers in each test, in any order of tests."""
    monkeypatch.setitem(globals(), "RNG", np.random.default_rng(0))


X, Z, X_REF, Z_REF = (RNG.normal(size=shape) for shape in ((9, 3), (9, 2), (8, 3), (8, 2)))
LABELS, LABELS_REF = RNG.integers(0, 2, 9), RNG.integers(0, 2, 8)
WITH_K = (
    "trustworthiness",
    "continuity",
    "knn_recall",
    "mrre_input",
    "mrre_code",
    "lcmc",
    "near_recall",
    "label_agreement",
)
# name: direction, range, free of scale, in the default set; as in docs/metrics.md
TABLE = {
    "trustworthiness": ("up", (0, 1), True, True),
    "continuity": ("up", (0, 1), True, True),
    "knn_recall": ("up", (0, 1), True, True),
    "mrre_input": ("down", (0, 1), True, False),
    "mrre_code": ("down", (0, 1), True, False),
    "lcmc": ("up", (-1, 1), True, False),
    "rnx_auc": ("up", (-1, 1), True, False),
    "near_recall": ("up", (0, 1), True, False),
    "scaled_stress": ("down", (0, 1), True, True),
    "stress": ("down", (0, np.inf), False, True),
    "nonmetric_stress": ("down", (0, 1), True, False),
    "sammon": ("down", (0, np.inf), False, False),
    "sigma_distortion": ("down", (0, np.inf), True, True),
    "distortion": ("down", (1, np.inf), True, True),
    "distortion_q": ("down", (1, np.inf), True, True),
    "expansion": ("down", (0, np.inf), False, False),
    "contraction": ("down", (0, np.inf), False, False),
    "pearson": ("up", (-1, 1), True, True),
    "spearman": ("up", (-1, 1), True, True),
    "kendall": ("up", (-1, 1), True, False),
    "triplet_accuracy": ("up", (0, 1), True, True),
    "density_kl": ("down", (0, np.inf), True, False),
    "label_agreement": ("up", (0, 1), True, False),
    "reconstruction_mse": ("down", (0, np.inf), False, False),
}


def test_the_table():
    assert METRICS.keys() == TABLE.keys()
    for name, metric in METRICS.items():
        assert (metric.direction, metric.bounds, metric.scale_free, metric.default) == TABLE[name], name
        assert (metric.name, metric.version >= 1) == (name, True)


@pytest.mark.parametrize("reference", [False, True])
def test_each_by_its_name(reference):
    own, pair = (X, Z, 2), (X_REF, Z_REF) if reference else None
    more = (X_REF, Z_REF, False) if reference else ()
    labels = (LABELS, LABELS_REF) if reference else (LABELS, None)
    expected = definitions.score(*own, *more)
    expected |= definitions.extra_score(*own, *(more or (None, None, True)), *labels)
    for name in METRICS.keys() - {"reconstruction_mse"}:
        options = {"k": 2} if name in WITH_K else {}
        if name == "label_agreement":
            options |= {"labels": LABELS, "reference_labels": labels[1]}
        value = getattr(metrics, name)(X, Z, reference=pair, **options)
        assert type(value) is float
        assert value == pytest.approx(expected[name], rel=1e-9), name


def test_points_and_codes_come_first_and_the_rest_by_name():
    for name in METRICS.keys() - {"reconstruction_mse"}:
        first, second, *others = inspect.signature(getattr(metrics, name)).parameters.values()
        assert (first.name, second.name) == ("X", "Z")
        assert {first.kind, second.kind} == {inspect.Parameter.POSITIONAL_OR_KEYWORD}, name
        kinds = {parameter.kind for parameter in others if parameter.name != "labels"}
        assert kinds == {inspect.Parameter.KEYWORD_ONLY}, name


def test_distances_that_do_not_vary_have_no_correlation():
    simplex = 1234.567 * np.eye(9)
    assert metrics.pearson(X, simplex) == metrics.pearson(simplex, Z) == 0.0
    assert metrics.pearson(1e-3 * X, 1e-6 * simplex) == 0.0
    sums = np.array(1.0), np.array(0.0), np.array(0.0), np.array(1.0), np.array(1.0)
    for product, expected in ((1.5, 1.0), (0.5, 0.5), (-0.5, -0.5), (-1.5, -1.0)):  # as rounding does, but more
        assert correlation(*sums, np.array(product)) == expected


def test_k_is_ten_by_default():
    points, codes = RNG.normal(size=(25, 3)), RNG.normal(size=(25, 2))
    for name in ("trustworthiness", "knn_recall", "mrre_code"):
        function = getattr(metrics, name)
        assert function(points, codes) == function(points, codes, k=10)
    assert metrics.density_kl(X, Z) == metrics.density_kl(X, Z, sigma=0.1) != metrics.density_kl(X, Z, sigma=0.2)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"reference": (X_REF, Z_REF, X_REF)}, "reference: found tuple"),
        ({"reference": (X_REF, Z_REF[:3])}, r"reference\[1\]"),
        ({"reference": (X_REF[:, :2], Z_REF)}, r"reference\[0\]"),
        ({"reference": (X_REF, Z_REF[:, :1])}, r"reference\[1\]"),
        ({"X": np.ones((9, 3)), "reference": (np.ones((8, 3)), Z_REF)}, "X: found points that all coincide"),
    ],
)
def test_what_cannot_be_used_is_named(change, message):
    arguments = {"X": X, "Z": Z, "k": 2} | change
    with pytest.raises(InputError, match=message):
        metrics.continuity(arguments.pop("X"), arguments.pop("Z"), **arguments)


def test_points_that_coincide_with_each_other_alone_can_be_measured():
    assert np.isfinite(metrics.continuity(np.ones((9, 3)), Z, k=2, reference=(X_REF, Z_REF)))
    assert np.isfinite(metrics.continuity(X, Z, k=2, reference=(np.ones((8, 3)), Z_REF)))
    assert np.isfinite(metrics.continuity(np.ones((9, 3)), Z, k=2, reference=(np.zeros((8, 3)), Z_REF)))


@pytest.mark.parametrize(
    ("m", "reference", "include", "largest"),
    [(7, False, True, 3), (8, False, True, 3), (9, False, True, 4), (9, True, True, 8), (9, True, False, 4)],
)
def test_each_metric_has_its_largest_k(m, reference, include, largest):
    """Trustworthiness and continuity need k <= M / 2, metrics of other neighbors k < M, other metrics none."""
    points, codes = RNG.normal(size=(2, m, 2))
    pair = (X_REF[:, :2], Z_REF) if reference else None
    M = (m - 1 if include else 0) + (len(Z_REF) if reference else 0)
    assert largest == M // 2

    def k_of(k, *names):
        chosen = [metrics.METRICS[name] for name in names]
        return gather_checked(points, codes, pair, chosen, k=np.int64(k), include_queries=include).k

    for names, bound in (
        (["trustworthiness"], largest),
        (["knn_recall", "continuity"], largest),
        (["knn_recall", "lcmc", "mrre_code", "mrre_input"], M - 1),
    ):
        assert k_of(bound, *names) == bound
        with pytest.raises(InputError, match=f"k: found {bound + 1} with M = {M} candidates; pass 1 <= k <= {bound}, "):
            k_of(bound + 1, *names)
    assert k_of(1000, "stress", "spearman") == M // 2
    with pytest.raises(InputError, match="k: found 0 "):
        k_of(0, "stress")


class TestLabels:
    def test_of_any_kind(self):
        own, others = label_codes(np.array(["cat", "dog", "cat"]), np.array(["eel", "dog"]))
        np.testing.assert_array_equal(own, [0, 1, 0])
        np.testing.assert_array_equal(others, [2, 1])
        own, others = label_codes(np.array([2.5, 1.0, 2.5]))
        np.testing.assert_array_equal(own, [1, 0, 1])
        assert others is None
        assert own.dtype == np.int64
        np.testing.assert_array_equal(label_codes(np.array(["1", 1, 1.0], dtype=object))[0], [0, 1, 1])

    @pytest.mark.parametrize(
        ("own", "others", "message"),
        [
            ([1, 2], ["1", "2"], "labels of one kind"),
            (["1", "2"], [1, 2], "labels of one kind"),
            ([{1}, {2}], None, r"labels: found labels like \{1\}; pass numbers or texts"),
        ],
    )
    def test_that_cannot_be(self, own, others, message):
        with pytest.raises(InputError, match=message):
            label_codes(np.array(own), None if others is None else np.array(others))

    def test_numbers_beside_texts_stay_numbers(self):
        Z = np.random.default_rng(0).normal(size=(60, 2))
        numbers = np.arange(60) % 4
        mixed = [[1, "1", 2, "2"][number] for number in numbers]
        assert metrics.label_agreement(Z, Z, mixed, k=3) == metrics.label_agreement(Z, Z, numbers, k=3)

    def test_must_be_one_a_point(self):
        for labels, options, message in (
            ([1, 2, 3], {}, "labels: found 3 labels for 9 points"),
            (np.zeros((9, 2)), {}, r"labels: found shape \(9, 2\)"),
            ([[1], [2, 3]], {}, "labels: found lists of different lengths"),
            ([*"abcdefgh", None], {}, "labels: found None at place 8"),
            ([*"abcdefgh", np.nan], {}, "labels: found NaN at place 8"),  # beside texts numpy makes it one of them
            ([1.0, np.nan, *range(7)], {}, "labels: found NaN at place 1"),
            (pd.Series([*"abcdefgh", pd.NA], dtype=object), {}, "labels: found <NA> at place 8"),
            (pd.Categorical([None, *"abcdefgh"]), {}, "labels: found NaN at place 0"),
            (np.array(["2024", *["NaT"] * 8], dtype="datetime64[ns]"), {}, "labels: found NaT at place 1"),
            (np.ma.masked_equal(np.arange(9), 3), {}, "labels: found a masked label at place 3"),
            (None, {}, "labels: found None"),
            (LABELS, {"reference": (X_REF, Z_REF), "reference_labels": [1, 2, 3]}, "reference_labels: found 3"),
            (LABELS, {"reference": (X_REF, Z_REF)}, "reference_labels: found None"),
        ):
            with pytest.raises(InputError, match=message):
                metrics.label_agreement(X, Z, labels, k=2, **options)
        with pytest.raises(InputError, match="label_agreement needs"):
            gather(X, Z, k=2, families=frozenset({"labels"}), threads=1)

    @pytest.mark.parametrize("include", [True, False])
    def test_chance_is_by_queries_and_by_references(self, include):
        names, share = frozenset({"labels"}), []
        statistics = gather(
            X, Z, X_REF, Z_REF, k=3, include_queries=include, families=names, labels=LABELS, labels_ref=LABELS_REF
        )
        b = definitions._candidates(X, Z, X_REF, Z_REF, include)[1]
        for i, row in enumerate(b):
            own = np.flatnonzero(~np.isnan(row))
            weights = definitions._membership(row[own], 3)
            share.append(weights[own < 9].sum() if include else 0.0)
            assert statistics.extras["labels"].rows[i] == pytest.approx(
                weights @ (np.concatenate([LABELS, LABELS_REF] if include else [LABELS_REF])[own] == LABELS[i])
            )
        tests = np.mean([(label == LABELS).sum() - 1 for label in LABELS]) / 8
        references = np.mean([(label == LABELS_REF).mean() for label in LABELS])
        expected = np.mean(share) * tests + (3 - np.mean(share)) * references
        assert METRICS["label_agreement"].measure(statistics).chance == pytest.approx(expected / 3, rel=1e-12)


class TestReconstruction:
    def test_is_a_mean_over_points(self):
        names = "X", "made"
        made = X + RNG.normal(size=X.shape)
        measured = measure_reconstruction(squared_errors(X, made, names))
        assert metrics.reconstruction_mse(X, made) == measured.value
        assert measured.value == pytest.approx(np.mean((X - made) ** 2), rel=1e-14)
        single = 1e20 * X.astype(np.float32)  # squares of single precision would overflow
        assert metrics.reconstruction_mse(single, -single) == pytest.approx(4e40 * np.mean(X**2), rel=1e-6)
        np.testing.assert_allclose(measured.points, np.mean((X - made) ** 2, axis=1), rtol=1e-14)
        expected = [np.mean(np.delete(X - made, p, 0) ** 2) for p in range(9)]
        np.testing.assert_allclose(measured.leave_one_out, expected, rtol=1e-12)
        assert measure_reconstruction(squared_errors(X[:1], made[:1], names)).leave_one_out is None
        assert len(measure_reconstruction(squared_errors(X[:2], made[:2], names)).leave_one_out) == 2

    def test_needs_points_of_the_same_shape(self):
        for points, made, argument in (
            (X, X[:, :2], "X_reconstructed"),
            (X, X[:4], "X_reconstructed"),
            (X, X * 1e200, "^X_reconstructed: found numbers whose squared differences from X overflow"),
            (1e-200 * X, -1e-200 * X, "^X_reconstructed: .* underflow in float64; divide both by the same number"),
            (X * np.nan, X, "^X: "),
            (X, X * np.nan, "^X_reconstructed: "),
        ):
            with pytest.raises(InputError, match=argument):
                metrics.reconstruction_mse(points, made)
        with pytest.raises(InputError, match="no decoder is known"):
            METRICS["reconstruction_mse"].measure(gather(X, Z, k=2, threads=1))


class TestSamples:
    """Metrics of a sample, with a small budget."""

    def test_ranks_to_sort(self, monkeypatch):
        monkeypatch.setattr(rnx_curve, "MAX_RANKS", 40)
        rnx_curve.sampled_queries.cache_clear()
        try:
            assert rnx_curve.sampled_queries(5, 8).tolist() == [0, 1, 2, 3, 4]
            drawn = rnx_curve.sampled_queries(9, 8)
            statistics = gather(X, Z, k=2, families=frozenset({"order_curves"}), threads=1)
        finally:
            rnx_curve.sampled_queries.cache_clear()
        assert len(set(drawn)) == 5
        places = np.sort(canonical_order(X, Z)[drawn])
        assert statistics.notes == ("rnx_auc: computed from 5 sampled queries of 9",)
        measured = METRICS["rnx_auc"].measure(statistics)
        rows = definitions.extra_per_query(X, Z, 2, labels=LABELS)["rnx_auc"]
        assert measured.points is None
        assert measured.value == pytest.approx(rows[places].mean(), rel=1e-12)
        for p in range(9):
            left = definitions.extra_per_query(np.delete(X, p, 0), np.delete(Z, p, 0), 2, labels=np.delete(LABELS, p))
            rest = places[places != p]
            assert measured.leave_one_out[p] == pytest.approx(left["rnx_auc"][rest - (rest > p)].mean(), abs=1e-12)

    def test_pairs_to_sort(self, monkeypatch):
        monkeypatch.setattr(sampled_pairs, "MAX_PAIRS", 30)
        statistics = gather(X, Z, k=2, families=frozenset({"sampled_pairs"}), threads=1)
        assert statistics.notes == ("kendall, nonmetric_stress: computed from 30 sampled pairs of 36",)
        sample = statistics.extras["sampled_pairs"]
        assert sample.pairs == 30
        assert sample.touching.sum() == 60
        i, j = canonical_order(X, Z)[np.array(np.triu_indices(9, 1))]
        drawn = np.random.default_rng(0).integers(0, 36, 30)
        a, b = (np.linalg.norm(points[i[drawn]] - points[j[drawn]], axis=1) for points in (X, Z))
        assert sample.kendall == pytest.approx(kendalltau(a, b).statistic, rel=1e-12)
        assert sample.squares[0] == pytest.approx(definitions.monotone_residual(a, b), rel=1e-9)
        assert sample.squares[1] == pytest.approx(b @ b, rel=1e-12)
        monkeypatch.setattr(sampled_pairs, "MAX_PAIRS", 20)
        notes = gather(X[:8], Z[:8], k=2, families=frozenset({"sampled_pairs"}), threads=1).notes
        assert notes == ("kendall, nonmetric_stress: computed from 20 sampled pairs of 28",)
        for m, pairs in ((9, 36), (8, 28)):
            monkeypatch.setattr(sampled_pairs, "MAX_PAIRS", pairs)
            assert gather(X[:m], Z[:m], k=2, families=frozenset({"sampled_pairs"}), threads=1).notes == ()

    @pytest.mark.parametrize("setting", ["in sample", "train only", "train and test"])
    def test_of_pairs_are_pairs(self, setting, monkeypatch):
        seen = {}
        look = problem.Problem.look

        def keep(self):
            seen["problem"] = self
            look(self)

        monkeypatch.setattr(problem.Problem, "look", keep)
        more = () if setting == "in sample" else (X_REF, Z_REF)
        gather(X, Z, *more, k=2, include_queries=setting != "train only", threads=1)
        prepared = seen["problem"]
        a, b = definitions._candidates(X, Z, *(more or (None, None)), setting != "train only")
        for size in (10, 10**6):
            i, j, found_a, found_b = prepared.pairs_sample(size, 3)
            np.testing.assert_allclose(np.ldexp(found_a, prepared.x.exponent), a[i, j], rtol=1e-12)
            np.testing.assert_allclose(np.ldexp(found_b, prepared.z.exponent), b[i, j], rtol=1e-12)
        whole = {"in sample": 36, "train only": 72, "train and test": 36 + 72}[setting]
        ordered = zip(i.tolist(), j.tolist(), strict=True)
        once = set(ordered if setting == "train only" else map(frozenset, ordered))
        assert len(once) == len(i) == prepared.pairs == whole
        copied = pickle.loads(pickle.dumps(prepared))
        np.testing.assert_array_equal(copied.order, prepared.order)
        np.testing.assert_array_equal(copied.signs, prepared.signs)

    @pytest.mark.parametrize("setting", ["in sample", "train and test"])
    def test_cells_instead_of_sorting(self, setting, monkeypatch):
        points, codes = RNG.normal(size=(33, 3)), RNG.normal(size=(33, 2))
        codes += points[:, :2]
        more = () if setting == "in sample" else (points[20:], codes[20:])
        cut = 33 if setting == "in sample" else 20
        points[4], codes[4] = points[4] * 5, codes[4] * 5  # a few distances beyond those of the sample
        monkeypatch.setattr(rank_correlation, "SAMPLE_PAIRS", 300)
        monkeypatch.setattr(rank_correlation, "N_CELLS", 128)
        statistics = gather(points[:cut], codes[:cut], *more, k=2, threads=1)
        whole = definitions.score(points[:cut], codes[:cut], 2, *more)
        for name in ("spearman", "distortion_q", "scaled_stress", "stress", "pearson"):
            within = 0.02 if name == "spearman" else 1e-9
            assert METRICS[name].measure(statistics).value == pytest.approx(whole[name], abs=within, rel=1e-9), name
        left = definitions.leave_one_out(points[:cut], codes[:cut], 2, *more)
        stress = METRICS["scaled_stress"].measure(statistics).leave_one_out
        np.testing.assert_allclose(stress, left["scaled_stress"], rtol=1e-8)
        measured = METRICS["spearman"].measure(statistics).leave_one_out
        assert np.corrcoef(measured, left["spearman"])[0, 1] > 0.98
        assert np.std(measured) == pytest.approx(np.std(left["spearman"]), rel=0.15)

    def test_distances_beyond_those_of_the_sample(self, monkeypatch):
        monkeypatch.setattr(rank_correlation, "SAMPLE_PAIRS", 60)
        monkeypatch.setattr(rank_correlation, "N_CELLS", 32)
        monkeypatch.setattr(rank_correlation, "MAX_CELL_SHARE", 1.0)  # cells of equal width
        points, codes = RNG.normal(size=(33, 3)), RNG.normal(size=(33, 2))
        statistics = gather(points, codes + points[:, :2], k=2, families=frozenset({"shepard"}), threads=1)
        expected = definitions.score(points, codes + points[:, :2], 2)["spearman"]
        assert METRICS["spearman"].measure(statistics).value == pytest.approx(expected, abs=0.1)

    def test_candidates_of_triplets(self, monkeypatch):
        monkeypatch.setattr(triplets, "MAX_COMPARISONS", 9 * 5**2)
        monkeypatch.setattr(triplets, "MIN_CANDIDATES", 3)
        statistics = gather(X, Z, k=2, families=frozenset({"triplets"}), threads=1)
        note = "triplet_accuracy: each test point was compared with 5 random ones of its 8 candidates"
        assert statistics.notes == (note,)
        canonical = canonical_order(X, Z)
        order = canonical[np.random.default_rng(0).permutation(9)]
        a, b = definitions._candidates(X, Z, None, None, True)
        for i in range(9):
            drawn = np.roll(order, -(inverse(canonical)[i] * 5 % 9))
            drawn = drawn[drawn != i][:5]
            j, l = np.triu_indices(5, 1)
            signs = [np.sign(row[drawn][j] - row[drawn][l]) for row in (a[i], b[i])]
            assert statistics.triplets.rows[i] == pytest.approx(np.mean((signs[0] * signs[1] + 1) / 2), abs=1e-14)


class TestLeavingOut:
    def test_a_single_row_leaves_nothing(self):
        statistics = gather(X[:1], Z[:1], X_REF, Z_REF, k=2, threads=1)
        assert leave_one_out_mean(statistics, np.ones(1), np.zeros(1)) is None

    def test_pairs_of_each_point(self):
        judged = np.array([3, 1, 7])
        statistics = gather(X, Z, X_REF, Z_REF, k=2, judged=judged, threads=1)
        assert pairs_of_points(statistics).tolist() == [16.0] * 3 + [3.0] * 6
        alone = gather(X, Z, X_REF, Z_REF, k=2, include_queries=False, threads=1)
        assert pairs_of_points(alone).tolist() == [8.0] * 9
        some = gather(X, Z, X_REF, Z_REF, k=2, include_queries=False, judged=judged, threads=1)
        assert (some.m, some.n_test, some.judged.tolist()) == (3, 3, judged.tolist())
        rows = definitions.per_query(X, Z, 2, X_REF, Z_REF, False)["continuity"][judged]
        np.testing.assert_allclose(METRICS["continuity"].measure(some).points, rows, rtol=1e-12)


@pytest.mark.parametrize(("cores", "threads", "count"), [(3, None, 3), (None, None, 1), (3, 2, 2), (3, 1, 1)])
def test_one_thread_per_core_by_default(cores, threads, count, monkeypatch):
    monkeypatch.setattr("os.cpu_count", lambda: cores)
    assert workers_for(None, threads=threads).count == count


def test_without_a_point_that_owns_the_code_distances_nothing_is_known():
    codes = Z.copy()
    codes[2] = 1e6
    families = frozenset({"sampled_pairs", "moments"})
    statistics = gather(X, codes, k=2, families=families, threads=1)
    for name in ("nonmetric_stress", "scaled_stress", "stress", "pearson", "sigma_distortion"):
        without = METRICS[name].measure(statistics).leave_one_out
        np.testing.assert_array_equal(np.isnan(without), np.arange(9) == 2, err_msg=name)


def test_jobs_cut_queries_by_their_number_alone():
    cut = sys.modules["distbench.engine.gather"]._jobs
    assert cut(1) == [range(1)]
    assert cut(32) == [range(32)]
    assert cut(33) == [range(32), range(32, 33)]
    assert [len(job) for job in cut(16 * 40)] == [40] * 16
    assert [len(job) for job in cut(16 * 40 + 1)] == [41] * 15 + [26]
    assert {len(job) for job in cut(256 * 100)} == {256}
