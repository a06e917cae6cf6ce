"""An autoencoder that is also trained to keep distances, on as many pairs as points."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from distbench.baselines._network import HIDDEN, network

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from distbench.keras import DistancePreservingAutoencoder

__all__ = ["sampled_pairs_autoencoder"]


@network("sampled_pairs_autoencoder")
def sampled_pairs_autoencoder(
    points: NDArray[np.float32],
    code_size: int,
    *,
    weight: float | None = None,
    form: str = "scaled",
    hidden: Sequence[int] = HIDDEN,
) -> DistancePreservingAutoencoder:
    """Autoencoder with an added loss that keeps codes as far apart as their inputs, on as many pairs as points.

    The recipe ``pairwise_autoencoder`` with fewer pairs: each point of a batch and the next one, so that the cost of a
    step grows with the size of the batch, not with its square.
    """
    from distbench.baselines._pairwise import pairwise_model

    return pairwise_model("sampled_pairs_autoencoder", code_size, weight, hidden=hidden, form=form, pairs="sampled")
