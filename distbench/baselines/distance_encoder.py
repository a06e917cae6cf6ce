"""An encoder that is trained on distances alone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from distbench.baselines._network import HIDDEN, network

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from distbench.keras import DistanceEncoder

__all__ = ["distance_encoder"]


@network("distance_encoder")
def distance_encoder(
    points: NDArray[np.float32],
    code_size: int,
    *,
    form: str = "scaled",
    pairs: str = "all",
    hidden: Sequence[int] = HIDDEN,
) -> DistanceEncoder:
    """Train an encoder on distances alone, without a decoder: metric scaling that can encode new points.

    The loss is ``mean((a - b)^2) / mean_a^2``, a and b the distances of inputs and codes in a batch, mean_a the mean
    distance of (at most 2,000) train points; or another ``form`` of ``distbench.keras.PairwiseDistanceLoss``. Codes
    keep distances in the inputs' own units.

    ``epochs=None``: about 9,000 steps (5,000 where X holds over a million numbers), in 40 to 200 passes.
    """
    from distbench.keras import DistanceEncoder

    return DistanceEncoder(code_size, hidden=hidden, form=form, pairs=pairs, dtype="float32", name="distance_encoder")
