from __future__ import annotations

import numpy as np

import distbench
from distbench.evaluation.warnings import coincidence_notes, range_notes, size_notes, unit_notes

X = np.random.default_rng(0).normal(size=(100, 4))


def test_codes_that_all_differ_need_no_note():
    assert coincidence_notes(X, X[:, :1]) == []


def test_points_that_coincide_themselves_may_share_codes():
    twice = np.concatenate([X, X])
    assert coincidence_notes(twice, twice[:, :2]) == []


def test_a_lost_scale_is_counted_in_pairs():
    classes = np.repeat(np.arange(10.0), 10)[:, None]  # ten codes of ten points: 450 of 4,950 pairs
    shared, lost = coincidence_notes(X, classes)
    assert shared.startswith("100 distinct test points share 10 distinct codes (100 points share theirs")
    assert lost.startswith("9.1% of the pairs have code distance 0 though they differ")


def test_a_few_shared_codes_lose_no_scale():
    Z = np.arange(100.0)[:, None]
    Z[1] = Z[0]
    (note,) = coincidence_notes(X, Z)
    assert note.startswith("100 distinct test points share 99 distinct codes (2 points")


def test_pairs_of_equal_points_are_not_lost():
    Y = X.copy()
    Y[:50] = Y[0]
    Z = np.arange(100.0)[:, None]
    Z[:51] = 0  # one point beyond those that are equal: 50 pairs of 4,950
    notes = coincidence_notes(Y, Z)
    assert "1.0% of the pairs" in notes[-1]


def test_zeros_of_either_sign_are_one_code():
    Z = np.zeros((100, 2))
    Z[::2] *= -1
    assert "share 1 distinct codes" in coincidence_notes(X, Z)[0]


def test_test_points_among_the_references_are_told():
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
    (note,) = size_notes(X, X @ X.T @ X)
    assert "of a whole autoencoder, pass the encoder alone" in note
    assert size_notes(X, (X > 0).astype(float)) == []  # bits are smaller
    assert size_notes((X > 0).astype(float), (X > 1).astype(float))


def test_columns_that_make_up_all_distances_are_told():
    wide = np.random.default_rng(0).normal(size=(200, 30))
    assert unit_notes(wide) == []
    (note,) = unit_notes(wide * ([300, 200] + [1] * 28))
    assert note.startswith("2 columns make 100% of the variance of all 30, and so the distances of points")
    (note,) = unit_notes(wide * ([300] + [1] * 29))
    assert note.startswith("1 column makes 100%")
    assert unit_notes(wide * ([300, 300, 300, 300] + [1] * 26)) == []  # more than a tenth of the columns
    assert unit_notes(wide[:, :2] * [300, 1]) == []  # of two columns one is half
    assert unit_notes(np.zeros((20, 5))) == []
    assert unit_notes(np.full((20, 5), 1e200) * wide[:20, :5]) == []


def test_units_are_not_told_where_they_do_not_matter():
    Y = X * [1000, 1, 1, 1]
    told = [
        any("of the variance of all 4" in note for note in report.notes)
        for report in (
            distbench.evaluate(lambda Y: Y[:, :2], Y),
            distbench.evaluate(lambda Y: Y[:, :2], Y, distance_x="cosine"),
            distbench.evaluate(lambda Y: Y[:, :2], Y, input_space=X),
        )
    ]
    assert told == [True, False, False]


def test_references_that_were_not_scaled_as_test_points_were_are_told():
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
