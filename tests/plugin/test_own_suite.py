"""A user's own repository: a suite file of theirs, with data of theirs, and a recipe of theirs on shipped suites."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import textwrap

import numpy as np
import pytest
from frameworks import pd

from distbench.datasets._dataset import digest

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
statement = "Three components keep neighbours."
source = "measured here"
code_size = 3
encoder = "pca"
metric = "continuity"
at_least = 0.5
"""
WAYS = {
    "npy": 'train = "train.npy"\ntest = "test.npy"\nlabels_train = "y_train.npy"\nlabels_test = "y_test.npy"',
    "npz": 'file = "points.npz"',
    "parquet": 'train = "train.parquet"\ntest = "test.parquet"\nlabel = "kind"',
    "function": 'load = "my_data:load"',
}
WORD = {0: "ant", 1: "bee"}
RNG = np.random.default_rng(0)
POINTS = {"train": RNG.normal(size=(80, 5)), "test": RNG.normal(size=(30, 5))}
LABELS = {name: np.arange(len(array)) % 2 for name, array in POINTS.items()}


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """Save the points in every format, once: before pytester takes stock of the modules that pandas loads for it."""
    folder = tmp_path_factory.mktemp("data")
    for name, array in POINTS.items():
        np.save(folder / f"{name}.npy", array)
        np.save(folder / f"y_{name}.npy", LABELS[name])
        frame = pd.DataFrame(array, columns=list("abcde"))
        frame.assign(kind=[WORD[one] for one in LABELS[name]]).to_parquet(folder / f"{name}.parquet")
    np.savez(folder / "points.npz", **POINTS, **{f"labels_{name}": one for name, one in LABELS.items()})
    return folder


@pytest.fixture
def repository(data, pytester, monkeypatch):
    """Make a repository with data and recipes, and run pytest in a subprocess on its suite."""
    monkeypatch.setenv("COLUMNS", "80")
    folder = pytester.path
    shutil.copytree(data, folder, dirs_exist_ok=True)
    pytester.makepyfile(my_recipes=RECIPES, my_data=DATA)
    pytester.makefile(".toml", pyproject='[tool.pytest.ini_options]\npythonpath = ["."]\n')

    def repository(about, *options, flag="--distbench", name="ours.toml"):
        text = about if "distbench" in about else SUITE.format(data=about)
        (folder / name).write_text(textwrap.dedent(text), encoding="utf-8")
        return pytester.runpytest_subprocess(*([flag] if flag else []), "-p", "no:cacheprovider", *options)

    return repository


def stored(pytester, name="ours"):
    return json.loads((pytester.path / "baselines" / f"{name}.json").read_text())


@pytest.mark.parametrize("way", WAYS)
def test_data_of_ones_own_are_judged_as_shipped_ones_are(repository, pytester, way):
    result = repository(WAYS[way], "-W", "error", "--distbench-update")
    result.assert_outcomes(passed=3)
    lines = ["ours, code size 2 (k = 10, m = 30 test points, M = 109 candidates)", "ours, code size 3 *"]
    result.stdout.fnmatch_lines(lines)
    rows = stored(pytester)["rows"]
    assert {row["dataset"] for row in rows} == {"ours"}
    # However they are kept, they are the same points.
    (sha,) = {row["data_sha256"] for row in rows}
    assert sha == digest([*POINTS.values(), *LABELS.values()])


def test_stored_rows_are_stale_once_the_data_change(repository, pytester):
    repository(WAYS["npy"], "--distbench-update").assert_outcomes(passed=3)
    np.save(pytester.path / "test.npy", np.load(pytester.path / "test.npy") * 1.5)
    stale = repository(WAYS["npy"])
    stale.assert_outcomes(failed=3)
    stale.stdout.fnmatch_lines(["pca[[]2]: what was stored on * is stale: data changed"])


def test_data_that_cannot_be_loaded_fail_each_test_in_one_line(repository):
    result = repository('load = "my_data:broken"')
    result.assert_outcomes(failed=3)
    result.stdout.fnmatch_lines(["data set 'ours': my_data:broken: raised OSError: no disk (at my_data.py:8)"])
    result.stdout.no_fnmatch_line("*Traceback*")


@pytest.mark.parametrize(
    ("way", "message"),
    [
        ('file = "away.npz"', "ours.toml:9: dataset.file: no such file: *away.npz"),
        (WAYS["npy"], "ours.toml:8: dataset.name: 'ours' stands for other data in a.toml; give one of*"),
    ],
)
def test_mistakes_about_data_are_errors_at_collection(repository, pytester, way, message):
    (pytester.path / "a.toml").write_text(SUITE.format(data=WAYS["npz"]))
    result = repository(way, "--collect-only")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines([message])


@pytest.mark.nightly
def test_workers_load_the_same_data(repository):
    result = repository(WAYS["npz"], "-n", "2")
    result.assert_outcomes(passed=3)
    result.stdout.fnmatch_lines(["ours, code size 3 *"])


class TestAddedEncoders:
    MINE = "--distbench-encoder=mine=my_recipes:Mine"

    def test_a_recipe_of_ones_own_joins_every_leaderboard(self, repository):
        options = WAYS["npz"], self.MINE, "--distbench-encoder=other=identity"
        result = repository(*options, flag="")
        result.assert_outcomes(passed=7)
        out = result.stdout.str()
        assert out.count("  mine ") == out.count("  pca ") == out.count("  other ") == 2
        names = ["pca[2]", "mine[2]", "other[2]", "pca[3]", "mine[3]", "other[3]", "keeps"]
        lines = [f"ours.toml::{name}".replace("[", "[[]") for name in names]
        repository(*options, "--collect-only", "-q").stdout.fnmatch_lines(lines, consecutive=True)

    def test_their_module_is_found_in_the_folder_where_pytest_is_called(self, repository, pytester):
        repository(WAYS["npz"], "--collect-only").assert_outcomes()
        (pytester.path / "pytest.ini").write_text("[pytest]\n")  # no pythonpath
        command = [sys.executable, "-P", "-m", "pytest", "-k", "mine", self.MINE, "ours.toml"]
        environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
        done = subprocess.run(command, cwd=pytester.path, env=environment, capture_output=True, text=True, check=False)
        assert "2 passed" in done.stdout, done.stdout

    def test_nothing_is_stored_of_them_and_nothing_stored_is_used(self, repository, pytester):
        repository(WAYS["npz"], self.MINE, "--distbench-update").assert_outcomes(passed=5)
        assert {row["encoder"] for row in stored(pytester)["rows"]} == {"pca"}
        renamed = (
            SUITE.format(data=WAYS["npz"])
            .replace('"pca"', '"mine"\nrecipe = "pca"', 1)
            .replace('"pca"\nmetric', '"mine"\nmetric')
        )
        repository(renamed, "--distbench-update").assert_outcomes(passed=3)
        result = repository(WAYS["npz"], self.MINE, "-k", "mine", "-v")
        result.assert_outcomes(passed=2, deselected=3)
        result.stdout.no_fnmatch_line("*used as stored*")

    @pytest.mark.parametrize(
        ("option", "message"),
        [
            ("pca=my_recipes:Mine", "ours.toml has an encoder of that name;*"),
            ("mine=pcaa", "no encoder is called 'pcaa'; did you mean 'pca'?*"),
        ],
    )
    def test_wrong_names_are_errors_at_collection(self, repository, option, message):
        result = repository(WAYS["npz"], f"--distbench-encoder={option}")
        result.assert_outcomes(errors=1)
        result.stdout.fnmatch_lines([f"*--distbench-encoder {option}: {message}"])

    def test_a_recipe_that_cannot_be_imported_fails_with_its_name(self, repository):
        result = repository(WAYS["npz"], "--distbench-encoder=mine=my_recipes:Mnie", "-k", "mine")
        result.assert_outcomes(failed=2, deselected=3)
        result.stdout.fnmatch_lines(["recipe 'my_recipes:Mnie': my_recipes has no 'Mnie'; did you mean 'Mine'?"])

    def test_shipped_suites_take_them_where_encoders_of_theirs_run(self, repository):
        result = repository(
            WAYS["npz"], self.MINE, "--pyargs", "distbench_suites", "--collect-only", "-q", "-k", "mine"
        )
        found = {line.rpartition("/")[2] for line in result.outlines if "::mine" in line}
        assert {"swiss_roll.toml::mine[2]", "digits.toml::mine[16]", "tokens.toml::mine[32]"} <= found
        assert not any(name.startswith("claims.toml") for name in found)


@pytest.mark.parametrize("text", ["distbench = 1\nname = 3\n", "distbench = '1'\n", "distbench = 1\nx = ["])
def test_a_mistake_in_a_suite_stops_no_other_tests(repository, pytester, text):
    pytester.makepyfile(test_other="def test_other():\n    pass\n")
    quiet = repository(text, "-rs", flag="")
    quiet.assert_outcomes(passed=1, skipped=1)
    quiet.stdout.fnmatch_lines(["SKIPPED * needs --distbench; the file has a mistake: ours.toml:?: *"])
    repository(text).assert_outcomes(errors=1)
