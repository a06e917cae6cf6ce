"""An autoencoder whose decoder bends but does not stretch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from distbench.baselines._recipe import Progress, baseline

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from distbench.baselines._network import NetworkEncoder

__all__ = ["isometric_autoencoder"]


@baseline("isometric_autoencoder", deterministic=False)
def isometric_autoencoder(
    X: NDArray[np.float64],
    code_size: int,
    seed: int,
    progress: Progress | None = None,
    *,
    weight: float = 1.0,
    hidden: Sequence[int] = (128, 64),
    epochs: int | None = None,
    batch_size: int = 32,
    learning_rate: float = 3e-3,
) -> NetworkEncoder:
    """Autoencoder whose decoder is to be a local isometry, and its encoder the inverse (Gropp et al. 2020).

    The recipe ``autoencoder`` with one term more: ``weight * (mean (||D u|| - 1)^2 + mean (||E^T u|| - 1)^2)``, D and E
    the Jacobians of decoder and encoder, u a random unit vector a point. It keeps lengths along the surface on
    which the points lie, not straight lines between points far apart.

    ``epochs=None``: about 9,000 steps (5,000 where X holds over a million numbers), in 40 to 200 passes.
    """
    from distbench.baselines._network import NetworkEncoder
    from distbench.baselines._points import Units
    from distbench.baselines._training import Plan, seeded, train
    from distbench.keras import IsometricAutoencoder

    plan = Plan(epochs, batch_size, learning_rate)
    units = Units.of(X)
    points = units.points_in(X)
    with seeded(seed):
        model = IsometricAutoencoder(code_size, weight, hidden, dtype="float32", name="isometric_autoencoder")
        train(model, points, seed, plan, progress)
    return NetworkEncoder("isometric_autoencoder", model, units)
