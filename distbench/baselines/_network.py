"""Encoders that are the first half of a trained network."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from distbench.baselines._points import Units

__all__ = ["LinearNetworkEncoder", "NetworkEncoder"]


@dataclass(frozen=True, eq=False)
class NetworkEncoder:
    """The encoding half of a trained model, in the units of the inputs.

    Attributes
    ----------
    name : str
        The name of the recipe.
    model : distbench.keras.Autoencoder
        The trained model; it works on ``units.points_in(X)``.
    units : Units
        Between the user's points and the model's.
    """

    name: str
    model: Any
    units: Units

    def encode(self, X: ArrayLike) -> NDArray[np.float64]:
        """Return the codes of points ``X`` (m, ...) as an array (m, code_size)."""
        return self.units.codes_out(self.model.encode(self.units.points_in(X)))

    def transform(self, X: ArrayLike) -> NDArray[np.float64]:
        """Do the same under the name scikit-learn gives it."""
        return self.encode(X)


@dataclass(frozen=True, eq=False)
class LinearNetworkEncoder(NetworkEncoder):
    """A trained linear autoencoder, whose subspace can be compared with that of PCA."""

    @property
    def components_(self) -> NDArray[np.float64]:
        """Basis of the decoder's span, shape (code_size, d); not orthonormal."""
        return np.asarray(self.model.components_, dtype=np.float64)
