"""An autoencoder whose decoder bends but does not stretch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from distbench.baselines._network import HIDDEN, network

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from distbench.keras import IsometricAutoencoder

__all__ = ["isometric_autoencoder"]


@network("isometric_autoencoder")
def isometric_autoencoder(
    points: NDArray[np.float32], code_size: int, *, weight: float = 1.0, hidden: Sequence[int] = HIDDEN
) -> IsometricAutoencoder:
    """Autoencoder trained so that its decoder is a local isometry and its encoder the inverse (Gropp et al. 2020).

    The recipe ``autoencoder`` with one more term: ``weight * (mean (||D u|| - 1)^2 + mean (||E^T u|| - 1)^2)``, D and E
    the Jacobians of decoder and encoder, u a random unit vector a point. It keeps lengths along the surface on
    which the points lie, not straight lines between points far apart.

    ``epochs=None``: about 9,000 steps (5,000 where X holds over a million numbers), in 40 to 200 passes.
    """
    from distbench.keras import IsometricAutoencoder

    return IsometricAutoencoder(code_size, weight, hidden, dtype="float32", name="isometric_autoencoder")
