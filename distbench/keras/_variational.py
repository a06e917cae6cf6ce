"""An autoencoder whose codes are distributions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from distbench.keras._checks import check_seed, check_weight
from distbench.keras._models import Activation, Autoencoder

__all__ = ["VariationalAutoencoder"]


@keras.saving.register_keras_serializable(package="distbench")
class VariationalAutoencoder(Autoencoder):
    """Autoencoder that encodes a point as a normal distribution of codes (Kingma & Welling 2014).

    While it trains, a code is drawn from N(mean, deviation^2), both given by the encoder, and the model adds
    ``weight * 2 / features * KL(N(mean, deviation^2) || N(0, 1))``, in the mean over the batch. With weight 1 and
    the loss "mse" that is the evidence lower bound, times 2 / features, for a decoder whose variance is that of the
    inputs. ``encode`` and ``predict`` take the mean.

    Parameters
    ----------
    code_size : int
        Width of the code.
    weight : float, default 1.0
        Weight of the divergence (beta); at least 0.
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

    def build(self, input_shape: Sequence[int | None]) -> None:
        """Make encoder and decoder for inputs of shape ``(batch, features)``."""
        super().build(input_shape)
        # This layer stands beside the encoder's last layer, which gives the means.
        self.log_variance = keras.layers.Dense(self.code_size, dtype=self.dtype_policy, name="log_variance")
        self.log_variance.build((None, self.hidden[-1] if self.hidden else self._features))

    @property
    def noise_size(self) -> int:
        """Random numbers for each point: one per column of the codes."""
        return int(self.code_size)

    def call(self, inputs: Any, training: bool | None = None, noise: Any = None) -> Any:
        """Reconstruct ``inputs``, shape (n, features), from a drawn code if ``training``, and add the divergence.

        ``noise``: standard normal numbers, shape (n, code_size); None: drawn here.
        """
        *trunk, mean_of = self.encoder.layers
        rows = inputs
        for layer in trunk:
            rows = layer(rows)
        mean, logs = (ops.cast(head(rows), "float32") for head in (mean_of, self.log_variance))
        # exp of what an untrained or half precision head may give must stay finite.
        logs = ops.clip(logs, -30.0, 20.0)
        divergence = 0.5 * ops.sum(ops.square(mean) + ops.exp(logs) - 1.0 - logs, axis=-1)
        self.add_loss(self.weight * 2.0 / self._features * ops.mean(divergence))
        if training:
            drawn = keras.random.normal(ops.shape(mean), seed=self.random) if noise is None else noise
            mean = mean + ops.exp(0.5 * logs) * ops.cast(drawn, "float32")
        return self.decoder(mean, training=training)
