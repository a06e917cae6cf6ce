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
from frameworks import pd

import distbench
from distbench.cli import main
from distbench.errors import PreservationError
from distbench.results.file import read_results


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return write_points(tmp_path_factory.mktemp("evaluate"))


@pytest.fixture(autouse=True)
def here(folder, monkeypatch):
    yield from in_folder(folder, monkeypatch)


def report_of(columns=4, **options):
    return distbench.evaluate(lambda P: P[:, :columns], X, reference=X_REF, k=7, name="columns", **options)


class TestEvaluate:
    def test_it_prints_the_report_and_the_verdicts(self):
        result = run("own_encoders:four", *POINTS, "--limit", "continuity:0.6", "--limit", "stress:0.9")
        report = f"{report_of()}\n\ncontinuity at least 0.6000: met\nstress at most 0.9000: met\n"
        assert (result.exit_code, result.stdout) == (0, report)
        assert "printed by the encoder" in result.stderr, "what an encoder prints is no part of the output"
        result = run("own_encoders:four", *POINTS)
        assert (result.exit_code, result.stdout) == (0, f"{report_of()}\n")

    def test_a_broken_limit_prints_its_error_and_exits_with_1(self):
        with pytest.raises(PreservationError) as broken:
            report_of(2).check(continuity=0.95)
        result = run("own_encoders:two", *POINTS, "--limit", "continuity:0.95")
        assert result.exit_code == 1
        message = f"{report_of(2)}\n\ncontinuity at least 0.9500: broken\n\n{broken.value}\n"
        assert result.stdout.startswith(message)
        more = result.stdout.removeprefix(message)
        assert re.fullmatch(r"  best baseline at code size 2: pca \(.*\), continuity = 0.*\nnext: .*\n", more)
        result = run("own_encoders:two", *POINTS, "--limit", "continuity:0.99", "--json")
        document = json.loads(result.stdout)
        assert (result.exit_code, document["met"]) == (1, False)
        assert document["failure"].startswith("columns (codes of 2) does not meet 1 limit")
        assert json.loads(run("own_encoders:two", *POINTS, "--json").stdout)["met"] is None

    @pytest.mark.parametrize(
        ("undecided", "code", "shown"),
        [
            ("value", 0, "undecided, passes by the value alone"),
            ("fail", 1, "undecided, fails as --undecided=fail says"),
            ("pass", 0, "undecided, passes as --undecided=pass says"),
        ],
    )
    def test_an_option_decides_undecided_limits(self, undecided, code, shown):
        limit = report_of()["continuity"].value - 1e-6
        result = run("own_encoders:four", *POINTS, "--limit", f"continuity:{limit}", "--undecided", undecided)
        assert result.exit_code == code
        assert f": {shown}\n" in result.stdout

    def test_queries_and_documents_with_codes_of_their_own(self):
        options = {"k": 7, "metrics": "knn_recall", "distance_z": "inner_product"}
        wanted = distbench.evaluate_codes(
            X, X, reference=(X_REF, np.round(X_REF)), include_queries=False, **options
        ).as_dict()
        np.save("rounded.npy", np.round(X_REF))
        more = (
            "--reference",
            "points.npz:train",
            "--metric",
            "knn_recall",
            "--distance-z",
            "inner_product",
            "--json",
            "--k",
            "7",
        )
        ready = ("--codes", "X.npy", *X_DATA, "--reference-codes", "rounded.npy", "--reference-only")
        own = ("own_encoders:same", *X_DATA, "--reference-encoder", "own_encoders:rounded")
        for given in (ready, own):
            document = json.loads(run(*given, *more).stdout)
            assert {score["metric"]: score["value"] for score in document["scores"]} == wanted

    def test_given_distances(self):
        distances = np.linalg.norm(X[:, None] - X[None], axis=2)
        np.save("distances.npy", np.concatenate([distances, np.linalg.norm(X[:, None] - X_REF[None], axis=2)], axis=1))
        given = ("--codes", "Z.npy", "--metric", "knn_recall", "--k", "7", "--json")
        wanted = json.loads(run(*given, *POINTS, "--reference-codes", "Z_ref.npy").stdout)["scores"]
        result = run(*given, "--data", "distances.npy", "--distance-x", "precomputed", "--reference-codes", "Z_ref.npy")
        assert json.loads(result.stdout)["scores"][0]["value"] == wanted[0]["value"]

    def test_ready_codes(self):
        result = run("--codes", "Z.npy", "--reference-codes", "Z_ref.npy", *POINTS, "--json")
        document = json.loads(result.stdout)
        assert {score["metric"]: score["value"] for score in document["scores"]} == report_of().as_dict()
        assert document["encoder"] == "Z"

    def test_the_document(self):
        options = ("--metrics", "stress,label_agreement", "--labels", "labels.npy", "--distance-x", "cosine")
        result = run("own_encoders:four", "--data", "X.npy", *options, "--limit", "distortion:1e9", "--json")
        document = json.loads(result.stdout)
        assert result.exit_code == 0
        assert [score["metric"] for score in document["scores"]] == ["stress", "distortion", "label_agreement"]
        shown = {key: document[key] for key in ("schema", "encoder", "dataset", "m", "M", "k", "met", "distance_x")}
        expected = {"schema": 1, "encoder": "columns", "dataset": "X.npy", "m": 60, "M": 59, "k": 10}
        assert shown == {**expected, "met": True, "distance_x": "cosine"}
        assert document["scores"][1]["verdict"] == "met"
        assert document["scores"][0]["limit"] is None
        assert set(document["torn"][0]["labels"]) <= {"0", "1", "2"}
        assert document["failure"] is None

    def test_several_numbers_of_neighbors(self):
        options = ("--k", "5,2", "--metric", "knn_recall,lcmc@7", "--metrics", "stress", "--limit", "knn_recall@2:0.99")
        result = run("own_encoders:four", "--data", "X.npy", *options, "--json")
        document = json.loads(result.stdout)
        assert result.exit_code == 1
        verdicts = {score["metric"]: score["verdict"] for score in document["scores"]}
        assert verdicts == {"knn_recall@2": "broken", "knn_recall@5": None, "lcmc@7": None, "stress": None}
        assert document["k"] == 5
        result = run("own_encoders:four", "--data", "X.npy", "--limit", "knn_recall@10:0.01")
        assert "\nknn_recall at least 0.0100: met\n" in result.stdout
        for wrong, message in (
            (("--k", "5,x"), "'5,x' is not a number of neighbors"),
            (("--metric", "stress@3"), "stress has no number of neighbors; write stress"),
            (("--limit", "knn_recall@x:1"), "knn_recall@x: found no metric of that name; write a whole number"),
            (("--k", "1,50"), "trustworthiness@50: found 50 with M = 59 candidates"),
        ):
            result = run("own_encoders:four", "--data", "X.npy", *wrong)
            assert (result.exit_code, message in result.stderr) == (2, True), result.stderr

    def test_options_reach_evaluate_with_their_names(self):
        options = ("--confidence=0.5", "--batch-size=7", "--no-progress", "--json")
        document = json.loads(run("own_encoders:four", *POINTS, *options).stdout)
        expected = report_of(confidence=0.5)
        scores = {score["metric"]: (score["value"], score["low"]) for score in document["scores"]}
        assert scores == {name: (score.value, score.low) for name, score in expected.items()}
        assert document["confidence"] == 0.5
        result = run("own_encoders:four", "--data", "X.npy", "--precision", "continuity:0.5", "--queries=30", "--json")
        assert json.loads(result.stdout)["m"] == 30
        for wrong, message in (
            (("--precision", "continuity"), "give METRIC:VALUE"),
            (("--draws", "3"), "--draws: found 3"),
            (("--executor", "own_encoders:nobody"), "--executor: own_encoders:nobody: own_encoders has no 'nobody'"),
        ):
            result = run("own_encoders:four", "--data", "X.npy", *wrong)
            assert (result.exit_code, message in result.stderr) == (2, True), result.stderr

    def test_groups(self):
        np.save("writers.npy", np.array([f"writer {number // 6}" for number in range(60)]))
        result = run("own_encoders:four", *POINTS, "--groups", "writers.npy", "--json")
        (expected,) = [score for score in report_of(groups=np.arange(60) // 6).values() if score.metric == "stress"]
        ends = [(s["low"], s["high"]) for s in json.loads(result.stdout)["scores"] if s["metric"] == "stress"]
        assert ends == [(expected.low, expected.high)]
        assert "m = 60 test points in 10 groups" in run("own_encoders:four", *POINTS, "--groups", "writers.npy").stdout
        result = run("own_encoders:four", "--data", "Z_ref.npy", "--groups", "writers.npy")
        assert result.exit_code == 2
        assert "--groups: found 60 labels" in result.stderr

    def test_labels_in_the_one_column_of_a_file(self):
        pd.DataFrame({"class": np.load("labels.npy")}).to_parquet("labels.parquet")
        command = ("own_encoders:four", "--data", "X.npy", "--metrics", "label_agreement", "--labels")
        found = [run(*command, f"labels.{ending}", "--json").stdout for ending in ("npy", "parquet")]
        assert json.loads(found[0])["scores"] == json.loads(found[1])["scores"]

    def test_labels_of_texts_in_a_file_of_several_columns_are_named(self):
        texts = [f"class {number}" for number in np.load("labels.npy").tolist()]
        pd.DataFrame({"id": range(len(texts)), "class": texts}).to_parquet("labels.parquet")
        command = ("own_encoders:four", "--data", "X.npy", "--metrics", "label_agreement", "--json", "--labels")
        result = run(*command, "labels.parquet")
        assert (result.exit_code, "name one: labels.parquet:id" in result.stderr) == (2, True), result.stderr
        found = [run(*command, name).stdout for name in ("labels.npy", "labels.parquet:class")]
        assert json.loads(found[0])["scores"] == json.loads(found[1])["scores"]

    def test_rows_are_added_to_results_that_other_commands_read(self, tmp_path):
        path = tmp_path / "r.json"
        for name in ("two", "four"):
            limit = ("--limit", "continuity:0.5", "--name", name)
            result = run(f"own_encoders:{name}", "--data", "X.npy", *limit, "--results", path)
            assert result.stdout.endswith(f"continuity at least 0.5000: met\nwritten: {path}\n")
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
        result = run("own_encoders:four", "--data", "X.npy", "--metrics", "stress", "--html", tmp_path / "page.html")
        assert result.exit_code == 0
        page = (tmp_path / "page.html").read_text()
        assert "<svg" in page
        assert "columns" in page

    def test_a_recipe_is_fitted_and_evaluated_on_a_data_set(self, tmp_path):
        data = distbench.load_dataset("s_curve")
        encoder = distbench.fit_baseline("pca", data.train, code_size=2)
        expected = distbench.evaluate(encoder, data.test, reference=data.train, metrics=["continuity"])
        arguments = ("--dataset", "s_curve", "--code-size", 2, "--metrics", "continuity")
        result = run("pca", *arguments, "--results", tmp_path / "r.json", "--json")
        document = json.loads(result.stdout)
        assert document["scores"][0]["value"] == expected["continuity"].value
        assert (document["dataset"], document["seed"]) == ("s_curve", 0)
        (row,) = read_results(tmp_path / "r.json").rows
        assert (row.dataset, row.data_sha256) == ("s_curve", data.sha256)
        own = json.loads(run("own_encoders:Columns.Recipe", *arguments, "--json").stdout)
        assert (own["encoder"], own["code_size"]) == ("Recipe", 2)

    def test_a_stochastic_encoder_is_evaluated_over_draws(self):
        result = json.loads(run("own_encoders:noisy", *POINTS, "--stochastic", "--json").stdout)
        assert result["scores"][0]["draws"] == 5
        refused = run("own_encoders:noisy", *POINTS)
        assert refused.exit_code == 2
        assert "pass --stochastic to evaluate it over draws" in refused.stderr

    def test_a_saved_model(self, tmp_path):
        keras = pytest.importorskip("keras")
        pytest.importorskip("tensorflow")
        model = keras.Sequential([keras.Input((6,)), keras.layers.Dense(3)])
        model.save(tmp_path / "m.keras")
        result = run(tmp_path / "m.keras", *POINTS, "--json")
        assert json.loads(result.stdout)["encoder"] == "m.keras"


X_DATA = ("--data", "X.npy")
MISTAKES = [
    ((), "found neither ENCODER nor --codes; give an encoder, or"),
    (("own_encoders:two", *X_DATA, "--distance-z", "manhattan"), "found 'manhattan'; did you mean 'cityblock'? pass"),
    (("own_encoders:two",), "found no points; give --data FILE for an encoder, or --dataset NAME"),
    (("own_encoders:two", "--codes", "Z.npy", *X_DATA), "found both ENCODER and --codes"),
    (("pca", *X_DATA, "--dataset", "digits", "--code-size", 2), "found both --data and --dataset"),
    (("pca", "--dataset", "digits"), "--dataset and --code-size go together"),
    (("pca", "--dataset", "digits", "--code-size", 2, "--reference", "X.npy"), "--reference: given with --dataset"),
    (("pca", "--dataset", "digits", "--code-size", 2, "--queries", 9), "--queries: goes only with --data"),
    (("pca", "--dataset", "digts", "--code-size", 2), "no data set is called 'digts'; did you mean 'digits'?"),
    (("pac", "--dataset", "s_curve", "--code-size", 2), "no baseline is called 'pac'; did you mean 'pca'?"),
    (
        ("own_encoders:Columns.Failing", "--dataset", "s_curve", "--code-size", 2),
        "raised RuntimeError: no fit (at own_",
    ),
    (("--codes", "Z.npy", *X_DATA, "--reference-codes", "Z.npy"), "--reference-codes: needed with both"),
    (("--codes", "Z.npy", *X_DATA, "--reference-only"), "--reference-only: goes only with --reference; leave it out"),
    (("--codes", "Z.npy", *X_DATA, "--stochastic"), "--stochastic: goes only with ENCODER and --data"),
    (("pca", *X_DATA), "ENCODER: pca is a recipe, which must be fitted; give --dataset and --code-size too"),
    (("nothing", *X_DATA), "ENCODER: found 'nothing', which is no file; give the file of a model, or mod"),
    (("away.keras", *X_DATA), "away.keras: no such file"),
    (("own_encoders:tow", *X_DATA), "own_encoders has no 'tow'; did you mean 'two'?"),
    (("no_such_module:x", *X_DATA), "no_such_module cannot be imported"),
    (("broken_module:x", *X_DATA), "raised ZeroDivisionError: division by zero (at broken_module.py:1)"),
    (("own_encoders:leaves", *X_DATA), "SystemExit"),
    (("own_encoders:two", "--data", "away.npy"), "--data: no such file: away.npy"),
    (("own_encoders:two", "--data", "points.npz"), "points.npz: holds 2 arrays: train, test; name one: points.npz:tr"),
    (("own_encoders:two", *X_DATA, "--k", 50), "Error: --k: found 50 with M = 59 candidates"),
    (("own_encoders:two", *X_DATA, "--limit", "contiuity:1"), "did you mean 'continuity'?"),
    (("own_encoders:two", *X_DATA, "--limit", "continuity"), "give METRIC:VALUE, such as continuity:0.95"),
    (("own_encoders:two", *X_DATA, "--limit", "continuity:2"), "pass one between 0 and 1"),
    (("own_encoders:two", *X_DATA, "--metrics", "stres"), "did you mean 'stress'?"),
    (("own_encoders:two", *X_DATA, "--undecided", "perhaps"), "perhaps"),
    (
        ("own_encoders:two", *X_DATA, "--limit", "stress:0.3", "--limit", "stress:0.9"),
        "stress has two limits; give one",
    ),
    (
        ("own_encoders:two", *X_DATA, "--html", "one", "--results", "./one"),
        "--html and --results: both name one; give two different files",
    ),
    (("own_encoders:two", *X_DATA, "--input-space", "Z_ref.npy"), "--input-space: found 90 rows, but --data has 60"),
    (
        ("own_encoders:two", *X_DATA, "--input-space", "own_encoders:no"),
        "Error: --input-space: own_encoders:no: own_encoders has no 'no'",
    ),
    (
        ("own_encoders:two", *X_DATA, "--input-space", "Z.npy", "--input-space", "Z.npy"),
        "a second one is for --reference",
    ),
    (("--codes", "Z_ref.npy", *X_DATA), "Error: --codes: found 90 rows, but --data has 60"),
    (("own_encoders.py:four", *X_DATA), "give the module, not its file: own_encoders:four"),
    (("./sub/e.py", *X_DATA), "give the module, not its file: sub.e:NAME"),
    (("pca.pkl", *X_DATA), "load other files in your module, and give module:name"),
    (("own_encoders:two", *X_DATA, "--html", "."), "--html: . is a folder; name a file"),
    (("own_encoders:two", *X_DATA, "--html", "X.npy"), "--html: X.npy is also read; name another file"),
    (("own_encoders:two", *X_DATA, "--results", "X.npy/r.json"), "--results: "),
    (("own_encoders:two", *X_DATA, "--results", "X.npy"), "--results: X.npy is also read"),
    (("own_encoders:two", *X_DATA, "--results", "-"), "--results: found a file called -; write /dev/stdout for"),
]


@pytest.mark.parametrize(("arguments", "message"), MISTAKES, ids=lambda one: " ".join(map(str, one))[:60])
def test_mistakes_are_one_line_and_exit_code_2(arguments, message):
    result = run(*arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    (line,) = [line for line in result.stderr.splitlines() if line.startswith("Error")]
    assert message in line
    assert "Traceback" not in result.stderr
    assert np.array_equal(np.load("X.npy"), X), "an input was written over"


def test_the_page_names_every_key_of_the_documents():
    page = (Path(distbench.__file__).parents[1] / "docs" / "cli.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (.*?) \| (.*) \|$", page.partition("## JSON documents")[2], re.MULTILINE)
    named = {what: set(re.findall(r"`(\w+)`", keys)) for what, keys in rows}
    report = json.loads(run("own_encoders:four", "--data", "X.npy", "--json").stdout)
    hunt = CliRunner().invoke(main, ["hunt", "own_encoders:four", "--data", "X.npy", "--budget", "200", "--json"])
    hunt = json.loads(hunt.stdout)
    result = {"`evaluate`": report, "an entry of `scores`": report["scores"][0], "`hunt`": hunt}
    result |= {"an entry of `torn` and `merged`": report["torn"][0], "`merged` and `torn` of `hunt`": hunt["torn"]}
    limits = CliRunner().invoke(main, ["limits", "own_encoders:four", "--data", "X.npy", "--json"])
    limits = json.loads(limits.stdout)
    metrics = json.loads(CliRunner().invoke(main, ["metrics", "--json"]).stdout)
    result |= {"`limits`": limits, "an entry of `limits`": limits["limits"][0]}
    result["`metrics`"] = {"metrics": None, "mistakes": None} | metrics["metrics"][0]
    for what, document in result.items():
        assert set(document) - {"schema"} == named[what], what


def test_an_interrupted_encoder_is_no_broken_limit():
    assert run("own_encoders:stops", "--data", "X.npy").exit_code == 130


class TestHunt:
    def hunt(self, *arguments):
        return CliRunner().invoke(main, ["hunt", *map(str, arguments)], catch_exceptions=False)

    def test_it_prints_what_the_library_prints(self):
        arguments = ("own_encoders:four", "--data", "X.npy", "--budget", 300, "--seed", 3)
        expected = distbench.hunt(lambda P: P[:, :4], X, budget=300, seed=3, name="columns")
        result = self.hunt(*arguments)
        shown = str(expected).replace("directions='data'", "--directions data").replace("budget=", "--budget")
        assert (result.exit_code, result.stdout) == (0, f"{shown}\n")
        document = json.loads(self.hunt(*arguments, "--contraction", 2, "--json").stdout)
        assert (document["met"], document["limits"]) == (False, {"contraction": 2.0})
        assert document["contraction"] == str(expected.contraction) == "inf"
        assert np.array_equal(document["merged"]["shrunk"], expected.merged.shrunk)
        assert document["failure"].startswith("columns (codes of 4) does not meet 1 limit")

    def test_limits_and_exit_codes(self):
        arguments = ("own_encoders:four", "--data", "X.npy", "--budget", 300)
        assert self.hunt(*arguments, "--expansion", 1.001).exit_code == 0
        broken = self.hunt(*arguments, "--contraction", 2)
        assert broken.exit_code == 1
        assert "contraction = " in broken.stdout
        for wrong, message in (
            ((*arguments, "--contraction", -1), "contraction: found the limit -1"),
            ((*arguments[:3], "--budget", 3), "budget: found 3; pass a whole number, 200"),
            (arguments[:1], "Missing option '--data'"),
        ):
            result = self.hunt(*wrong)
            assert (result.exit_code, result.stdout) == (2, "")
            assert message in result.stderr


def test_as_a_program_it_ends_with_1_and_without_color(folder):
    program = str(Path(sys.executable).parent / "distbench")
    command = [program, "evaluate", "own_encoders:two", "--data", "X.npy", "--limit", "continuity:0.99"]
    result = subprocess.run(command, capture_output=True, text=True, cwd=folder, check=False)
    assert result.returncode == 1, result.stderr
    assert "does not meet 1 limit" in result.stdout
    assert "\x1b" not in result.stdout
    assert "Traceback" not in result.stderr
