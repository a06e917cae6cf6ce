"""An autoencoder for images that is also trained to keep distances."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from distbench.baselines._network import network

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from distbench.keras import DistancePreservingAutoencoder

__all__ = ["conv_pairwise_autoencoder"]


@network("conv_pairwise_autoencoder", batch_size=64, steps=2500, xla=False)
def conv_pairwise_autoencoder(
    points: NDArray[np.float32],
    code_size: int,
    *,
    image_shape: Sequence[int] | None = None,
    filters: Sequence[int] = (8, 16),
    weight: float | None = None,
) -> DistancePreservingAutoencoder:
    """Autoencoder of strided convolutions with an added loss that keeps codes as far apart as their inputs.

    The network and the training of the recipe ``conv_autoencoder`` (Masci et al. 2011), with the added loss of
    ``pairwise_autoencoder`` and its default weight.

    ``epochs=None``: about 2,500 steps, in 40 to 200 passes.
    """
    from distbench.baselines._pairwise import pairwise_model
    from distbench.keras import ConvolutionalAutoencoder

    parts = ConvolutionalAutoencoder(code_size, image_shape, filters, dtype="float32")
    parts.build(points.shape)
    return pairwise_model("conv_pairwise_autoencoder", code_size, weight, encoder=parts.encoder, decoder=parts.decoder)
