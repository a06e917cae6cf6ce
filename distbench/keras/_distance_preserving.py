"""An autoencoder that also keeps distances, and the encoder half of one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
from numpy.typing import ArrayLike, NDArray

from distbench.errors import InputError
from distbench.keras._losses import PairwiseDistanceLoss
from distbench.keras._models import Activation, Autoencoder

__all__ = ["DistanceEncoder", "DistancePreservingAutoencoder"]


@keras.saving.register_keras_serializable(package="distbench")
class DistancePreservingAutoencoder(Autoencoder):
    """Autoencoder with an added loss that keeps codes as far apart as their inputs.

    It adds the loss of :class:`PairwiseDistanceLoss` to that of :class:`Autoencoder`. The history of ``fit`` has both
    as ``distance_loss``, times its weight, and ``reconstruction_loss``, divided by the variance.

    Parameters
    ----------
    code_size : int, optional
        Width of the code. None: `encoder` and `decoder` are given.
    weight : float, default 10.0
        Weight of the distance loss. ``distances.weight`` is a variable, which a callback can change during training.
    scale : float or None
        Mean distance of the training points. None: that of :meth:`adapt`, or the mean of each batch.
    hidden, activation
        As in :class:`Autoencoder`.
    form, pairs
        As in :class:`PairwiseDistanceLoss`.
    encoder, decoder
        As in :class:`Autoencoder`.
    **kwargs
        Passed to ``keras.Model``.

    Raises
    ------
    distbench.errors.InputError
        As :class:`Autoencoder` and :class:`PairwiseDistanceLoss`.

    Notes
    -----
    Call :meth:`adapt` on the train points before ``fit``. Otherwise each batch is divided by its own variance and its
    own mean distance.

    Examples
    --------
    >>> model = DistancePreservingAutoencoder(2)
    >>> model.adapt(X_test)
    >>> model.compile("adam")
    >>> history = model.fit(X_test, verbose=0).history
    >>> sorted(history)
    ['distance_loss', 'loss', 'reconstruction_loss']
    """

    added = ("distance_loss",)

    def __init__(
        self,
        code_size: int | None = None,
        weight: float = 10.0,
        scale: float | None = None,
        hidden: Sequence[int] = (128, 64),
        activation: Activation = "relu",
        form: str = "scaled",
        pairs: str = "all",
        *,
        encoder: Any = None,
        decoder: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(code_size, hidden, activation, encoder=encoder, decoder=decoder, **kwargs)
        self.distances = PairwiseDistanceLoss(weight, scale, form=form, pairs=pairs, name="distances")
        self.scale = self._number("scale", self.distances.scale)

    def build(self, input_shape: Sequence[int | None]) -> None:
        """Make encoder and decoder for inputs of shape ``(batch, ...)``, unless they were given."""
        super().build(input_shape)
        self.distances.build((None, self.code_size), tuple(input_shape))

    def call(self, inputs: Any, training: bool | None = None) -> Any:
        """Reconstruct ``inputs``, shape (n, ...), and add the losses."""
        codes = self.encoder(inputs, training=training)
        self._add_losses(codes, inputs, training)
        return self.decoder(codes, training=training) if self.reconstructs else codes

    def _add_losses(self, codes: Any, inputs: Any, training: bool | None) -> None:
        # What a model adds itself comes first among its losses, in the order of its names.
        self.add_loss(self.distances.loss(codes, inputs, self.scale))

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
    code_size : int, optional
        Width of the code. None: `encoder` is given.
    weight, scale
        As in :class:`DistancePreservingAutoencoder`.
    hidden, activation, encoder
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
        code_size: int | None = None,
        weight: float = 1.0,
        scale: float | None = None,
        hidden: Sequence[int] = (128, 64),
        **kwargs: Any,
    ) -> None:
        super().__init__(code_size, weight, scale, hidden, **kwargs)

    def _comparison(self, x: Any, y: Any, y_pred: Any, sample_weight: Any) -> Any:
        """Return the compiled loss of the codes, if there is one and there are targets."""
        return None if self.loss is None or y is None else self._compile_loss(y, y_pred, sample_weight)

    def decode(self, Z: ArrayLike, batch_size: int | None = None) -> NDArray[Any]:
        """Raise ``InputError`` for any ``Z`` and ``batch_size``: there is no decoder."""
        raise InputError("decode: a DistanceEncoder has no decoder; use DistancePreservingAutoencoder")
