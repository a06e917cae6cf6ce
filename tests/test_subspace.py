"""The angle between subspaces."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from distbench.baselines.subspace import largest_principal_angle
from distbench.errors import InputError


def test_angles_in_degrees() -> None:
    for degrees in (0, 1e-4, 30, 90):
        turned = [[np.cos(np.radians(degrees)), np.sin(np.radians(degrees)), 0]]
        assert largest_principal_angle([[2.0, 0, 0]], turned) == pytest.approx(degrees, abs=1e-9)
    turned = [[1.0, 0, 0, 0], [0, np.cos(0.5), np.sin(0.5), 0]]  # by no angle and by half a radian: the largest counts
    assert largest_principal_angle(np.eye(4)[:2], turned) == pytest.approx(np.degrees(0.5))
    rng = np.random.default_rng(0)
    basis = rng.normal(size=(3, 9))
    assert largest_principal_angle(basis, rng.normal(size=(3, 3)) @ basis) < 1e-6, "another basis of the same subspace"


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
