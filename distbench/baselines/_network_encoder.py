"""Encoders that are the first half of a trained network, and how one is fitted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from distbench.baselines._points import Units
from distbench.baselines._recipe import Progress, Transformer
from distbench.baselines._training import Plan, seeded, train

__all__ = ["LinearNetworkEncoder", "NetworkEncoder", "fit_network"]


@dataclass(frozen=True, eq=False)
class NetworkEncoder(Transformer):
    """The encoding half of a trained model, in the units of the inputs.

    Attributes
    ----------
    name : str
        The name of the recipe.
    model : distbench.keras.Autoencoder
        The trained model; it works on ``units.points_in(X)``.
    units : Units
        Converts between the user's points and the model's.
    """

    name: str
    model: Any
    units: Units

    def encode(self, X: ArrayLike) -> NDArray[np.float64]:
        """Return the codes of points ``X`` (m, ...) as an array (m, code_size)."""
        return self.units.codes_out(self.model.encode(self.units.points_in(X), batch_size=1024))


@dataclass(frozen=True, eq=False)
class LinearNetworkEncoder(NetworkEncoder):
    """A trained linear autoencoder, whose subspace can be compared with that of PCA."""

    @property
    def components_(self) -> NDArray[np.float64]:
        """Basis of the decoder's span, shape (code_size, d); not orthonormal."""
        return np.asarray(self.model.components_, dtype=np.float64)


def fit_network(
    name: str,
    X: NDArray[np.float64],
    seed: int,
    plan: Plan,
    build: Callable[[NDArray[np.float32]], Any],
    progress: Progress | None = None,
    encoder: type[NetworkEncoder] = NetworkEncoder,
) -> NetworkEncoder:
    """Return an encoder trained on points ``X`` (n, d); ``build`` makes its model from the points in its units."""
    units = Units.of(X)
    points = units.points_in(X)
    with seeded(seed):
        model = build(points)
        train(model, points, seed, plan, progress)
    return encoder(name, model, units)
