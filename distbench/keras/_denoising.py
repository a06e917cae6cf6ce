"""An autoencoder that removes noise from its inputs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from distbench.keras._checks import check_seed, check_weight
from distbench.keras._models import Activation, Autoencoder

__all__ = ["DenoisingAutoencoder"]


@keras.saving.register_keras_serializable(package="distbench")
class DenoisingAutoencoder(Autoencoder):
    """Autoencoder that is trained on noisy inputs and learns to return them without the noise.

    Trained by ``fit(X, X)``: the noise is added inside, so the targets stay clean (Vincent et al. 2008, with
    Gaussian noise). ``encode`` and ``predict`` add none.

    Parameters
    ----------
    code_size : int
        Width of the code.
    noise : float, default 0.3
        Standard deviation of the Gaussian noise, in the units of the inputs; at least 0.
    hidden, activation
        As in :class:`Autoencoder`.
    seed : int or None
        Seed of the numbers that training draws. None: ``keras.utils.set_random_seed`` decides.
    **kwargs
        Passed to ``keras.Model``.

    Raises
    ------
    distbench.errors.InputError
        As :class:`Autoencoder`, or ``noise`` or ``seed`` is negative.
    """

    arguments = ("noise", "seed")

    def __init__(
        self,
        code_size: int,
        noise: float = 0.3,
        hidden: Sequence[int] = (128, 64),
        activation: Activation = "relu",
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(code_size, hidden, activation, **kwargs)
        self.noise = check_weight("noise", noise)
        self.seed = check_seed(seed)
        self.random = keras.random.SeedGenerator(self.seed)

    @property
    def noise_size(self) -> int:
        """Random numbers for each point: one per feature."""
        return self._features

    def call(self, inputs: Any, training: bool | None = None, noise: Any = None) -> Any:
        """Reconstruct ``inputs``, shape (n, features), from themselves with noise if ``training``.

        ``noise``: standard normal numbers of the shape of the inputs; None: drawn here.
        """
        if training:
            drawn = keras.random.normal(ops.shape(inputs), seed=self.random) if noise is None else noise
            inputs = inputs + ops.cast(self.noise * drawn, inputs.dtype)
        return super().call(inputs, training=training)
