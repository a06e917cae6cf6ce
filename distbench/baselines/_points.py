"""Points as a baseline gets them: one float64 row each."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from distbench.errors import InputError, TrainingError

__all__ = ["Units", "as_rows"]


def as_rows(X: ArrayLike, features: int | None = None) -> NDArray[np.float64]:
    """Return ``X`` (n, ...) as float64 array (n, d), and check d against what an encoder was fitted on.

    Raises
    ------
    distbench.errors.InputError
        ``X`` is not an array of numbers with at least two axes, or has another number of features.
    """
    try:
        points = np.asarray(X, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise InputError(f"X: not an array of numbers ({error}); pass shape (n, d)") from error
    if points.ndim < 2 or points[:1].size == 0:
        raise InputError(f"X: shape {points.shape}; pass at least one point and one feature, shape (n, d)")
    rows = points.reshape(len(points), -1)
    if features is not None and rows.shape[1] != features:
        raise InputError(f"X: {rows.shape[1]} features; this encoder was fitted on {features}")
    return rows


@dataclass(frozen=True, eq=False)
class Units:
    """A shift and one scalar factor that bring points near the origin and into [-1, 1].

    All distances change by the same factor, so the geometry stays; ``codes_out`` brings codes back to the units of the
    inputs.

    Attributes
    ----------
    center : numpy.ndarray, shape (d,)
        Mean of the train points.
    scale : float
        Largest absolute value of the centered train points.
    """

    center: NDArray[np.float64]
    scale: float

    @classmethod
    def of(cls, X: NDArray[np.float64]) -> Units:
        """Return the units of train points.

        Raises
        ------
        distbench.errors.TrainingError
            All points are equal.
        """
        center = X.mean(axis=0)
        if (X.min(axis=0) == X.max(axis=0)).all():
            raise TrainingError("X: all points are equal, which leaves nothing to fit")
        return cls(center, float(np.abs(X - center).max()))

    def points_in(self, X: ArrayLike) -> NDArray[np.float32]:
        """Return points in the units of a network, float32, shape (n, d)."""
        return ((as_rows(X, len(self.center)) - self.center) / self.scale).astype(np.float32)

    def codes_out(self, Z: NDArray[np.floating]) -> NDArray[np.float64]:
        """Return codes of a network in the units of the inputs."""
        return Z.astype(np.float64) * self.scale
