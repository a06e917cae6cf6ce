"""An autoencoder with a penalty on the derivative of its encoder."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from distbench.baselines._network import HIDDEN, network

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from distbench.keras import ContractiveAutoencoder

__all__ = ["contractive_autoencoder"]


@network("contractive_autoencoder")
def contractive_autoencoder(
    points: NDArray[np.float32], code_size: int, *, weight: float = 0.001, hidden: Sequence[int] = HIDDEN
) -> ContractiveAutoencoder:
    """Autoencoder with a penalty on the derivative of its encoder (Rifai et al. 2011).

    The recipe ``autoencoder`` with one more term: ``weight * mean ||J||^2 * v / w``, J the Jacobian of the encoder, v
    and w the mean variances of inputs and codes in a batch. The ratio replaces the tied weights of the original:
    without either, codes shrink and the decoder stretches them again.

    ``epochs=None``: about 9,000 steps (5,000 where X holds over a million numbers), in 40 to 200 passes.
    """
    from distbench.keras import ContractiveAutoencoder

    return ContractiveAutoencoder(code_size, weight, hidden, dtype="float32", name="contractive_autoencoder")
