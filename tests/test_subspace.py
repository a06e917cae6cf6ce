"""The angle between subspaces."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from distbench.baselines.subspace import largest_principal_angle
from distbench.errors import InputError


@pytest.mark.parametrize("degrees", [0, 1e-4, 30, 90])
def test_two_lines(degrees: float) -> None:
    turned = [[np.cos(np.radians(degrees)), np.sin(np.radians(degrees)), 0]]
    assert largest_principal_angle([[2.0, 0, 0]], turned) == pytest.approx(degrees, abs=1e-9)


def test_the_largest_angle_counts() -> None:
    turned = [[1.0, 0, 0, 0], [0, np.cos(0.5), np.sin(0.5), 0]]
    assert largest_principal_angle(np.eye(4)[:2], turned) == pytest.approx(np.degrees(0.5))


def test_another_basis_of_the_same_subspace() -> None:
    rng = np.random.default_rng(0)
    basis = rng.normal(size=(3, 9))
    assert largest_principal_angle(basis, rng.normal(size=(3, 3)) @ basis) < 1e-6


@pytest.mark.parametrize(
    ("A", "B", "message"),
    [
        (np.eye(3)[:1], np.eye(3)[:2], "A, B: shapes"),
        (np.ones(3), np.ones(3), "A, B: shapes"),
        (np.ones((2, 3)), np.eye(3)[:2], "A: its 2 rows"),
        (np.eye(3)[:2], np.full((2, 3), np.nan), "B: its 2 rows"),
    ],
)
def test_unusable_matrices(A: Any, B: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        largest_principal_angle(A, B)
