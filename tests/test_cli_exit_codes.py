"""``distbench evaluate``: rows of several commands, input spaces, and errors that do not exit as broken limits do."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from cli_points import ENCODERS, POINTS, X, in_folder, run, write_points
from click.testing import CliRunner

from distbench.cli import main
from distbench.results.file import read_results


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return write_points(tmp_path_factory.mktemp("evaluate"))


@pytest.fixture(autouse=True)
def here(folder, monkeypatch):
    yield from in_folder(folder, monkeypatch)


class TestResultsOfSeveralCommands:
    def test_rows_of_the_same_settings_are_replaced_and_others_stay(self, tmp_path):
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
        endings = [run(*command, *way).stdout.splitlines()[-1] for way in ways]
        assert endings == [f"written: {file}"] * len(ways)
        assert len(read_results(file).rows) == len(ways)
        again = run(*command, *ways[1]).stdout.splitlines()[-1]
        assert again.startswith(f"written: {file}, in place of 1 row of columns on the same points")
        assert len(read_results(file).rows) == len(ways)

    def test_seeds_of_a_recipe_gather_in_one_file(self, tmp_path):
        recipe = ("pca", "--dataset", "digits", "--code-size", 2)
        for seed in (0, 1):
            run(*recipe, "--metrics", "stress", "--results", tmp_path / "r.json", "--seed", seed)
        assert [row.seed for row in read_results(tmp_path / "r.json").rows] == [0, 1]


class TestInputSpace:
    @pytest.mark.parametrize(
        "options",
        [
            ("--data", "X.npy", "--input-space", "own_encoders:four"),
            ("--data", "X.npy", "--input-space", "Z.npy"),
            (*POINTS, "--input-space", "Z.npy", "--input-space", "Z_ref.npy"),
        ],
        ids=["an encoder", "ready points", "ready points of the reference"],
    )
    def test_distances_are_those_of_the_codes(self, options):
        document = json.loads(run("own_encoders:four", *options, "--metrics", "stress", "--json").stdout)
        assert document["scores"][0]["value"] == pytest.approx(0, abs=1e-12)


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
    result = with_package(tmp_path, module, *arguments)
    assert (result.returncode, json.loads(result.stdout)["encoder"]) == (0, "columns")
    assert "printed at import" in result.stderr


@pytest.mark.parametrize(
    "arguments", [("evaluate", "e:e", "--metrics", "mine"), ("leaderboard", "x", "--sort", "mine")]
)
def test_a_metric_of_a_broken_package_is_no_broken_limit(tmp_path, arguments):
    result = with_package(tmp_path, "no_metric = 3\n", *arguments)
    assert (result.returncode, result.stdout) == (2, "")
    assert "package bringing: entry point 'mine'" in result.stderr.splitlines()[-1]
    assert "Traceback" not in result.stderr
    result = with_package(tmp_path, "raise KeyboardInterrupt\n", *arguments)
    assert (result.returncode, result.stdout, result.stderr.strip()) == (130, "", "")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
def test_output_that_cannot_be_written_is_no_broken_limit():
    command = [*PROGRAM, "datasets"]
    with Path("/dev/full").open("w") as full:
        result = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert (result.returncode, result.stderr) == (2, "Error: [Errno 28] No space left on device\n")
    read, write = os.pipe()
    os.close(read)
    result = subprocess.run(command, stdout=write, stderr=subprocess.PIPE, text=True, check=False)
    os.close(write)
    assert (result.returncode, result.stderr) == (2, ""), "nobody reads on, as with head"


def program(*arguments, **options):
    return subprocess.run([*PROGRAM, *map(str, arguments)], text=True, check=False, **options)


STRESS = ("--data", "X.npy", "--metrics", "stress")


def test_an_error_that_is_no_exception_is_no_broken_limit():
    for command in (("evaluate", "own_encoders:cancelled", *STRESS), ("hunt", "own_encoders:cancelled", *STRESS[:2])):
        result = program(*command, capture_output=True)
        assert (result.returncode, result.stdout) == (2, "")
        assert "CancelledError" in result.stderr
        assert "Traceback" not in result.stderr


def test_a_document_is_all_of_the_output_whatever_the_encoder_prints():
    result = program("evaluate", "own_encoders:loud", *STRESS, "--json", capture_output=True)
    assert json.loads(result.stdout)["encoder"] == "loud"
    for words in ("written past Python", "held by Python", "another process", "at the end"):
        assert words in result.stderr


def test_files_are_written_where_the_command_was_typed(tmp_path):
    np.save(tmp_path / "X.npy", X)
    (tmp_path / "own_encoders.py").write_text(ENCODERS)
    command = ("evaluate", "own_encoders:moves", *STRESS, "--results", "r.json")
    result = program(*command, cwd=tmp_path, capture_output=True)
    assert "written: r.json" in result.stdout
    assert len(read_results(tmp_path / "r.json").rows) == 1


def test_streams_that_are_closed_or_full_are_no_broken_limit():
    closed = {"stdout": None, "stderr": subprocess.PIPE, "preexec_fn": lambda: os.close(1)}
    result = program("datasets", **closed)
    assert "Traceback" not in result.stderr
    assert result.returncode in (0, 2)
    if Path("/dev/full").exists():
        with Path("/dev/full").open("w") as full:
            result = program("evaluate", "own_encoders:cancelled", *STRESS, stdout=subprocess.PIPE, stderr=full)
        assert (result.returncode, result.stdout) == (2, "")


def test_a_results_file_that_cannot_be_read_is_an_error_before_evaluation(tmp_path):
    (tmp_path / "r.json").write_text("{")
    result = run("own_encoders:cancelled", *STRESS, "--results", tmp_path / "r.json")
    assert result.exit_code == 2
    assert "r.json" in result.stderr
    assert "CancelledError" not in result.stderr


def test_verdicts_are_printed_although_their_file_cannot_be_written(tmp_path):
    file = tmp_path / "r.json"
    (tmp_path / "breaks.py").write_text(
        f"def codes(X):\n    open({str(file)!r}, 'w').write('{{')\n    return X[:, :4]\n"
    )
    result = program(
        *("evaluate", "breaks:codes", "--data", Path("X.npy").resolve(), "--metrics", "stress", "--limit", "stress:9"),
        *("--results", file),
        cwd=tmp_path,
        capture_output=True,
    )
    assert result.returncode == 2
    assert "stress at most 9.0000: met" in result.stdout
    assert "r.json" in result.stderr


def test_no_color_turns_colors_off(monkeypatch):
    arguments = ("evaluate", "own_encoders:four", *STRESS, "--limit", "stress:0.03")
    assert "\x1b[31m" in CliRunner().invoke(main, arguments, color=True).output
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b[" not in CliRunner().invoke(main, arguments, color=True).output


def test_a_sample_can_be_drawn_again_from_the_document():
    arguments = ("own_encoders:four", *STRESS, "--queries", 30, "--seed", 7, "--limit", "stress:9", "--json")
    document = json.loads(run(*arguments).stdout)
    assert (document["queries"], document["seed"], document["scores"][0]["passes"]) == (30, 7, True)


def test_a_file_is_named_as_it_was_typed(tmp_path):
    (tmp_path / "bad.npy").write_text("no array")
    result = run("own_encoders:four", "--data", tmp_path / "bad.npy")
    assert result.stderr.startswith(f"Error: --data: {tmp_path}/bad.npy: cannot be read")
