"""An autoencoder that keeps how clusters merge."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from distbench._util.checks import whole_number
from distbench.keras._checks import check_scale, check_weight
from distbench.keras._distances import pairwise_distances
from distbench.keras._models import Activation, Autoencoder
from distbench.keras._moments import known
from distbench.keras._trees import spanning_edges

__all__ = ["TopologicalAutoencoder"]


@keras.saving.register_keras_serializable(package="distbench")
class TopologicalAutoencoder(Autoencoder):
    """Autoencoder that keeps the distances at which clusters of a batch merge (Moor et al. 2020).

    To the reconstruction loss it adds ``weight * (mean_X (a - b)^2 + mean_Z (a - b)^2) / 2 / scale^2``, with a and b
    the distances of inputs and of codes: the first mean over the edges of the minimum spanning tree of the inputs
    of a batch, the second over those of its codes. The original sums raw distances; dividing by the scale makes
    one weight mean the same on any data, and codes keep the units of the inputs.

    Parameters
    ----------
    code_size : int
        Width of the code.
    weight : float, default 10.0
        Weight of the added loss, against a reconstruction loss divided by the variance of the inputs; at least 0.
    scale : float or None
        Mean distance of the training points. None: that of ``adapt``, or the mean of each batch.
    hidden, activation
        As in :class:`Autoencoder`.
    max_points : int, default 128
        The trees join at most so many points, the first of the batch: the cost grows as the square of their number.
    **kwargs
        Passed to ``keras.Model``.

    Raises
    ------
    distbench.errors.InputError
        As :class:`Autoencoder`, ``weight`` is negative, ``scale`` is not above 0, or ``max_points`` is below 2.
    """

    arguments = ("weight", "max_points")

    def __init__(
        self,
        code_size: int,
        weight: float = 10.0,
        scale: float | None = None,
        hidden: Sequence[int] = (128, 64),
        activation: Activation = "relu",
        max_points: int = 128,
        **kwargs: Any,
    ) -> None:
        super().__init__(code_size, hidden, activation, **kwargs)
        self.weight = check_weight("weight", weight)
        self._given_scale = check_scale(scale)
        self.scale = self._number("scale", self._given_scale)
        self.max_points = whole_number(max_points, "max_points", 2)

    def call(self, inputs: Any, training: bool | None = None) -> Any:
        """Reconstruct ``inputs``, shape (n, features), and add the loss on both trees."""
        codes = self.encoder(inputs, training=training)
        self.add_loss(self.weight * self._difference(inputs[: self.max_points], codes[: self.max_points]))
        return self.decoder(codes, training=training)

    def _difference(self, inputs: Any, codes: Any) -> Any:
        distances = ops.stack([pairwise_distances(inputs), pairwise_distances(codes)])
        edges = ops.expand_dims(spanning_edges(distances), 2)
        # A mask, not a gather, whose gradient is slow under XLA on a CPU. The root's edge has length 0 in both.
        n = ops.shape(edges)[1]
        chosen = ops.cast(edges == ops.arange(n, dtype="int32"), "float32")
        squares = ops.square(distances[0] - distances[1])
        edge_count = ops.maximum(ops.cast(n, "float32") - 1.0, 1.0)
        return 0.5 * ops.sum(chosen * squares) / edge_count / self._unit(distances[0], n)

    def _unit(self, a: Any, n: Any) -> Any:
        size = ops.cast(n, "float32")
        found = ops.sum(a) / ops.maximum(size * (size - 1.0), 1.0)
        # A batch whose inputs all coincide has no scale; it adds no loss.
        found = ops.where(found > 0, found, float("inf"))
        return ops.square(known(self.scale, found))

    def get_config(self) -> dict[str, Any]:
        """Return what ``from_config`` needs to make this model again."""
        return {**super().get_config(), "scale": self._given_scale}
