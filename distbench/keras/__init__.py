"""Parts to build distance-preserving encoders with, for Keras 3 on any backend.

Importing this package imports Keras and registers all parts, so that ``keras.saving.load_model`` knows them. The
monitor alone is imported when it is used: it evaluates encoders, and what that needs takes most of a second to import.
"""

# ruff: noqa: E402 - without Keras, the error is the line that says what to install

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from distbench._util.keras import require_keras

require_keras()

from distbench.keras._contractive import ContractiveAutoencoder
from distbench.keras._convolutional import ConvolutionalAutoencoder
from distbench.keras._denoising import DenoisingAutoencoder
from distbench.keras._distance_error import PairwiseDistanceError
from distbench.keras._distance_preserving import DistanceEncoder, DistancePreservingAutoencoder
from distbench.keras._distances import pairwise_distances
from distbench.keras._isometric import IsometricAutoencoder
from distbench.keras._layers import OrthogonalProjection, Reflection, Rotation, Translation
from distbench.keras._losses import PairwiseDistanceLoss, pairwise_distance_loss
from distbench.keras._models import Autoencoder, LinearAutoencoder
from distbench.keras._neighbor_autoencoder import NeighborAutoencoder
from distbench.keras._neighbor_batches import NeighborBatches
from distbench.keras._neighbor_pairs import neighbor_pairs
from distbench.keras._neighbors import NeighborLoss, neighbor_loss
from distbench.keras._topological import TopologicalAutoencoder
from distbench.keras._variational import VariationalAutoencoder

if TYPE_CHECKING:
    from distbench.evaluation.keras_monitor import PreservationMonitor

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
    "PairwiseDistanceError",
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


def __getattr__(name: str) -> Any:
    if name != "PreservationMonitor":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from distbench.evaluation.keras_monitor import PreservationMonitor

    return PreservationMonitor


def __dir__() -> list[str]:
    return __all__
