"""The networks that reconstruct and keep distances, and how much distances count in them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from distbench.baselines._training import mean_distance

if TYPE_CHECKING:
    from distbench.keras import DistancePreservingAutoencoder

__all__ = ["pair_weight", "pairwise_model"]


def pairwise_model(
    name: str, points: NDArray[np.float32], code_size: int, weight: float | None, **options: Any
) -> DistancePreservingAutoencoder:
    """Return an untrained ``DistancePreservingAutoencoder``; distances are compared in units of their mean."""
    from distbench.keras import DistancePreservingAutoencoder

    return DistancePreservingAutoencoder(
        code_size, pair_weight(weight, code_size), mean_distance(points), dtype="float32", name=name, **options
    )


def pair_weight(weight: float | None, code_size: int) -> float:
    """Return ``weight``; if it is None, return 2 for codes of up to three numbers and 10 for longer codes.

    These defaults were chosen on a validation split of the train points of digits and mnist5k. Codes of two numbers
    cannot keep both distances and neighbors, and a weight above 2 loses neighbors. Codes of eight or more numbers lose
    no neighbors with weight 10, and keep distances better than with 2. Sizes between were not tried.
    """
    if weight is None:
        return 2.0 if code_size <= 3 else 10.0
    return weight
