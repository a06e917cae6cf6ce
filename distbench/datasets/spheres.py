"""Spheres inside a sphere, in 101 dimensions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from distbench.datasets._dataset import dataset

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["spheres"]

_DIMENSION = 100
_SMALL, _SMALL_POINTS, _SMALL_RADIUS = 10, 500, 5.0
_BIG_POINTS, _BIG_RADIUS = 5000, 25.0


@dataset(
    "spheres",
    source="computed after Moor, Horn, Rieck & Borgwardt (2020), Topological Autoencoders, "
    "https://arxiv.org/abs/1906.00722; seed 42",
    licence="computed, free of rights",
)
def spheres() -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """10,000 points on 11 spheres S^100: ten of radius 5, and one of radius 25 that encloses them.

    Each small sphere has 500 points and is shifted by normal noise of standard deviation 10/sqrt(100) in each
    coordinate; the big one has 5,000 points and is not shifted. Each sphere is a class.
    """
    import numpy as np

    draw = np.random.RandomState(42)
    # The original also draws a shift for the big sphere, and does not use it.
    shifts = draw.normal(0.0, 10 / np.sqrt(_DIMENSION), (_SMALL + 1, _DIMENSION + 1))
    parts = [_sphere(draw, _SMALL_POINTS, _SMALL_RADIUS) + shift for shift in shifts[:_SMALL]]
    parts.append(_sphere(draw, _BIG_POINTS, _BIG_RADIUS))
    labels = np.repeat(np.arange(_SMALL + 1, dtype=np.int64), [len(part) for part in parts])
    return np.concatenate(parts), labels


def _sphere(draw: np.random.RandomState, n: int, radius: float) -> NDArray[np.float64]:
    """Return ``n`` points, uniformly distributed on a sphere about the origin."""
    import numpy as np

    points: NDArray[np.float64] = draw.standard_normal((n, _DIMENSION + 1))
    points *= radius / np.linalg.norm(points, axis=1, keepdims=True)
    return points
