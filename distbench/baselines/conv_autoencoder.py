"""An autoencoder for images."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from distbench.baselines._network import network

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from distbench.keras import ConvolutionalAutoencoder

__all__ = ["conv_autoencoder"]


@network("conv_autoencoder", batch_size=64, steps=2500, xla=False)
def conv_autoencoder(
    points: NDArray[np.float32],
    code_size: int,
    *,
    image_shape: Sequence[int] | None = None,
    filters: Sequence[int] = (8, 16),
) -> ConvolutionalAutoencoder:
    """Autoencoder of strided convolutions, trained on reconstruction alone (Masci et al. 2011).

    Takes images as rows of ``image_shape`` numbers (height and width, and channels if any); None: a square of one
    channel; raises ``InputError`` if the number of features is not a square. Inputs are treated as in the recipe
    ``autoencoder``.

    ``epochs=None``: about 2,500 steps, in 40 to 200 passes.
    """
    from distbench.keras import ConvolutionalAutoencoder

    return ConvolutionalAutoencoder(code_size, image_shape, filters, dtype="float32", name="conv_autoencoder")
