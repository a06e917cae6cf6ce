"""An autoencoder that keeps neighbors and distances."""

from __future__ import annotations

from typing import Any

import keras

from distbench.keras._distance_preserving import DistancePreservingAutoencoder
from distbench.keras._neighbors import NeighborLoss

__all__ = ["NeighborAutoencoder"]


@keras.saving.register_keras_serializable(package="distbench")
class NeighborAutoencoder(DistancePreservingAutoencoder):
    """Autoencoder with two added losses: near points get near codes, and codes are as far apart as their inputs.

    It adds :class:`NeighborLoss` and :class:`PairwiseDistanceLoss` to the reconstruction loss that it is compiled with.
    Train it on :class:`NeighborBatches`.

    Parameters
    ----------
    code_size : int
        Width of the code.
    neighbor_weight : float, default 0.1
        Weight of the loss on neighbors.
    temperature : float, default 0.03
        As in :class:`NeighborLoss`.
    weight : float, default 10.0
        Weight of the loss on distances, against a reconstruction loss divided by the variance of the inputs.
    **kwargs
        Passed to :class:`DistancePreservingAutoencoder`.

    Raises
    ------
    distbench.errors.InputError
        As :class:`DistancePreservingAutoencoder` and :class:`NeighborLoss`.
    """

    def __init__(
        self,
        code_size: int,
        neighbor_weight: float = 0.1,
        temperature: float = 0.03,
        weight: float = 10.0,
        **kwargs: Any,
    ) -> None:
        super().__init__(code_size, weight, **kwargs)
        self.neighbors = NeighborLoss(neighbor_weight, temperature, dtype=self.dtype_policy, name="neighbors")

    def call(self, inputs: Any, training: bool | None = None) -> Any:
        """Reconstruct ``inputs``, shape (n, features), and add the losses; that on neighbors only if ``training``."""
        codes = self.neighbors(self.encoder(inputs, training=training), training=training)
        return self.decoder(self.distances(codes, inputs), training=training)

    def get_config(self) -> dict[str, Any]:
        """Return what ``from_config`` needs to make this model again."""
        loss = self.neighbors.get_config()
        ours = {"neighbor_weight": loss["weight"], "temperature": loss["temperature"]}
        return {**super().get_config(), **ours}
