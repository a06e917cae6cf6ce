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
    """Return ``weight``; if it is None, return 2 for codes of up to seven numbers and 10 for longer codes.

    Chosen on held-out train points of digits and mnist5k (``benchmarks/pair_weight.py``). Shorter codes cannot keep
    both distances and neighbors, and weight 10 loses neighbors. Codes of eight or more numbers lose none with it, and
    keep distances better than with 2.
    """
    if weight is None:
        return 2.0 if code_size < 8 else 10.0
    return weight
