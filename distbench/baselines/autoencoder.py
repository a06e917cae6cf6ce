"""An autoencoder that is trained on reconstruction alone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from distbench.baselines._network import HIDDEN, network

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from distbench.keras import Autoencoder

__all__ = ["autoencoder"]


@network("autoencoder")
def autoencoder(points: NDArray[np.float32], code_size: int, *, hidden: Sequence[int] = HIDDEN) -> Autoencoder:
    """Autoencoder with ReLU layers, trained on reconstruction alone (Hinton & Salakhutdinov 2006).

    Inputs are centered and divided by one number, which keeps their geometry; codes are multiplied by it again. The
    loss sets no scale of the codes, so ``stress`` says little about this encoder: use
    ``scaled_stress``.

    ``epochs=None``: about 9,000 steps (5,000 where X holds over a million numbers), in 40 to 200 passes.
    """
    from distbench.keras import Autoencoder

    return Autoencoder(code_size, hidden, dtype="float32", name="autoencoder")
