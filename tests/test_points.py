"""Whatever comes in is either usable or refused in one line that says why."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from distbench.errors import DistbenchError, InputError
from distbench.points import as_points, check_candidates

GOOD = np.arange(12.0).reshape(4, 3)


@pytest.mark.parametrize(
    "value",
    [
        GOOD.tolist(),
        GOOD.astype(np.int8),
        GOOD.astype(np.uint64),
        GOOD.astype(np.float16),
        np.asfortranarray(GOOD),
        np.repeat(GOOD, 2, axis=1)[:, ::2],
        GOOD[::-1][::-1],
        pd.DataFrame(GOOD, columns=["a", "b", "c"]),
        tuple(map(tuple, GOOD)),
    ],
    ids=["list", "int8", "uint64", "float16", "fortran", "strided", "negative strides", "pandas", "tuple"],
)
def test_usable(value):
    points = as_points(value, "X")
    np.testing.assert_array_equal(points, GOOD)
    assert points.dtype == np.float64
    assert points.flags.c_contiguous


def test_mixed_and_nullable_columns_are_numbers():
    frame = pd.DataFrame({"a": [0.5, 1.5], "b": [True, False], "c": pd.array([1, 2], dtype="Int64")})
    np.testing.assert_array_equal(as_points(frame, "X"), [[0.5, 1.0, 1.0], [1.5, 0.0, 2.0]])


def test_bools_are_numbers():
    np.testing.assert_array_equal(as_points([[True, False]], "X"), [[1.0, 0.0]])


def test_small_integers_do_not_overflow():
    points = as_points(np.array([[-128], [127]], dtype=np.int8), "X")
    assert points[1, 0] - points[0, 0] == 255


@pytest.mark.parametrize("shape", [(5, 4, 3), (5, 4, 3, 2)])
def test_images_are_flattened_and_said(shape):
    notes: list[str] = []
    assert as_points(np.zeros(shape), "X_test", notes).shape == (5, np.prod(shape[1:]))
    assert notes == [f"X_test: images of shape {shape[1:]} flattened to {np.prod(shape[1:])} columns"]


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (None, "found None"),
        (3.0, "0-D"),
        (np.arange(4.0), r"1-D data of shape \(4,\); .*reshape\(-1, 1\)"),
        (np.empty((0, 3)), r"shape \(0, 3\)"),
        (np.empty((3, 0)), r"shape \(3, 0\)"),
        (np.array([[1.0], [np.nan], [np.nan]]), r"NaN in row 1 \(2 such rows in all\)"),
        (np.array([[1.0], [2.0], [-np.inf]]), "infinite value in row 2"),
        ([[1.0, 2.0], [3.0]], "give every row the same length"),
        (np.array([["a"], ["b"]]), "dtype <U1"),
        (np.array([[object()]]), "dtype object"),
        (np.array([[1j]]), "complex"),
        (np.array([["2020-01-01"]], dtype="datetime64[D]"), "dtype datetime64"),
        (np.array([[2**60], [2**60 + 1]]), r"beyond 2\*\*53"),
        (sparse.csr_matrix(np.eye(3)), r"X_test\.toarray\(\)"),
        (np.ma.masked_array(np.eye(2), mask=np.eye(2)), "masked array"),
        (pd.DataFrame({"a": [1.0], "city": ["Oslo"]}), "not numbers: city"),
    ],
)
def test_refused(value, said):
    with pytest.raises(InputError, match=said) as caught:
        as_points(value, "X_test")
    message = str(caught.value)
    assert message.startswith("X_test: found ")
    assert "\n" not in message
    assert isinstance(caught.value, ValueError)
    assert isinstance(caught.value, DistbenchError)


@pytest.mark.parametrize(
    ("k", "M", "said"),
    [
        (0, 20, "k: found 0 with M = 20"),
        (10, 20, "pass 1 <= k <= 9"),
        (-1, 20, "k: found -1"),
        (2.5, 20, "k: found 2.5; pass a whole number"),
        ("3", 20, "k: found '3'"),
        (True, 20, "k: found True"),
        (1, 2, "found 2 candidates"),
    ],
)
def test_k_against_candidates(k, M, said):
    with pytest.raises(InputError, match=said):
        check_candidates(k, M)


def test_largest_k():
    assert check_candidates(np.int64(9), 20) == 9
    assert check_candidates(10, 21) == 10
