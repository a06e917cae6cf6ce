"""An autoencoder that also keeps distances."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras

from distbench.keras._losses import PairwiseDistanceLoss
from distbench.keras._models import Autoencoder

__all__ = ["DistancePreservingAutoencoder"]


@keras.saving.register_keras_serializable(package="distbench")
class DistancePreservingAutoencoder(Autoencoder):
    """Autoencoder that also asks of its codes to be as far apart as their inputs.

    To whatever reconstruction loss it is compiled with it adds :class:`PairwiseDistanceLoss`.

    Parameters
    ----------
    code_size : int
        Width of the code.
    weight : float, default 10.0
        Of the distance loss, against a reconstruction loss divided by the variance of the inputs.
    scale
        As in :class:`PairwiseDistanceLoss`.
    hidden, activation
        As in :class:`Autoencoder`.
    form, pairs
        As in :class:`PairwiseDistanceLoss`.
    **kwargs
        Passed to ``keras.Model``.

    Raises
    ------
    distbench.errors.InputError
        As :class:`Autoencoder` and :class:`PairwiseDistanceLoss`.
    """

    def __init__(
        self,
        code_size: int,
        weight: float = 10.0,
        scale: float | None = None,
        hidden: Sequence[int] = (128, 64),
        activation: str = "relu",
        form: str = "scaled",
        pairs: str = "all",
        **kwargs: Any,
    ) -> None:
        super().__init__(code_size, hidden, activation, **kwargs)
        self.distances = PairwiseDistanceLoss(
            weight, scale, form=form, pairs=pairs, dtype=self.dtype_policy, name="distances"
        )

    def call(self, inputs: Any, training: bool | None = None) -> Any:
        """Reconstruct ``inputs``, shape (n, features), and add the distance loss."""
        codes = self.distances(self.encoder(inputs, training=training), inputs)
        return self.decoder(codes, training=training)

    def get_config(self) -> dict[str, Any]:
        """Return what ``from_config`` needs to make this model again."""
        own = {name: getattr(self.distances, name) for name in ("weight", "scale", "form", "pairs")}
        return {**super().get_config(), **own}
