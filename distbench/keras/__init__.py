"""Parts to build distance-preserving encoders with, for Keras 3 on any backend.

Keras is imported when the first part is used, not before.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from distbench.keras._require import require_keras

if TYPE_CHECKING:
    from distbench.keras._losses import PairwiseDistanceLoss, pairwise_distances
    from distbench.keras._models import Autoencoder, DistancePreservingAutoencoder, LinearAutoencoder

__all__ = [
    "Autoencoder",
    "DistancePreservingAutoencoder",
    "LinearAutoencoder",
    "PairwiseDistanceLoss",
    "pairwise_distances",
]

_LOSSES = ("PairwiseDistanceLoss", "pairwise_distances")


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    require_keras()
    module = import_module(f"{__name__}.{'_losses' if name in _LOSSES else '_models'}")
    return getattr(module, name)


def __dir__() -> list[str]:
    return __all__
