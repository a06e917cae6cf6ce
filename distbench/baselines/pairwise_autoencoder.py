"""An autoencoder that is also trained to keep distances."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from distbench.baselines._network import HIDDEN, network

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from distbench.keras import DistancePreservingAutoencoder

__all__ = ["pairwise_autoencoder"]


@network("pairwise_autoencoder")
def pairwise_autoencoder(
    points: NDArray[np.float32],
    code_size: int,
    *,
    weight: float | None = None,
    form: str = "scaled",
    pairs: str = "all",
    hidden: Sequence[int] = HIDDEN,
) -> DistancePreservingAutoencoder:
    """Autoencoder with an added loss that keeps codes as far apart as their inputs.

    The recipe ``autoencoder`` with one more term: ``weight * mean((a - b)^2) / mean_a^2``, a and b the distances of
    inputs and codes in a batch, mean_a the mean distance of (at most 2,000) train points; or another ``form`` of
    ``distbench.keras.PairwiseDistanceLoss``. Codes keep distances in the inputs' own units.

    ``weight=None``: 2 for codes of up to seven numbers, which cannot keep both distances and neighbors, else 10.
    ``epochs=None``: about 9,000 steps (5,000 where X holds over a million numbers), in 40 to 200 passes.
    """
    from distbench.baselines._pairwise import pairwise_model

    return pairwise_model("pairwise_autoencoder", code_size, weight, hidden=hidden, form=form, pairs=pairs)
