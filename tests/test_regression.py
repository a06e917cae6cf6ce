from __future__ import annotations

import math
import statistics
import time
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import distbench
from distbench.errors import InputError
from distbench.metrics import METRICS
from distbench.results.file import read_results, write_results
from distbench.results.gates import Gate, broken_gates, compare_rows, parse_gate
from distbench.results.rows import STALE, Row, failed_row, rows_of

M_POINTS = 120


def evaluated(noise, seed):
    """Return the report on codes with noise; the points are always the same."""
    points = np.random.default_rng(0).normal(size=(400, 6))
    codes = points[:, :3] + noise * np.random.default_rng(seed).normal(size=(400, 3))
    test, reference = (points[:M_POINTS], codes[:M_POINTS]), (points[200:], codes[200:])
    return distbench.evaluate_codes(*test, reference=reference, k=7, name="a")


@pytest.fixture(scope="module")
def reports():
    """Return the reports of two training seeds for small and for large noise."""
    return {noise: [evaluated(noise, seed) for seed in (1, 2)] for noise in (0.2, 0.6)}


@pytest.fixture(scope="module")
def better(reports):
    return as_rows(reports[0.2])


@pytest.fixture(scope="module")
def worse(reports):
    return as_rows(reports[0.6])


def as_rows(of_seeds, **about):
    about = {"dataset": "gauss", "test": "t.py::test", "leave_one_out": {"continuity"}, **about}
    return [row for seed, report in enumerate(of_seeds) for row in rows_of(report, seed=seed, **about)]


def changed(rows, **about):
    return [replace(row, **about) for row in rows]


def changed_in(rows, metric, **about):
    return [replace(row, **about) if row.metric == metric else row for row in rows]


def only(rows, *metrics):
    return [row for row in rows if row.metric in metrics]


def the(comparison, metric="continuity"):
    (change,) = [change for change in comparison.changes if change.metric == metric]
    return change


def failed(seed, **about):
    plain = {"encoder": "a", "dataset": "gauss", "code_size": 3, "k": 7, "m": M_POINTS, "M": 319, "test": "t.py::test"}
    return failed_row("ValueError: NaN", **{**plain, **about}, seed=seed)


class TestComparing:
    def test_equal_rows_differ_by_exactly_nothing(self, better, tmp_path):
        write_results(tmp_path / "r.json", better, {}, whole=True)
        for before in (better, read_results(tmp_path / "r.json").rows):
            comparison = compare_rows(before, better)
            assert {change.metric for change in comparison.changes} == {row.metric for row in better}
            intervals = {(change.difference, change.low, change.high, change.paired) for change in comparison.changes}
            assert intervals == {(0, 0, 0, True)}
            assert not any(entry.is_change for entry in comparison.changes)
            assert (comparison.only_before, comparison.only_now, comparison.not_compared) == ((), (), ())

    def test_the_difference_is_that_of_the_means_over_the_seeds(self, better, worse):
        for change in compare_rows(better, worse).changes:
            means = [statistics.fmean(row.value for row in only(rows, change.metric)) for rows in (better, worse)]
            assert [change.before, change.now, change.difference] == pytest.approx([*means, means[1] - means[0]])

    def test_paired_intervals_are_those_of_two_reports_compared(self, reports):
        one, other = reports[0.6][0], reports[0.2][0]
        oracle = distbench.compare(one, other)["continuity"]
        change = the(compare_rows(as_rows([other]), as_rows([one])))
        assert change.paired
        assert [change.difference, change.low, change.high] == pytest.approx([oracle.value, oracle.low, oracle.high])

    def test_pairing_narrows_and_files_cost_next_to_nothing(self, better, worse, tmp_path):
        raw = the(compare_rows(better, worse))
        write_results(tmp_path / "r.json", better, {}, whole=True)
        stored = the(compare_rows(read_results(tmp_path / "r.json").rows, worse))
        assert [stored.low, stored.high] == pytest.approx([raw.low, raw.high], abs=1e-5)
        unpaired = the(compare_rows(changed(better, leave_one_out=None), worse))
        assert raw.high - raw.low < unpaired.high - unpaired.low
        assert not unpaired.paired
        assert unpaired.note == "not paired: no per-point scores of both runs"

    def test_without_per_point_scores_both_intervals_count(self, better, worse):
        old, new = only(better, "spearman")[:1], only(worse, "spearman")[:1]
        change = the(compare_rows(old, new), "spearman")
        down = math.hypot(new[0].value - new[0].low, old[0].high - old[0].value)
        up = math.hypot(new[0].high - new[0].value, old[0].value - old[0].low)
        assert [change.low, change.high] == pytest.approx([change.difference - down, change.difference + up])
        worst_case = the(compare_rows(better, worse), "distortion")
        assert (worst_case.low, worst_case.high, worst_case.note) == (None, None, "")

    def test_other_points_are_not_paired(self, better, worse):
        comparison = compare_rows(better, changed(worse, fingerprint="other"))
        assert (the(comparison).paired, the(comparison).note) == (False, "not paired: the points changed")
        assert all(change.other_points for change in comparison.changes)
        assert the(comparison, "distortion").note == "the points changed"
        assert not any(change.other_points for change in compare_rows(better, worse).changes)

    @pytest.mark.parametrize(
        ("before", "now", "note"),
        [
            ({"fingerprint": "", "data_sha256": "d"}, {"fingerprint": "", "data_sha256": "d"}, ""),
            ({"fingerprint": ""}, {"fingerprint": ""}, "not paired: not known to be of the same points"),
            ({"data_sha256": "d"}, {"data_sha256": "d"}, ""),
            ({"data_sha256": "d"}, {}, ""),  # missing in one of them: no difference
            ({"data_sha256": "d"}, {"data_sha256": "e"}, "not paired: the points changed"),
            ({"fingerprint": "f"}, {"fingerprint": "g"}, "not paired: the points changed"),
        ],
    )
    def test_fingerprint_and_hash_decide_whether_points_are_the_same(self, better, worse, before, now, note):
        change = the(compare_rows(changed(better, **before), changed(worse, **now)))
        assert (change.paired, change.note) == (not note, note)
        assert change.other_points == ("changed" in note)

    def test_scores_of_other_numbers_of_points_are_not_paired(self, better, worse):
        short = [
            replace(row, leave_one_out=row.leave_one_out[:-1]) if row.leave_one_out is not None and row.seed else row
            for row in worse
        ]
        assert the(compare_rows(better, short)).note == "not paired: no per-point scores of both runs"
        assert the(compare_rows(short, short)).difference == 0

    def test_one_equal_metric_of_points_without_scores_is_no_proof_of_equal_codes(self, better):
        rows = only(better, "spearman")
        change = the(compare_rows(rows, rows), "spearman")
        assert change.difference == 0
        assert change.low < 0 < change.high

    def test_only_seeds_that_both_have_count(self, better, worse):
        old = [row for row in better if row.seed == 0]
        change = the(compare_rows(old, worse))
        assert change.before == only(old, "continuity")[0].value
        assert change.now == only(worse, "continuity")[0].value
        assert change.note == "over 1 of 2 seeds"
        nothing = compare_rows(old, [row for row in worse if row.seed == 1])
        assert not nothing.changes
        assert nothing.not_compared[0].reason == "no training seed in common (before 0, now 1)"

    def test_to_infinity_is_a_change_without_interval_and_between_infinities_is_none(self, better):
        rows = only(better, "distortion")
        there = changed(rows, value=math.inf)
        change = the(compare_rows(rows, there), "distortion")
        assert (change.difference, change.low, change.is_change) == (math.inf, None, True)
        assert change.worsening == (math.inf, None, None)
        same = the(compare_rows(there, there), "distortion")
        assert (same.difference, same.is_change) == (0, False)

    def test_rounding_in_files_is_no_change(self, better):
        rounded = [replace(row, value=float(f"{row.value:.10g}")) for row in better]
        comparison = compare_rows(rounded, better)
        assert not any(change.is_change for change in comparison.changes)
        assert any(change.difference for change in comparison.changes)


class TestMatching:
    @pytest.mark.parametrize(
        "what",
        [
            {"in_sample": True},
            {"encoder": "b", "fingerprint": "other"},
            {"dataset": "other", "fingerprint": "other"},
            {"encoder": "b", "test": "t.py::other"},
            {"code_size": 4, "test": "t.py::other"},
            {"code_size": 4, "k": 5},
            {"encoder": "b", "fingerprint": ""},
        ],
    )
    def test_other_things_are_not_compared_with_each_other(self, better, what):
        comparison = compare_rows(better, changed(better, **what))
        (entry,) = comparison.not_compared
        assert (comparison.changes, comparison.only_before, entry.missing) == ((), (), True)
        assert str(entry) == "a, gauss, code size 3: was there, now missing"
        assert len(comparison.only_now) == 1
        left_out = compare_rows(better, changed(better, **what), left_out={"t.py::test"})
        assert (left_out.not_compared, left_out.only_before) == ((), ("a, gauss, code size 3",))

    @pytest.mark.parametrize("is_worse", [False, True])
    def test_names_by_position_follow_the_points(self, better, worse, is_worse):
        """Ids such as X0 and X1 move on by one if a set of points is put in front; gates see the same points."""

        def at(place, points, rows):
            return changed(rows, dataset="", data_sha256="", test=f"t.py::test[X{place}]", fingerprint=points)

        before = [*at(0, "easy", better), *at(1, "medium", better)]
        now = worse if is_worse else better
        comparison = compare_rows(before, [*at(0, "new", better), *at(1, "easy", now), *at(2, "medium", now)])
        assert {change.moved for change in comparison.changes} == {f"test was t.py::test[X{place}]" for place in (0, 1)}
        assert not comparison.not_compared
        assert bool(broken_gates(comparison, [parse_gate("continuity:25%")])) == is_worse
        removed = compare_rows(before, at(0, "medium", better))
        assert [entry.missing for entry in removed.not_compared] == [True]
        other = compare_rows(before[: len(better)], at(0, "new", worse))
        assert broken_gates(other, [parse_gate("continuity:25%")])  # of no known points: compared by name

    @pytest.mark.parametrize(
        ("what", "moved"),
        [
            ({"encoder": "b"}, "encoder was a"),
            ({"code_size": 4}, "code size was 3"),
            ({"encoder": "b", "code_size": 4}, "encoder was a, code size was 3"),
            ({"test": "t.py::other"}, "test was t.py::test"),
            ({"test": "new/u.py::test"}, "test was t.py::test"),
            ({"encoder": "b", "dataset": "gauss"}, "data set was none, encoder was a"),
        ],
    )
    def test_what_has_another_name_is_matched_by_its_points(self, better, worse, what, moved):
        before = changed(better, dataset="")
        comparison = compare_rows(before, changed(worse, **{"dataset": "", **what}))
        assert (comparison.only_before, comparison.only_now, comparison.not_compared) == ((), (), ())
        assert {tuple(sorted(change.moved.split(", "))) for change in comparison.changes} == {
            tuple(sorted(moved.split(", ")))
        }
        assert the(comparison).paired
        (line,) = broken_lines(comparison, gates("continuity:25%"))
        assert line.endswith(f"({the(comparison).moved})")

    def test_several_encoders_with_other_names_are_matched_only_if_nothing_is_in_doubt(self, better, worse):
        two = changed(better, code_size=2) + changed(worse, code_size=4)
        names = compare_rows(two, changed(two, encoder="b"))
        assert not any(change.is_change for change in names.changes)
        assert (len(names.changes), names.not_compared) == (2 * len({row.metric for row in better}), ())
        old, new = ([*changed(better, encoder=a), *changed(worse, encoder=b)] for a, b in ("ab", "cd"))
        doubt = compare_rows(old, new)
        assert doubt.changes == ()
        assert [entry.encoder for entry in doubt.not_compared if entry.missing] == ["a", "b"]

    def test_one_name_on_two_sets_of_points_is_matched_by_the_points(self, better, worse):
        both = changed(better, fingerprint="one") + changed(worse, fingerprint="two")
        comparison = compare_rows(both, changed(both[::-1], dataset="gauss"))
        assert not any(change.is_change for change in comparison.changes)
        assert (len(comparison.changes), comparison.not_compared) == (2 * len({row.metric for row in better}), ())

    def test_seeds_that_are_missing_now_are_lost(self, better):
        comparison = compare_rows(better, [row for row in better if row.seed == 1])
        (entry,) = comparison.not_compared
        assert (entry.missing, entry.reason) == (True, "training seed 0 was there, now missing")
        assert entry.had >= {row.metric for row in better}

    def test_points_without_a_data_set_belong_to_their_test(self, better):
        own = changed(better, dataset="")
        assert compare_rows(own, own).changes
        assert compare_rows(better, changed(better, test="t.py::other")).changes, "a data set may change its test"
        other = compare_rows(own, changed(own, test="t.py::other", fingerprint="other"))
        assert [entry.label for entry in other.not_compared] == ["a, t.py::test, code size 3"]

    def test_rows_measured_in_another_way_are_not_compared(self, better):
        comparison = compare_rows(better, changed(better, m=100, M=299))
        (entry,) = comparison.not_compared
        assert (comparison.changes, entry.metric, entry.failed) == ((), "", False)
        reason = "number of test points was 120, is now 100; number of candidates was 319, is now 299"
        assert entry.reason == reason
        old = changed(better, distance="")  # of files that did not name the distance: Euclidean
        assert len(compare_rows(old, better).changes) == len(compare_rows(better, better).changes)

    def test_two_ways_of_judging_stay_apart(self, better, worse):
        both = [better + changed(worse, k=5), worse + changed(worse, k=5)]
        comparison = compare_rows(*both)
        assert [entry.is_change for entry in comparison.changes if entry.metric == "continuity"] == [True, False]
        fewer = compare_rows(both[0], worse)
        assert [entry.reason for entry in fewer.not_compared] == [
            "k = 5, distance = euclidean, m = 120, M = 319: was not measured so now"
        ]

    def test_another_metric_version_is_not_compared(self, better):
        comparison = compare_rows(better, changed_in(better, "continuity", metric_version=2))
        (entry,) = comparison.not_compared
        assert (entry.metric, entry.reason) == ("continuity", "metric version was 1, is now 2")
        assert len(comparison.changes) == len({row.metric for row in better}) - 1

    def test_a_metric_that_changed_its_direction_is_not_compared(self, better, worse):
        comparison = compare_rows(better, changed_in(worse, "continuity", direction="down"))
        (entry,) = comparison.not_compared
        assert (entry.metric, entry.reason) == ("continuity", "direction was up, is now down")
        assert len(broken_lines(comparison, gates("continuity:25%"))) == 1

    def test_thousands_of_encoders_of_one_test_with_other_names_take_a_moment(self, better):
        row = only(better, "spearman")[0]
        before, now = ([replace(row, encoder=f"{name}{number}") for number in range(4000)] for name in "ab")
        start = time.process_time()
        comparison = compare_rows(before, now)
        assert time.process_time() - start < 10
        assert len(comparison.not_compared) == 4000, "any could be any other"

    def test_a_metric_that_one_run_lacks_has_a_reason(self, better):
        less = [row for row in better if row.metric != "continuity"]
        lost, gained = compare_rows(better, less).not_compared, compare_rows(less, better).not_compared
        assert [(entry.reason, entry.failed) for entry in lost] == [("was not measured now", True)]
        assert [(entry.reason, entry.failed) for entry in gained] == [("was not measured before", False)]

    def test_equal_encoder_names_in_two_tests_are_matched_by_test(self, better, worse):
        before = changed(better, test="one") + changed(worse, test="two")
        comparison = compare_rows(before, list(reversed(before)))
        assert len(comparison.changes) == 2 * len({row.metric for row in better})
        assert not any(change.is_change for change in comparison.changes)

    def test_equal_encoder_names_in_one_test_are_not_compared(self, better, worse):
        comparison = compare_rows(better + worse, better + worse)
        assert comparison.changes == ()
        (entry,) = comparison.not_compared
        assert "several encoders in one test have this name" in entry.reason

    def test_a_fit_that_now_fails_is_listed_once(self, better):
        comparison = compare_rows(better, [failed(0), failed(1)])
        assert comparison.changes == ()
        assert [(entry.reason, entry.failed) for entry in comparison.not_compared] == [
            ("now seed 0 failed: ValueError: NaN", True),
            ("now seed 1 failed: ValueError: NaN", True),
        ]
        part = compare_rows(better, [row for row in better if row.seed == 0] + [failed(1)])
        assert the(part).note == "over 1 of 2 seeds"
        (entry,) = part.not_compared
        assert (entry.reason, entry.failed) == ("seed 1 failed: ValueError: NaN", True)
        (entry,) = compare_rows([failed(None)], better).not_compared
        assert (entry.reason, entry.failed) == ("before failed: ValueError: NaN", False), "it was no loss"
        (entry,) = compare_rows([failed(0)], [failed(0)]).not_compared
        assert (entry.reason, entry.failed) == ("before and now seed 0 failed: ValueError: NaN", False)

    @pytest.mark.parametrize("now_is", ["another name", "another code size", "gone"])
    def test_each_of_two_equal_encoders_of_one_name_counts(self, better, worse, now_is):
        changes = {"another name": {"encoder": "a (2)"}, "another code size": {"code_size": 2}, "gone": {}}[now_is]
        second = changed(worse, **changes) if changes else []
        assert compare_rows(better * 2, better * 2).not_compared == ()
        (entry,) = (comparison := compare_rows(better * 2, better + second)).not_compared
        assert str(entry).startswith("a, gauss, code size 3: was evaluated 2 times, now 1; name= tells")
        assert len(broken_lines(comparison, gates("continuity:25%"))) == 1
        other_test = better + changed(better, test="t.py::other")
        assert compare_rows(other_test, better).not_compared, "its other test is gone"
        assert compare_rows(other_test, better, left_out={"t.py::other"}).not_compared == ()


class TestReadingGates:
    @pytest.mark.parametrize(
        ("text", "gate"),
        [
            ("continuity:25%", Gate("continuity", 0.25, True)),
            ("stress : 0.02", Gate("stress", 0.02, False)),
            ("all:5%", Gate("all", 0.05, True)),
            ("continuity:0", Gate("continuity", 0.0, False)),
        ],
    )
    def test_a_gate_is_a_share_or_a_number(self, text, gate):
        assert parse_gate(text) == gate
        assert parse_gate(str(gate)) == gate

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ("contiuity:1%", "found no metric called 'contiuity'; did you mean 'continuity'"),
            ("continuity", "found 'continuity'; give METRIC:CHANGE, such as continuity:25%"),
            (":1%", "give METRIC:CHANGE"),
            ("continuity:", "give METRIC:CHANGE"),
            ("continuity:little", "found the change 'little'"),
            ("continuity:-1%", "found the change '-1%'.* 0 or more"),
            ("continuity:nan", "found the change 'nan'"),
            ("continuity:inf", "found the change 'inf'"),
            ("continuity:1", "nothing exceeds: continuity is from 0 to 1; give less, or percent: continuity:1%"),
        ],
    )
    def test_invalid_gates(self, text, message):
        with pytest.raises(InputError, match=message):
            parse_gate(text)

    def test_every_metric_can_have_one(self):
        assert [parse_gate(f"{name}:1%").metric for name in METRICS] == list(METRICS)


def gates(*texts):
    return [parse_gate(text) for text in texts]


def broken_lines(*arguments):
    """Return the broken gates as lines; those of encoders that could not be compared say so, and no others."""
    broken = broken_gates(*arguments)
    assert all(gate.compared == ("nothing to compare" not in str(gate)) for gate in broken)
    return list(map(str, broken))


class TestGates:
    @pytest.fixture
    def comparison(self, better, worse):
        return compare_rows(better, worse, "old.json")

    def test_a_worsening_beyond_the_threshold_breaks_it_in_one_plain_line(self, comparison):
        change = the(comparison)
        share = -change.difference / (1 - change.before)
        assert share > 0.01
        (line,) = broken_lines(comparison, gates("continuity:25%"))
        assert line.startswith("continuity:25%: a, gauss, code size 3: continuity ")
        low = -100 * change.high / (1 - change.before)
        assert f"worse by {100 * share:.3g}% of the distance from 1, 95 % interval {low:.3g}% to" in line
        assert broken_lines(comparison, gates(f"continuity:{100 * share + 0.1}%")) == []

    @pytest.mark.parametrize(
        ("metric", "before", "now", "share", "of_what"),
        [
            ("continuity", 0.99, 0.985, 50, " of the distance from 1,"),
            ("knn_recall", 0.2, 0.19, 5, ","),
            ("pearson", 0.8, 0.79, 5, " of the distance from 1,"),
            ("scaled_stress", 0.2, 0.21, 5, ","),
            ("distortion_q", 1.5, 1.6, 20, " of the distance from 1,"),
            ("stress", 4.0, 5.0, 25, ","),
        ],
    )
    def test_a_percentage_is_of_the_value_or_of_what_is_missing_if_that_is_less(
        self, better, metric, before, now, share, of_what
    ):
        rows = [changed(only(better, metric), value=value, leave_one_out=None) for value in (before, now)]
        comparison = compare_rows(*rows)
        (line,) = broken_lines(comparison, [Gate(metric, 0.99 * share / 100, True)])
        assert f"worse by {share}%{of_what}" in line
        assert broken_lines(comparison, [Gate(metric, 1.01 * share / 100, True)]) == []

    def test_an_absolute_threshold_is_one_of_the_value(self, comparison):
        size = -the(comparison).difference
        assert broken_lines(comparison, [Gate("continuity", size, False)]) == []
        assert len(broken_lines(comparison, [Gate("continuity", size * 0.999, False)])) == 1

    def test_the_direction_of_the_metric_says_whether_smaller_is_worse(self, better, worse):
        for metric, shift, broken in (("stress", 0.1, 1), ("stress", -0.1, 0), ("continuity", -0.1, 1)):
            rows = only(better, metric)
            now = [replace(row, value=row.value + shift) for row in rows]
            assert len(broken_lines(compare_rows(rows, now), [Gate(metric, 0.05, False)])) == broken
        names = ("continuity:0", "scaled_stress:0", "spearman:0%")
        assert broken_lines(compare_rows(worse, better), gates(*names)) == [], "better breaks no gate"

    def test_equal_rows_hold_a_gate_of_nothing_however_sure_it_must_be(self, better):
        for undecided in ("value", "fail", "pass"):
            assert broken_lines(compare_rows(better, better), gates("all:0"), undecided) == []

    def test_two_decimals_that_differ_by_the_threshold_do_not_break_it(self, better):
        old = changed(only(better, "continuity"), value=0.96, leave_one_out=None)
        new = changed(old, value=0.95)
        assert 0.96 - 0.95 > 0.01
        assert broken_lines(compare_rows(old, new), gates("continuity:0.01")) == []
        assert len(broken_lines(compare_rows(old, new), gates("continuity:0.00999"))) == 1

    def test_undecided_gates_follow_the_setting(self, comparison):
        worse, low, high = the(comparison).worsening
        assert low < worse < high

        def broken(threshold, undecided):
            return bool(broken_lines(comparison, [Gate("continuity", threshold, False)], undecided))

        below, above = (low + worse) / 2, (worse + high) / 2
        assert [broken(below, word) for word in ("value", "fail", "pass")] == [True, True, False]
        assert [broken(above, word) for word in ("value", "fail", "pass")] == [False, True, False]
        assert [broken(low * 0.99, word) for word in ("value", "fail", "pass")] == [True] * 3
        assert [broken(high * 1.01, word) for word in ("value", "fail", "pass")] == [False] * 3
        with pytest.raises(InputError, match="undecided"):
            broken(low, "perhaps")

    def test_without_an_interval_the_value_decides(self, better):
        rows = only(better, "distortion")
        worse = [replace(row, value=row.value * 2) for row in rows]
        share = 100 * rows[0].value / (rows[0].value - 1)
        for word in ("value", "fail", "pass"):
            assert broken_lines(compare_rows(rows, worse), gates(f"distortion:{0.9 * share}%"), word)
            assert not broken_lines(compare_rows(rows, worse), gates(f"distortion:{1.1 * share}%"), word)

    def test_infinitely_worse_breaks_it_and_from_nothing_any_share_is_too_much(self, better):
        rows = only(better, "distortion")
        assert broken_lines(compare_rows(rows, changed(rows, value=math.inf)), gates("distortion:50%"))
        assert not broken_lines(compare_rows(changed(rows, value=math.inf), rows), gates("distortion:50%"))
        best = changed(rows, value=1.0)
        (line,) = broken_lines(compare_rows(best, changed(rows, value=1.1)), gates("distortion:50%"))
        assert "worse by 0.1 than the best value" in line

    def test_sums_in_another_order_do_not_break_gates_of_perfect_codes_but_little_errors_do(self, better):
        rows = changed(only(better, "scaled_stress"), value=0.0, low=None, high=None)
        turned = changed(rows, value=1.13e-16)
        assert broken_lines(compare_rows(rows, turned), gates("all:25%")) == []
        assert not the(compare_rows(rows, turned), "scaled_stress").is_change
        (line,) = broken_lines(compare_rows(rows, changed(rows, value=1e-9)), gates("all:25%"))
        assert "scaled_stress 0 -> 1e-09, worse by 1e-09" in line
        errors = changed(rows, metric="reconstruction_mse")  # in squares of the unit of the points, which may be tiny
        assert broken_lines(compare_rows(errors, changed(errors, value=1e-16)), gates("all:25%"))
        best = changed(only(better, "trustworthiness"), value=1.0, low=None, high=None, leave_one_out=None)
        (line,) = broken_lines(compare_rows(best, changed(best, value=1 - 3.71e-6)), gates("all:25%"))
        assert "trustworthiness 1 -> 0.999996, worse by 3.71e-06" in line

    def test_between_infinities_only_equal_codes_are_known_not_to_be_worse(self, better):
        rows = changed_in(better, "distortion", value=math.inf)
        others = changed_in(rows, "continuity", value=0.5, low=None, high=None, leave_one_out=None)
        for gate in ("distortion:25%", "all:900"):
            assert broken_lines(compare_rows(rows, rows), gates(gate)) == [], "the codes are the same"
        assert broken_lines(compare_rows(rows, others), gates("all:900")) == [], "other metrics see"
        (line,) = broken_lines(compare_rows(rows, others), gates("distortion:25%"))
        assert "distortion was and is inf, so nothing tells whether it got worse; set the gate on another" in line
        (line,) = broken_lines(compare_rows(only(rows, "distortion"), only(others, "distortion")), gates("all:25%"))
        assert line.startswith("all:25%: nothing to compare: a, gauss, code size 3: distortion was and is inf")

    def test_a_fit_that_now_fails_breaks_every_gate(self, better):
        comparison = compare_rows(better, [failed(0), failed(1)])
        lines = broken_lines(comparison, gates("continuity:99%", "stress:99%"))
        assert len(lines) == 4
        assert lines[0] == "continuity:99%: a, gauss, code size 3: now seed 0 failed: ValueError: NaN"
        stale = compare_rows(better, [replace(failed(None), status=f"{STALE}data changed")])
        assert "stale: data changed" in broken_lines(stale, gates("continuity:99%"))[0]
        one_seed = [row for row in better if row.seed == 0] + [failed(1)]
        assert len(broken_lines(compare_rows(better, one_seed), gates("continuity:99%"))) == 1

    @pytest.mark.parametrize(
        ("now", "why"),
        [
            ([], "no encoder is both in this run and in old.json"),
            ([{"k": 5}], "a, gauss, code size 3: k was 7, is now 5"),
            ([{"metric_version": 9}], "a, gauss, code size 3, continuity: metric version was 1, is now 9"),
        ],
    )
    def test_nothing_to_compare_breaks_it(self, better, now, why):
        rows = [row for about in now for row in changed(better, **about)]
        comparison = compare_rows(better, rows, "old.json", left_out={"t.py::test"})
        (line,) = broken_lines(comparison, gates("continuity:25%"))
        assert line == f"continuity:25%: nothing to compare: {why}"
        (line,) = broken_lines(compare_rows(better, better), gates("kendall:1%"))
        assert line == "kendall:1%: nothing to compare: neither run has kendall for the same encoder"

    @pytest.mark.parametrize(
        ("about", "why"),
        [
            ({"k": 5}, "k was 7, is now 5"),
            ({"distance": "cosine"}, "distance was euclidean, is now cosine"),
            ({"m": 9}, "number of test points was 120, is now 9"),
            ({"M": 9}, "number of candidates was 319, is now 9"),
            ({"metric_version": 9}, "metric version was 1, is now 9"),
            ({"seed": 9}, "no training seed in common (before 0, 1, now 9)"),
        ],
    )
    def test_one_encoder_without_a_comparison_breaks_it(self, better, about, why):
        other = changed(better, encoder="b")
        now = changed([row for row in better if "seed" not in about or row.seed == 0], **about)
        (line,) = broken_lines(compare_rows(better + other, now + other), gates("continuity:50%"))
        assert line.startswith("continuity:50%: nothing to compare: a, gauss, code size 3")
        assert why in line
        assert broken_lines(compare_rows(better + other, now + other), gates("all:50%"))

    def test_two_encoders_of_one_name_break_it_if_one_had_a_value_before(self, better, worse):
        other = changed(better, encoder="b")
        twice = better + worse + other
        for before in (twice, better + other):
            (line,) = broken_lines(compare_rows(before, twice), gates("continuity:50%"))
            assert line.startswith(
                "continuity:50%: nothing to compare: a, gauss, code size 3: has two values in one run"
            )
            assert "two files hold the test (give only the one that counts)" in line
        assert broken_lines(compare_rows(other, twice), gates("continuity:50%")) == []

    def test_nan_now_breaks_the_gate_of_its_metric_alone_and_nan_before_does_not(self, better):
        nan = changed_in(better, "continuity", value=math.nan)
        for before, reason in ((better, ""), (nan, "nothing to compare: ")):
            (line,) = broken_lines(compare_rows(before, nan), gates("continuity:99%", "stress:99%"))
            assert line == f"continuity:99%: {reason}a, gauss, code size 3, continuity: is not a number"
        both = [rows + changed(better, encoder="b") for rows in (nan, better)]
        assert broken_lines(compare_rows(*both), gates("continuity:99%")) == []

    def test_a_metric_that_is_new_or_that_the_encoder_never_had_breaks_nothing(self, better):
        other = changed(better, encoder="b")
        less = [row for row in better if row.metric != "continuity"] + other
        assert broken_lines(compare_rows(less, better + other), gates("continuity:25%", "all:1%")) == []
        (line,) = broken_lines(compare_rows(better + other, less), gates("continuity:25%", "stress:1%"))
        assert line == "continuity:25%: a, gauss, code size 3, continuity: was not measured now"
        assert broken_lines(compare_rows(less, changed(less[:1], k=5) + other), gates("continuity:25%")) == []

    def test_new_encoders_and_those_left_out_break_nothing(self, better):
        points = {"fingerprint": "other"}
        one, other = (changed(better, encoder=e, test=f"t.py::{e}", **p) for e, p in (("b", {}), ("c", points)))
        left_out = {"t.py::b", "t.py::five"}
        assert broken_lines(compare_rows(better + one, better + other, left_out=left_out), gates("all:0")) == []
        ways = changed(better, k=5, test="t.py::five")
        assert broken_lines(compare_rows(better + ways, better, left_out=left_out), gates("all:0")) == []
        for missing in (ways, changed(better, k=5)):
            (line,) = broken_lines(compare_rows(better + missing, better), gates("continuity:0"))
            assert line.endswith("k = 5, distance = euclidean, m = 120, M = 319: was not measured so now")

    def test_what_is_missing_breaks_it_and_the_line_says_how_to_accept_it(self, better):
        lost = changed(better, encoder="b", test="t.py::gone")
        comparison = compare_rows(better + lost, better)
        (broken,) = broken_gates(comparison, gates("continuity:99%"), accept="cp now.json old.json")
        assert broken.compared
        assert str(broken) == (
            "continuity:99%: b, gauss, code size 3: was there, now missing; if this is wanted: cp now.json old.json"
        )
        assert broken_lines(compare_rows(better + lost, [*better, failed(0, encoder="b")]), gates("continuity:99%"))
        less = [row for row in better if row.metric != "stress"]
        (broken,) = broken_gates(compare_rows(better, less), gates("stress:1%"), accept="do")
        assert str(broken).endswith("stress: was not measured now; if this is wanted: do")
        for other_way in ({"k": 5}, {"metric_version": 9}):
            (broken,) = broken_gates(
                compare_rows(better, changed(better, **other_way)), gates("stress:1%"), accept="do"
            )
            assert str(broken).endswith("; if this is wanted: do")
        (broken, _) = broken_gates(compare_rows(better, [failed(0), failed(1)]), gates("stress:1%"), accept="do")
        assert str(broken).endswith("ValueError: NaN"), "nobody wants a failure"
        nan = changed_in(better, "stress", value=math.nan)
        for two_runs in ((nan, nan), (better + changed(better, value=0.1), better + changed(better, value=0.1))):
            (broken,) = broken_gates(compare_rows(*two_runs), gates("stress:1%"), accept="do")
            assert "if this is wanted" not in str(broken), "it would break the gate again"

    @given(
        st.lists(
            st.tuples(
                st.sampled_from("abc"),
                st.sampled_from(["t.py::one", "t.py::two"]),
                st.sampled_from([2, 3]),
                st.sampled_from(["same", "gone", "encoder", "test", "code_size", "points"]),
            ),
            min_size=1,
            max_size=6,
            unique_by=lambda drawn: drawn[:3],
        ),
        st.booleans(),
    )
    def test_whatever_is_renamed_or_gone_no_encoder_that_got_worse_escapes(self, encoders, in_data_set):
        plain = {"dataset": "d" * in_data_set, "metric": "continuity", "metric_version": 1, "direction": "up"}
        plain |= {"k": 7, "m": 90, "M": 89, "seed": None, "status": "ok"}
        renamed = {"encoder": "z", "test": "u.py::other", "code_size": 9}
        before, now = [], []
        for number, (encoder, test, code_size, change) in enumerate(encoders):
            names = {"encoder": encoder, "test": test, "code_size": code_size, "fingerprint": "p"}
            before.append(Row(**plain, **names, value=0.9 - number / 1000))
            if change != "gone":
                names |= {change: renamed[change]} if change in renamed else {}
                names |= {"fingerprint": "q"} if change == "points" else {}
                now.append(Row(**plain, **names, value=0.5 - number / 1000))
        comparison = compare_rows(before, now)
        worse = [change for change in comparison.changes if change.worsening[0] > 0]
        assert len(worse) + len([entry for entry in comparison.not_compared if entry.had]) >= len(before)
        assert broken_gates(comparison, gates("all:1%"))

    @given(
        st.lists(st.sampled_from(["same", "worse", "gone"]), min_size=1, max_size=5),
        st.integers(0, 2),
        st.randoms(use_true_random=False),
        st.sampled_from(["one test", "lists", "lambdas", "encoder", "cfg"]),
    )
    def test_encoders_with_a_number_for_a_name_may_change_places_but_not_values(self, encoders, added, random, how):
        def at(place, value):
            number = f" ({place})" * (place > 1 or how == "lists")
            name, test = f"PCA{number}", "t.py::test"
            if how != "one test":
                name = "<lambda>" if how == "lambdas" else name if how == "lists" else "PCA"
                ids = {"lists": f"[{name}-1]", "lambdas": f"[1-<lambda>{place - 1}]"}
                test += ids.get(how, f"[1-{how}{place - 1}]")
            names = {"encoder": name, "test": test, "code_size": 2, "dataset": "", "fingerprint": "p"}
            plain = {"metric": "continuity", "metric_version": 1, "direction": "up", "k": 7, "m": 90, "M": 89}
            return Row(**names, **plain, value=value, seed=None, status="ok")

        before = [0.9 - number / 1000 for number in range(len(encoders))]
        change = {"same": 0, "worse": 0.3}
        now = [value - change[what] for value, what in zip(before, encoders, strict=True) if what in change]
        now += [0.95 + number / 1000 for number in range(added * ("gone" not in encoders))]
        random.shuffle(now)
        runs = ([at(place, value) for place, value in enumerate(run, 1)] for run in (before, now))
        broken = broken_gates(compare_rows(*runs), gates("all:1%"), accept="do")
        assert bool(broken) == (set(encoders) != {"same"})

    def test_names_that_end_in_a_number_but_not_in_0_are_names(self, better):
        def run(factor):
            nets = [(f"t.py::test[net{layers}]", layers / 10) for layers in (2, 3)]
            rows = [changed_in(better, "stress", test=test, value=factor * value) for test, value in nets]
            return [replace(row, dataset="", fingerprint="p") for of_net in rows for row in of_net]

        assert broken_lines(compare_rows(run(1.0), run(0.9)), gates("stress:10%")) == []

    def test_encoders_missing_since_their_test_failed_break_it(self, better):
        lost = changed(better, encoder="b")
        one, elsewhere = changed(better, encoder="c", test="t.py::other"), [failed(0, encoder="new")]
        comparison = compare_rows(lost + one, elsewhere + one)
        assert comparison.only_before == ()
        (line,) = broken_lines(comparison, gates("continuity:99%"))
        assert line == "continuity:99%: b, gauss, code size 3: has no value now, because its test failed"
        left_out = {"t.py::test"}
        failed_now = compare_rows(lost + one, one, failed_tests={"t.py::test"}, left_out=left_out)
        assert len(broken_lines(failed_now, gates("stress:99%"))) == 1
        new = changed(better, encoder="new", fingerprint="other")
        passed = compare_rows(lost + one, one + new, failed_tests={"t.py::third"}, left_out=left_out)
        assert passed.only_before == ("b, gauss, code size 3",)
        assert broken_lines(passed, gates("continuity:99%")) == []

    def test_rows_without_a_test_belong_to_no_test_that_failed(self, better):
        stored = changed(better, encoder="b", test="")
        comparison = compare_rows(stored + better, [*better, failed(0, encoder="c", test="")])
        assert [entry.reason for entry in comparison.not_compared] == ["was there, now missing"]
