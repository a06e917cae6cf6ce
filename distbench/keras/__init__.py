"""Parts to build distance-preserving encoders with, for Keras 3 on any backend.

Keras is imported when the first part is used, not before.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from distbench.keras.registered import require_keras

if TYPE_CHECKING:
    from distbench.evaluation.keras_monitor import PreservationMonitor
    from distbench.keras._contractive import ContractiveAutoencoder
    from distbench.keras._convolutional import ConvolutionalAutoencoder
    from distbench.keras._denoising import DenoisingAutoencoder
    from distbench.keras._distance_preserving import DistanceEncoder, DistancePreservingAutoencoder
    from distbench.keras._isometric import IsometricAutoencoder
    from distbench.keras._layers import OrthogonalProjection, Reflection, Rotation, Translation
    from distbench.keras._losses import PairwiseDistanceLoss, pairwise_distance_loss, pairwise_distances
    from distbench.keras._models import Autoencoder, LinearAutoencoder
    from distbench.keras._neighbor_autoencoder import NeighborAutoencoder
    from distbench.keras._neighbor_batches import NeighborBatches, neighbor_pairs
    from distbench.keras._neighbors import NeighborLoss, neighbor_loss
    from distbench.keras._topological import TopologicalAutoencoder
    from distbench.keras._variational import VariationalAutoencoder

__all__ = [
    "Autoencoder",
    "ContractiveAutoencoder",
    "ConvolutionalAutoencoder",
    "DenoisingAutoencoder",
    "DistanceEncoder",
    "DistancePreservingAutoencoder",
    "IsometricAutoencoder",
    "LinearAutoencoder",
    "NeighborAutoencoder",
    "NeighborBatches",
    "NeighborLoss",
    "OrthogonalProjection",
    "PairwiseDistanceLoss",
    "PreservationMonitor",
    "Reflection",
    "Rotation",
    "TopologicalAutoencoder",
    "Translation",
    "VariationalAutoencoder",
    "neighbor_loss",
    "neighbor_pairs",
    "pairwise_distance_loss",
    "pairwise_distances",
]

# Where each part lives; the hash of a recipe follows it without importing Keras.
_MODULES = {
    "Autoencoder": "_models",
    "ContractiveAutoencoder": "_contractive",
    "ConvolutionalAutoencoder": "_convolutional",
    "DenoisingAutoencoder": "_denoising",
    "DistanceEncoder": "_distance_preserving",
    "DistancePreservingAutoencoder": "_distance_preserving",
    "IsometricAutoencoder": "_isometric",
    "LinearAutoencoder": "_models",
    "NeighborAutoencoder": "_neighbor_autoencoder",
    "NeighborBatches": "_neighbor_batches",
    "NeighborLoss": "_neighbors",
    "OrthogonalProjection": "_layers",
    "PairwiseDistanceLoss": "_losses",
    "Reflection": "_layers",
    "Rotation": "_layers",
    "TopologicalAutoencoder": "_topological",
    "Translation": "_layers",
    "VariationalAutoencoder": "_variational",
    "neighbor_loss": "_neighbors",
    "neighbor_pairs": "_neighbor_batches",
    "pairwise_distance_loss": "_losses",
    "pairwise_distances": "_losses",
}


# The monitor evaluates encoders, so its module is in distbench.evaluation.
_ELSEWHERE = {"PreservationMonitor": "distbench.evaluation.keras_monitor"}


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    require_keras()
    return getattr(import_module(_ELSEWHERE.get(name) or f"{__name__}.{_MODULES[name]}"), name)


def __dir__() -> list[str]:
    return __all__
