"""Fingerprints tell points apart, and reports keep them."""

from __future__ import annotations

import numpy as np
import pytest

import distbench
from distbench.engine.canonical_order import HASHED_BYTES
from distbench.evaluation.fingerprint import SAMPLE_ROWS, fingerprint


@pytest.fixture
def points():
    return np.random.default_rng(0).normal(size=(2_000, 5))


def with_other(points, row, column=0, by=1e-9):
    other = points.copy()
    other[row, column] += by
    return other


@pytest.mark.parametrize("row", [0, 1, 777, 1_998, 1_999])
def test_any_number_that_differs_is_another_fingerprint(points, row):
    assert len(points) > 4 * SAMPLE_ROWS
    assert fingerprint(points) == fingerprint(points.copy())
    other = with_other(points, row)
    assert fingerprint(other) != fingerprint(points)
    assert fingerprint(points, other) != fingerprint(points, points) != fingerprint(points)


def test_order_shape_sample_and_size_change_the_fingerprint(points):
    swapped = points[[0, 2, 1, *range(3, len(points))]]
    variants = [points, swapped, points[:-1], points.reshape(-1, 10)]
    prints = [*map(fingerprint, variants), fingerprint(points, judged=np.arange(9)), fingerprint(points, points)]
    assert len(set(prints)) == len(prints)
    large = np.zeros((HASHED_BYTES // (8 * 64) + 1_000, 64), dtype=np.float32)
    before = fingerprint(large)
    large[100_003, 7] = 1e-3  # of large arrays every row counts by the sums
    assert fingerprint(large) != before


def test_the_type_and_the_place_of_equal_numbers_do_not_matter(points, tmp_path):
    short = points.astype(np.float32)
    np.save(tmp_path / "x.npy", short)
    mapped = np.load(tmp_path / "x.npy", mmap_mode="r")
    assert fingerprint(short) == fingerprint(short.astype(np.float64)) == fingerprint(mapped)
    same = [points, with_other(points, 123), points]
    one, other, again = (distbench.evaluate_codes(X[:300], X[:300, :2]).fingerprint for X in same)
    assert one == again != other, "reports keep it"
