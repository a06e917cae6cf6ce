"""An autoencoder whose decoder bends but does not stretch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from distbench.keras._checks import check_seed, check_weight
from distbench.keras._models import Activation, Autoencoder
from distbench.keras._tangents import linearized, pulled_back, pushed_forward

__all__ = ["IsometricAutoencoder"]


@keras.saving.register_keras_serializable(package="distbench")
class IsometricAutoencoder(Autoencoder):
    """Autoencoder trained so that its decoder is a local isometry and its encoder the inverse (Gropp et al. 2020).

    To the reconstruction loss it adds ``weight * (mean (||D u|| - 1)^2 + mean (||E^T u|| - 1)^2)``, with D the
    Jacobian of the decoder at a code, E that of the encoder at its point, and u a random unit vector a point.
    Both terms are 0 for an orthogonal projection and its transpose. Lengths along the decoded surface are then
    those in the codes; a straight line through the space around it may be shorter.

    Parameters
    ----------
    code_size : int
        Width of the code.
    weight : float, default 1.0
        Weight of both penalties, against a reconstruction loss divided by the variance of the inputs; at least 0.
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
    D and E are taken at the points of the batch and at their codes, with the same u; the products are
    exact for ReLU and linear layers. The slopes of other activations are central differences; such an activation must
    act on each number alone.
    """

    arguments = ("weight", "seed")

    def __init__(
        self,
        code_size: int,
        weight: float = 1.0,
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
        """Reconstruct ``inputs``, shape (n, features), and add the penalties if ``training``.

        ``noise``: standard normal numbers, shape (n, code_size), the directions u; None: drawn here.
        """
        if not training:
            return super().call(inputs, training=training)
        codes, inward = linearized(self.encoder, inputs)
        outputs, outward = linearized(self.decoder, codes)
        drawn = keras.random.normal(ops.shape(codes), seed=self.random) if noise is None else noise
        units = drawn / ops.expand_dims(_lengths(drawn), -1)
        stretched = _lengths(pushed_forward(self.decoder, outward, units))
        shrunk = _lengths(pulled_back(self.encoder, inward, units))
        self.add_loss(self.weight * ops.mean(ops.square(stretched - 1.0) + ops.square(shrunk - 1.0)))
        return ops.cast(outputs, self.compute_dtype)


def _lengths(rows: Any) -> Any:
    # A network that is dead at a point has derivative 0 there, where a root has no gradient.
    return ops.sqrt(ops.maximum(ops.sum(ops.square(rows), axis=-1), 1e-12))
