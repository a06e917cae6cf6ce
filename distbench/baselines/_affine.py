"""Encoders that multiply by one matrix."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from distbench.baselines._points import as_rows
from distbench.baselines._recipe import Transformer

__all__ = ["AffineEncoder"]


@dataclass(frozen=True, eq=False)
class AffineEncoder(Transformer):
    """Codes are ``(x - center) @ components_.T``.

    Attributes
    ----------
    name : str
        The name of the recipe.
    center : numpy.ndarray, shape (d,)
        Subtracted from every point.
    components_ : numpy.ndarray, shape (code_size, d)
        One row per column of the codes.
    """

    name: str
    center: NDArray[np.float64]
    components_: NDArray[np.float64]

    def encode(self, X: ArrayLike) -> NDArray[np.float64]:
        """Return the codes of points ``X`` (m, ...) as an array (m, code_size)."""
        codes: NDArray[np.float64] = (as_rows(X, len(self.center)) - self.center) @ self.components_.T
        return codes
