"""Points that are no coordinates get a note: matrices of distances, ids of tokens."""

from __future__ import annotations

import numpy as np
import pytest
from frameworks import keras, torch
from scipy.spatial.distance import pdist, squareform

import distbench
from distbench.datasets import load_dataset
from distbench.evaluation.point_kinds import matrix_notes, symbol_notes

RNG = np.random.default_rng(4)
X = RNG.normal(size=(60, 5))


@pytest.mark.parametrize("metric", ["euclidean", "cosine", "cityblock", "hamming", "sqeuclidean"])
@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_distances_as_points_have_a_note(metric, kind):
    distances = squareform(pdist(np.round(X), metric)).astype(kind)
    (note,) = matrix_notes(distances, "X_test")
    assert note.startswith("X_test: a square matrix, symmetric")
    assert matrix_notes(distances + 1e-8 * RNG.random((60, 60)).astype(kind), "X_test")
    distances[3, 5] *= 1.01
    assert matrix_notes(distances, "X_test") == []


@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_so_have_similarities(kind):
    for matrix in (1 - squareform(pdist(X, "cosine")), np.exp(-squareform(pdist(X)))):
        (note,) = matrix_notes(matrix.astype(kind), "X_test")
        assert "as similarities between points make; its rows are taken for points; for distances made of them" in note
        matrix[3, 5] = matrix[5, 3] = 1.01
        assert matrix_notes(matrix.astype(kind), "X_test") == []


def test_other_square_points_have_no_note():
    squares = X[:5], X[:5] - X[:5].T, squareform(pdist(X))[:, ::-1], np.ones((4, 4)) + np.diag([1, 0, 0, 0])
    for points in (X @ X.T, np.eye(4), np.zeros((4, 4)), *squares):
        assert matrix_notes(points, "X_test") == []


@pytest.mark.parametrize("where", ["X_test", "reference[0]", "codes of test points"])
def test_each_array_is_looked_at(where):
    distances = squareform(pdist(X))
    points, codes = (X[:, :3], distances) if where.startswith("codes") else (distances, X[:, :2])
    reference = (distances, X[:, :2]) if where == "reference[0]" else None
    points = points[:40] * 1.01 if reference else points
    report = distbench.evaluate_codes(points, codes[: len(points)], reference=reference, k=5)
    found = [note for note in report.notes if note.code == "distance_matrix"]
    assert [note.split(":")[0] for note in found] == [where]


@pytest.mark.parametrize("reference_first", [False, True])
def test_so_are_test_and_reference_points_together(reference_first):
    distances = squareform(pdist(X))
    test, reference = (slice(20, None), slice(20)) if reference_first else (slice(40), slice(40, None))
    report = distbench.evaluate_codes(
        distances[test], X[test, :2], reference=(distances[reference], X[reference, :2]), k=5
    )
    (note,) = [note for note in report.notes if note.code == "distance_matrix"]
    assert note.startswith("X_test and reference[0]: a square matrix")


def _padded(ids, padding=0):
    return np.where(np.arange(ids.shape[1]) < RNG.integers(3, ids.shape[1], (len(ids), 1)), ids, padding)


VOCABULARY = RNG.permutation(20_001)
WORDS = VOCABULARY[np.minimum(RNG.zipf(1.3, (300, 30)), 20_000)]
DIGITS = load_dataset("digits").train
IDS = {
    "at random": RNG.integers(0, 5000, (300, 12)),
    "words": WORDS,
    "padded words": _padded(WORDS),
    "padded to a fixed length": np.pad(_padded(WORDS), ((0, 0), (1, 98)), constant_values=((0, 0), (101, 0))),
    "padded on the left": np.pad(_padded(WORDS)[:, ::-1], ((0, 0), (98, 0))),
    "padded on the left to a length of a model": np.pad(_padded(WORDS)[:, ::-1], ((0, 0), (482, 0))),
    "padded by -100": _padded(WORDS, -100),
}
NUMBERS = {
    "floats": X * 1e4,
    "bytes": RNG.integers(0, 256, (300, 3)),
    "counts": RNG.negative_binomial(0.3, 0.001, (300, 50)),
    "prices": RNG.lognormal(6, 1, (300, 8)).astype(int),
    "a walk": np.cumsum(RNG.integers(-50, 51, (300, 60)), axis=1) + 5000,
    "pictures of 16 bits": np.round(DIGITS * 3e4).astype(int) + RNG.integers(0, 99, DIGITS.shape),
    "negative numbers": RNG.integers(-5000, 5000, (300, 12)),
    "one column": RNG.integers(0, 5000, (300, 1)),
    "floats too large for fractions": RNG.random((300, 8)) * 1e200,
}


@pytest.mark.parametrize("kind", [*IDS, *NUMBERS])
def test_ids_as_points_have_a_note(kind):
    points = (IDS | NUMBERS)[kind].astype(float)
    assert [note.code for note in symbol_notes(points, False)] == (["symbols"] if kind in IDS else [])


@pytest.mark.parametrize("as_codes", [False, True])
def test_the_note_names_the_input_space(as_codes):
    table = RNG.normal(size=(5000, 8))
    points = IDS["at random"]
    codes = table[points].mean(axis=1)
    if as_codes:
        report = distbench.evaluate_codes(points, codes, metrics="continuity")
    else:
        report = distbench.evaluate(lambda b: table[b.astype(int)].mean(axis=1), points, metrics="continuity")
        spaced = distbench.evaluate(lambda b: table[b.astype(int)].mean(axis=1), points, input_space=codes)
        assert not any(note.code == "symbols" for note in spaced.notes)
    (note,) = [note for note in report.notes if note.code == "symbols"]
    assert "pass input_space=" in note


def test_models_that_begin_with_an_embedding_are_known():
    few = RNG.integers(0, 50, (60, 6))
    layers = keras.layers
    words = keras.Sequential([keras.Input((6,)), layers.Embedding(50, 4), layers.GlobalAveragePooling1D()])
    models = [
        words,
        keras.Sequential([keras.Input((6,)), words, layers.Dense(2)]),
        torch.nn.Sequential(torch.nn.Embedding(50, 4), torch.nn.Flatten()),
    ]
    others = [keras.Sequential([keras.Input((6,)), layers.Dense(2)]), torch.nn.Linear(6, 2)]
    for model in (*models, *others):
        notes = distbench.evaluate(model, few, k=5, metrics="continuity").notes
        assert any("begins with an embedding" in note for note in notes) == (model in models)
