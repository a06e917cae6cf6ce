from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from small_reports import three_columns

import distbench
from distbench.results.gates import compare_rows
from distbench.results.leaderboard import leaderboard
from distbench.results.rows import FAILED, OK, STALE, failed_row, report_of, rows_of

ABOUT = {"encoder": "e", "dataset": "d", "code_size": 2, "k": 10, "m": 5, "M": 9, "seed": 1}


@pytest.fixture
def report():
    return three_columns()


def test_rows_hold_the_values_of_the_report(report):
    about = {"dataset": "gauss", "code_size": 2, "seed": 3, "seconds": 0.5, "test": "t.py::t"}
    about |= {"in_sample": True, "note": "a word", "data_sha256": "d", "recipe_hash": "r"}
    rows = rows_of(report, **about)
    assert [row.metric for row in rows] == list(report)
    for row in rows:
        score = report[row.metric]
        assert (row.value, row.low, row.high, row.direction) == (score.value, score.low, score.high, score.direction)
        assert (row.encoder, row.code_width, row.k, row.m, row.M, row.status) == ("a", 3, 7, 30, 119, OK)
        assert replace(row, **about) == row
    assert {row.code_size for row in rows_of(report)} == {3}, "the codes' own where none was asked for"


def test_rows_hold_plain_python_values_only(report):
    def types(value):
        yield type(value)
        if isinstance(value, list):
            for item in value:
                yield from types(item)

    rows = [vars(row) for row in rows_of(report, leave_one_out={"continuity", "spearman"}, limits={"continuity": 0.5})]
    assert any(row["interaction"] for row in rows)
    kinds = {kind for row in rows for value in row.values() for kind in types(value)}
    assert kinds <= {str, int, float, bool, list, type(None)}
    assert json.loads(json.dumps(rows)) == rows


def test_leave_one_out_values_are_kept_for_the_metrics_named(report):
    rows = {row.metric: row for row in rows_of(report, leave_one_out={"continuity", "distortion"})}
    np.testing.assert_array_equal(rows["continuity"].leave_one_out, report["continuity"].leave_one_out)
    np.testing.assert_array_equal(rows["continuity"].interaction, report["continuity"].interaction)
    assert rows["distortion"].leave_one_out is None, "a worst case has none"
    np.testing.assert_array_equal(rows["continuity"].losses, 1 - report["continuity"].points)
    assert (rows["spearman"].interaction, rows["spearman"].leave_one_out) == (None, None)


@pytest.mark.parametrize(
    ("reason", "status", "shown"),
    [
        ("ValueError: diverged\nand more", FAILED, "failed: ValueError: diverged"),
        ("", FAILED, "failed: no reason given"),
        ("data changed", STALE, "stale: data changed"),
    ],
)
def test_a_failure_is_a_status_and_no_number(reason, status, shown):
    row = failed_row(reason, status=status, **ABOUT)
    assert row.status == shown
    numbers = (row.value, row.low, row.high, row.seconds, row.leave_one_out, row.interaction)
    assert numbers == (None,) * 6


def test_a_setting_names_a_test_only_for_points_that_have_no_name(report):
    named, own = (rows_of(report, dataset=dataset, seed=1, test="t.py::t", encoder="e")[0] for dataset in ("gauss", ""))
    assert named.setting == ("e", "gauss", "", 3, False, 7, "euclidean", 30, 119, 1)
    assert own.setting._replace(dataset="gauss", test="") == named.setting
    assert own.setting.test == "t.py::t"
    assert replace(own, distance="").setting == own.setting, "old files do not say that it is Euclidean"


def test_means_over_draws_are_compared_by_their_intervals():
    rng = np.random.default_rng(0)
    X, drawn = rng.normal(size=(60, 6)), np.random.default_rng(1)

    def projection(X):
        return X @ projection.matrix

    def evaluated():
        def encode(X):
            if len(X) == 60:  # a draw begins with the test points
                projection.matrix = drawn.normal(size=(6, 2))
            return projection(X)

        return distbench.evaluate(encode, X, stochastic=True, draws=5, name="drawn")

    one, two = evaluated(), evaluated()
    before, now = (rows_of(report, leave_one_out={"continuity"}, test="t") for report in (one, two))
    assert all(row.leave_one_out is None for row in before)
    table = leaderboard(before, sort="continuity")[0]
    assert (table.entries[0].low, table.entries[0].high) == (one["continuity"].low, one["continuity"].high)
    change = next(change for change in compare_rows(before, now).changes if change.metric == "continuity")
    assert not change.paired
    assert change.low < 0 < change.high


def test_a_report_of_rows_keeps_limits_as_the_report_did(report):
    again = report_of(rows_of(report, seed=0), notes=["stored"])
    assert again.as_dict() == report.as_dict()
    assert (again.k, again.m, again.M, again.code_size) == (report.k, report.m, report.M, report.code_size)
    assert not again.in_sample()
    for name, score in report.items():
        for limit in (score.value, score.low, score.high):
            if limit is not None:
                assert again.verdicts(**{name: limit}) == report.verdicts(**{name: limit})
    message = r"(?s)continuity = .*m = 30 test points, M = 119.*note: stored"
    with pytest.raises(distbench.PreservationError, match=message):
        again.check(continuity=0.999)


def test_rows_hold_95_percent_intervals_of_a_report_of_any_confidence():
    X = np.random.default_rng(0).normal(size=(60, 4))
    usual, wide = (rows_of(distbench.evaluate_codes(X, X[:, :2], confidence=c)) for c in (0.95, 0.5))
    assert [(row.low, row.high) for row in wide] == [(row.low, row.high) for row in usual]
