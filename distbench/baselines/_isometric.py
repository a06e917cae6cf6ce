"""Encoders that are networks of distance-preserving layers with random, untrained weights."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from distbench.baselines._points import Units
from distbench.baselines._recipe import Transformer
from distbench.baselines._training import seeded

__all__ = ["IsometricEncoder", "drawn"]


@dataclass(frozen=True, eq=False)
class IsometricEncoder(Transformer):
    """A network of isometries, with an optional projection or sigmoid at its end.

    Attributes
    ----------
    name : str
        The name of the recipe.
    model : keras.Model
        The network; it works on ``units.points_in(X)``.
    units : Units
        Converts between the user's points and the network's.
    gain : float
        The network's outputs are divided by this before they get the units of the inputs.
    """

    name: str
    model: Any
    units: Units
    gain: float = 1.0

    def encode(self, X: ArrayLike) -> NDArray[np.float64]:
        """Return the codes of points ``X`` (m, ...) as an array (m, code_size)."""
        points = self.units.points_in(X)
        parts = [self.model.predict_on_batch(points[start : start + 1024]) for start in range(0, len(points), 1024)]
        return self.units.codes_out(np.concatenate(parts) / self.gain)


def drawn(
    name: str, X: NDArray[np.float64], seed: int, code_size: int | None, squash: float | None = None
) -> IsometricEncoder:
    """Return an encoder with random weights: rotation, translation, reflection, rotation.

    Parameters
    ----------
    name : str
        Name of the recipe.
    X : numpy.ndarray, shape (n, d)
        Train points; only the units depend on them.
    seed : int
        Seed of the weights.
    code_size : int or None
        Rows of an orthogonal projection at the end; None: no projection.
    squash : float, optional
        The outputs of the layers, in the units of :class:`Units`, are multiplied by this before a sigmoid. None: no
        sigmoid.
    """
    from distbench._util.keras import require_keras
    from distbench.keras import OrthogonalProjection, Reflection, Rotation, Translation

    units = Units.of(X)
    keras = require_keras()
    with seeded(seed):
        layers = [keras.Input((X.shape[1],), dtype="float32"), Rotation(), Translation(0.1), Reflection(), Rotation()]
        if code_size is not None:
            layers.append(OrthogonalProjection(code_size))
        if squash is not None:
            layers += [
                keras.layers.Rescaling(squash, dtype="float32"),
                keras.layers.Activation("sigmoid", dtype="float32"),
            ]
        model = keras.Sequential(layers, name=name)
    # The slope of the sigmoid at 0 is a quarter.
    return IsometricEncoder(name, model, units, 1.0 if squash is None else squash / 4)
