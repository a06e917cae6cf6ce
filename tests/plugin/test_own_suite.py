"""A user's repository: a suite file with the user's data, and the user's recipe on shipped suites."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap

import numpy as np
import pytest

from distbench.datasets._dataset import digest
from distbench.inference.groups import Groups

RECIPES = """
from sklearn.decomposition import PCA

class Mine:
    def fit(self, X, code_size, seed):
        return PCA(code_size, random_state=seed).fit(X)
"""
DATA = """
import numpy as np

def load():
    with np.load("points.npz") as archive:
        return dict(archive)

def broken():
    raise OSError("no disk")
"""
SUITE = """
distbench = 1
question = "Do our points stay close?"
code_sizes = [2, 3]
seeds = [0, 1]

[dataset]
name = "ours"
{data}

[[encoder]]
name = "pca"
limits = {{ continuity = 0.5 }}

[[claim]]
id = "keeps"
statement = "Three components keep neighbors."
source = "measured here"
code_size = 3
encoder = "pca"
metric = "continuity"
at_least = 0.5
"""
FILE = 'file = "points.npz"'
RNG = np.random.default_rng(0)
POINTS = {"train": RNG.normal(size=(80, 5)), "test": RNG.normal(size=(30, 5))}
LABELS = {name: np.arange(len(array)) % 2 for name, array in POINTS.items()}


@pytest.fixture
def repository(pytester, monkeypatch):
    """Make a repository with data and recipes, and run pytest in a subprocess on its suite."""
    monkeypatch.setenv("COLUMNS", "80")
    folder = pytester.path
    np.savez(folder / "points.npz", **POINTS, **{f"labels_{name}": labels for name, labels in LABELS.items()})
    pytester.makepyfile(my_recipes=RECIPES, my_data=DATA)
    pytester.makefile(".toml", pyproject='[tool.pytest.ini_options]\npythonpath = ["."]\n')

    def repository(about, *options, flag="--distbench", name="ours.toml"):
        text = about if "distbench" in about else SUITE.format(data=about)
        (folder / name).write_text(textwrap.dedent(text), encoding="utf-8")
        return pytester.runpytest_subprocess(*([flag] if flag else []), "-p", "no:cacheprovider", *options)

    return repository


def stored(pytester, name="ours"):
    return json.loads((pytester.path / "baselines" / f"{name}.json").read_text())


@pytest.mark.parametrize("way", [FILE, 'load = "my_data:load"'])
def test_data_of_the_user_from_a_file_or_a_function(repository, pytester, way):
    result = repository(way, "-W", "error", "--distbench-update")
    result.assert_outcomes(passed=3)
    lines = ["ours, code size 2 (k = 10, m = 30 test points, M = 109 candidates)", "ours, code size 3 *"]
    result.stdout.fnmatch_lines(lines)
    rows = stored(pytester)["rows"]
    assert {row["dataset"] for row in rows} == {"ours"}
    (sha,) = {row["data_sha256"] for row in rows}
    assert sha == digest([*POINTS.values(), *LABELS.values()])


def test_groups_of_the_test_points(repository, pytester):
    np.savez(pytester.path / "grouped.npz", **POINTS, groups_test=np.arange(30) // 3)
    repository('file = "grouped.npz"', "--distbench-update").assert_outcomes(passed=3)
    (groups,) = {row["groups"] for row in stored(pytester)["rows"]}
    assert groups == Groups.of(np.arange(30) // 3, 30).fingerprint()


def test_data_that_cannot_be_loaded_fail_each_test_in_one_line(repository):
    result = repository('load = "my_data:broken"')
    result.assert_outcomes(failed=3)
    result.stdout.fnmatch_lines(["data set 'ours': my_data:broken: raised OSError: no disk (at my_data.py:8)"])
    result.stdout.no_fnmatch_line("*Traceback*")


def test_suites_with_other_data_of_one_name_are_an_error_at_collection(repository, pytester):
    (pytester.path / "a.toml").write_text(SUITE.format(data='load = "my_data:load"'))
    result = repository(FILE, "--collect-only")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["ours.toml:8: dataset.name: 'ours' names different data in a.toml; give one of*"])


@pytest.mark.nightly
def test_workers_load_the_same_data(repository):
    result = repository(FILE, "-n", "2")
    result.assert_outcomes(passed=3)
    result.stdout.fnmatch_lines(["ours, code size 3 *"])


class TestAddedEncoders:
    MINE = "--distbench-encoder=mine=my_recipes:Mine"

    def test_a_recipe_of_the_user_joins_every_leaderboard(self, repository):
        options = FILE, self.MINE, "--distbench-encoder=other=identity"
        result = repository(*options, flag="")
        result.assert_outcomes(passed=7)
        out = result.stdout.str()
        assert out.count("  mine ") == out.count("  pca ") == out.count("  other ") == 2
        names = ["pca[2]", "mine[2]", "other[2]", "pca[3]", "mine[3]", "other[3]", "keeps"]
        lines = [f"ours.toml::{name}".replace("[", "[[]") for name in names]
        repository(*options, "--collect-only", "-q").stdout.fnmatch_lines(lines, consecutive=True)

    def test_their_module_is_found_in_the_folder_where_pytest_is_called(self, repository, pytester):
        repository(FILE, "--collect-only").assert_outcomes()
        (pytester.path / "pytest.ini").write_text("[pytest]\n")  # no pythonpath
        command = [sys.executable, "-P", "-m", "pytest", "-k", "mine", self.MINE, "ours.toml"]
        environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
        done = subprocess.run(command, cwd=pytester.path, env=environment, capture_output=True, text=True, check=False)
        assert "2 passed" in done.stdout, done.stdout

    def test_nothing_is_stored_of_them_and_nothing_stored_is_used(self, repository, pytester):
        repository(FILE, self.MINE, "--distbench-update").assert_outcomes(passed=5)
        assert {row["encoder"] for row in stored(pytester)["rows"]} == {"pca"}
        renamed = (
            SUITE.format(data=FILE)
            .replace('"pca"', '"mine"\nrecipe = "pca"', 1)
            .replace('"pca"\nmetric', '"mine"\nmetric')
        )
        repository(renamed, "--distbench-update").assert_outcomes(passed=3)
        result = repository(FILE, self.MINE, "-k", "mine", "-v")
        result.assert_outcomes(passed=2, deselected=3)
        result.stdout.no_fnmatch_line("*used as stored*")

    @pytest.mark.parametrize(
        ("option", "message"),
        [
            ("pca=my_recipes:Mine", "ours.toml has an encoder of that name;*"),
            ("mine=pcaa", "no encoder is called 'pcaa'; did you mean 'pca'?*"),
        ],
    )
    def test_invalid_names_are_errors_at_collection(self, repository, option, message):
        result = repository(FILE, f"--distbench-encoder={option}")
        result.assert_outcomes(errors=1)
        result.stdout.fnmatch_lines([f"*--distbench-encoder {option}: {message}"])

    def test_shipped_suites_take_them_where_encoders_of_theirs_run(self, repository):
        result = repository(FILE, self.MINE, "--pyargs", "distbench_suites", "--collect-only", "-q", "-k", "mine")
        names = {line.rpartition("/")[2] for line in result.outlines if "::mine" in line}
        assert {"swiss_roll.toml::mine[2]", "digits.toml::mine[16]", "tokens.toml::mine[32]"} <= names
        assert not any(name.startswith("claims.toml") for name in names)


@pytest.mark.parametrize("text", ["distbench = 1\nname = 3\n", "distbench = '1'\n", "distbench = 1\nx = ["])
def test_a_mistake_in_a_suite_stops_no_other_tests(repository, pytester, text):
    pytester.makepyfile(test_other="def test_other():\n    pass\n")
    quiet = repository(text, "-rs", flag="")
    quiet.assert_outcomes(passed=1, skipped=1)
    quiet.stdout.fnmatch_lines(["SKIPPED * needs --distbench; the file has a mistake: ours.toml:?: *"])
    repository(text).assert_outcomes(errors=1)
