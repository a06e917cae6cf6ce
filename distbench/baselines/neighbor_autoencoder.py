"""An autoencoder that is also trained to keep neighbors and distances."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from distbench.baselines._network import HIDDEN, network

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from distbench.keras import NeighborAutoencoder

__all__ = ["neighbor_autoencoder"]


@network("neighbor_autoencoder", batch_size=64, neighbors=10)
def neighbor_autoencoder(
    points: NDArray[np.float32],
    code_size: int,
    *,
    neighbor_weight: float = 0.1,
    temperature: float = 0.03,
    weight: float | None = None,
    hidden: Sequence[int] = HIDDEN,
) -> NeighborAutoencoder:
    """Autoencoder with two added losses: near points get near codes, and codes are as far apart as their inputs.

    The recipe ``pairwise_autoencoder`` with one more term, ``neighbor_weight`` times ``distbench.keras.neighbor_loss``
    (van den Oord, Li and Vinyals 2018): each step takes ``batch_size`` points and one of the 10 nearest points of each,
    and the code of a point must tell its partner from those of the others.

    ``weight=None``: 2 for codes of up to seven numbers, which cannot keep both distances and neighbors, else 10.
    ``epochs=None``: about 9,000 steps (5,000 where X holds over a million numbers), in 40 to 200 passes.
    """
    from distbench.baselines._pairwise import pair_weight
    from distbench.keras import NeighborAutoencoder

    return NeighborAutoencoder(
        code_size,
        neighbor_weight,
        temperature,
        pair_weight(weight, code_size),
        hidden=hidden,
        dtype="float32",
        name="neighbor_autoencoder",
    )
