"""An autoencoder that repairs its inputs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from distbench.baselines._recipe import Progress, baseline

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from distbench.baselines._network import NetworkEncoder

__all__ = ["denoising_autoencoder"]


@baseline("denoising_autoencoder", deterministic=False)
def denoising_autoencoder(
    X: NDArray[np.float64],
    code_size: int,
    seed: int,
    progress: Progress | None = None,
    *,
    noise: float = 0.3,
    hidden: Sequence[int] = (128, 64),
    epochs: int | None = None,
    batch_size: int = 32,
    learning_rate: float = 3e-3,
) -> NetworkEncoder:
    """Autoencoder that is to remove Gaussian noise from its inputs (Vincent et al. 2008).

    The recipe ``autoencoder`` with noise on the inputs, of ``noise`` standard deviations: the root of the mean
    variance of the features, one number for the whole point cloud. Targets and encoded points have none.

    ``epochs=None``: about 9,000 steps (5,000 where X holds over a million numbers), in 40 to 200 passes.
    """
    from distbench.baselines._network import NetworkEncoder
    from distbench.baselines._points import Units
    from distbench.baselines._training import Plan, seeded, spread, train
    from distbench.keras import DenoisingAutoencoder

    plan = Plan(epochs, batch_size, learning_rate)
    units = Units.of(X)
    points = units.points_in(X)
    with seeded(seed):
        model = DenoisingAutoencoder(
            code_size, noise * spread(points), hidden, dtype="float32", name="denoising_autoencoder"
        )
        train(model, points, seed, plan, progress)
    return NetworkEncoder("denoising_autoencoder", model, units)
