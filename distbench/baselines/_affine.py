"""Encoders that are one matrix."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from distbench.baselines._points import as_rows

__all__ = ["AffineEncoder"]


@dataclass(frozen=True, eq=False)
class AffineEncoder:
    """Codes are ``(x - centre) @ components_.T``.

    Attributes
    ----------
    name : str
        The name of the recipe.
    centre : numpy.ndarray, shape (d,)
        Subtracted from every point.
    components_ : numpy.ndarray, shape (code_size, d)
        One row a number of the code.
    """

    name: str
    centre: NDArray[np.float64]
    components_: NDArray[np.float64]

    def encode(self, X: ArrayLike) -> NDArray[np.float64]:
        """Return the codes of points ``X`` (m, ...) as an array (m, code_size)."""
        codes: NDArray[np.float64] = (as_rows(X, len(self.centre)) - self.centre) @ self.components_.T
        return codes

    def transform(self, X: ArrayLike) -> NDArray[np.float64]:
        """Do the same under the name scikit-learn gives it."""
        return self.encode(X)
