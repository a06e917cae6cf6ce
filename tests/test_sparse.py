"""Sparse points and codes are measured as the same dense ones, without becoming dense where they are wide."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest
from scipy import sparse
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import HashingVectorizer
from sklearn.preprocessing import MaxAbsScaler

import distbench
from distbench import metrics
from distbench.errors import EncoderError, InputError
from distbench.inference.floors import floors

X, R = (sparse.random(n, 40, density=0.2, random_state=n, format="csr") for n in (60, 80))
SVD = TruncatedSVD(3, random_state=0).fit(R)
Z, Z_REF = SVD.transform(X), SVD.transform(R)
OPTIONS = {"k": 5, "progress": False}
FORMATS = ["csr_matrix", "csc_array", "coo_matrix", "lil_array"]


@pytest.fixture(params=["small", "wide", "on disk"])
def size(request, monkeypatch):
    """Treat points as small, as wide (columns without numbers are left out), and as too large for memory besides."""
    if request.param != "small":
        monkeypatch.setattr("distbench.inputs.sparse.IN_MEMORY_BYTES", 0)
    if request.param == "on disk":
        monkeypatch.setattr("distbench.inputs.blocks.IN_MEMORY_BYTES", 0)
    return request.param


def spread_out(matrix, columns=5000):
    """Return a matrix with its columns among many others, which are empty."""
    wide = sparse.coo_array(matrix)
    return sparse.csr_array((wide.data, (wide.row, wide.col * 97 + 11)), shape=(matrix.shape[0], columns))


@pytest.mark.parametrize("distance", ["euclidean", "cosine", "cityblock"])
def test_values_are_those_of_dense_points(size, distance):
    options = {**OPTIONS, "distance_x": distance, "metrics": "all"}
    dense = distbench.evaluate_codes(X.toarray(), Z, reference=(R.toarray(), Z_REF), **options)
    report = distbench.evaluate_codes(spread_out(X), Z, reference=(spread_out(R), Z_REF), **options)
    assert report.as_dict() == pytest.approx(dense.as_dict(), rel=1e-9)
    assert [(pair.query, pair.partner) for pair in report.worst_pairs(3)] == [
        (pair.query, pair.partner) for pair in dense.worst_pairs(3)
    ]
    assert metrics.stress(spread_out(X), spread_out(X[:, :20])) == pytest.approx(
        metrics.stress(X.toarray(), X[:, :20].toarray()), rel=1e-9
    )
    labels, labels_ref = np.arange(60) % 3, np.arange(80) % 3
    agreement = metrics.label_agreement(X, Z, labels, k=5, reference=(R, Z_REF), reference_labels=labels_ref)
    assert agreement == metrics.label_agreement(
        X.toarray(), Z, labels, k=5, reference=(R.toarray(), Z_REF), reference_labels=labels_ref
    )
    assert floors(spread_out(X), 2, k=5) == pytest.approx(floors(X.toarray(), 2, k=5), rel=1e-6)


def test_the_number_of_columns_costs_nothing():
    """A vectoriser may hash to 2**31 columns; memory for a number of each would be too much."""
    report = distbench.evaluate_codes(spread_out(X, 2**40), Z, **OPTIONS)
    assert report.as_dict() == pytest.approx(distbench.evaluate_codes(X.toarray(), Z, **OPTIONS).as_dict(), rel=1e-9)


@pytest.mark.parametrize("kind", FORMATS)
def test_encoders_get_sparse_rows(kind):
    make = getattr(sparse, kind)
    wanted = distbench.evaluate_codes(X.toarray(), Z, reference=(R.toarray(), Z_REF), **OPTIONS).as_dict()
    for options in ({}, {"batch_size": 7}, {"input_space": (make(X), make(R))}):
        report = distbench.evaluate(SVD, make(X), reference=make(R), **OPTIONS, **options)
        assert report.as_dict() == pytest.approx(wanted, rel=1e-9)


def test_dense_encoders():
    baseline = distbench.fit_baseline("pca", R, code_size=3)
    wanted = distbench.evaluate(baseline, X.toarray(), **OPTIONS).as_dict()
    assert distbench.evaluate(baseline, X, **OPTIONS).as_dict() == wanted
    with pytest.raises(EncoderError, match=r"if it needs dense rows, pass a function that calls batch\.toarray\(\)"):
        distbench.evaluate(lambda batch: np.linalg.norm(batch, axis=1), X, **OPTIONS)


def test_sparse_codes_and_spaces_of_encoders(size):
    def codes(batch):
        return spread_out(batch[:, :20])

    wanted = distbench.evaluate_codes(X.toarray(), X[:, :20].toarray(), **OPTIONS)
    report = distbench.evaluate(codes, X, **OPTIONS)
    assert report.as_dict() == pytest.approx(wanted.as_dict(), rel=1e-9)
    assert report.code_size == 5000
    report = distbench.evaluate(SVD, X, reference=R, input_space=spread_out, **OPTIONS)
    wanted = distbench.evaluate_codes(X.toarray(), Z, reference=(R.toarray(), Z_REF), **OPTIONS)
    assert report.as_dict() == pytest.approx(wanted.as_dict(), rel=1e-9)
    assert "(5000 columns)" in report.notes[0]
    by_hamming = distbench.evaluate(lambda batch: codes(batch) > 0, X, distance_z="hamming", **OPTIONS)
    assert by_hamming["stress"].value > 0.9  # the columns without numbers count

    rng = np.random.default_rng(0)
    with pytest.raises(EncoderError, match="gave different codes"):
        distbench.evaluate(lambda batch: codes(batch) * rng.normal(), X, **OPTIONS)


def test_decoders_may_return_sparse_points():
    report = distbench.evaluate(MaxAbsScaler().fit(X), X, metrics="reconstruction_mse", **OPTIONS)
    assert report["reconstruction_mse"].value == pytest.approx(0, abs=1e-30)


def test_wide_points_take_little_memory():
    texts = [" ".join(f"w{word}" for word in row) for row in np.random.default_rng(0).integers(5000, size=(90, 30))]
    space = HashingVectorizer()
    points = space.transform(texts)
    codes = dict(zip(texts, TruncatedSVD(3, random_state=0).fit_transform(points), strict=True))
    tracemalloc.start()
    try:
        report = distbench.evaluate(
            lambda batch: np.array([codes[text] for text in batch]), texts, input_space=space, **OPTIONS
        )
        as_points = distbench.evaluate_codes(points, np.array(list(codes.values())), **OPTIONS)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 100e6  # dense points take 750 MB
    assert report.as_dict() == pytest.approx(as_points.as_dict(), rel=1e-9)


@pytest.mark.parametrize(
    ("points", "message"),
    [
        (X.astype(complex), "X_test: found complex numbers"),
        (X[:, :0], "X_test: found shape"),
        (X[:0], "X_test: found shape"),
        (X * 0, "X_test: found points that all coincide"),
        (X * np.inf, r"X_test: found an infinite value in row 0 \(60 such rows in all\)"),
        (sparse.coo_array(np.arange(60.0)), "X_test: found 1-D data"),
        (sparse.coo_array(np.ones((60, 2, 3))), r"X_test: found a sparse array of shape \(60, 2, 3\)"),
    ],
)
@pytest.mark.filterwarnings("ignore:invalid value:RuntimeWarning")
def test_bad_points_are_refused(points, message, size):
    with pytest.raises(InputError, match=f"^{message}"):
        distbench.evaluate_codes(points, Z, **OPTIONS)


def test_references_of_other_columns_and_damaged_matrices_are_refused(size):
    with pytest.raises(InputError, match=r"reference: found 30 columns, but X_test has 40"):
        distbench.evaluate(SVD, X, reference=R[:, :30], **OPTIONS)
    damaged = X.copy()
    damaged.indices[3] = 40
    with pytest.raises(InputError, match="X_test: found a damaged sparse matrix"):
        distbench.evaluate_codes(damaged, Z, **OPTIONS)


def test_points_of_many_columns_keep_no_partial_sums():
    """Distances of pairs are sums along rows, of which only the last is needed."""
    points = np.random.default_rng(0).normal(size=(150, 4000))
    tracemalloc.start()
    try:
        distbench.evaluate_codes(points, points[:, :3], distance_x="cityblock", **OPTIONS)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 150e6
