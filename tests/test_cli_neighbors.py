"""``distbench neighbors``."""

from __future__ import annotations

import json

import numpy as np
import pytest
from cli_points import X_REF, X, in_folder, write_points
from click.testing import CliRunner

import distbench
from distbench.cli import main
from distbench.results.file import read_results

IDS = np.argsort(((X[:, None, :4] - X_REF[None, :, :4]) ** 2).sum(axis=2), axis=1)[:, :20]
POINTS = ("--data", "X.npy", "--reference", "points.npz:train")


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    write_points(tmp_path)
    np.save(tmp_path / "ids.npy", IDS)
    yield from in_folder(tmp_path, monkeypatch)


def run(*arguments):
    return CliRunner().invoke(main, ["neighbors", *map(str, arguments)], catch_exceptions=False)


def test_it_prints_the_report_and_decides_limits():
    report = distbench.evaluate_neighbors(IDS, X, X_REF, k=(1, 10), name="ids")
    given = ("ids.npy", *POINTS, "--k", "1,10")
    result = run(*given, "--limit", "knn_recall@10:0.3")
    assert (result.exit_code, result.stdout) == (0, f"{report}\n\nknn_recall@10 at least 0.3000: met\n")
    result = run(
        *given, "--limit", "knn_recall@1:0.99", "--limit", "knn_recall@20:0.1", "--json", "--results", "r.json"
    )
    document = json.loads(result.stdout)
    assert (result.exit_code, document["met"]) == (1, False)
    assert [score["metric"] for score in document["scores"]] == ["knn_recall@1", "knn_recall@10", "knn_recall@20"]
    assert {row.verdict for row in read_results("r.json").rows} == {"broken", "", "met"}


def test_ids_of_a_database_and_codes():
    np.save("names.npy", np.array([f"d{place}" for place in range(len(X_REF))]))
    np.save("named.npy", np.array([[f"d{place}" for place in row] for row in IDS]))
    codes = ("--codes", "Z.npy", "--reference-codes", "Z_ref.npy")
    document = json.loads(run("named.npy", *POINTS, "--ids-of", "names.npy", *codes, "--json").stdout)
    recall = distbench.evaluate_neighbors(IDS, X, X_REF)["knn_recall"].value
    assert document["scores"][0]["value"] == recall
    lost = f"{1 - recall:.4f} are lost by the codes, 0.0000 by the search"
    assert document["notes"] == [f"knn_recall: an exact search among the codes finds {recall:.4f}: {lost}"]


def test_columns_of_files_are_compared_by_name_and_those_of_text_have_a_note():
    pd, _ = pytest.importorskip("pandas"), pytest.importorskip("pyarrow")
    columns = [f"f{column}" for column in range(X.shape[1])]
    test, reference = (pd.DataFrame(points, columns=columns) for points in (X, X_REF))
    test.assign(of="a").to_parquet("X.parquet")
    reference.to_parquet("X_ref.parquet")
    result = run("ids.npy", "--data", "X.parquet", "--reference", "X_ref.parquet")
    assert "note: --data: columns that are not numbers were left out: of" in result.stdout
    reference[columns[::-1]].to_parquet("X_ref.parquet")
    result = run("ids.npy", "--data", "X.parquet", "--reference", "X_ref.parquet")
    assert (result.exit_code, result.stderr.count("\n")) == (2, 1)
    assert "--reference: found columns in another order" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("ids.npy", "--data", "X.npy"), "Error: --reference: not given; give the file of the points"),
        (("ids.npy", "--reference", "X.npy"), "Error: --data: not given"),
        (("ids.npy", *POINTS, "--metric", "stress"), "Error: --metrics: found 'stress', which the ids of neighbors"),
        (("Z.npy", *POINTS), "Error: ids: found float64 values; pass rows of the reference"),
        (("none.npy", *POINTS), "Error: --ids: no such file: none.npy"),
    ],
)
def test_errors_are_one_line(arguments, message):
    result = run(*arguments)
    assert result.exit_code == 2
    assert message in result.stderr
    assert result.stderr.count("\n") == 1
