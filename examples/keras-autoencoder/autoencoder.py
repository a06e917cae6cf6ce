"""An autoencoder for images of digits, with a loss on reconstructions alone, or on distances too."""

from __future__ import annotations

import keras
import numpy as np

from distbench.keras import PairwiseDistanceLoss


class Plain:
    """Trained on reconstruction: the decoder must return the encoder's input."""

    distance_weight = 0.0

    def fit(self, X: np.ndarray, code_size: int, seed: int) -> keras.Model:
        """Return the encoder without the decoder, which search does not need."""
        keras.utils.set_random_seed(seed)
        inputs = keras.Input(X.shape[1:])
        hidden = keras.layers.Dense(128, "relu")(inputs)
        codes = keras.layers.Dense(code_size, name="codes")(hidden)
        seen = codes
        if self.distance_weight:
            seen = PairwiseDistanceLoss(self.distance_weight, scale=mean_distance(X, seed))(codes, inputs)
        hidden = keras.layers.Dense(128, "relu")(seen)
        autoencoder = keras.Model(inputs, keras.layers.Dense(X.shape[1])(hidden))

        autoencoder.compile(keras.optimizers.Adam(0.003), "mse", jit_compile=True, steps_per_execution=32)
        autoencoder.fit(X, X, batch_size=32, epochs=60, verbose=0)
        return keras.Model(inputs, codes, name="encoder")


class WithDistances(Plain):
    """The same network and data; codes of each batch must also be as far apart as their images."""

    distance_weight = 1.0


def mean_distance(X: np.ndarray, seed: int) -> float:
    """Return the mean distance of two random points, the unit of the loss on distances."""
    shuffled = np.random.default_rng(seed).permutation(X)
    return float(np.linalg.norm(X - shuffled, axis=1).mean())
