from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from sklearn.decomposition import PCA
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import distbench
from distbench.encoders.resolve import declared_code_size
from distbench.render.html import render_html
from distbench.results.leaderboard_table import tables_of
from distbench.results.rows import report_of, rows_of
from distbench.results.run import RunResults

X = np.random.default_rng(0).normal(size=(60, 6))


@pytest.mark.parametrize(
    "encoder",
    [PCA(3).fit(X), make_pipeline(StandardScaler(), PCA(3)).fit(X), distbench.fit_baseline("pca", X, code_size=3)],
    ids=["transformer", "pipeline", "baseline"],
)
def test_as_many_columns_as_the_codes_have(encoder):
    assert declared_code_size(encoder) == 3 == encoder.transform(X).shape[1]
    assert [declared_code_size(Shaped(shape)) for shape in ((None, 4), (None, 2, 3))] == [4, 6]  # as Keras declares


class Autoencoder:
    """Its output is no code; and nothing may run."""

    output_shape = (None, 6)

    def encode(self, X):
        raise AssertionError("ran")


class Shaped:
    def __init__(self, shape):
        self.output_shape = shape

    def __call__(self, X):
        raise AssertionError("ran")


@pytest.mark.parametrize(
    "encoder",
    [PCA(3), PCA, len, "pca", Autoencoder(), Shaped((None, None)), Shaped([(None, 2), (None, 3)]), Shaped((None,))],
    ids=["not fitted", "a class", "a function", "a name", "encode", "open", "several", "none"],
)
def test_none_where_it_is_not_declared(encoder):
    assert declared_code_size(encoder) is None


QUANTIZED = {  # the encoder's codes of 6 columns, and the bytes of one
    "float64": (lambda X: X[:, :6].astype(np.float64), 48),
    "float32": (lambda X: X[:, :6].astype(np.float32), 24),
    "float16": (lambda X: X[:, :6].astype(np.float16), 12),
    "int8": (lambda X: np.round(10 * X[:, :6]).astype(np.int8), 6),
    "bool": (lambda X: X[:, :6] > 0, 6),
    "packed": (lambda X: np.packbits(X > 0, axis=1), 1),
    "list": (lambda X: X[:, :6].tolist(), None),
}


@pytest.mark.parametrize("kind", QUANTIZED)
def test_bytes_of_codes(kind):
    encode, size = QUANTIZED[kind]
    X = np.random.default_rng(0).normal(size=(40, 8)).astype(np.float32)
    options = {"metrics": "knn_recall", "k": 3, "distance_z": "packed_hamming" if kind == "packed" else "euclidean"}
    ready = distbench.evaluate_codes(X, encode(X), **options)
    assert (ready.code_bytes, ready.point_bytes) == (size, 32)
    assert ready.compression == (None if size is None else 32 / size)
    report = distbench.evaluate(encode, X, **options)
    assert report.code_bytes == (48 if kind == "list" else size)  # an encoder's numbers become an array of float64
    assert report["knn_recall"].value == ready["knn_recall"].value
    shown = f"({size} bytes, {32 / size:.3g} times smaller than a point)" if size and size < 24 else ", m = 40"
    assert f"codes of {report.code_size}{' ' * ('(' in shown)}{shown}" in f"{report}"
    assert distbench.evaluate_codes(X.tolist(), encode(X), **options).compression is None
    (row,) = rows_of(report)
    assert (row.code_bytes, row.point_bytes) == (report.code_bytes, 32)


def test_leaderboards_show_the_bytes_of_short_codes():
    X = np.random.default_rng(0).normal(size=(40, 8))
    reports = {kind: distbench.evaluate(QUANTIZED[kind][0], X, k=3, name=kind) for kind in ("float32", "int8", "list")}
    rows = {kind: rows_of(report, dataset="drawn", code_size=6) for kind, report in reports.items()}
    floats, mixed = tables_of(rows["float32"] + rows["list"]), tables_of(rows["int8"] + rows["float32"])
    assert "bytes" not in [column.key for column in floats[0].columns]
    cells = {column.key: [cell.text for cell in column.cells] for column in mixed[0].columns}
    shown = dict(zip(cells["encoder"], zip(cells["bytes"], cells["smaller"], strict=True), strict=True))
    assert shown == {"int8": ("6", "10.7x"), "float32": ("24", "2.67x")}
    as_bytes = [replace(row, code_size=6, code_width=12) for row in rows["int8"]]  # a code size may be of bytes
    assert "code size ignored" not in " ".join(tables_of(as_bytes + rows["float32"])[0].notes)
    (table,) = tables_of([replace(row, encoder=name) for row in as_bytes for name in ("a", "b")])
    assert table.size == "code size 6 bytes"
    assert "bytes" not in [column.key for column in table.columns]
    old = [replace(row, code_bytes=None, point_bytes=None) for row in rows["float32"]]  # of an older file
    (table,) = tables_of(rows["int8"] + old)
    (column,) = [column for column in table.columns if column.key == "smaller"]
    assert {cell.text for cell in column.cells} == {"10.7x", "-"}
    nothing = [replace(row, code_bytes=0) for row in rows["int8"]]  # a file may say so
    assert report_of(nothing).compression is None
    (checks,) = tables_of([*rows_of(reports["int8"], test="a"), *rows_of(reports["float32"], test="b")])
    assert [cell.text for column in checks.columns if column.key == "code_size" for cell in column.cells] == [
        "6 bytes",
        "6",
    ]
    assert "6 columns" in render_html(RunResults(nothing))
