from __future__ import annotations

import json

import numpy as np
import pytest

import distbench
from distbench.results.rows import OK, STALE, failed_row, rows_of


@pytest.fixture(scope="module")
def report():
    rng = np.random.default_rng(0)
    train, test = rng.normal(size=(90, 5)), rng.normal(size=(30, 5))
    return distbench.evaluate(lambda X: X[:, :3], test, reference=train, k=7, name="first three")


def test_rows_say_what_the_report_says(report):
    rows = rows_of(report, dataset="gauss", code_size=2, seed=3, seconds=0.5, test="t.py::t")
    assert [row["metric"] for row in rows] == list(report)
    for row in rows:
        score = report[row["metric"]]
        assert row["value"] == score.value
        assert (row["low"], row["high"]) == (score.low, score.high)
        assert row["direction"] == score.direction
        assert (row["k"], row["m"], row["M"]) == (7, 30, 119)
        assert (row["encoder"], row["dataset"], row["seed"], row["seconds"]) == ("first three", "gauss", 3, 0.5)
        assert (row["code_size"], row["code_width"]) == (2, 3)
        assert row["status"] == OK
        assert row["test"] == "t.py::t"


def test_rows_hold_plain_python_values_only(report):
    def types(value):
        yield type(value)
        if isinstance(value, list):
            for item in value:
                yield from types(item)

    rows = rows_of(report, leave_one_out={"continuity", "spearman"})
    assert any(row["interaction"] for row in rows)
    found = {kind for row in rows for value in row.values() for kind in types(value)}
    assert found <= {str, int, float, bool, list, type(None)}
    assert json.loads(json.dumps(rows)) == rows


def test_only_the_metrics_asked_for_keep_their_leave_one_out_values(report):
    rows = {row["metric"]: row for row in rows_of(report, leave_one_out={"continuity", "distortion"})}
    np.testing.assert_array_equal(rows["continuity"]["leave_one_out"], report["continuity"].leave_one_out)
    np.testing.assert_array_equal(rows["continuity"]["interaction"], report["continuity"].interaction)
    assert rows["distortion"]["leave_one_out"] is None, "a worst case has none"
    assert rows["spearman"]["interaction"] is None
    assert rows["spearman"]["leave_one_out"] is None


def test_code_size_is_the_codes_own_where_none_was_asked_for(report):
    assert {row["code_size"] for row in rows_of(report)} == {3}


def test_a_failure_is_a_status_and_no_number():
    row = failed_row("ValueError: diverged\nand more", encoder="e", dataset="d", code_size=2, k=10, m=5, M=9, seed=1)
    assert row["status"] == "failed: ValueError: diverged"
    assert all(row[key] is None for key in ("value", "low", "high", "seconds", "leave_one_out", "interaction"))


def test_a_failure_without_words_still_has_a_reason():
    row = failed_row("", encoder="e", dataset="d", code_size=2, k=10, m=5, M=9)
    assert row["status"] == "failed: no reason given"


def test_rows_say_what_they_rest_on(report):
    about = {"in_sample": True, "note": "a word", "data_sha256": "d", "recipe_hash": "r"}
    assert all({**row, **about} == row for row in rows_of(report, **about))
    plain = rows_of(report)[0]
    assert [plain[name] for name in about] == [False, "", "", ""]


def test_a_stale_row_has_the_reason_and_no_number():
    row = failed_row("data changed", encoder="e", dataset="d", code_size=2, k=10, m=5, M=9, status=STALE)
    assert row["status"] == "stale: data changed"
    assert row["value"] is None


def test_a_mean_over_draws_is_compared_by_its_own_interval_which_knows_of_the_draws():
    from distbench.results.gates import compare_rows
    from distbench.results.leaderboard import leaderboard

    rng = np.random.default_rng(0)
    X, drawn = rng.normal(size=(60, 6)), np.random.default_rng(1)

    def projection(X):
        return X @ projection.matrix

    def judged():
        def encode(X):
            if len(X) == 60:  # a draw begins with the test points
                projection.matrix = drawn.normal(size=(6, 2))
            return projection(X)

        return distbench.evaluate(encode, X, stochastic=True, draws=5, name="drawn")

    one, two = judged(), judged()
    before, now = (rows_of(report, leave_one_out={"continuity"}, test="t") for report in (one, two))
    assert all(row["leave_one_out"] is None for row in before)
    table = leaderboard(before, sort="continuity")[0]
    assert (table.entries[0].low, table.entries[0].high) == (one["continuity"].low, one["continuity"].high)
    change = next(change for change in compare_rows(before, now).changes if change.metric == "continuity")
    assert not change.paired
    assert change.low < 0 < change.high
