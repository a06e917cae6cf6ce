"""Groups of test points: their labels, what the engine leaves out for them, and a statistic without each group."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import distbench
from distbench.engine import gather
from distbench.engine.searches import Search
from distbench.errors import InputError
from distbench.inference.groups import Groups, leave_groups_out
from distbench.inference.jackknife import allow_unseen_failures, jackknife_interval
from distbench.metrics import METRICS
from distbench.results.changes import compare_rows
from distbench.results.file import read_results, write_file
from distbench.results.rows import rows_of
from distbench.results.schema import Results

CHANGED = "not paired: the groups of the test points changed"
FAMILIES = frozenset({"ranks", "triplets", "relative", "order_curves", "labels"})


class TestLabels:
    @pytest.mark.parametrize(
        "labels",
        [
            ["b", "b", "a", "c", "a"],
            [7, 7, -1, 3, -1],
            np.array([2.5, 2.5, 1.0, 9.0, 1.0]),
            pd.Series(["b", "b", "a", "c", "a"], index=[9, 8, 7, 6, 5]),
            pd.Categorical(["b", "b", "a", "c", "a"], categories=["a", "b", "c", "d"]),
            np.array(["2024-01-02", "2024-01-02", "2024-01-01", "2024-02-01", "2024-01-01"], dtype="datetime64[D]"),
            np.array([(1, 2), (1, 2), "a", None, "a"], dtype=object)[[0, 1, 2, 2, 4]],
        ],
        ids=["texts", "ints", "floats", "series", "categorical", "dates", "mixed"],
    )
    def test_of_any_kind(self, labels):
        groups = Groups.of(labels, 5)
        assert groups.codes.tolist() in ([0, 0, 1, 2, 1], [0, 0, 1, 1, 1])
        assert len(groups) == len(set(np.asarray(labels).tolist()))

    def test_how_groups_are_named_does_not_matter(self):
        one, other, apart = (Groups.of(labels, 4) for labels in (list("abca"), [3, 1, 2, 3], list("abcc")))
        assert one.fingerprint() == other.fingerprint() != apart.fingerprint()

    @pytest.mark.parametrize(
        ("labels", "words"),
        [
            ([1, 2], "found 2 labels for 3 test points"),
            ([[1], [2], [3]], r"found shape \(3, 1\)"),
            ([[1], [2, 3], []], r"found labels like \[1\]"),
            ("abc", "found 'abc'"),
            ([1, None, 2], "found no label at place 1 .None."),
            (["a", "b", float("nan")], "found no label at place 2 .NaN."),
            ([1.0, 2.0, float("nan")], "found no label at place 2 .NaN."),
            (pd.Series(["a", pd.NA, "b"]), "found no label at place 1"),
            (pd.Categorical(["a", "b", None]), "found no label at place 2"),
            (np.array(["2024-01-01", "NaT", "2024-01-01"], dtype="datetime64[D]"), "found no label at place 1"),
            (pd.to_datetime(["2024-01-01", None, "2024-01-01"]), "found no label at place 1"),
        ],
    )
    def test_that_cannot_be_used(self, labels, words):
        with pytest.raises(InputError, match=words) as raised:
            Groups.of(labels, 3)
        assert raised.value.argument == "groups"


class TestLeaveGroupsOut:
    def test_of_a_mean_is_the_mean_without_the_group(self):
        rng = np.random.default_rng(0)
        codes = rng.integers(0, 6, 40)
        rows = rng.normal(size=40)
        without = (rows.sum() - rows) / 39
        expected = [rows[codes != g].mean() for g in range(6)]
        np.testing.assert_allclose(leave_groups_out(without, codes), expected, atol=1e-14)

    def test_single_points_are_groups(self):
        without = np.random.default_rng(1).normal(size=30)
        np.testing.assert_allclose(leave_groups_out(without, np.arange(30)), without, atol=1e-14)

    def test_one_group_is_one_value(self):
        assert leave_groups_out(np.array([0.25, 0.75]), np.array([0, 0])).tolist() == [0.5]


@st.composite
def grouped_points(draw):
    """Draw points and codes, with ties or without, and a group for each."""
    m, ties = draw(st.integers(9, 24)), draw(st.booleans())
    rng = np.random.default_rng(draw(st.integers(0, 2**16)))
    X, Z = rng.normal(size=(m, 3)), rng.normal(size=(m, 2))
    if ties:
        X, Z = np.round(X), np.round(Z)
    return X, Z, rng.integers(0, draw(st.integers(1, 6)), m), draw(st.sampled_from([0, 7]))


@settings(max_examples=40, deadline=None)
@given(grouped_points())
def test_a_group_leaves_with_its_rows(case):
    """The changes in the rows of a group's points, when points of the same group are removed, are left out."""
    X, Z, groups, n_ref = case
    rng = np.random.default_rng(3)
    pair = (rng.normal(size=(n_ref, 3)), rng.normal(size=(n_ref, 2))) if n_ref else (None, None)
    options = {"k": 3, "families": FAMILIES, "labels": groups % 2}
    options |= {"labels_ref": np.zeros(n_ref, dtype=np.int64)} if n_ref else {}

    def columns(**more):
        found = gather(X, Z, *pair, **options, **more)
        relative, curves, labels = (found.extras[name] for name in ("relative", "order_curves", "labels"))
        ranks = found.ranks
        parts = [
            ranks.trust.columns,
            ranks.continuity.columns,
            found.extras["found"][Search(3, 3)].columns,
            found.triplets.columns,
        ]
        parts += [relative.input_columns, relative.code_columns, curves.columns, labels.columns]
        back = np.argsort([*found.judged, *np.setdiff1d(np.arange(len(X)), found.judged)])
        return np.array(parts)[:, back], found

    expected, plain = columns()
    for group in np.unique(groups):
        own = np.flatnonzero(groups == group)
        expected[:, own] -= columns(judged=own)[0][:, own]
    grouped, found = columns(groups=groups)
    np.testing.assert_allclose(grouped, expected, atol=1e-5)
    apart, _ = columns(groups=np.arange(len(X)))
    np.testing.assert_allclose(apart, columns()[0], atol=1e-12)
    np.testing.assert_array_equal(found.ranks.trust.rows, plain.ranks.trust.rows)


@settings(max_examples=40, deadline=None)
@given(grouped_points())
def test_joint_effects_of_a_group_are_not_subtracted(case):
    """Signed sums hold the changes by points of other groups alone: none for one group, all for single points."""
    X, Z, groups, _ = case
    plain, found, apart = (
        gather(X, Z, k=3, families=frozenset({"ranks"}), groups=codes) for codes in (None, groups, np.arange(len(X)))
    )
    for side in ("trust", "continuity"):
        np.testing.assert_array_equal(getattr(apart.ranks, side).signed, getattr(plain.ranks, side).signed)
    alone = [sum(groups == group) == 1 for group in groups]
    np.testing.assert_array_equal(found.ranks.trust.signed[alone], plain.ranks.trust.signed[alone])
    if len(set(groups)) == 1:
        assert not any(np.any(getattr(found.ranks, side).signed) for side in ("trust", "continuity"))
        assert not np.any(found.extras["found"][Search(3, 3)].signed)


def evaluated(case, groups, **options):
    X, Z, _, n_ref = case
    rng = np.random.default_rng(4)
    reference = (rng.normal(size=(n_ref, 3)), rng.normal(size=(n_ref, 2))) if n_ref else None
    return distbench.evaluate_codes(X, Z, reference=reference, k=3, metrics="all", groups=groups, **options)


def ends(report):
    return np.array([(s.value, *((np.nan,) * 2 if s.low is None else (s.low, s.high))) for s in report.values()])


class TestIntervals:
    @settings(max_examples=20, deadline=None)
    @given(grouped_points())
    def test_of_groups_of_one_point_are_those_of_points(self, case):
        plain, apart = evaluated(case, None), evaluated(case, np.arange(len(case[0])))
        np.testing.assert_allclose(ends(apart), ends(plain), rtol=1e-9, atol=1e-12)

    @settings(max_examples=20, deadline=None)
    @given(grouped_points())
    def test_names_of_groups_change_nothing(self, case):
        codes = case[2]
        named = evaluated(case, [f"writer {(code + 3) % 6}" for code in codes])
        np.testing.assert_array_equal(ends(named), ends(evaluated(case, codes)))

    @settings(max_examples=20, deadline=None)
    @given(grouped_points(), st.randoms(use_true_random=False))
    def test_the_order_of_rows_changes_nothing(self, case, random):
        X, Z, codes, n_ref = case
        assume(
            len({*map(tuple, np.hstack([X, Z]).tolist())}) == len(X)
        )  # equal points of two groups have signs in any order
        order = random.sample(range(len(X)), len(X))
        moved = X[order], Z[order], codes[order], n_ref
        one, other = (ends(evaluated(each, each[2])) for each in (case, moved))
        np.testing.assert_allclose(one, other, rtol=1e-9, atol=1e-12)

    def test_against_train_points_alone_it_is_the_cluster_jackknife(self):
        rng = np.random.default_rng(5)
        X, X_ref, codes = rng.normal(size=(60, 4)), rng.normal(size=(90, 4)), rng.integers(0, 9, 60)
        pair = X_ref, X_ref[:, :2]
        report = distbench.evaluate_codes(X, X[:, :2], reference=pair, include_queries=False, k=5, groups=codes)
        for name in ("continuity", "knn_recall", "triplet_accuracy"):
            score = report[name]
            without = np.array([score.points[codes != code].mean() for code in range(9)])
            expected = jackknife_interval(score.value, without, bounds=METRICS[name].bounds)
            failure = METRICS[name].least_failure(5, 90, 60)
            expected = allow_unseen_failures(expected, score.value, failure, 9, bounds=METRICS[name].bounds)
            assert (score.low, score.high) == pytest.approx(expected, rel=1e-9)

    def test_of_a_perfect_score_count_groups_as_trials(self):
        X = np.random.default_rng(6).normal(size=(60, 3))
        low = [distbench.evaluate_codes(X, X, groups=g)["continuity"].low for g in (None, np.arange(60) // 10)]
        assert low[0] > low[1]

    def test_of_several_draws_and_of_a_sample_of_points(self):
        rng = np.random.default_rng(7)
        X, codes = rng.normal(size=(60, 4)), np.arange(60) // 5

        def noisy(points):
            return points[:, :2] + 0.1 * rng.normal(size=(len(points), 2))

        drawn = distbench.evaluate(noisy, X, groups=codes, stochastic=True, k=5)
        assert drawn["continuity"].leave_one_out.shape == (12,)
        assert drawn["continuity"].low < drawn["continuity"].value < drawn["continuity"].high
        few = distbench.evaluate_codes(X, X[:, :2], groups=codes, queries=40, k=5)
        assert few["continuity"].leave_one_out.shape == (12,)
        assert sum(score.n for score in few.by_group()) == 40

    @pytest.mark.parametrize(("count", "words"), [(1, "one group"), (4, "only 4 groups"), (5, "")])
    def test_few_groups_are_noted(self, count, words):
        X = np.random.default_rng(8).normal(size=(40, 3))
        report = distbench.evaluate_codes(X, X[:, :2], groups=np.arange(40) % count, k=5)
        notes = [note for note in report.notes if getattr(note, "code", "") == "few_groups"]
        assert (words in notes[0] and notes[0].level == "warning") if words else not notes
        assert (report["continuity"].low is None) == (count == 1)

    def test_an_undecided_limit_asks_for_groups(self):
        X = np.random.default_rng(9).normal(size=(60, 3))
        report = distbench.evaluate_codes(X, X[:, :2], groups=np.arange(60) // 6)
        limit = report["continuity"].value - 1e-3
        with pytest.raises(distbench.PreservationError, match=r"about [\d,]+ groups would decide") as raised:
            report.check(continuity=limit, undecided="fail")
        assert "m = 60 test points in 10 groups" in str(raised.value)


def test_intervals_over_groups_cover_where_those_over_points_do_not():
    rng = np.random.default_rng(11)
    X_ref, codes = rng.normal(size=(60, 5)), np.arange(60) // 6
    names = ["continuity", "knn_recall", "scaled_stress", "triplet_accuracy"]
    found = {(name, over): [] for name in names for over in ("groups", "points")}
    for _ in range(150):
        X = rng.normal(size=(10, 5))[codes] + 0.5 * rng.normal(size=(60, 5))
        for over, groups in (("groups", codes), ("points", None)):
            pair = X_ref, X_ref[:, :2]
            report = distbench.evaluate_codes(X, X[:, :2], reference=pair, k=5, metrics=names, groups=groups)
            for name in names:
                found[name, over].append((report[name].value, report[name].low, report[name].high))
    for (name, over), draws in found.items():
        value, low, high = np.array(draws).T
        covered = np.mean((low <= value.mean()) & (value.mean() <= high))
        assert covered >= 0.88 if over == "groups" else covered < 0.88, f"{name} over {over}: {covered:.1%}"
        assert np.mean(high - low) < 1.5 * 3.92 * value.std(), name


class TestComparisons:
    def reports(self, *groups):
        X = np.random.default_rng(10).normal(size=(50, 4))
        return [
            distbench.evaluate_codes(X, X[:, columns], groups=codes, name=f"columns {columns}")
            for columns, codes in zip(([0, 1], [0, 1, 2]), groups, strict=True)
        ]

    def test_are_over_groups(self):
        codes = np.arange(50) // 5
        a, b = self.reports(codes, codes + 7)
        difference = distbench.compare(a, b)["scaled_stress"]
        without = a["scaled_stress"].leave_one_out - b["scaled_stress"].leave_one_out
        assert len(without) == 10
        assert (difference.low, difference.high) == pytest.approx(jackknife_interval(difference.value, without))

    def test_need_the_same_groups(self):
        for groups in ((np.arange(50) // 5, None), (np.arange(50) // 5, np.arange(50) % 10)):
            with pytest.raises(InputError, match="found different groups of test points"):
                distbench.compare(*self.reports(*groups))

    def test_of_stored_rows(self, tmp_path):
        codes = np.arange(50) // 5
        rows = {
            name: [
                row
                for report in self.reports(groups, groups)[:1]
                for row in rows_of(report, encoder="mine", test="t", leave_one_out=["scaled_stress", "continuity"])
            ]
            for name, groups in {"same": codes, "other": np.arange(50) % 10, "none": None}.items()
        }
        path = tmp_path / "rows.json"
        write_file(path, Results(rows["same"], {}, {}))
        stored = read_results(path).rows
        assert stored[0].groups == rows["same"][0].groups != rows["other"][0].groups
        assert stored[0].m == 50
        moved = [replace(row, value=row.value - 0.01) for row in stored]  # equal values would need no interval
        for name, note in (("same", ""), ("other", CHANGED), ("none", CHANGED)):
            changes = {change.metric: change for change in compare_rows(rows[name], moved).changes}
            assert changes["continuity"].note == note
            assert changes["continuity"].paired is (name == "same")
