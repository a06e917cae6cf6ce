"""An autoencoder that keeps how clusters merge."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from distbench.baselines._network import HIDDEN, network

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from distbench.keras import TopologicalAutoencoder

__all__ = ["topological_autoencoder"]


@network("topological_autoencoder")
def topological_autoencoder(
    points: NDArray[np.float32], code_size: int, *, weight: float = 10.0, hidden: Sequence[int] = HIDDEN
) -> TopologicalAutoencoder:
    """Autoencoder that keeps the distances at which clusters of a batch merge (Moor et al. 2020).

    The recipe ``autoencoder`` with one more term: ``weight`` times the mean squared difference of distances of inputs
    and codes, over the edges of the minimum spanning trees of both, divided by the squared mean distance of
    (at most 2,000) train points. The original sums raw distances, so that its weight depends on the data.

    ``epochs=None``: about 9,000 steps (5,000 where X holds over a million numbers), in 40 to 200 passes.
    """
    from distbench.keras import TopologicalAutoencoder

    return TopologicalAutoencoder(code_size, weight, hidden=hidden, dtype="float32", name="topological_autoencoder")
