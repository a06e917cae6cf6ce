"""``distbench evaluate``: rows of several commands, input spaces, and exit codes that say no more than they may."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from distbench.cli import main
from distbench.results_file import read_results

RNG = np.random.default_rng(0)
X, X_REF = RNG.normal(size=(60, 6)), RNG.normal(size=(90, 6))
ENCODERS = """
class Columns:
    name = "columns"

    def transform(self, X):
        return X[:, :4]

four = Columns()
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("evaluate")
    np.savez(folder / "points.npz", train=X_REF, test=X)
    np.save(folder / "X.npy", X)
    np.save(folder / "Z.npy", X[:, :4])
    np.save(folder / "Z_ref.npy", X_REF[:, :4])
    (folder / "own_encoders.py").write_text(ENCODERS)
    return folder


@pytest.fixture(autouse=True)
def here(folder, monkeypatch):
    monkeypatch.chdir(folder)
    monkeypatch.setattr(sys, "path", list(sys.path))
    yield
    sys.modules.pop("own_encoders", None)


def run(*arguments):
    return CliRunner().invoke(main, ["evaluate", *map(str, arguments)], catch_exceptions=False)


POINTS = ("--data", "points.npz:test", "--reference", "points.npz:train", "--k", 7)


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
        for seed in (0, 1):
            run(
                "pca",
                "--dataset",
                "digits",
                "--code-size",
                2,
                "--metrics",
                "stress",
                "--seed",
                seed,
                "--results",
                tmp_path / "r.json",
            )
        assert [row["seed"] for row in read_results(tmp_path / "r.json").rows] == [0, 1]


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
    ],
)
def test_slips_are_told_with_options(arguments, message):
    found = run("own_encoders:four", "--data", "X.npy", *arguments)
    assert (found.exit_code, found.stdout) == (2, "")
    assert message in found.stderr


def test_codes_that_do_not_fit_are_told_with_options():
    found = run("--codes", "Z_ref.npy", "--data", "X.npy")
    assert "Error: --codes: found 90 rows, but --data has 60" in found.stderr


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
