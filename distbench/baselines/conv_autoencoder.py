"""An autoencoder for images."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from distbench.baselines._recipe import Progress, baseline

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from distbench.baselines._network import NetworkEncoder

__all__ = ["conv_autoencoder"]


@baseline("conv_autoencoder", deterministic=False)
def conv_autoencoder(
    X: NDArray[np.float64],
    code_size: int,
    seed: int,
    progress: Progress | None = None,
    *,
    image_shape: Sequence[int] | None = None,
    filters: Sequence[int] = (8, 16),
    epochs: int | None = None,
    batch_size: int = 64,
    learning_rate: float = 3e-3,
) -> NetworkEncoder:
    """Autoencoder of strided convolutions, trained on reconstruction alone (Masci et al. 2011).

    Takes images as rows of ``image_shape`` numbers (height and width, and channels if any); None: a square of one
    channel, and ``InputError`` where the number of features is no square. Inputs are treated as in the recipe
    ``autoencoder``.

    ``epochs=None``: about 2,500 steps, in 40 to 200 passes.
    """
    from distbench.baselines._network import NetworkEncoder
    from distbench.baselines._points import Units
    from distbench.baselines._training import Plan, seeded, train
    from distbench.keras import ConvolutionalAutoencoder

    plan = Plan(epochs, batch_size, learning_rate, steps=2500, xla=False)
    units = Units.of(X)
    points = units.points_in(X)
    with seeded(seed):
        model = ConvolutionalAutoencoder(code_size, image_shape, filters, dtype="float32", name="conv_autoencoder")
        train(model, points, seed, plan, progress)
    return NetworkEncoder("conv_autoencoder", model, units)
