"""An autoencoder that keeps neighbors and distances."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras

from distbench.errors import InputError
from distbench.keras._distance_preserving import DistancePreservingAutoencoder
from distbench.keras._neighbor_batches import NeighborBatches
from distbench.keras._neighbors import NeighborLoss

__all__ = ["NeighborAutoencoder"]


@keras.saving.register_keras_serializable(package="distbench")
class NeighborAutoencoder(DistancePreservingAutoencoder):
    """Autoencoder with two added losses: near points get near codes, and codes are as far apart as their inputs.

    It adds the losses of :class:`NeighborLoss` and :class:`PairwiseDistanceLoss` to that of :class:`Autoencoder`. The
    history of ``fit`` has all three: ``neighbor_loss`` and ``distance_loss``, times their weights, and
    ``reconstruction_loss``. Train it by ``fit(NeighborBatches(X))``. Batches of ``evaluate`` have no partners, so
    ``val_neighbor_loss`` is NaN and no part of ``val_loss``.

    Parameters
    ----------
    code_size : int, optional
        Width of the code. None: `encoder` and `decoder` are given.
    neighbor_weight : float, default 0.1
        Weight of the loss on neighbors. ``neighbors.weight`` is a variable, which a callback can change.
    temperature : float, default 0.03
        As in :class:`NeighborLoss`.
    weight : float, default 10.0
        Weight of the loss on distances; the variable is ``distances.weight``.
    **kwargs
        Passed to :class:`DistancePreservingAutoencoder`.

    Raises
    ------
    distbench.errors.InputError
        As :class:`DistancePreservingAutoencoder` and :class:`NeighborLoss`.
    """

    added_in_training = ("neighbor_loss",)

    def __init__(
        self,
        code_size: int | None = None,
        neighbor_weight: float = 0.1,
        temperature: float = 0.03,
        weight: float = 10.0,
        **kwargs: Any,
    ) -> None:
        super().__init__(code_size, weight, **kwargs)
        self.neighbors = NeighborLoss(neighbor_weight, temperature, name="neighbors")

    def build(self, input_shape: Sequence[int | None]) -> None:
        """Make encoder and decoder for inputs of shape ``(batch, ...)``, unless they were given."""
        super().build(input_shape)
        self.neighbors.build((None, self.code_size))

    def _add_losses(self, codes: Any, inputs: Any, training: bool | None) -> None:
        super()._add_losses(codes, inputs, training)
        if training:
            self.add_loss(self.neighbors.loss(codes))

    def fit(self, x: Any = None, y: Any = None, *args: Any, **kwargs: Any) -> Any:
        """Train on batches `x` as ``keras.Model.fit`` does, and return its history.

        Parameters
        ----------
        x : NeighborBatches
            Batches of a class of your own must inherit from it: of no others is it known that they hold partners.
        y, *args, **kwargs
            Passed to ``keras.Model.fit``.

        Raises
        ------
        distbench.errors.InputError
            `x` is something else, or TensorFlow's replicas cannot share its anchors equally. Or ``sample_weight`` is
            given: it cannot follow the points into batches.
        """
        if not isinstance(x, NeighborBatches):
            found = f"found {type(x).__name__}, whose batches may hold no neighbors"
            raise InputError("x", found, "call fit(NeighborBatches(X))")
        if kwargs.get("sample_weight") is not None:
            advice = "pass batches (x, y, weights): those of a subclass of NeighborBatches, whose `order` has the rows"
            raise InputError("sample_weight", "found beside batches", advice)
        strategy = getattr(self, "distribute_strategy", None)
        x.share(1 if strategy is None else strategy.num_replicas_in_sync)
        return super().fit(x, y, *args, **kwargs)

    def train_on_batch(self, x: Any, *args: Any, **kwargs: Any) -> Any:
        """Raise ``InputError``: of a batch alone it is not known that it holds partners."""
        raise InputError("train_on_batch", "found a batch that may hold no neighbors", "call fit(NeighborBatches(X))")

    def get_config(self) -> dict[str, Any]:
        """Return what ``from_config`` needs to make this model again."""
        loss = self.neighbors.get_config()
        ours = {"neighbor_weight": loss["weight"], "temperature": loss["temperature"]}
        return {**super().get_config(), **ours}
