from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

import distbench
from distbench.evaluation.notes import coincidence_notes, range_notes, size_notes, unit_notes

X = np.random.default_rng(0).normal(size=(100, 4))


TWICE = np.concatenate([X, X])
HALF_EQUAL = np.concatenate([np.tile(X[0], (50, 1)), X[50:]])
COUNTED = np.arange(100.0)[:, None]


@pytest.mark.parametrize(
    ("points", "codes", "starts"),
    [
        (X, X[:, :1], []),
        (TWICE, TWICE[:, :2], []),  # points that coincide themselves
        # Ten codes of ten points: 450 of 4,950 pairs.
        (
            X,
            COUNTED // 10,
            [
                "100 distinct test points have only 10 distinct codes (100 points share their code",
                "9.1% of the pairs are different points with code distance 0",
            ],
        ),
        (X, np.maximum(COUNTED, 1), ["100 distinct test points have only 99 distinct codes (2 points"]),
        # One code for 50 equal points and another point: 50 of 4,950 pairs.
        (HALF_EQUAL, np.where(COUNTED < 51, 0, COUNTED), ["51 distinct test points have only 50", "1.0% of the pairs"]),
        (X, np.where(COUNTED % 2, 0.0, -0.0), ["100 distinct test points have only 1 distinct codes", "100.0% of"]),
    ],
    ids=["all differ", "equal points", "classes", "two equal codes", "half equal points", "zeros of either sign"],
)
def test_points_that_share_codes(points, codes, starts):
    notes = coincidence_notes(points, codes)
    assert len(notes) == len(starts)
    assert all(note.startswith(start) for note, start in zip(notes, starts, strict=True)), notes


def test_test_points_among_the_references_have_a_note():
    rng = np.random.default_rng(0)
    X, X_ref = rng.normal(size=(20, 3)), rng.normal(size=(50, 3))
    report = distbench.evaluate_codes(X, X[:, :2], reference=(X_ref, X_ref[:, :2]), k=5)
    assert not any("equal a reference point" in note for note in report.notes)
    X_ref[7:10] = X[:3]
    report = distbench.evaluate_codes(X, X[:, :2], reference=(X_ref.astype(np.float32), X_ref[:, :2]), k=5)
    assert not any("equal a reference point" in note for note in report.notes)  # rounded: other points
    report = distbench.evaluate_codes(X, X[:, :2], reference=(X_ref, X_ref[:, :2]), k=5)
    assert any(note.startswith("3 of the 20 test points equal a reference point") for note in report.notes)


def test_codes_as_large_as_the_points_may_be_reconstructions():
    assert size_notes(X, X[:, :3]) == []
    assert size_notes(X[:, :1], X[:, :1]) == []
    (note,) = size_notes(X, X + 0.5 * np.sin(9 * X))
    assert "if this is a whole autoencoder, pass only its encoder" in note
    assert size_notes(X, X @ X.T @ X) == []  # far from the points
    assert size_notes(X, np.round(X, 1)) == []  # quantized
    assert size_notes((X > 0).astype(float), (X > 0.1).astype(float))


def test_what_transforms_or_encodes_is_no_whole_autoencoder():
    class Near:
        def encode(self, X):
            return 0.9 * X

        transform = predict = encode

    def codes_of(encoder):
        return {note.code for note in distbench.evaluate(encoder, X).notes} & {"code_size"}

    near = Near()
    predicts = SimpleNamespace(predict=near.predict)
    assert [codes_of(encoder) for encoder in (near, near.encode, SimpleNamespace(transform=near.predict))] == [
        set()
    ] * 3
    assert codes_of(predicts) == codes_of(lambda X: 0.9 * X) == {"code_size"}


def test_full_queries_among_compressed_documents_are_no_reconstructions():
    points, options = np.random.default_rng(0).normal(size=(300, 8)), {"include_queries": False, "k": 5}
    Q, D = points[:100], points[100:]
    for documents, codes in ((np.sign(D), set()), (0.9 * D, {"code_size"})):
        report = distbench.evaluate_codes(Q, Q, reference=(D, documents), **options)
        assert {note.code for note in report.notes} & {"code_size"} == codes


def test_columns_that_dominate_distances_have_a_note():
    wide = np.random.default_rng(0).normal(size=(200, 30))
    assert unit_notes(wide) == []
    (note,) = unit_notes(wide * ([300, 200] + [1] * 28))
    assert note.startswith("2 columns make up 100% of the variance of all 30, so others hardly affect distances")
    (note,) = unit_notes(wide * ([300] + [1] * 29))
    assert note.startswith("1 column makes up 100%")
    assert unit_notes(wide * ([300, 300, 300, 300] + [1] * 26)) == []  # more than a tenth of the columns
    assert unit_notes(wide[:, :2] * [300, 1]) == []  # of two columns one is half
    assert unit_notes(np.zeros((20, 5))) == []
    assert unit_notes(np.full((20, 5), 1e200) * wide[:20, :5]) == []


def test_no_note_on_units_where_they_do_not_matter():
    Y = X * [1000, 1, 1, 1]
    has_note = [
        any("of the variance of all 4" in note for note in report.notes)
        for report in (
            distbench.evaluate(lambda Y: Y[:, :2], Y),
            distbench.evaluate(lambda Y: Y[:, :2], Y, distance_x="cosine"),
            distbench.evaluate(lambda Y: Y[:, :2], Y, input_space=X),
        )
    ]
    assert has_note == [True, False, False]


def test_references_scaled_unlike_test_points_have_a_note():
    rng = np.random.default_rng(0)
    X_ref = rng.normal(size=(200, 4)) * [1, 2, 3, 4]
    assert range_notes(X, X_ref) == []
    (note,) = range_notes(X, 100 * X_ref)
    assert note.startswith("test and reference points lie in different ranges (spread")
    assert len(range_notes(X + 100, X_ref)) == 1
    assert range_notes(X[:3] + 100, X_ref) == []  # three points say nothing
    assert range_notes(np.zeros((20, 4)), X_ref) == []
    assert range_notes(X * 1e200, X_ref) == []
    report = distbench.evaluate(lambda X: X[:, :2], X, reference=100 * X_ref)
    assert any("different ranges" in note for note in report.notes)
