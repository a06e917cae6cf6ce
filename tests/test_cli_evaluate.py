"""``distbench evaluate`` and ``distbench hunt``."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from cli_points import POINTS, X_REF, X, in_folder, run, write_points
from click.testing import CliRunner

import distbench
from distbench.cli import main
from distbench.errors import PreservationError
from distbench.results.file import read_results

ENCODERS = """
import sys

class Columns:
    name = "columns"

    def __init__(self, many):
        self.many = many

    def transform(self, X):
        print("printed by the encoder")
        return X[:, : self.many]

    class Recipe:
        deterministic = True

        def fit(self, X, code_size, seed):
            return Columns(code_size)

    class Failing(Recipe):
        def fit(self, X, code_size, seed):
            raise RuntimeError("no fit")

two, four = Columns(2), Columns(4)

def leaves(X):
    sys.exit(0)

def stops(X):
    raise KeyboardInterrupt

def noisy(X):
    import numpy as np
    return X[:, :4] + noise.normal(scale=0.05, size=(len(X), 4))

import numpy
noise = numpy.random.default_rng(0)
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = write_points(tmp_path_factory.mktemp("evaluate"), ENCODERS)
    (folder / "broken_module.py").write_text("1 / 0\n")
    return folder


@pytest.fixture(autouse=True)
def here(folder, monkeypatch):
    yield from in_folder(folder, monkeypatch)


def report_of(columns=4, **options):
    return distbench.evaluate(lambda P: P[:, :columns], X, reference=X_REF, k=7, name="columns", **options)


class TestEvaluate:
    def test_it_prints_the_report_and_the_verdicts(self):
        found = run("own_encoders:four", *POINTS, "--limit", "continuity:0.6", "--limit", "stress:0.9")
        report = f"{report_of()}\n\ncontinuity at least 0.6000: met\nstress at most 0.9000: met\n"
        assert (found.exit_code, found.stdout) == (0, report)
        assert "printed by the encoder" in found.stderr, "what an encoder prints is no part of the output"

    def test_without_limits_it_is_met(self):
        found = run("own_encoders:four", *POINTS)
        assert (found.exit_code, found.stdout) == (0, f"{report_of()}\n")

    def test_a_broken_limit_is_told_as_its_error_is_and_ends_with_1(self):
        with pytest.raises(PreservationError) as broken:
            report_of(2).check(continuity=0.95)
        found = run("own_encoders:two", *POINTS, "--limit", "continuity:0.95")
        assert found.exit_code == 1
        assert found.stdout == f"{report_of(2)}\n\ncontinuity at least 0.9500: broken\n\n{broken.value}\n"

    @pytest.mark.parametrize(
        ("undecided", "code", "told"),
        [
            ("value", 0, "undecided, passes by the value alone"),
            ("fail", 1, "undecided, fails as --undecided=fail says"),
            ("pass", 0, "undecided, passes as --undecided=pass says"),
        ],
    )
    def test_undecided_limits_do_as_they_are_told(self, undecided, code, told):
        limit = report_of()["continuity"].value - 1e-6
        found = run("own_encoders:four", *POINTS, "--limit", f"continuity:{limit}", "--undecided", undecided)
        assert found.exit_code == code
        assert f": {told}\n" in found.stdout

    def test_ready_codes(self):
        found = run("--codes", "Z.npy", "--reference-codes", "Z_ref.npy", *POINTS, "--json")
        document = json.loads(found.stdout)
        assert {score["metric"]: score["value"] for score in document["scores"]} == report_of().as_dict()
        assert document["encoder"] == "Z"

    def test_the_document(self):
        options = ("--metrics", "stress,label_agreement", "--labels", "labels.npy", "--distance-x", "cosine")
        found = run("own_encoders:four", "--data", "X.npy", *options, "--limit", "distortion:1e9", "--json")
        document = json.loads(found.stdout)
        assert found.exit_code == 0
        assert [score["metric"] for score in document["scores"]] == ["stress", "distortion", "label_agreement"]
        told = {key: document[key] for key in ("schema", "encoder", "dataset", "m", "M", "k", "met", "distance_x")}
        expected = {"schema": 1, "encoder": "columns", "dataset": "X.npy", "m": 60, "M": 59, "k": 10}
        assert told == {**expected, "met": True, "distance_x": "cosine"}
        assert document["scores"][1]["verdict"] == "met"
        assert document["scores"][0]["limit"] is None
        assert set(document["torn"][0]["labels"]) <= {"0", "1", "2"}
        assert document["failure"] is None

    def test_the_document_of_a_broken_limit(self):
        found = run("own_encoders:two", *POINTS, "--limit", "continuity:0.99", "--json")
        document = json.loads(found.stdout)
        assert (found.exit_code, document["met"]) == (1, False)
        assert document["failure"].startswith("columns (codes of 2) does not meet 1 limit")
        assert json.loads(run("own_encoders:two", *POINTS, "--json").stdout)["met"] is None

    def test_rows_are_added_to_results_that_other_commands_read(self, tmp_path):
        path = tmp_path / "r.json"
        for name in ("two", "four"):
            limit = ("--limit", "continuity:0.5", "--name", name)
            found = run(f"own_encoders:{name}", "--data", "X.npy", *limit, "--results", path)
            assert found.stdout.endswith(f"continuity at least 0.5000: met\nwritten: {path}\n")
        rows = read_results(path).rows
        assert {row.encoder for row in rows} == {"two", "four"}
        assert all(row.leave_one_out is not None for row in rows if row.metric == "continuity")
        board = CliRunner().invoke(main, ["leaderboard", str(path), "--width", "100"]).stdout
        assert [line for line in board.splitlines() if line.startswith("X.npy, code size")] != []
        compared = CliRunner().invoke(main, ["compare", str(path), str(path), "--fail", "all:0", "--json"])
        document = json.loads(compared.stdout)
        assert (compared.exit_code, document["met"], document["broken"]) == (0, True, [])
        assert {change["difference"] for change in document["changes"]} == {0.0}

    def test_other_points_under_the_same_name_make_another_table(self, tmp_path, monkeypatch):
        path = tmp_path / "r.json"
        run("own_encoders:four", "--data", "X.npy", "--name", "a", "--results", path)
        monkeypatch.chdir(tmp_path)
        np.save("X.npy", X_REF[:60])
        np.save("Z.npy", X_REF[:60, :4])
        run("--codes", "Z.npy", "--data", "X.npy", "--name", "b", "--results", path)
        tables = CliRunner().invoke(main, ["leaderboard", str(path), "--json"]).stdout
        assert [len(table["entries"]) for table in json.loads(tables)["tables"]] == [1, 1]

    def test_a_page(self, tmp_path):
        pytest.importorskip("jinja2")
        pytest.importorskip("matplotlib")
        found = run("own_encoders:four", "--data", "X.npy", "--metrics", "stress", "--html", tmp_path / "page.html")
        assert found.exit_code == 0
        page = (tmp_path / "page.html").read_text()
        assert "<svg" in page
        assert "columns" in page

    def test_a_recipe_is_fitted_and_judged_on_a_data_set(self, tmp_path):
        data = distbench.load_dataset("s_curve")
        encoder = distbench.fit_baseline("pca", data.train, code_size=2)
        expected = distbench.evaluate(encoder, data.test, reference=data.train, metrics=["continuity"])
        asked = ("--dataset", "s_curve", "--code-size", 2, "--metrics", "continuity")
        found = run("pca", *asked, "--results", tmp_path / "r.json", "--json")
        document = json.loads(found.stdout)
        assert document["scores"][0]["value"] == expected["continuity"].value
        assert (document["dataset"], document["seed"]) == ("s_curve", 0)
        (row,) = read_results(tmp_path / "r.json").rows
        assert (row.dataset, row.data_sha256) == ("s_curve", data.sha256)
        own = json.loads(run("own_encoders:Columns.Recipe", *asked, "--json").stdout)
        assert (own["encoder"], own["code_size"]) == ("Recipe", 2)

    def test_a_stochastic_encoder_is_judged_over_draws(self):
        found = json.loads(run("own_encoders:noisy", *POINTS, "--stochastic", "--json").stdout)
        assert found["scores"][0]["draws"] == 5
        refused = run("own_encoders:noisy", *POINTS)
        assert refused.exit_code == 2
        assert "pass --stochastic to judge it over draws" in refused.stderr

    def test_a_saved_model(self, tmp_path):
        keras = pytest.importorskip("keras")
        pytest.importorskip("tensorflow")
        model = keras.Sequential([keras.Input((6,)), keras.layers.Dense(3)])
        model.save(tmp_path / "m.keras")
        found = run(tmp_path / "m.keras", *POINTS, "--json")
        assert json.loads(found.stdout)["encoder"] == "m.keras"


MISTAKES = [
    ((), "found neither ENCODER nor --codes; give an encoder to judge"),
    (("own_encoders:two",), "found no points; give --data FILE for an encoder, or --dataset NAME"),
    (("own_encoders:two", "--codes", "Z.npy", "--data", "X.npy"), "found both ENCODER and --codes"),
    (("pca", "--data", "X.npy", "--dataset", "digits", "--code-size", 2), "found both --data and --dataset"),
    (("pca", "--dataset", "digits"), "--dataset and --code-size go together"),
    (("pca", "--dataset", "digits", "--code-size", 2, "--reference", "X.npy"), "--reference: given with --dataset"),
    (("pca", "--dataset", "digits", "--code-size", 2, "--queries", 9), "--queries: given for what it does not go"),
    (("pca", "--dataset", "digts", "--code-size", 2), "no data set is called 'digts'; did you mean 'digits'?"),
    (("pac", "--dataset", "s_curve", "--code-size", 2), "no baseline is called 'pac'; did you mean 'pca'?"),
    (
        ("own_encoders:Columns.Failing", "--dataset", "s_curve", "--code-size", 2),
        "raised RuntimeError: no fit (at own_",
    ),
    (("--codes", "Z.npy", "--data", "X.npy", "--reference-codes", "Z.npy"), "--reference-codes: give them where"),
    (("--codes", "Z.npy", "--data", "X.npy", "--stochastic"), "--stochastic: given for what it does not go with"),
    (("pca", "--data", "X.npy"), "ENCODER: pca is a recipe, to be fitted; give --dataset and --code-size too"),
    (("nothing", "--data", "X.npy"), "ENCODER: found 'nothing', which is no file; give that of a model, or module:n"),
    (("away.keras", "--data", "X.npy"), "away.keras: no such file"),
    (("own_encoders:tow", "--data", "X.npy"), "own_encoders has no 'tow'; did you mean 'two'?"),
    (("no_such_module:x", "--data", "X.npy"), "no_such_module cannot be imported"),
    (("broken_module:x", "--data", "X.npy"), "raised ZeroDivisionError: division by zero (at broken_module.py:1)"),
    (("own_encoders:leaves", "--data", "X.npy"), "SystemExit"),
    (("own_encoders:two", "--data", "away.npy"), "--data: no such file: away.npy"),
    (("own_encoders:two", "--data", "points.npz"), "points.npz: holds 2 arrays: train, test; name one: points.npz:tr"),
    (("own_encoders:two", "--data", "X.npy", "--k", 50), "k: found 50 with M = 59 candidates"),
    (("own_encoders:two", "--data", "X.npy", "--limit", "contiuity:1"), "did you mean 'continuity'?"),
    (("own_encoders:two", "--data", "X.npy", "--limit", "continuity"), "give METRIC:VALUE, such as continuity:0.95"),
    (("own_encoders:two", "--data", "X.npy", "--limit", "continuity:2"), "pass one between 0 and 1"),
    (("own_encoders:two", "--data", "X.npy", "--metrics", "stres"), "did you mean 'stress'?"),
    (("own_encoders:two", "--data", "X.npy", "--undecided", "perhaps"), "perhaps"),
    (("own_encoders:two", "--data", "X.npy", "--html", "."), "--html: . is a folder; name a file"),
    (("own_encoders:two", "--data", "X.npy", "--results", "X.npy/r.json"), "--results: "),
    (("own_encoders:two", "--data", "X.npy", "--results", "X.npy"), "X.npy: "),
]


@pytest.mark.parametrize(("arguments", "message"), MISTAKES, ids=lambda one: " ".join(map(str, one))[:60])
def test_mistakes_are_one_line_and_exit_code_2(arguments, message):
    found = run(*arguments)
    assert (found.exit_code, found.stdout) == (2, "")
    (line,) = [line for line in found.stderr.splitlines() if line.startswith("Error")]
    assert message in line
    assert "Traceback" not in found.stderr
    assert np.array_equal(np.load("X.npy"), X), "an input was written over"


def test_the_page_names_every_key_of_the_documents():
    page = (Path(distbench.__file__).parents[1] / "docs" / "cli.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (.*?) \| (.*) \|$", page.partition("## JSON documents")[2], re.MULTILINE)
    named = {what: set(re.findall(r"`(\w+)`", keys)) for what, keys in rows}
    report = json.loads(run("own_encoders:four", "--data", "X.npy", "--json").stdout)
    hunt = CliRunner().invoke(main, ["hunt", "own_encoders:four", "--data", "X.npy", "--budget", "200", "--json"])
    hunt = json.loads(hunt.stdout)
    found = {"`evaluate`": report, "an entry of `scores`": report["scores"][0], "`hunt`": hunt}
    found |= {"an entry of `torn` and `merged`": report["torn"][0], "`merged` and `torn` of `hunt`": hunt["torn"]}
    for what, document in found.items():
        assert set(document) - {"schema"} == named[what], what


def test_an_interrupted_encoder_is_no_broken_limit():
    assert run("own_encoders:stops", "--data", "X.npy").exit_code == 130


class TestHunt:
    def hunt(self, *arguments):
        return CliRunner().invoke(main, ["hunt", *map(str, arguments)], catch_exceptions=False)

    def test_it_tells_what_the_library_tells(self):
        asked = ("own_encoders:four", "--data", "X.npy", "--budget", 300, "--seed", 3)
        expected = distbench.hunt(lambda P: P[:, :4], X, budget=300, seed=3, name="columns")
        found = self.hunt(*asked)
        told = str(expected).replace("directions='data'", "--directions data").replace("budget=", "--budget")
        assert (found.exit_code, found.stdout) == (0, f"{told}\n")
        document = json.loads(self.hunt(*asked, "--contraction", 2, "--json").stdout)
        assert (document["met"], document["limits"]) == (False, {"contraction": 2.0})
        assert document["contraction"] == str(expected.contraction) == "inf"
        assert np.array_equal(document["merged"]["shrunk"], expected.merged.shrunk)
        assert document["failure"].startswith("columns (codes of 4) does not meet 1 limit")

    def test_limits_and_exit_codes(self):
        asked = ("own_encoders:four", "--data", "X.npy", "--budget", 300)
        assert self.hunt(*asked, "--expansion", 1.001).exit_code == 0
        broken = self.hunt(*asked, "--contraction", 2)
        assert broken.exit_code == 1
        assert "contraction = " in broken.stdout
        for arguments, message in (
            ((*asked, "--contraction", -1), "contraction: found the limit -1"),
            (
                ("own_encoders:four", "--data", "X.npy", "--budget", 3),
                "budget: found 3; pass a whole number of at least",
            ),
            (("own_encoders:four",), "Missing option '--data'"),
        ):
            found = self.hunt(*arguments)
            assert (found.exit_code, found.stdout) == (2, "")
            assert message in found.stderr


def test_as_a_program_it_ends_with_1_and_without_colour(folder):
    program = str(Path(sys.executable).parent / "distbench")
    command = [program, "evaluate", "own_encoders:two", "--data", "X.npy", "--limit", "continuity:0.99"]
    found = subprocess.run(command, capture_output=True, text=True, cwd=folder, check=False)
    assert found.returncode == 1, found.stderr
    assert "does not meet 1 limit" in found.stdout
    assert "\x1b" not in found.stdout
    assert "Traceback" not in found.stderr
