"""Faults around a run of pytest: Ctrl+C, paths that cannot be written, damaged files, code that is not trusted."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from dataclasses import replace

import pytest
from pages import outcome

from distbench.results.file import read_results, write_results
from pytest_distbench._reports import write_reports

POSIX = pytest.mark.skipif(os.name != "posix", reason="sends signals")
TRAP = """
from pathlib import Path

with (Path(__file__).parent / "ran.txt").open("a") as file:
    file.write("imported\\n")

def load():
    raise SystemExit("no data today")

class Mine:
    def fit(self, X, code_size, seed):
        return lambda points: points[:, :code_size]
"""
SUITE = """
distbench = 1
question = "Is it run?"
dataset = {name = "own", load = "my_trap:load"}
code_sizes = [2]

[[encoder]]
name = "mine"
recipe = "my_trap:Mine"

[[encoder]]
name = "pca"
"""


class TestCodeThatASuiteNames:
    @pytest.fixture(autouse=True)
    def _files(self, pytester):
        pytester.makepyfile(my_trap=TRAP)
        (pytester.path / "mine.toml").write_text(SUITE)
        pytester.syspathinsert()

    def test_it_runs_where_the_user_ran_pytest_on_it_with_distbench_and_nowhere_else(self, pytester):
        """Runs without the option, and collection, import nothing."""
        for options in ((), ("mine.toml",), ("--distbench", "--collect-only")):
            pytester.runpytest_inprocess(*options)
            assert not (pytester.path / "ran.txt").exists()
            assert "my_trap" not in sys.modules
        result = pytester.runpytest_subprocess("--distbench", "-p", "no:xdist")
        assert (pytester.path / "ran.txt").read_text() == "imported\n"
        result.assert_outcomes(failed=2)  # sys.exit() in a recipe does not end the run
        result.stdout.fnmatch_lines(["*my_trap:load: raised SystemExit: no data today (at my_trap.py:7)"])
        assert not [line for line in result.outlines if "Traceback" in line or "importlib" in line]


TESTS = """
import pathlib, time

def test_first(distbench):
    distbench.check(first, X_test, name="first", stress=1.0)

def test_second(distbench):
    (pathlib.Path(__file__).parent / "begun.txt").write_text("")
    if (pathlib.Path(__file__).parent / "slowly.txt").exists():
        time.sleep(60)
    distbench.check(first, X_test, name="second", stress=1.0)

def test_third(distbench):
    distbench.check(first, X_test, name="third", stress=1.0)
"""


def wait_for(path, seconds=60.0):
    end = time.monotonic() + seconds
    while not path.exists():
        assert time.monotonic() < end, f"{path.name} did not come"
        time.sleep(0.05)


def start(folder, *options):
    return subprocess.Popen(
        [sys.executable, "-m", "pytest", "-q", "--distbench", "-p", "no:cacheprovider", *options],
        cwd=folder,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1", "COLUMNS": "200", "TMPDIR": str(folder)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


@POSIX
def test_ctrl_c_in_a_test_keeps_all_rows(run, pytester):
    reports = ("--distbench-report=json:out.json", "-p", "no:xdist")
    run(TESTS, *reports).assert_outcomes(passed=3)
    before = read_results(pytester.path / "out.json").rows
    (pytester.path / "begun.txt").unlink()
    (pytester.path / "slowly.txt").write_text("")
    running = start(pytester.path, *reports)
    wait_for(pytester.path / "begun.txt")
    running.send_signal(signal.SIGINT)
    printed, _ = running.communicate(timeout=60)
    assert running.returncode == pytest.ExitCode.INTERRUPTED, printed
    assert "KeyboardInterrupt" in printed
    after = read_results(pytester.path / "out.json").rows
    assert {row.encoder: row.stored != "" for row in after} == {"first": False, "second": False, "third": False}
    assert [replace(row, seconds=None) for row in after] == [replace(row, seconds=None) for row in before]
    assert list(pytester.path.glob("*.part")) == []


def test_a_report_that_cannot_be_written_fails_the_run_and_the_others_are_written(run, pytester, monkeypatch):
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", "/dev/full")
    spoiled = TESTS + "    import pathlib; pathlib.Path('out').write_text('no folder')\n"
    options = [f"--distbench-report={report}" for report in ("json:out/out.json", "github", "md:out.md")]
    result = run(spoiled, *options, "-p", "no:xdist")
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    text = " ".join(line.strip() for line in result.outlines)
    assert f"NOT WRITTEN: json report: {pytester.path}/out: File exists" in text
    assert "NOT WRITTEN: github report: /dev/full: No space left on device" in text
    assert "no file was changed: make room or name another path, and run again" in text
    assert "first" in (pytester.path / "out.md").read_text()


@POSIX
def test_reports_into_pipes_go_there_and_nothing_is_replaced_or_waits(run, pytester):
    run(TESTS, "-p", "no:xdist")
    os.mkfifo(pytester.path / "pipe")
    with start(pytester.path, "--distbench-report=json:/dev/stdout", "--distbench-report=md:pipe") as running:
        printed, _ = running.communicate(timeout=60)
    assert '"encoder": "first"' in printed
    assert "written: json report: /dev/stdout" in printed
    assert "NOT WRITTEN: md report" in printed
    assert "nobody reads from this pipe" in printed
    assert (pytester.path / "pipe").is_fifo()
    assert running.returncode == pytest.ExitCode.TESTS_FAILED


def test_a_report_path_that_cannot_be_written_is_an_error_before_tests_run(pytester, monkeypatch):
    pytester.makepyfile("import pathlib\ndef test_it(distbench): pathlib.Path('ran.txt').write_text('')")
    (pytester.path / "file").write_text("")
    problems = {
        "file/out.json": "file is not a folder that you can write to; choose another",
        "a" * 300: "... is longer than 255 bytes; choose a shorter name",
    }
    for path, problem in problems.items():
        result = pytester.runpytest_inprocess("--distbench", f"--distbench-report=json:{path}")
        assert result.ret == pytest.ExitCode.USAGE_ERROR
        assert "--distbench-report json: " in result.stderr.str()
        assert problem in result.stderr.str()
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(pytester.path))
    result = pytester.runpytest_inprocess("--distbench", "--distbench-report=github")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert f"GITHUB_STEP_SUMMARY: {pytester.path} is a folder; name a file" in result.stderr.str()
    assert not (pytester.path / "ran.txt").exists()


def test_a_report_replaces_only_a_file_of_its_kind(pytester):
    pytester.makepyfile("def test_it(distbench): pass")
    path = pytester.path / "before.json"
    write_results(path, [], {"date": "2026-01-02"}, whole=True)
    options = ("--distbench-compare=before.json", "--distbench-report=md:./before.json")
    result = pytester.runpytest_inprocess(*options)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert "before.json is also compared with; name another file" in result.stderr.str()
    for options, message in (
        (["--distbench-report=json:r.xml", "--junitxml=./r.xml"], "two reports go to "),
        (["--distbench-report=json:-"], "found a file called -; write json:/dev/stdout for standard output"),
    ):
        result = pytester.runpytest_inprocess(*options)
        assert result.ret == pytest.ExitCode.USAGE_ERROR
        assert message in result.stderr.str()
    for kind in ("html", "md", "term"):
        for name in ("before.json", "test_a_report_replaces_only_a_file_of_its_kind.py"):
            result = pytester.runpytest_inprocess(f"--distbench-report={kind}:{name}")
            assert result.ret == pytest.ExitCode.USAGE_ERROR
            assert f"{name} exists and is another kind of file; name another file" in result.stderr.str()
    assert read_results(path).environment["date"] == "2026-01-02"


@pytest.mark.parametrize("damage", [lambda text: text[:50], lambda text: text.replace('"schema": 1', '"schema": 7', 1)])
def test_damaged_results_are_an_error_before_tests_run_and_stay(pytester, damage):
    pytester.makepyfile("import pathlib\ndef test_it(distbench): pathlib.Path('ran.txt').write_text('')")
    path = pytester.path / "out.json"
    write_results(path, [], {"date": "2026-01-02"}, whole=True)
    path.write_text(damage(path.read_text()))
    old = path.read_bytes()
    for option in ("--distbench-report=json:out.json", "--distbench-compare=out.json"):
        result = pytester.runpytest_inprocess("--distbench", option)
        assert result.ret == pytest.ExitCode.USAGE_ERROR
        printed = result.stderr.str() + result.stdout.str()
        assert "out.json: " in printed
        assert "move it away" in printed or "give another" in printed or "restore it" in printed
    assert path.read_bytes() == old
    assert not (pytester.path / "ran.txt").exists()


@pytest.mark.parametrize("kind", ["json", "md", "html", "term"])
def test_a_disk_that_is_full_leaves_the_old_report(kind, tmp_path, monkeypatch, pytestconfig):
    def full(*_):
        raise OSError(28, "No space left on device")

    path = tmp_path / f"out.{kind}"

    def write(run):
        return write_reports(pytestconfig, [(kind, path)], run, True, lambda width: "text of the terminal")

    assert write(outcome()) == ([f"{kind} report: {path}"], [])
    before = path.read_bytes()
    monkeypatch.setattr("os.fsync", full)
    _, (failed,) = write(replace(outcome(), rows=outcome().rows[:5]))
    assert "No space left" in failed
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]
