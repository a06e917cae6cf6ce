"""An autoencoder with a penalty on the derivative of its encoder."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from distbench.keras._checks import check_seed, check_weight
from distbench.keras._models import Activation, Autoencoder
from distbench.keras._tangents import linearized, pulled_back

__all__ = ["ContractiveAutoencoder"]


@keras.saving.register_keras_serializable(package="distbench")
class ContractiveAutoencoder(Autoencoder):
    """Autoencoder with a penalty on the derivative of its encoder (Rifai et al. 2011).

    To the reconstruction loss it adds ``weight * mean ||J||^2 * v / w``, with J the Jacobian of the encoder at a point,
    ||.|| the Frobenius norm, and v and w the mean variances of inputs and of codes in the batch. The original has no v
    / w: it ties the decoder's weights to the encoder's. Here the weights are free; without the ratio the encoder would
    shrink its codes and the decoder stretch them again. With it, the penalty does not depend on the units of inputs or
    codes; for an orthogonal projection of points of equal variances it is ``weight * code_size``.

    Parameters
    ----------
    code_size : int
        Width of the code.
    weight : float, default 0.001
        Weight of the penalty, against a reconstruction loss divided by the variance of the inputs; at least 0.
    hidden, activation
        As in :class:`Autoencoder`.
    seed : int or None
        Seed of the numbers that training draws. None: ``keras.utils.set_random_seed`` decides.
    **kwargs
        Passed to ``keras.Model``.

    Raises
    ------
    distbench.errors.InputError
        As :class:`Autoencoder`, or ``weight`` or ``seed`` is negative.

    Notes
    -----
    ||J||^2 is estimated as ``code_size * ||J^T u||^2`` with one random unit vector u a point, which is exact in the
    mean, and exact for ``code_size`` 1. J^T u itself is the exact product for ReLU and linear
    layers. The slopes of other activations are central differences; such an activation must act on each number alone.
    """

    arguments = ("weight", "seed")

    def __init__(
        self,
        code_size: int,
        weight: float = 0.001,
        hidden: Sequence[int] = (128, 64),
        activation: Activation = "relu",
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(code_size, hidden, activation, **kwargs)
        self.weight = check_weight("weight", weight)
        self.seed = check_seed(seed)
        self.random = keras.random.SeedGenerator(self.seed)

    @property
    def noise_size(self) -> int:
        """Random numbers for each point: one per column of the codes."""
        return int(self.code_size)

    def call(self, inputs: Any, training: bool | None = None, noise: Any = None) -> Any:
        """Reconstruct ``inputs``, shape (n, features), and add the penalty if ``training``.

        ``noise``: standard normal numbers, shape (n, code_size), the directions u; None: drawn here.
        """
        if not training:
            return super().call(inputs, training=training)
        rows = ops.cast(inputs, "float32")
        codes, slopes = linearized(self.encoder, rows)
        drawn = keras.random.normal(ops.shape(codes), seed=self.random) if noise is None else noise
        self.add_loss(self.weight * self._penalty(rows, codes, slopes, drawn))
        return self.decoder(codes, training=training)

    def _penalty(self, rows: Any, codes: Any, slopes: list[Any], drawn: Any) -> Any:
        lengths = ops.maximum(ops.sum(ops.square(drawn), axis=-1), 1e-12)
        squares = ops.sum(ops.square(pulled_back(self.encoder, slopes, drawn)), axis=-1) / lengths
        inputs, width = _variance(rows), _variance(codes)
        # A batch of equal codes has no width to compare with; it adds no loss.
        ratio = ops.where(width > 0, inputs / ops.where(width > 0, width, 1.0), 0.0)
        return self.code_size * ops.mean(squares) * ratio


def _variance(rows: Any) -> Any:
    return ops.mean(ops.var(rows, axis=0))
