"""Several numbers of neighbors in one call: names with ``@``, and ``k=(1, 10, 100)``."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from clouds import KINDS, SETTINGS, cloud, split
from hypothesis import given, settings
from hypothesis import strategies as st
from oracles import definitions

import distbench
from distbench.errors import InputError
from distbench.evaluation.limits import limits_and_options
from distbench.inference.attainable import attainable
from distbench.inference.chance import chance
from distbench.inference.floors import floors
from distbench.metrics import METRICS
from distbench.render.html import render_html
from distbench.render.markdown import render_markdown
from distbench.render.text import render_leaderboards
from distbench.results.file import read_results, write_results
from distbench.results.gates import broken_gates, compare_rows, parse_gate
from distbench.results.leaderboard import leaderboard
from distbench.results.leaderboard_table import tables_of
from distbench.results.packing import estimate_of
from distbench.results.rows import rows_of
from distbench.results.run import RunResults

NEIGHBORS = [name for name, metric in METRICS.items() if metric.largest_k]
X, Z, LABELS = cloud("plain", 60)
POINTS = split(X, Z, LABELS, "train and test")


def evaluated(points, **options):
    reference = None if points.X_ref is None else (points.X_ref, points.Z_ref)
    labels = {"labels": points.labels, "reference_labels": points.labels_ref}
    return distbench.evaluate_codes(
        points.X, points.Z, reference=reference, include_queries=points.include, **labels, **options
    )


def same(score, other):
    """Whether two scores are equal to the last bit, but for their names."""
    arrays = [(getattr(score, name), getattr(other, name)) for name in ("points", "leave_one_out", "interaction")]
    numbers = [
        [getattr(one, name) for name in ("value", "low", "high", "chance", "counts", "direction")]
        for one in (score, other)
    ]
    return numbers[0] == numbers[1] and all((a is b is None) or np.array_equal(a, b) for a, b in arrays)


@settings(deadline=None, max_examples=25)
@given(
    kind=st.sampled_from(KINDS),
    setting=st.sampled_from(SETTINGS),
    ks=st.lists(st.integers(1, 12), min_size=2, max_size=4, unique=True),
    own=st.lists(st.integers(1, 16), max_size=2),
    seed=st.integers(0, 99),
)
def test_any_numbers_in_one_call_equal_a_call_for_each(kind, setting, ks, own, seed):
    points = split(*cloud(kind, 72, seed), setting)
    names = [*NEIGHBORS, "spearman", *(f"knn_recall@{k}" for k in own)]
    report = evaluated(points, k=ks, metrics=names)
    alone = {k: evaluated(points, k=k, metrics=[*NEIGHBORS, "spearman"]) for k in ks}
    expected = [(f"{name}@{k}", alone[k][name]) for k in ks for name in NEIGHBORS]
    expected += [(f"knn_recall@{k}", evaluated(points, k=k, metrics="knn_recall")["knn_recall"]) for k in own]
    assert set(report) == {"spearman", *dict(expected)}
    for name, score in expected:
        assert same(report[name], score), name
    assert same(report["spearman"], alone[ks[0]]["spearman"])
    assert report.pairs == alone[ks[0]].pairs


@pytest.mark.parametrize("setting", SETTINGS)
@pytest.mark.parametrize("kind", ["plain", "quantised"])
def test_values_are_those_of_the_definitions(kind, setting):
    points = split(*cloud(kind, 60), setting)
    report = evaluated(points, k=(7, 1, 3), metrics=["continuity", "trustworthiness", "knn_recall", "knn_recall@19"])
    assert list(report) == [
        *(f"{name}@{k}" for name in ("trustworthiness", "continuity") for k in (1, 3, 7)),
        *(f"knn_recall@{k}" for k in (1, 3, 7, 19)),
    ]
    for name, score in report.items():
        base, _, k = name.partition("@")
        own = definitions.per_query(points.X, points.Z, int(k), *points.where)[base]
        np.testing.assert_allclose(score.points, own, atol=1e-12)
        assert (score.metric, score.counts) == (name, (int(k), points.M, len(points.X)))


def test_a_name_without_a_number_takes_k():
    names = ["knn_recall@5", "knn_recall", "knn_recall@10", "continuity", "spearman"]
    report = evaluated(POINTS, metrics=names)
    assert list(report) == ["continuity", "knn_recall", "knn_recall@5", "spearman"]
    assert report["knn_recall@10"] is report["knn_recall"]
    assert report["continuity@10"].metric == "continuity"
    assert "knn_recall@7" not in report
    assert "k = 10\n" in f"{report}"
    assert list(evaluated(POINTS, metrics="knn_recall@10")) == ["knn_recall@10"]
    assert "k = 3, 5\n" in f"{evaluated(POINTS, k=8, metrics=['knn_recall@5', 'lcmc@3', 'stress'])}"


def test_of_several_numbers_the_first_is_that_of_names_without_one():
    report, alone = evaluated(POINTS, k=np.array([4, 2])), evaluated(POINTS, k=4)
    assert report.k == 4
    assert report["continuity"] is report["continuity@4"]
    assert report.worst_points() == alone.worst_points()
    assert report.name_of("knn_recall") == "knn_recall@4"
    assert "k = 2, 4\n" in f"{report}"
    assert list(evaluated(POINTS, k=[4, 4], metrics="knn_recall")) == ["knn_recall"]
    both = distbench.compare(report, alone)
    assert set(both) == {*(name for name in report if not name.endswith("@2"))}
    assert both["knn_recall@4"].value == 0
    assert str(both)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"k": (1, 30)}, "trustworthiness@30: found 30 with M = 59 candidates; pass at most trustworthiness@29"),
        (
            {"metrics": "knn_recall@59"},
            "knn_recall@59: found 59 with M = 59 candidates; pass at most knn_recall@58",
        ),
        ({"metrics": "stress@3"}, "metrics: found no metric 'stress@3'; stress has no number of neighbors"),
        ({"metrics": "knn_recal@3"}, "metrics: found no metric 'knn_recal@3'; did you mean 'knn_recall'?"),
        ({"metrics": "knn_recall@0"}, "metrics: found no metric 'knn_recall@0'; write a whole number"),
        ({"metrics": "knn_recall@1.5"}, "metrics: found no metric 'knn_recall@1.5'; write a whole number"),
        ({"metrics": "knn_recall@"}, "metrics: found no metric 'knn_recall@'; write a whole number"),
        ({"metrics": "label_agreement@3", "labels": None}, "metrics: found 'label_agreement@3', which cannot"),
        ({"k": ()}, r"k: found \(\); pass a whole number of neighbors"),
        ({"k": (0, 3)}, r"k: found \(0, 3\); pass a whole number of neighbors"),
        ({"k": (1, True)}, r"k: found \(1, True\); pass a whole number of neighbors"),
        ({"k": "10"}, "k: found '10'; pass a whole number of neighbors"),
        ({"precision": {"knn_recall@3": 0.1}}, "precision: found 'knn_recall@3', which is not measured"),
        ({"precision": {"knn_recall": 0.1, "knn_recall@10": 0.2}}, "precision: found knn_recall twice"),
    ],
)
def test_numbers_that_cannot_be_used(options, message):
    with pytest.raises(InputError, match=f"^{message}"):
        distbench.evaluate_codes(X, Z, **{"labels": LABELS} | options)


def test_each_metric_is_held_to_its_own_bound():
    assert list(evaluated(POINTS, metrics=["trustworthiness@29", "knn_recall@58"], k=58)) == [
        "trustworthiness@29",
        "knn_recall@58",
    ]
    report = evaluated(POINTS, metrics=["knn_recall@58"], k=30)
    assert report.k == 29  # worst pairs are found among at most half of the candidates


def test_chance_attainable_and_floors_at_each_number():
    star = np.vstack([np.zeros(30), np.eye(30)])  # one point is a neighbor of all others
    ks, names, codes = (2, 5), ["knn_recall", "stress", "knn_recall@9"], star[:, :1]
    found, least = attainable(star, 1, k=ks, metrics=names), floors(star, 1, k=ks, metrics=names)
    assert set(found) == set(least) == {"knn_recall@2", "knn_recall@5", "knn_recall@9", "stress"}
    for k in (*ks, 9):
        closed = distbench.evaluate_codes(star, codes, k=k, metrics="knn_recall")["knn_recall"].chance
        assert closed == chance(star, codes, f"knn_recall@{k}", k=3) == pytest.approx(k / 30)
        assert found[f"knn_recall@{k}"] == attainable(star, 1, k=k, metrics=["knn_recall"])["knn_recall"]
        assert least[f"knn_recall@{k}"] == floors(star, 1, k=k, metrics=["knn_recall"])["knn_recall"]
    report = distbench.evaluate_codes(star, codes, k=ks, metrics="knn_recall").with_bounds(least, found)
    assert report["knn_recall@5"].floor == least["knn_recall@5"]
    with pytest.raises(InputError, match=r"^knn_recall@2: found a limit of at least 1, but every encoder"):
        report.check(knn_recall=1)


def test_limits_by_any_name():
    report = evaluated(POINTS, metrics=["knn_recall", "knn_recall@5", "continuity@3"])
    with pytest.raises(InputError, match=r"^continuity: found a limit, but it was not measured"):
        report.verdicts({"knn_recall@5": 0.0, "continuity": 0.0})
    verdicts = report.verdicts({"knn_recall@5": 0.99, "knn_recall@10": 0.0}, **{"continuity@3": 0.0})
    assert verdicts == {"knn_recall@5": "broken", "knn_recall": "met", "continuity@3": "met"}
    assert report.check(limits={"continuity@3": 0.1}, knn_recall=0.1) is report
    with pytest.raises(distbench.PreservationError, match=r"knn_recall@5 = .*, limit at least 0\.99"):
        report.check(limits={"knn_recall@5": 0.99})
    for given_limits, named in (({"knn_recall@10": 0}, {"knn_recall": 0}), ({"knn_recall": 0}, {"knn_recall": 0})):
        with pytest.raises(InputError, match=r"^knn_recall: found two limits; give one"):
            report.verdicts(given_limits, **named)
    with pytest.raises(InputError, match=r"^limits: found 0\.9; pass a mapping"):
        report.check(limits=0.9)


def test_precision_of_a_metric_with_its_own_number():
    report = evaluated(POINTS, k=(2, 4), metrics="knn_recall", precision={"knn_recall@4": 9, "knn_recall": 1e-9})
    assert any("precision: the interval of knn_recall@2 is" in note for note in report.notes)


def rows_at(k, *names, shift=0.0, encoder="codes"):
    points = split(X, Z + shift * cloud("plain", 60, 1)[1], LABELS, "train and test")
    report = evaluated(points, k=k, metrics=[*names, "stress"], name=encoder)
    return rows_of(report, leave_one_out=set(report), dataset="drawn")


def test_rows_are_compared_by_metric_and_number_of_neighbors():
    before = rows_at(10, "continuity", "knn_recall", "knn_recall@3")
    now = rows_at((10, 3), "continuity", "knn_recall", shift=2.0)
    comparison = compare_rows(before, now)
    assert {change.metric for change in comparison.changes} == {
        *("continuity@10", "knn_recall@10", "knn_recall@3", "stress")
    }
    assert all(change.paired for change in comparison.changes)
    assert [entry.subject.rpartition(", ")[2] for entry in comparison.not_compared] == ["continuity@3"]
    assert {change.difference for change in compare_rows(before, rows_at((10, 3), "knn_recall")).changes} == {0.0}
    turned = compare_rows(now, rows_at((3, 10), "continuity", "knn_recall", shift=2.0))
    assert {change.difference for change in turned.changes} == {0.0}, "the order of several k is no setting"
    assert (turned.not_compared, len(turned.changes)) == ((), 5)
    for gate, broken in (
        ("knn_recall@3:1%", ["knn_recall@3:1%: codes, drawn, code size 2: knn_recall@3 0."]),
        ("knn_recall@10:1%", ["knn_recall@10:1%: codes, drawn, code size 2: knn_recall@10 0."]),
        ("knn_recall:1%", [f"knn_recall:1%: codes, drawn, code size 2: knn_recall@{k} 0." for k in (3, 10)]),
        ("knn_recall@7:1%", ["knn_recall@7:1%: nothing to compare: neither run has knn_recall@7 for"]),
        ("continuity@3:1%", ["continuity@3:1%: nothing to compare: codes, drawn, code size 2, continuity@3: was not"]),
    ):
        lines = list(map(str, broken_gates(comparison, [parse_gate(gate)])))
        assert [line[: len(start)] for line, start in zip(lines, broken, strict=True)] == broken
    (lost,) = broken_gates(compare_rows(before, rows_at(10, "continuity")), [parse_gate("knn_recall@10:1%")])
    assert "knn_recall: was not measured now" in str(lost)
    with pytest.raises(InputError, match=r"^gate: found no metric called 'knn_recall@x'; write a whole number"):
        parse_gate("knn_recall@x:1%")


@pytest.mark.parametrize(
    ("before", "now", "reason"),
    [
        ([10], [5], "k was 10, is now 5"),
        ([10], [(5, 10)], "k was 10, is now 5"),
        ([5, 10], [5], "k = 10, distance = euclidean, m = 20, M = 59: was not measured so now"),
        ([5, 10], [], "was there, now missing"),
    ],
)
def test_what_was_measured_at_another_k_is_lost_by_its_name_then(before, now, reason):
    other = rows_at(10, "knn_recall", encoder="other")
    runs = [[*other, *(row for k in ks for row in rows_at(k, "knn_recall"))] for ks in (before, now)]
    for gate in ("knn_recall@10:0", "knn_recall:0"):
        (broken,) = broken_gates(compare_rows(*runs), [parse_gate(gate)])
        assert reason in str(broken)


def test_rows_of_one_metric_contradict_each_other_by_any_name():
    two = [*rows_at(10, "knn_recall"), *rows_at(10, "knn_recall@10", shift=2.0)]
    two = [row for row in two if row.metric != "stress"]
    (entry,) = compare_rows(two, two).not_compared
    assert "several encoders in one test have this name" in entry.reason
    same = [row for name in ("knn_recall", "knn_recall@10") for row in rows_at(10, name)]
    (entry,) = compare_rows(same, rows_at(10, "knn_recall@10")).not_compared
    assert "was evaluated 2 times, now 1" in entry.reason


def test_leaderboards_have_a_column_for_each_number_of_neighbors():
    rows = [*rows_at((10, 3), "continuity", encoder="a"), *rows_at((10, 3), "continuity", shift=2.0, encoder="b")]
    (board,) = leaderboard(rows)
    assert (board.sort, board.metrics) == ("continuity@10", ("continuity@3", "continuity@10", "stress"))
    assert [entry.encoder for entry in board.entries if entry.place] == ["a", "b"]
    assert leaderboard(rows, "continuity@3")[0].sort == "continuity@3"
    (text,) = render_leaderboards(rows, "continuity", 100)
    assert "k = 3, 10, m = 20 test points" in text
    assert text.splitlines()[2].split() == ["encoder", "continuity", "95", "%", "continuity", "stress", "seeds"]
    assert text.splitlines()[3].split() == ["@10", "interval", "@3"]
    (narrow,) = render_leaderboards(rows, "continuity", 42)
    assert narrow.endswith("stress, seeds, continuity@3")
    for page in (render_html(RunResults(rows)), render_markdown(RunResults(rows))):
        assert "continuity@3" in page.replace("<!-- -->", "")
    named = [*rows_at(10, "continuity@10", encoder="a"), *rows_at(10, "continuity", shift=2.0, encoder="b")]
    assert leaderboard(named)[0].metrics == ("continuity@10", "stress")


def test_checks_of_single_encoders_share_columns():
    first, second = rows_at((10, 3), "continuity"), rows_at(4, "continuity", "knn_recall@3")
    rows = [replace(row, dataset="", test=f"t.py::{n}") for n, part in enumerate((first, second)) for row in part]
    (table,) = tables_of(rows)
    heads = {column.key: [cell.text for cell in column.cells] for column in table.columns}
    assert list(heads) == [
        *("limits", "encoder", "continuity", "interval", "code_size", "k", "m", "M"),
        *("continuity@3", "stress", "knn_recall@3"),
    ]
    assert heads["k"] == ["10", "4"]
    assert (heads["continuity@3"][1], heads["knn_recall@3"][0]) == ("-", "-")
    assert "-" not in heads["continuity"]


def test_files_of_results_keep_names(tmp_path):
    rows = rows_at((10, 3), "knn_recall")
    write_results(tmp_path / "r.json", rows, {}, whole=True)
    back = read_results(tmp_path / "r.json").rows
    assert [(row.metric, row.value, row.k) for row in back] == [(row.metric, row.value, row.k) for row in rows]
    ends = [estimate_of(row).interval() for row in back]
    assert ends == [pytest.approx((row.low, row.high), abs=1e-3) for row in rows]


def test_checks_take_limits_in_a_mapping():
    rows = distbench.check_encoder(
        lambda points: points[:, :2], X, k=(5, 2), limits={"knn_recall@5": 0.99}, continuity=0.1, **{"lcmc@7": 0.0}
    )
    verdicts = {row.metric: row.verdict for row in rows if row.verdict}
    assert verdicts == {"knn_recall@5": "broken", "continuity@5": "met", "lcmc@7": "met"}
    rows = distbench.check_encoder(lambda points: points, X, metrics="all", limits={"lcmc@7": 0.0}, lcmc=0.0)
    assert {row.metric for row in rows if row.verdict} == {"lcmc", "lcmc@7"}
    assert "kendall" in {row.metric for row in rows}
    (row,) = distbench.check_encoder(lambda points: points, X, k=iter((5,)), metrics=["stress"], stress=0)
    assert row.k == 5
    with pytest.raises(InputError, match=r"^continuity: found a limit beside that on continuity@10, the same metric"):
        distbench.check_encoder(lambda points: points, X, limits={"continuity@10": 0.9}, continuity=0.1)
    with pytest.raises(InputError, match=r"^limits: found 3; pass a mapping"):
        distbench.check_encoder(lambda points: points, X, limits=3)
    with pytest.raises(
        InputError, match=r"^stress@3: found no metric and no option of that name; stress has no number"
    ):
        distbench.check_encoder(lambda points: points, X, limits={"stress@3": 3})
    call = {"limits": {"continuity@10": 0.5}, "lcmc": 0.1}
    assert limits_and_options(call, {"continuity": 0.1}, {"lcmc@10": 0.3}, k=10)[0] == {
        "continuity@10": 0.5,
        "lcmc@10": 0.3,
    }


def searched(X, Z, k, within, slack, X_ref=None, Z_ref=None, include=True):
    """The scores of the queries by definition: all distances, ties by their probability."""
    a, b = definitions._candidates(X, Z, X_ref, Z_ref, include)
    scores = []
    for full_x, full_z in zip(a, b, strict=True):
        x, z = full_x[~np.isnan(full_x)], full_z[~np.isnan(full_z)]
        found = definitions._membership(z, within)
        counts = definitions._membership(x, k) if slack is None else x <= (1 + slack) * np.sort(x)[k - 1] * (1 + 1e-9)
        scores.append(found @ counts / k)
    return np.array(scores)


@pytest.mark.parametrize("setting", SETTINGS)
@pytest.mark.parametrize("kind", KINDS)
def test_recall_in_search(kind, setting):
    points = split(*cloud(kind, 45, d=3), setting)
    names = {"recall@2_in_6": (2, 6, None), "recall@5_in_5": (5, 5, None), "near_recall": (3, 3, 0.01)}
    names["near_recall@6"] = (6, 6, 0.01)
    report = evaluated(points, k=3, metrics=[*names, "knn_recall@5"])
    for name, how in names.items():
        score = report[name]
        np.testing.assert_allclose(score.points, searched(points.X, points.Z, *how, *points.where), atol=1e-12)
        without = [points.without(p) for p in range(len(points.X))]
        expected = [searched(one.X, one.Z, *how, *one.where).mean() for one in without]
        np.testing.assert_allclose(score.leave_one_out, expected, atol=1e-12, err_msg=name)
        assert score.value == pytest.approx(score.points.mean())
        assert score.low <= score.value <= score.high
    assert same(report["recall@5_in_5"], report["knn_recall@5"])
    assert report["recall@2_in_6"].chance == pytest.approx(6 / points.M)


def test_nearly_equal_neighbors_may_be_exchanged():
    X = np.array([[0.0], [1.0], [1.005], [1.02], [3.0], [9.0]])
    Z = X.copy()
    Z[[1, 2]] = X[[2, 1]]
    report = distbench.evaluate_codes(X, Z, k=1, metrics=["knn_recall", "near_recall"])
    assert (report["knn_recall"].points[0], report["near_recall"].points[0]) == (0, 1)
    assert distbench.metrics.near_recall(X, X, k=2) == 1
    Z[[1, 2]], Z[[1, 3]] = X[[1, 2]], X[[3, 1]]  # 2 % farther is no swap among equals
    assert distbench.evaluate_codes(X, Z, k=1, metrics=["near_recall"])["near_recall"].points[0] == 0


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("recall@10", "metrics: found no metric 'recall@10'; write how many of the nearest are looked up"),
        ("recall", "metrics: found no metric 'recall'; write how many"),
        ("recall@10_in_5", "metrics: found no metric 'recall@10_in_5'; write how many"),
        ("knn_recall@3_in_9", "metrics: found no metric 'knn_recall@3_in_9'; write a whole number"),
        ("recall@3_in_59", "recall@3_in_59: found 59 with M = 59 candidates; pass at most recall@3_in_58"),
    ],
)
def test_searches_that_cannot_be(name, message):
    with pytest.raises(InputError, match=f"^{message}"):
        distbench.evaluate_codes(X, Z, metrics=name)


def test_the_curve_of_a_metric():
    report = evaluated(POINTS, k=(12, 1, 4), metrics=["trustworthiness", "trustworthiness@7", "stress"])
    curve = report.curve("trustworthiness")
    assert curve.k.tolist() == [1, 4, 7, 12]
    for place, k in enumerate(curve.k):
        score = report[f"trustworthiness@{k}"]
        assert (curve.value[place], curve.low[place], curve.high[place]) == (score.value, score.low, score.high)
    one = evaluated(POINTS, k=3, metrics="knn_recall", groups=np.zeros(20)).curve()  # one group gives no interval
    assert (one.k.tolist(), np.isnan([one.low, one.high]).all()) == ([3], True)
    for wrong, message in (("trustworthines", "did you mean"), ("stress", "not measured at any"), (3, "found 3")):
        with pytest.raises(InputError, match=rf"^metric: .*{message}"):
            report.curve(wrong)
