"""``distbench evaluate``: rows of several commands, input spaces, and exit codes that say no more than they may."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from cli_points import POINTS, X, in_folder, run, write_points
from click.testing import CliRunner

from distbench.cli import main
from distbench.results.file import read_results

ENCODERS = """
class Columns:
    name = "columns"

    def transform(self, X):
        return X[:, :4]

four = Columns()

def cancelled(X):
    import asyncio
    raise asyncio.CancelledError

def loud(X):
    import atexit, os, subprocess
    import sys
    os.write(1, b"written past Python\\n")
    sys.__stdout__.write("held by Python\\n")
    subprocess.run(["echo", "another process"])
    atexit.register(print, "at the end")
    return X[:, :4]

def moves(X):
    import os
    os.chdir("/")
    return X[:, :4]
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return write_points(tmp_path_factory.mktemp("evaluate"), ENCODERS)


@pytest.fixture(autouse=True)
def here(folder, monkeypatch):
    yield from in_folder(folder, monkeypatch)


class TestResultsOfSeveralCommands:
    def test_rows_that_were_judged_otherwise_stay_and_the_same_are_replaced(self, tmp_path):
        file, stress = tmp_path / "r.json", ("--metrics", "stress")
        np.save(tmp_path / "X.npy", X + X**2)
        command = ("own_encoders:four", *stress, "--results", file)
        ways = (
            ("--data", "X.npy"),
            ("--data", "X.npy", "--k", 7),
            ("--data", "X.npy", "--reference", "points.npz:train"),
            ("--data", "X.npy", "--distance-z", "cityblock"),
            ("--data", tmp_path / "X.npy"),
        )
        said = [run(*command, *way).stdout.splitlines()[-1] for way in ways]
        assert said == [f"written: {file}"] * len(ways)
        assert len(read_results(file).rows) == len(ways)
        again = run(*command, *ways[1]).stdout.splitlines()[-1]
        assert again.startswith(f"written: {file}, in place of 1 row of columns on the same points")
        assert len(read_results(file).rows) == len(ways)

    def test_seeds_of_a_recipe_gather_in_one_file(self, tmp_path):
        asked = (
            "pca",
            "--dataset",
            "digits",
            "--code-size",
            2,
            "--metrics",
            "stress",
            "--results",
            tmp_path / "r.json",
        )
        for seed in (0, 1):
            run(*asked, "--seed", seed)
        assert [row.seed for row in read_results(tmp_path / "r.json").rows] == [0, 1]


class TestInputSpace:
    @pytest.mark.parametrize("space", ["own_encoders:four", "Z.npy"])
    def test_distances_are_those_of_the_codes(self, space):
        found = run("own_encoders:four", "--data", "X.npy", "--input-space", space, "--metrics", "stress", "--json")
        assert json.loads(found.stdout)["scores"][0]["value"] == pytest.approx(0, abs=1e-12)

    def test_ready_points_of_the_reference_come_second(self):
        spaces = ("--input-space", "Z.npy", "--input-space", "Z_ref.npy")
        found = run("own_encoders:four", *POINTS, *spaces, "--metrics", "stress", "--json")
        assert json.loads(found.stdout)["scores"][0]["value"] == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--limit", "stress:0.3", "--limit", "stress:0.9"), "stress has two limits; give one"),
        (("--html", "one", "--results", "./one"), "--html and --results: both name one; give each a file of its own"),
        (("--input-space", "Z_ref.npy"), "--input-space: found 90 rows, but --data has 60"),
        (("--input-space", "own_encoders:no"), "Error: --input-space: own_encoders:no: own_encoders has no 'no'"),
        (("--input-space", "Z.npy", "--input-space", "Z.npy"), "a second is of the points of --reference"),
        (("--k", 100), "Error: --k: found 100"),
        (("--codes", "Z_ref.npy"), "Error: --codes: found 90 rows, but --data has 60"),
    ],
)
def test_slips_are_told_with_options(arguments, message):
    encoder = () if "--codes" in arguments else ("own_encoders:four",)
    found = run(*encoder, "--data", "X.npy", *arguments)
    assert (found.exit_code, found.stdout) == (2, "")
    assert message in found.stderr


PROGRAM = [sys.executable, "-c", "from distbench.cli import main; main()"]


def with_package(folder, module, *arguments):
    """Run the program where a package is installed that brings a metric called mine."""
    (folder / "bringing.py").write_text(module)
    about = folder / "bringing-1.dist-info"
    about.mkdir(exist_ok=True)
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: bringing\nVersion: 1\n")
    (about / "entry_points.txt").write_text("[distbench.metrics]\nmine = bringing:no_metric\n")
    environment = {**os.environ, "PYTHONPATH": str(folder)}
    return subprocess.run([*PROGRAM, *arguments], capture_output=True, text=True, check=False, env=environment)


def test_what_a_package_prints_at_import_is_no_part_of_the_output(tmp_path):
    module = "print('printed at import')\nno_metric = 3\n"
    arguments = "evaluate", "own_encoders:four", "--data", "X.npy", "--metrics", "stress", "--json"
    found = with_package(tmp_path, module, *arguments)
    assert (found.returncode, json.loads(found.stdout)["encoder"]) == (0, "columns")
    assert "printed at import" in found.stderr


@pytest.mark.parametrize(
    "arguments", [("evaluate", "e:e", "--metrics", "mine"), ("leaderboard", "x", "--sort", "mine")]
)
def test_a_metric_of_a_broken_package_is_no_broken_limit(tmp_path, arguments):
    found = with_package(tmp_path, "no_metric = 3\n", *arguments)
    assert (found.returncode, found.stdout) == (2, "")
    assert "package bringing: entry point 'mine'" in found.stderr.splitlines()[-1]
    assert "Traceback" not in found.stderr


def test_an_interrupt_before_the_encoder_runs_is_no_broken_limit(tmp_path):
    found = with_package(tmp_path, "raise KeyboardInterrupt\n", "evaluate", "e:e", "--metrics", "mine")
    assert (found.returncode, found.stdout, found.stderr.strip()) == (130, "", "")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
def test_output_that_cannot_be_written_is_no_broken_limit():
    command = [*PROGRAM, "datasets"]
    with Path("/dev/full").open("w") as full:
        found = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert (found.returncode, found.stderr) == (2, "Error: [Errno 28] No space left on device\n")
    read, write = os.pipe()
    os.close(read)
    found = subprocess.run(command, stdout=write, stderr=subprocess.PIPE, text=True, check=False)
    os.close(write)
    assert (found.returncode, found.stderr) == (2, ""), "nobody reads on, as with head"


def program(*arguments, **options):
    return subprocess.run([*PROGRAM, *map(str, arguments)], text=True, check=False, **options)


JUDGED = ("--data", "X.npy", "--metrics", "stress")


def test_what_is_no_exception_of_pythons_is_no_broken_limit_either():
    for command in (("evaluate", "own_encoders:cancelled", *JUDGED), ("hunt", "own_encoders:cancelled", *JUDGED[:2])):
        found = program(*command, capture_output=True)
        assert (found.returncode, found.stdout) == (2, "")
        assert "CancelledError" in found.stderr
        assert "Traceback" not in found.stderr


def test_a_document_is_all_of_the_output_whoever_writes_to_it():
    found = program("evaluate", "own_encoders:loud", *JUDGED, "--json", capture_output=True)
    assert json.loads(found.stdout)["encoder"] == "loud"
    for told in ("written past Python", "held by Python", "another process", "at the end"):
        assert told in found.stderr


def test_files_are_written_where_the_command_was_typed(tmp_path):
    np.save(tmp_path / "X.npy", X)
    (tmp_path / "own_encoders.py").write_text(ENCODERS)
    found = program("evaluate", "own_encoders:moves", *JUDGED, "--results", "r.json", cwd=tmp_path, capture_output=True)
    assert "written: r.json" in found.stdout
    assert len(read_results(tmp_path / "r.json").rows) == 1


def test_streams_that_are_closed_or_full_are_no_broken_limit():
    closed = {"stdout": None, "stderr": subprocess.PIPE, "preexec_fn": lambda: os.close(1)}
    found = program("datasets", **closed)
    assert "Traceback" not in found.stderr
    assert found.returncode in (0, 2)
    if Path("/dev/full").exists():
        with Path("/dev/full").open("w") as full:
            found = program("evaluate", "own_encoders:cancelled", *JUDGED, stdout=subprocess.PIPE, stderr=full)
        assert (found.returncode, found.stdout) == (2, "")


def test_a_file_that_cannot_be_added_to_is_told_before_anything_is_judged(tmp_path):
    (tmp_path / "r.json").write_text("{")
    found = run("own_encoders:cancelled", *JUDGED, "--results", tmp_path / "r.json")
    assert found.exit_code == 2
    assert "r.json" in found.stderr
    assert "CancelledError" not in found.stderr


def test_what_was_measured_is_told_although_its_file_cannot_be_written(tmp_path):
    file = tmp_path / "r.json"
    (tmp_path / "breaks.py").write_text(
        f"def codes(X):\n    open({str(file)!r}, 'w').write('{{')\n    return X[:, :4]\n"
    )
    found = program(
        *("evaluate", "breaks:codes", "--data", Path("X.npy").resolve(), "--metrics", "stress", "--limit", "stress:9"),
        *("--results", file),
        cwd=tmp_path,
        capture_output=True,
    )
    assert found.returncode == 2
    assert "stress at most 9.0000: met" in found.stdout
    assert "r.json" in found.stderr


@pytest.mark.parametrize(
    ("encoder", "message"),
    [
        ("own_encoders.py:four", "modules are named, not their files: give own_encoders:four"),
        ("./sub/e.py", "modules are named, not their files: give sub.e:NAME"),
        ("pca.pkl", "load another one in a module of yours, and give module:name"),
    ],
)
def test_files_in_place_of_modules_are_told_what_to_give(encoder, message):
    found = run(encoder, *JUDGED)
    assert (found.exit_code, found.stdout) == (2, "")
    assert message in found.stderr


def test_no_color_is_heeded(monkeypatch):
    asked = ("evaluate", "own_encoders:four", *JUDGED, "--limit", "stress:0.03")
    assert "\x1b[31m" in CliRunner().invoke(main, asked, color=True).output
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b[" not in CliRunner().invoke(main, asked, color=True).output


def test_a_sample_can_be_drawn_again_from_the_document():
    asked = ("own_encoders:four", *JUDGED, "--queries", 30, "--seed", 7, "--limit", "stress:9", "--json")
    document = json.loads(run(*asked).stdout)
    assert (document["queries"], document["seed"], document["scores"][0]["passes"]) == (30, 7, True)


def test_python_runs_it_as_a_module_too():
    found = subprocess.run([sys.executable, "-m", "distbench", "--version"], capture_output=True, text=True, check=True)
    assert found.stdout.startswith("distbench, version ")
