"""An autoencoder that also keeps distances, and the encoder half of one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
from numpy.typing import ArrayLike, NDArray

from distbench.errors import InputError
from distbench.keras._losses import PairwiseDistanceLoss
from distbench.keras._models import Activation, Autoencoder, build_stack

__all__ = ["DistanceEncoder", "DistancePreservingAutoencoder"]


@keras.saving.register_keras_serializable(package="distbench")
class DistancePreservingAutoencoder(Autoencoder):
    """Autoencoder with an added loss that keeps codes as far apart as their inputs.

    It adds :class:`PairwiseDistanceLoss` to the reconstruction loss that it is compiled with.

    Parameters
    ----------
    code_size : int
        Width of the code.
    weight : float, default 10.0
        Weight of the distance loss, against a reconstruction loss divided by the variance of the inputs.
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
        activation: Activation = "relu",
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
        loss = self.distances.get_config()
        return {**super().get_config(), **{name: loss[name] for name in ("weight", "scale", "form", "pairs")}}


@keras.saving.register_keras_serializable(package="distbench")
class DistanceEncoder(DistancePreservingAutoencoder):
    """Encoder trained on distances alone, without a decoder: multidimensional scaling that can encode new points.

    Calling it gives codes. Its loss is that of :class:`PairwiseDistanceLoss`; ``compile("adam")`` and ``fit(X)`` are
    enough. A loss that it is compiled with compares the codes with the targets ``y``, and is added where there are any.

    Parameters
    ----------
    code_size : int
        Width of the code.
    weight, scale
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

    reconstructs = False

    def __init__(
        self,
        code_size: int,
        weight: float = 1.0,
        scale: float | None = None,
        hidden: Sequence[int] = (128, 64),
        **kwargs: Any,
    ) -> None:
        super().__init__(code_size, weight, scale, hidden, **kwargs)

    def build(self, input_shape: Sequence[int | None]) -> None:
        """Make the encoder for inputs of shape ``(batch, features)``."""
        self.encoder = self._stack(self.hidden, self.code_size, "encoder")
        build_stack(self.encoder, input_shape)
        self.built = True

    def call(self, inputs: Any, training: bool | None = None) -> Any:
        """Return the codes of ``inputs``, shape (n, features), and add the distance loss."""
        return self.distances(self.encoder(inputs, training=training), inputs)

    def compute_loss(
        self, x: Any = None, y: Any = None, y_pred: Any = None, sample_weight: Any = None, training: bool = True
    ) -> Any:
        """Return the distance loss, and the compiled loss of the codes if there is one and ``y`` is given."""
        if self.loss is None or y is None:
            return sum(self.losses)
        return super().compute_loss(x, y, y_pred, sample_weight, training)

    def decode(self, Z: ArrayLike, batch_size: int | None = None) -> NDArray[Any]:
        """Raise ``InputError`` for any ``Z`` and ``batch_size``: there is no decoder."""
        raise InputError("decode: a DistanceEncoder has no decoder; use DistancePreservingAutoencoder")
