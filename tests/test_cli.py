from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner
from small_reports import two_and_four_columns

from distbench.cli import main
from distbench.render.text import render_leaderboards
from distbench.results.file import read_results, write_results
from distbench.results.merge import merge_results
from distbench.results.rows import ClaimOutcome, failed_row, rows_of

DAY = {"date": "2026-01-02", "python": "3.11.7"}
STORED = Path(__file__).parents[1] / "suites" / "distbench_suites" / "baselines"


@pytest.fixture(scope="module")
def reports():
    return two_and_four_columns()


@pytest.fixture
def rows(reports):
    def rows(encoder="a", columns=4, dataset="gauss", test="t.py::test"):
        about = {"encoder": encoder, "dataset": dataset, "code_size": 4, "test": test, "seed": 0, "seconds": 1.5}
        return rows_of(reports[columns], leave_one_out={"continuity"}, **about)

    return rows


@pytest.fixture
def stored(tmp_path):
    def stored(name, *rows, claims=()):
        write_results(tmp_path / name, [row for given in rows for row in given], DAY, claims=claims, whole=True)
        return str(tmp_path / name)

    return stored


def run(*arguments):
    return CliRunner().invoke(main, [str(argument) for argument in arguments], catch_exceptions=False)


class TestLeaderboard:
    def test_it_prints_what_the_plugin_prints(self, stored, rows):
        path = stored("r.json", rows("a"), rows("b", 2), rows(dataset="", test="t.py::own"))
        found = run("leaderboard", path, "--width", 100)
        board, own = render_leaderboards(read_results(path).rows, "continuity", 100)
        assert (found.exit_code, found.stdout) == (0, f"{board}\n\n{own}\n")
        assert board.startswith("gauss, code size 4 (k = 7")

    def test_files_of_many_runs_make_one_table(self, stored, rows):
        found = run("leaderboard", stored("one.json", rows("a")), stored("two.json", rows("b", 2)))
        lines = found.stdout.splitlines()
        assert [line.split()[:2] for line in lines if line[:1].isdigit()] == [["1", "a"], ["2", "b"]]
        assert found.stderr == ""

    def test_of_what_is_in_two_files_the_later_counts_and_that_is_said(self, stored, rows):
        one, two = stored("one.json", rows("a", 2), rows("b")), stored("two.json", rows("a", 4, test="t.py::renamed"))
        found = run("leaderboard", one, two, "--format", "json")
        (table,) = json.loads(found.stdout)["tables"]
        assert [entry["encoder"] for entry in table["entries"]] == ["a", "b"]
        value = next(row.value for row in rows("a", 4) if row.metric == "continuity")
        assert table["entries"][0]["values"]["continuity"] == value
        assert found.stderr == f"note: {one}: 1 encoder left out, as later files have them: {two}\n"

    def test_a_failure_in_a_later_file_is_not_hidden_by_an_older_score(self, stored, rows):
        failed = failed_row("no", encoder="a", dataset="gauss", code_size=4, k=7, m=60, M=199, seed=0)
        found = run("leaderboard", stored("one.json", rows("a"), rows("b")), stored("two.json", [failed]))
        assert "no place: a: seed 0 failed: no" in found.stdout

    def test_points_of_a_tests_own_stay_apart(self, stored, rows):
        paths = [stored(f"{n}.json", rows(dataset="", test=f"t.py::test_{n}")) for n in range(2)]
        found = run("leaderboard", *paths)
        assert all(f"t.py::test_{n} a" in found.stdout for n in range(2))

    def test_another_distance_is_another_way_of_judging(self, stored, rows):
        cosine = [replace(row, distance="cosine") for row in rows("a")]
        found = run("leaderboard", stored("one.json", rows("a")), stored("two.json", cosine), "--format", "json")
        assert sorted(table["distance"] for table in json.loads(found.stdout)["tables"]) == ["cosine", "euclidean"]
        assert found.stderr == ""
        old = [replace(row, distance="") for row in rows("a")]
        found = run("leaderboard", stored("one.json", rows("a")), stored("two.json", old), "--format", "json")
        assert "1 encoder left out" in found.stderr, "rows that name no distance are Euclidean"

    def test_stored_rows_of_a_suite_are_read_too(self):
        found = run("leaderboard", STORED / "spheres.json", "--width", 200)
        assert "spheres, code size 2" in found.stdout
        assert "stored 20" in found.stdout

    def test_sort_ranks(self, stored, rows):
        found = run("leaderboard", stored("r.json", rows("a"), rows("b", 2)), "--sort", "stress", "--format", "json")
        (table,) = json.loads(found.stdout)["tables"]
        assert table["sort"] == "stress"
        first, second = (entry["values"]["stress"] for entry in table["entries"])
        assert first < second

    def test_json_is_plain_and_has_all_entries(self, stored, rows):
        given = rows("a")
        given[-1] = replace(given[-1], value=float("inf"))
        found = run("leaderboard", stored("r.json", given), "--format", "json")

        def refuse(name):
            raise AssertionError(name)

        document = json.loads(found.stdout, parse_constant=refuse)
        (entry,) = document["tables"][0]["entries"]
        assert document["schema"] == 1
        assert entry["values"][given[-1].metric] == "inf"
        assert (entry["place"], entry["ran"], entry["seeds"], entry["code_width"]) == (1, 1, 1, 4)
        assert run("leaderboard", stored("r.json", given), "--json").stdout == found.stdout

    def test_markdown_has_the_claims_and_the_environment_too(self, stored, rows):
        told = {"statement": "it holds", "source": "s", "expect": "borne out", "evidence": "0.5"}
        path = stored("r.json", rows(), claims=[ClaimOutcome(id="one", verdict="borne out", **told)])
        found = run("leaderboard", path, "--format", "md")
        assert "| borne out | it holds |" in found.stdout
        assert "| python | 3.11.7 |" in found.stdout

    def test_a_page_is_written_to_a_file(self, stored, rows, tmp_path):
        pytest.importorskip("jinja2")
        found = run("leaderboard", stored("r.json", rows()), "--format", "html", "-o", tmp_path / "page.html")
        assert (found.exit_code, found.stdout) == (0, "")
        assert (tmp_path / "page.html").read_text().lstrip().lower().startswith("<!doctype html>")

    def test_output_replaces_a_file_whole(self, stored, rows, tmp_path):
        path = stored("r.json", rows())
        (tmp_path / "out.txt").write_text("old" * 10_000)
        run("leaderboard", path, "-o", tmp_path / "out.txt")
        assert (tmp_path / "out.txt").read_text().startswith("gauss, code size 4")
        assert (tmp_path / "out.txt").read_text().endswith("\n")


class TestCompare:
    def test_equal_results_change_nothing_and_hold_every_gate(self, stored, rows):
        path = stored("r.json", rows())
        found = run("compare", path, path, "--fail", "all:0", "--undecided", "fail")
        assert found.exit_code == 0
        assert "as they were" in found.stdout

    def test_a_broken_gate_is_one_line_and_exit_code_1(self, stored, rows):
        before, now = stored("before.json", rows("a", 4)), stored("now.json", rows("a", 2))
        assert run("compare", before, now).exit_code == 0
        found = run("compare", before, now, "--fail", "continuity:1%", "--fail", "spearman:900%", "--width", 120)
        assert found.exit_code == 1
        assert found.stdout.startswith(f"Changes since {before}\n")
        *_, last = found.stdout.strip().splitlines()
        assert last.startswith("continuity:1%: a, gauss, code size 4: continuity ")
        assert run("compare", now, before, "--fail", "continuity:0").exit_code == 0

    def test_json_has_every_change_and_the_broken_gates(self, stored, rows):
        before, now = stored("before.json", rows("a", 4), rows("c")), stored("now.json", rows("a", 2), rows("b"))
        document = json.loads(run("compare", before, now, "--json").stdout)
        assert (document["schema"], document["met"], document["broken"], document["source"]) == (1, None, [], before)
        assert {change["metric"] for change in document["changes"]} == {row.metric for row in rows("a", 2)}
        assert [len(document[name]) for name in ("only_before", "only_now", "not_compared")] == [1, 1, 0]
        found = run("compare", before, now, "--fail", "continuity:1%", "--json")
        assert (found.exit_code, json.loads(found.stdout)["met"]) == (1, False)
        assert json.loads(found.stdout)["broken"][0].startswith("continuity:1%: a, gauss, code size 4: continuity ")

    def test_what_has_no_room_is_said_with_the_options_that_there_are(self, stored, rows):
        paths = stored("before.json", rows("a", 4)), stored("now.json", rows("a", 2))
        found = run("compare", *paths, "--width", 60)
        assert "--width" in found.stdout
        assert "--distbench" not in found.stdout

    def test_undecided_gates_do_as_they_are_told(self, stored, rows):
        given = rows()
        now = [replace(row, value=row.value - 1e-4, leave_one_out=None) for row in given]
        paths = stored("before.json", given), stored("now.json", now)
        codes = [run("compare", *paths, "--fail", "continuity:0", "--undecided", u).exit_code for u in ("pass", "fail")]
        assert codes == [0, 1]

    def test_a_gate_that_has_nothing_to_compare_is_exit_code_2(self, stored, rows):
        found = run("compare", stored("one.json", rows("a")), stored("two.json", rows("b")), "--fail", "continuity:1%")
        assert found.exit_code == 2
        assert "continuity:1%: nothing to compare: no encoder is both in this run and in " in found.stdout


class TestMistakes:
    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            (["leaderboard"], "Missing argument 'RESULTS...'"),
            (
                ["leaderboard", "no.json"],
                "Error: no.json: found no such file; write one with pytest --distbench-report",
            ),
            (["leaderboard", "r.json", "--sort", "contiuity"], "did you mean 'continuity'?"),
            (["leaderboard", "r.json", "--width", "3"], "--width"),
            (["leaderboard", "r.json", "--format", "pdf"], "'pdf'"),
            (["judge"], "no command is called 'judge'"),
            (["leaderboard", "broken.json"], "Error: broken.json: not valid JSON"),
            (["leaderboard", "empty.json"], "Error: empty.json: found no rows"),
            (["leaderboard", "r.json", "-o", "r.json/x"], "Error: "),
            (["compare", "r.json"], "Missing argument 'NOW'"),
            (["compare", "r.json", "no.json"], "Error: no.json: found no such file"),
            (["compare", "r.json", "r.json", "--fail", "contiuity:1%"], "did you mean 'continuity'?"),
            (["compare", "r.json", "r.json", "--fail", "continuity"], "give METRIC:CHANGE"),
            (["compare", "r.json", "r.json", "--undecided", "perhaps"], "perhaps"),
        ],
    )
    def test_they_are_one_line_and_exit_code_2(self, stored, rows, tmp_path, monkeypatch, arguments, message):
        stored("r.json", rows())
        stored("empty.json")
        (tmp_path / "broken.json").write_text("{")
        monkeypatch.chdir(tmp_path)
        found = run(*arguments)
        assert found.exit_code == 2
        assert found.stdout == ""
        (line,) = [line for line in found.stderr.splitlines() if line.startswith("Error")]
        assert message in line


def test_the_environment_of_one_run_stays_whole_and_those_of_many_are_a_line_each(stored, rows):
    one, two = (Path(stored(f"{name}.json", rows(name))) for name in "ab")
    read = {path: read_results(path) for path in (one, two)}
    assert merge_results([(one, read[one])])[0].environment == DAY
    found = merge_results(list(read.items()))[0].environment
    assert found == {str(path): "2026-01-02: python 3.11.7" for path in (one, two)}


def test_as_a_program_it_prints_to_any_terminal_and_loads_no_numpy_to_help(stored, rows):
    code = "import sys; from distbench.cli import main; main()"
    path = stored("r.json", rows("ä"))
    environment = {**os.environ, "PYTHONIOENCODING": "ascii", "COLUMNS": "80"}

    def program(*arguments, code=code):
        command = [sys.executable, "-c", code, *arguments]
        return subprocess.run(command, capture_output=True, text=True, env=environment, check=False)

    found = program("leaderboard", path)
    assert (found.returncode, found.stderr) == (0, "")
    assert any(line.split()[:2] == ["1", "?"] for line in found.stdout.splitlines())
    assert max(map(len, found.stdout.splitlines())) <= 80
    broken = program("compare", path, stored("none.json"), "--fail", "continuity:1%")
    assert broken.returncode == 2
    assert "\x1b" not in broken.stdout, "colour on a terminal only"
    lean = "import sys, distbench.cli as c; c.main(standalone_mode=False); print('numpy' in sys.modules)"
    assert program("--help", code=lean).stdout.splitlines()[-1] == "False"
