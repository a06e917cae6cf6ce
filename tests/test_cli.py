from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner
from small_reports import LATER, two_and_four_columns

from distbench.cli import main
from distbench.render.formats import SIGNS
from distbench.render.text import render_leaderboards
from distbench.results.file import read_results, write_results
from distbench.results.merge import merge_results
from distbench.results.rows import ClaimOutcome, failed_row, rows_of

DAY = {"date": "2026-01-02", "python": "3.11.7"}
HOSTILE = f"::error::{'x' * 33}::error::\x1b[2J\r\n##[group]\u202e\u2066\x9b 31m"
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
        write_results(tmp_path / name, [row for group in rows for row in group], DAY, claims=claims, whole=True)
        return str(tmp_path / name)

    return stored


def run(*arguments):
    return CliRunner().invoke(main, [str(argument) for argument in arguments], catch_exceptions=False)


class TestLeaderboard:
    def test_it_prints_or_writes_what_the_plugin_prints(self, stored, rows, tmp_path):
        path = stored("r.json", rows("a"), rows("b", 2), rows(dataset="", test="t.py::own"))
        result = run("leaderboard", path, "--width", 100)
        board, own, notes = render_leaderboards(read_results(path).rows, "continuity", 100)
        assert (result.exit_code, result.stdout) == (0, f"{board}\n\n{own}\n\n{notes}\n")
        assert board.startswith("gauss, code size 4 (k = 7")
        out = tmp_path / "out.txt"
        sign = SIGNS["term"]
        out.write_text(sign + "old" * 10_000)
        run("leaderboard", path, "--width", 100, "-o", out)
        assert out.read_text() == f"{sign}\n{result.stdout}", "the old file is replaced as a whole"

    def test_files_of_many_runs_make_one_table(self, stored, rows):
        result = run("leaderboard", stored("one.json", rows("a")), stored("two.json", rows("b", 2)))
        lines = result.stdout.splitlines()
        assert [line.split()[:2] for line in lines if line[:2] in ("1 ", "2 ")] == [["1", "a"], ["2", "b"]]
        assert result.stderr == ""
        paths = [stored(f"{n}.json", rows(dataset="", test=f"t.py::test_{n}")) for n in range(2)]
        result = run("leaderboard", *paths)
        assert all(f"t.py::test_{n} a" in result.stdout for n in range(2)), "points of single tests stay apart"

    def test_tests_of_one_name_on_other_points_stay_apart(self, stored, rows):
        own = [rows(dataset="", columns=columns) for columns in (4, 2)]
        other = [replace(row, fingerprint="0123456789") for row in own[1]]
        result = run("leaderboard", stored("one.json", own[0]), stored("two.json", other))
        assert result.stderr == ""
        assert result.stdout.count("t.py::test (data ") == 2
        assert "t.py::test (data 01234567), code size " in result.stdout
        about = {name: getattr(own[0][0], name) for name in ("encoder", "dataset", "code_size", "k", "m", "M", "test")}
        failed = [failed_row("no", seed=0, **about)]
        result = run("leaderboard", stored("one.json", own[0]), stored("two.json", failed))
        assert "1 encoder left out, as later files have them" in result.stderr
        assert "(data" not in result.stdout

    def test_a_later_file_replaces_encoders_of_an_earlier_one_with_a_note(self, stored, rows):
        one, two = stored("one.json", rows("a", 2), rows("b")), stored("two.json", rows("a", 4, test="t.py::renamed"))
        result = run("leaderboard", one, two, "--format", "json")
        (table,) = json.loads(result.stdout)["tables"]
        assert [entry["encoder"] for entry in table["entries"]] == ["a", "b"]
        value = next(row.value for row in rows("a", 4) if row.metric == "continuity")
        assert table["entries"][0]["values"]["continuity"] == value
        assert result.stderr == f"note: {one}: 1 encoder left out, as later files have them: {two}\n"

    def test_values_of_one_file_that_contradict_each_other_have_a_note(self, stored, rows):
        first, *_ = once = rows("a", 2)
        assert run("leaderboard", stored("same.json", once, once, rows("b"))).stderr == ""
        other = replace(first, value=(first.low + first.high) / 2, stored="2026-01-01")
        path = stored("two.json", once, [other], rows("b"))
        text = "has several values of one metric in one setting, of which the last is shown"
        assert run("leaderboard", path).stderr == f"note: {path}: a {text}\n"

    def test_a_failure_in_a_later_file_is_not_hidden_by_an_older_score(self, stored, rows):
        failed = failed_row("no", encoder="a", dataset="gauss", code_size=4, k=7, m=60, M=199, seed=0)
        result = run("leaderboard", stored("one.json", rows("a"), rows("b")), stored("two.json", [failed]))
        assert "no place: a: seed 0 failed: no" in result.stdout

    def test_rows_of_another_distance_make_another_table(self, stored, rows):
        cosine = [replace(row, distance="cosine") for row in rows("a")]
        result = run("leaderboard", stored("one.json", rows("a")), stored("two.json", cosine), "--format", "json")
        assert sorted(table["distance"] for table in json.loads(result.stdout)["tables"]) == ["cosine", "euclidean"]
        assert result.stderr == ""
        old = [replace(row, distance="") for row in rows("a")]
        result = run("leaderboard", stored("one.json", rows("a")), stored("two.json", old), "--format", "json")
        assert "1 encoder left out" in result.stderr, "rows that name no distance are Euclidean"

    def test_stored_rows_of_a_suite_are_read_too(self):
        result = run("leaderboard", STORED / "spheres.json", "--width", 200)
        assert "spheres, code size 2" in result.stdout
        assert "stored 20" in result.stdout

    def test_sort_ranks(self, stored, rows):
        result = run("leaderboard", stored("r.json", rows("a"), rows("b", 2)), "--sort", "stress", "--format", "json")
        (table,) = json.loads(result.stdout)["tables"]
        assert table["sort"] == "stress"
        first, second = (entry["values"]["stress"] for entry in table["entries"])
        assert first < second

    def test_json_is_plain_and_has_all_entries(self, stored, rows):
        some_rows = [row for row in rows("a") if row.metric in ("continuity", "stress")]
        some_rows[-1] = replace(some_rows[-1], value=float("inf"))
        result = run("leaderboard", stored("r.json", some_rows), "--format", "json")

        def refuse(name):
            raise AssertionError(name)

        document = json.loads(result.stdout, parse_constant=refuse)
        (entry,) = document["tables"][0]["entries"]
        assert document["schema"] == 1
        assert entry["values"][some_rows[-1].metric] == "inf"
        assert (entry["place"], entry["ran"], entry["seeds"], entry["code_width"]) == (1, 1, 1, 4)
        assert run("leaderboard", stored("r.json", some_rows), "--json").stdout == result.stdout

    def test_markdown_has_the_claims_and_the_environment_too(self, stored, rows):
        about = {"statement": "it holds", "source": "s", "expect": "borne out", "evidence": "0.5"}
        path = stored("r.json", rows(), claims=[ClaimOutcome(id="one", verdict="borne out", **about)])
        result = run("leaderboard", path, "--format", "md")
        assert "| borne out | it holds |" in result.stdout
        assert "| python | 3.11.7 |" in result.stdout

    def test_a_page_is_written_to_a_file(self, stored, rows, tmp_path):
        pytest.importorskip("jinja2")
        result = run("leaderboard", stored("r.json", rows()), "--format", "html", "-o", tmp_path / "page.html")
        assert (result.exit_code, result.stdout) == (0, "")
        assert (tmp_path / "page.html").read_text().lstrip().lower().startswith("<!doctype html>")


class TestCompare:
    def test_equal_results_change_nothing_and_hold_every_gate(self, stored, rows):
        path = stored("r.json", rows())
        result = run("compare", path, path, "--fail", "all:0", "--undecided", "fail")
        assert result.exit_code == 0
        assert "unchanged" in result.stdout

    @pytest.mark.parametrize(("undecided", "code"), [("pass", 0), ("fail", 1)])
    def test_an_option_decides_undecided_gates(self, stored, rows, undecided, code):
        now = [replace(row, value=row.value - 1e-4, leave_one_out=None) for row in rows()]
        paths = stored("before.json", rows()), stored("now.json", now)
        assert run("compare", *paths, "--fail", "continuity:0", "--undecided", undecided).exit_code == code

    def test_a_broken_gate_is_one_line_and_exit_code_1(self, stored, rows):
        before, now = stored("before.json", rows("a", 4)), stored("now.json", rows("a", 2))
        assert run("compare", before, now).exit_code == 0
        result = run("compare", before, now, "--fail", "continuity:25%", "--fail", "spearman:900%", "--width", 120)
        assert result.exit_code == 1
        assert result.stdout.startswith(f"Changes since {before}\n")
        *_, last = result.stdout.strip().splitlines()
        assert last.startswith("continuity:25%: a, gauss, code size 4: continuity ")
        assert run("compare", now, before, "--fail", "continuity:0").exit_code == 0

    def test_results_without_rows_are_not_advised_in_place_of_those_that_have_some(self, stored, rows):
        before, now = stored("before.json", rows("a", 4)), stored("now.json")
        result = run("compare", before, now, "--fail", "continuity:25%")
        assert result.exit_code == 2
        assert result.stdout.endswith("nothing to compare: a, gauss, code size 4: was there, now missing\n")

    def test_json_has_every_change_and_the_broken_gates(self, stored, rows):
        failed = failed_row("no", encoder="d", dataset="", code_size=3, k=5, m=9, M=8, test="t.py::d")
        before = stored("before.json", rows("a", 4), rows("c", test="t.py::c"), [failed])
        now = stored("now.json", rows("a", 2), rows("b", test="t.py::b"))
        document = json.loads(run("compare", before, now, "--json").stdout)
        assert (document["schema"], document["met"], document["broken"], document["source"]) == (1, None, [], before)
        assert {change["metric"] for change in document["changes"]} == {row.metric for row in rows("a", 2)}
        assert [len(document[name]) for name in ("only_before", "only_now", "not_compared")] == [2, 1, 1]
        assert document["not_compared"][0]["missing"]
        result = run("compare", before, now, "--fail", "continuity:25%", "--json")
        assert (result.exit_code, json.loads(result.stdout)["met"]) == (1, False)
        assert json.loads(result.stdout)["broken"][0].startswith("continuity:25%: a, gauss, code size 4: continuity ")
        advice = f"was there, now missing; if this is wanted: cp {now} {before}"
        assert json.loads(result.stdout)["broken"][1].endswith(advice)

    def test_claims_that_are_not_as_expected_any_more_are_told(self, stored, rows):
        def claims(*verdicts):
            about = {"statement": "it holds", "source": "s", "expect": "borne out", "evidence": "0.5"}
            return [ClaimOutcome(id=f"c{n}", verdict=verdict, **about) for n, verdict in enumerate(verdicts)]

        before = stored("before.json", rows(), claims=claims("borne out", "borne out", "refuted", "borne out"))
        now = stored("now.json", rows(), claims=claims("borne out", "refuted", "undecided"))
        result = run("compare", before, now, "--fail", "all:1%")
        told = ["claim c1: was borne out, is now refuted", "claims that are missing now: c3"]
        assert (result.exit_code, result.stdout.splitlines()[-2:]) == (0, told)
        assert json.loads(run("compare", before, now, "--json").stdout)["claims"] == told

    def test_text_without_room_names_an_option_of_the_command(self, stored, rows):
        paths = stored("before.json", rows("a", 4)), stored("now.json", rows("a", 2))
        result = run("compare", *paths, "--width", 60)
        assert "--width" in result.stdout
        assert "--distbench" not in result.stdout

    def test_a_gate_that_has_nothing_to_compare_is_exit_code_2(self, stored, rows):
        paths = stored("one.json", rows("a")), stored("two.json", rows("b", test="t.py::b"))
        result = run("compare", *paths, "--fail", "continuity:25%")
        assert result.exit_code == 2
        assert "continuity:25%: nothing to compare: a, gauss, code size 4: was there, now missing; if " in result.stdout

    def test_a_later_run_may_have_several_files(self, stored, rows):
        before = stored("before.json", rows("a", 4), rows("c", test="t.py::c"))
        parts = stored("one.json", rows("c", test="t.py::c")), stored("two.json", rows("a", 2))
        result = run("compare", before, *parts, "--fail", "continuity:25%")
        assert result.exit_code == 1
        (last,) = [line for line in result.stdout.splitlines() if line.startswith("continuity:25%: ")]
        assert last.startswith("continuity:25%: a, gauss, code size 4: continuity ")
        assert run("compare", before, *parts, "--fail", "continuity:900%").exit_code == 0
        result = run("compare", before, parts[0], parts[0], "--fail", "continuity:900%")
        assert result.exit_code == 1
        advice = f"if this is wanted: pytest --distbench --distbench-report=json:{before}"
        assert f"a, gauss, code size 4: was there, now missing; {advice}" in result.stdout

    def test_a_file_that_is_named_twice_hides_no_encoder_that_is_gone(self, stored, rows):
        before, now = stored("before.json", rows(), rows()), stored("now.json", rows())
        for again in (now, stored("copy.json", rows())):
            result = run("compare", before, now, again, "--fail", "continuity:25%")
            assert result.exit_code == 1
            assert "continuity:25%: a, gauss, code size 4: was evaluated 2 times, now 1; " in result.stdout
            assert result.stderr == f"note: {again}: {len(rows())} rows are in another file too and count once\n"
        result = run("compare", before, before, "--fail", "continuity:25%")
        assert (result.exit_code, result.stderr) == (0, ""), "two encoders of one file count twice"

    def test_rows_that_the_later_run_only_kept_do_not_count(self, stored, rows, tmp_path):
        own, lost = rows(test="t.py::a"), rows("c", test="t.py::c")
        before, now = stored("before.json", own, lost), stored("now.json", own, lost)
        write_results(tmp_path / "now.json", own, DAY, whole=False)
        assert run("compare", before, now, "--fail", "all:1%").exit_code == 0, "of the same day and commit"
        write_results(tmp_path / "now.json", own, LATER, whole=False)
        result = run("compare", before, now, "--fail", "all:1%")
        assert result.exit_code == 1
        assert "all:1%: c, gauss, code size 4: was there, now missing" in result.stdout
        assert result.stderr == f"note: {now}: {len(lost)} rows are of an earlier run and do not count; run all tests\n"
        other = stored("other.json", rows("c", 2, test="t.py::c"))
        assert "all:1%: c, gauss, code size 4: stress " in run("compare", before, now, other, "--fail", "all:1%").stdout


class TestMistakes:
    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            (["leaderboard"], "Missing argument 'RESULTS...'"),
            (["leaderboard", "no.json"], "Error: no.json: found no such file; write one with pytest --distbench-re"),
            (["leaderboard", "r.json", "--sort", "contiuity"], "did you mean 'continuity'?"),
            (["leaderboard", "r.json", "--width", "3"], "--width"),
            (["leaderboard", "r.json", "--format", "pdf"], "'pdf'"),
            (["judge"], "no command is called 'judge'"),
            (["leaderboard", "broken.json"], "Error: broken.json: not valid JSON"),
            (["leaderboard", "empty.json"], "Error: empty.json: found no rows"),
            (["leaderboard", "r.json", "-o", "r.json/x"], "Error: "),
            (["compare", "r.json"], "Missing argument 'NOW...'"),
            (["compare", "r.json", "no.json"], "Error: no.json: found no such file"),
            (["compare", "r.json", "r.json", "--fail", "contiuity:1%"], "did you mean 'continuity'?"),
            (["compare", "r.json", "r.json", "--fail", "continuity"], "give METRIC:CHANGE"),
            (["compare", "r.json", "r.json", "--undecided", "perhaps"], "perhaps"),
        ],
    )
    def test_mistakes_are_one_line_and_exit_code_2(self, stored, rows, tmp_path, monkeypatch, arguments, message):
        stored("r.json", rows())
        stored("empty.json")
        (tmp_path / "broken.json").write_text("{")
        monkeypatch.chdir(tmp_path)
        result = run(*arguments)
        assert result.exit_code == 2
        assert result.stdout == ""
        (line,) = [line for line in result.stderr.splitlines() if line.startswith("Error")]
        assert message in line


def test_the_environment_of_one_run_stays_whole_and_those_of_many_are_a_line_each(stored, rows):
    one, two = (Path(stored(f"{name}.json", rows(name))) for name in "ab")
    read = {path: read_results(path) for path in (one, two)}
    assert merge_results([(one, read[one])])[0].environment == DAY
    result = merge_results(list(read.items()))[0].environment
    assert result == {str(path): "2026-01-02: python 3.11.7" for path in (one, two)}


def test_as_a_program_it_prints_to_any_terminal(stored, rows):
    path = stored("r.json", rows("ä"))
    environment = {**os.environ, "PYTHONIOENCODING": "ascii", "COLUMNS": "80"}

    def program(*arguments):
        command = [sys.executable, "-m", "distbench", *arguments]
        return subprocess.run(command, capture_output=True, text=True, env=environment, check=False)

    assert program("--version").stdout.startswith("distbench, version ")
    result = program("leaderboard", path)
    assert (result.returncode, result.stderr) == (0, "")
    assert any(line.split()[:2] == ["1", "?"] for line in result.stdout.splitlines())
    assert max(map(len, result.stdout.splitlines())) <= 80
    broken = program("compare", path, stored("none.json"), "--fail", "continuity:25%")
    assert broken.returncode == 2
    assert "\x1b" not in broken.stdout, "colour on a terminal only"


@pytest.mark.parametrize("command", ["metrics", "baselines", "suites", "leaderboard", ""])
def test_typed_text_of_any_length_is_cut(command):
    result = run(*filter(None, [command]), "x" * 99_999)
    assert result.exit_code == 2
    assert len(result.stderr) < 3_000
    assert "x" * 99 in result.stderr


def test_a_table_is_not_written_over_results(stored, rows, tmp_path, monkeypatch):
    path, other = (Path(stored(name, rows("a"))) for name in ("r.json", "s.json"))
    monkeypatch.chdir(tmp_path)
    own = tmp_path / "own.md"
    own.write_text("# distbench\n\nNotes on a package\n")
    foreign = "exists and is another kind of file"
    for output, problem in ((path, "is also read"), (other, foreign), (own, foreign)):
        before = output.read_bytes()
        for form in ("text", "md", "html", "json"):
            result = run("leaderboard", "r.json", "--format", form, "-o", output)
            assert result.exit_code == 2
            assert f"--output: {output} {problem}; name another file" in result.stderr
            assert output.read_bytes() == before
    full = run("leaderboard", "r.json", "-o", "/dev/full") if Path("/dev/full").exists() else None
    assert full is None or full.stderr == "Error: /dev/full: No space left on device\n"
    own.write_text("")
    for form in ("text", "md", "html", "json"):
        for output in (f"board.{form}", f"board.{form}", own):
            assert run("leaderboard", "r.json", "--format", form, "-o", output).exit_code == 0, "empty, or its own"
        own.write_text("")


class TestHostileFiles:
    """Files of results may come from a stranger's pull request, and their texts go into the log of a CI service."""

    @pytest.fixture
    def files(self, rows, tmp_path):
        def written(name, value):
            texts = dict.fromkeys(("encoder", "dataset", "note", "test"), HOSTILE) | {"stored": HOSTILE[:9]}
            about = {"k": 7, "m": 60, "M": 139, "code_size": 4, "dataset": HOSTILE, "test": HOSTILE}
            failed = [failed_row(HOSTILE, encoder=f"{number} {HOSTILE}", **about) for number in range(2)]
            made = [
                replace(row, **texts, value=value, low=None, high=None)
                for row in rows()
                if "distortion" not in row.metric
            ]
            made += [replace(made[0], metric=HOSTILE, limit=9.0, verdict="broken"), replace(made[0], dataset="")]
            text = HOSTILE
            about = {"statement": text, "source": text, "expect": text, "evidence": text}
            claim = ClaimOutcome(id=HOSTILE, verdict=text if name == "before.json" else f"{text}!", **about)
            write_results(tmp_path / name, [*made, *failed], {HOSTILE: HOSTILE}, claims=[claim], whole=True)
            return tmp_path / name

        return written("before.json", 0.9), written("now.json", 0.1)

    @pytest.mark.parametrize(
        "arguments",
        [
            *(("leaderboard", "--format", form) for form in ("text", "md", "html", "json")),
            ("leaderboard", "--width", 40),
            ("leaderboard", "--format", "md", "-o", "out"),
            ("leaderboard", "--format", "text", "-o", "out"),
            ("compare", "--fail", "continuity:1%"),
            ("compare", "--width", 40),
            ("compare", "--json"),
        ],
    )
    def test_no_text_of_theirs_controls_a_terminal_or_a_ci_service(self, files, tmp_path, monkeypatch, arguments):
        monkeypatch.chdir(tmp_path)
        result = run(arguments[0], *files, *arguments[1:])
        written = Path("out").read_text(encoding="utf-8") if "out" in arguments else ""
        for text in (result.stdout, result.stderr, written):
            body = re.sub(r"(?s)<style>.*?</style>|<script>.*?</script>", "", text)
            assert body.replace("\n", "").isprintable()
            assert not re.search(r"^\s*::|##\w*\[", body, re.MULTILINE)
        assert "error" in result.stdout + written
