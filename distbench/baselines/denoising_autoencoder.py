"""An autoencoder that removes noise from its inputs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from distbench.baselines._network import HIDDEN, network

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from distbench.keras import DenoisingAutoencoder

__all__ = ["denoising_autoencoder"]


@network("denoising_autoencoder")
def denoising_autoencoder(
    points: NDArray[np.float32], code_size: int, *, noise: float = 0.3, hidden: Sequence[int] = HIDDEN
) -> DenoisingAutoencoder:
    """Autoencoder that learns to remove Gaussian noise from its inputs (Vincent et al. 2008).

    The recipe ``autoencoder`` with noise on the inputs, of ``noise`` standard deviations: the root of the mean
    variance of the features, one number for the whole point cloud. Targets and encoded points have no noise.

    ``epochs=None``: about 9,000 steps (5,000 where X holds over a million numbers), in 40 to 200 passes.
    """
    from distbench.baselines._training import spread
    from distbench.keras import DenoisingAutoencoder

    return DenoisingAutoencoder(
        code_size, noise * spread(points), hidden, dtype="float32", name="denoising_autoencoder"
    )
