from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest
from small_reports import DAY, LATER, three_columns

import distbench
from distbench.errors import InputError, ResultsError
from distbench.results.file import read_results, write_results
from distbench.results.leaderboard import leaderboard
from distbench.results.packing import unpack
from distbench.results.rows import failed_row, rows_of

STORED = Path(__file__).parents[1] / "suites" / "distbench_suites" / "baselines" / "digits.json"


@pytest.fixture(scope="module")
def report():
    return three_columns()


@pytest.fixture
def rows(report):
    def rows(encoder="a", code_size=3, seeds=(0, 1), **about):
        about = {"dataset": "gauss", "test": f"t.py::{encoder}", "note": "a word", **about}
        return [
            row
            for seed in seeds
            for row in rows_of(
                report,
                encoder=encoder,
                code_size=code_size,
                seed=seed,
                seconds=1.23456789012345,
                leave_one_out={"continuity"},
                limits={"continuity": 0.5},
                **about,
            )
        ]

    return rows


def claim(name="one", verdict="borne out"):
    told = {"statement": f"{name} | holds", "source": "a paper", "expect": "borne out", "evidence": "0.5"}
    return {"id": name, "verdict": verdict, "stored": "", **told}


def values(rows):
    return [(row["encoder"], row["metric"], row["seed"], row["value"]) for row in rows]


def test_what_is_read_is_what_was_written_to_the_last_digit(tmp_path, rows):
    given = rows()
    write_results(tmp_path / "new" / "r.json", given, DAY, claims=[claim()], whole=True)
    found = read_results(tmp_path / "new" / "r.json")
    arrays = ("leave_one_out", "interaction")
    plain = [{name: value for name, value in row.items() if name not in arrays} for row in given]
    read = [{name: value for name, value in row.items() if name not in arrays} for row in found.rows]
    assert [row | {"stored": ""} for row in plain] == read
    for one, other in zip(found.rows, given, strict=True):
        for name in arrays:
            assert (one[name] is None) == (other[name] is None)
            if one[name] is not None:
                np.testing.assert_allclose(unpack(one[name]), other[name], atol=1e-3)
    assert (found.environment, found.earlier, found.claims) == (DAY, {}, [claim()])
    assert any(row["leave_one_out"] for row in found.rows)


def test_leaderboards_of_a_file_are_those_of_its_rows(tmp_path, rows):
    given = rows() + rows("b", dataset="", test="t.py::own")
    write_results(tmp_path / "r.json", given, DAY, whole=True)
    for one, other in zip(leaderboard(read_results(tmp_path / "r.json").rows), leaderboard(given), strict=True):
        assert [e.values for e in one.entries] == [e.values for e in other.entries]
        assert [e.low for e in one.entries] == pytest.approx([e.low for e in other.entries], abs=1e-4)


def test_infinity_and_no_number_survive_in_a_file_that_is_plain_json(tmp_path, rows):
    given = rows(seeds=(0,))[:3]
    for row, value in zip(given, (math.inf, -math.inf, math.nan), strict=True):
        row.update(value=value, low=None, high=None)
    write_results(tmp_path / "r.json", given, DAY, whole=True)

    def refuse(name):
        raise AssertionError(name)

    json.loads((tmp_path / "r.json").read_text(), parse_constant=refuse)
    found = [row["value"] for row in read_results(tmp_path / "r.json").rows]
    assert found[:2] == [math.inf, -math.inf]
    assert math.isnan(found[2])


def test_a_failed_fit_keeps_its_reason(tmp_path):
    row = failed_row("ValueError: NaN", encoder="a", dataset="d", code_size=3, k=7, m=30, M=119, seed=1)
    write_results(tmp_path / "r.json", [row], DAY, whole=True)
    (found,) = read_results(tmp_path / "r.json").rows
    assert (found["status"], found["value"]) == ("failed: ValueError: NaN", None)


def test_the_order_in_which_tests_finished_changes_nothing_and_a_row_is_a_line(tmp_path, rows):
    one, two = rows(), rows("b")
    write_results(tmp_path / "one.json", one + two, DAY, claims=[claim("x"), claim("y")], whole=True)
    write_results(tmp_path / "two.json", two + one, DAY, claims=[claim("y"), claim("x")], whole=True)
    assert (tmp_path / "one.json").read_bytes() == (tmp_path / "two.json").read_bytes()
    lines = (tmp_path / "one.json").read_text().splitlines()
    assert sum('"metric"' in line for line in lines) == len(one) + len(two)
    assert [row["metric"] for row in read_results(tmp_path / "one.json").rows[: len(one)]] == [r["metric"] for r in one]


class TestMerging:
    def test_a_part_of_a_run_replaces_its_own_rows_alone(self, tmp_path, rows):
        path = tmp_path / "r.json"
        write_results(path, rows() + rows("b") + rows(code_size=2), DAY, claims=[claim("one")], whole=True)
        write_results(path, rows(seeds=(5,)), LATER, claims=[claim("two")], whole=False)
        found = read_results(path)
        of = {(r["encoder"], r["code_size"], r["seed"], r["stored"]) for r in found.rows}
        day = "2026-01-02"
        assert of == {("a", 3, 5, ""), *(("a", 2, s, day) for s in (0, 1)), *(("b", 3, s, day) for s in (0, 1))}
        assert found.environment == LATER
        assert found.earlier == {day: DAY}
        assert [(one["id"], one["stored"]) for one in found.claims] == [("one", day), ("two", "")]

    @pytest.mark.parametrize("other", [{"test": "t.py::x"}, {"dataset": "d"}, {"in_sample": True}])
    def test_rows_of_another_test_data_set_or_sample_stay(self, tmp_path, rows, other):
        path = tmp_path / "r.json"
        write_results(path, rows(), DAY, whole=True)
        write_results(path, rows(**other), DAY, whole=False)
        assert len(read_results(path).rows) == 2 * len(rows())

    def test_a_whole_run_stands_alone(self, tmp_path, rows):
        path = tmp_path / "r.json"
        write_results(path, rows() + rows("b"), DAY, claims=[claim()], whole=True)
        write_results(path, rows("c"), LATER, whole=True)
        found = read_results(path)
        assert {row["encoder"] for row in found.rows} == {"c"}
        assert (found.earlier, found.claims) == ({}, [])

    def test_a_part_of_a_run_without_a_file_makes_one(self, tmp_path, rows):
        write_results(tmp_path / "r.json", rows(), DAY, whole=False)
        assert values(read_results(tmp_path / "r.json").rows) == values(rows())

    def test_each_row_keeps_its_environment_over_many_runs(self, tmp_path, rows):
        path = tmp_path / "r.json"
        days = [DAY, {**DAY, "python": "3.13.0"}, LATER]
        for name, day in zip("abc", days, strict=True):
            write_results(path, rows(name), day, whole=False)
        document = json.loads(path.read_text())
        names = {row["encoder"]: row.get("environment") for row in document["rows"]}
        of = {encoder: document["earlier"].get(name, document["environment"]) for encoder, name in names.items()}
        assert of == dict(zip("abc", days, strict=True))
        write_results(path, rows("b"), DAY, whole=False)
        found = read_results(path)
        assert found.environment == DAY
        assert list(found.earlier.values()) == [LATER], "a was measured with what is now the file's own environment"

    def test_what_stays_stays_to_the_byte(self, tmp_path, rows):
        path = tmp_path / "r.json"
        write_results(path, rows() + rows("b"), DAY, whole=True)
        before = [line for line in path.read_text().splitlines() if '"encoder": "b"' in line]
        write_results(path, rows(), DAY, whole=False)
        assert [line for line in path.read_text().splitlines() if '"encoder": "b"' in line] == before


def test_a_file_that_was_cut_off_says_so(tmp_path, rows):
    path = tmp_path / "r.json"
    write_results(path, rows(), DAY, whole=True)
    path.write_text(path.read_text(encoding="utf-8")[:500], encoding="utf-8")
    with pytest.raises(ResultsError, match=r"it seems cut off.; give another file, or delete it to start anew$"):
        read_results(path)


class TestBrokenFiles:
    @pytest.fixture
    def document(self, tmp_path, rows):
        write_results(tmp_path / "r.json", rows(), DAY, claims=[claim()], whole=True)
        return json.loads((tmp_path / "r.json").read_text())

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ('{"schema": 1,', "not valid JSON"),
            ("", "not valid JSON"),
            ("[" * 100_000, "not valid JSON"),
            ('{"name": "other"}', "is no file of results"),
            ("[1]", "is no file of results"),
            ('{"schema": 2}', "schema 2 is not known here, only 1; install the distbench that wrote it"),
            ('{"schema": true}', "schema True is not known"),
            ('{"schema": 1, "environment": {}, "earlier": {}, "rows": {}}', "rows is missing or of the wrong kind"),
            ('{"schema": 1, "rows": []}', "environment is missing"),
            ('{"schema": 1, "environment": {}, "earlier": {}, "rows": [], "claims": 1}', "claims is of the wrong kind"),
        ],
    )
    @pytest.mark.parametrize("whole", [False, True])
    def test_files_that_are_not_ours_are_told_and_never_overwritten(self, tmp_path, rows, text, message, whole):
        path = tmp_path / "r.json"
        path.write_text(text)
        with pytest.raises(ResultsError, match=rf"r\.json: {message}"):
            read_results(path)
        with pytest.raises(ResultsError, match=rf"r\.json: {message}"):
            write_results(path, rows(), DAY, whole=whole)
        assert path.read_text() == text

    @pytest.mark.parametrize(
        ("change", "message"),
        [
            (lambda d: d["rows"][3].pop("k"), "row 4: k is missing"),
            (lambda d: d["rows"][0].update(value="high"), "row 1: value is 'high'"),
            (lambda d: d["rows"][0].update(value=None), "row 1: has no value"),
            (lambda d: d["rows"][0].update(m="30"), "row 1: m is '30'"),
            (lambda d: d["rows"][0].update(m=True), "row 1: m is True"),
            (lambda d: d["rows"][0].update(direction="left"), "row 1: direction is 'left'"),
            (lambda d: d["rows"][0].update(environment="x"), "row 1: environment 'x' is not in the file"),
            (lambda d: d["rows"][0].update(environment=["x"]), "row 1: environment .* is not in the file"),
            (lambda d: d["rows"][0].update(leave_one_out={"data": "?"}), "row 1: leave_one_out is damaged"),
            (lambda d: d["rows"][0].update(leave_one_out=["?"]), "row 1: leave_one_out is damaged"),
            (lambda d: d["rows"][0].update(leave_one_out=[[1.0]] * 30), "row 1: leave_one_out is damaged"),
            (lambda d: d["rows"][0].update(leave_one_out=[1.0] * 29), "row 1: leave_one_out is damaged"),
            (lambda d: d["rows"][0].update(leave_one_out=[10**400] * 30), "row 1: leave_one_out is damaged"),
            (lambda d: d["rows"][0].update(interaction=[1.0] * 30), "row 1: interaction is damaged"),
            (lambda d: d["rows"][0].update(interaction=[[1.0]] * 29), "row 1: interaction is damaged"),
            (
                lambda d: d["rows"][0].update(leave_one_out=[1.0] * 30, interaction=[[1.0]] * 31),
                "row 1: interaction is damaged",
            ),
            (lambda d: d["rows"][0].update(value=10**400), "row 1: value is too large"),
            (lambda d: d["rows"][0].update(value=-(10**400)), "row 1: value is too large"),
            (lambda d: d["rows"][0].update(m=10**400), "row 1: m is too large"),
            (lambda d: [row.update(seconds=1e308) for row in d["rows"][:2]], "row 1: seconds is too large"),
            (lambda d: d["rows"][0].update(verdict="x"), "row 1: verdict is 'x', none of met, broken and undecided"),
            (lambda d: d["rows"].append(7), "row .*: is no table"),
            (lambda d: d["claims"][0].pop("verdict"), "claim 1: verdict is None"),
        ],
    )
    def test_rows_that_cannot_be_used(self, tmp_path, document, change, message):
        change(document)
        (tmp_path / "r.json").write_text(json.dumps(document))
        with pytest.raises(ResultsError, match=rf"r\.json: {message}.*; give another file$"):
            read_results(tmp_path / "r.json")

    def test_only_a_file_that_is_in_the_way_is_to_be_restored_or_moved(self, tmp_path, rows):
        path = tmp_path / "r.json"
        path.write_text("{")
        with pytest.raises(ResultsError, match=r"JSON.*; restore it, or move it away and run the tests again"):
            write_results(path, rows(), DAY, whole=True)
        with pytest.raises(ResultsError, match=r"not valid JSON.*; give another file"):
            read_results(path)

    def test_scores_of_points_of_which_some_were_judged_are_whole(self, tmp_path):
        points = np.random.default_rng(0).normal(size=(300, 4))
        metrics = ["continuity", "distortion_q"]
        train, test = points[:200], points[200:]
        report = distbench.evaluate(
            lambda X: X[:, :2], test, reference=train, k=5, queries=20, name="a", metrics=metrics
        )
        given = rows_of(report, dataset="gauss", leave_one_out=set(metrics))
        write_results(tmp_path / "r.json", given, DAY, whole=True)
        for one, other in zip(given, read_results(tmp_path / "r.json").rows, strict=True):
            for name, rows in (("leave_one_out", 100), ("interaction", 20 if one["metric"] == "continuity" else 100)):
                assert len(one[name]) == len(unpack(other[name])) == rows

    def test_no_file_and_a_folder_in_its_place(self, tmp_path):
        with pytest.raises(
            ResultsError, match=r"r\.json: found no such file; write one with pytest --distbench-report"
        ):
            read_results(tmp_path / "r.json")
        with pytest.raises(ResultsError, match="cannot be read"):
            read_results(tmp_path)
        assert issubclass(ResultsError, InputError)


class TestStoredRowsOfASuite:
    def test_they_are_read_with_their_day(self):
        found = read_results(STORED)
        document = json.loads(STORED.read_text())
        assert len(found.rows) == len(document["rows"]) > 100
        assert {row["stored"] for row in found.rows} <= {one["date"] for one in document["environments"].values()}
        assert {(row["test"], row["distance"]) for row in found.rows} == {("", "")}
        assert found.earlier == document["environments"]

    def test_results_are_not_written_over_them(self, tmp_path, rows):
        (tmp_path / "s.json").write_bytes(STORED.read_bytes())
        for whole in (True, False):
            with pytest.raises(ResultsError, match="holds the stored rows of a suite"):
                write_results(tmp_path / "s.json", rows(), DAY, whole=whole)
        assert (tmp_path / "s.json").read_bytes() == STORED.read_bytes()


def test_a_row_that_files_cannot_hold_leaves_the_old_file(tmp_path, rows):
    path = tmp_path / "r.json"
    write_results(path, rows(), DAY, whole=True)
    before = path.read_bytes()
    with pytest.raises(TypeError):
        write_results(path, [{**rows()[0], "note": object()}], DAY, whole=True)
    assert path.read_bytes() == before
