"""Autoencoders with the methods ``encode`` and ``decode``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import ops
from numpy.typing import ArrayLike, NDArray

from distbench._util.checks import whole_number
from distbench.errors import InputError

__all__ = ["Autoencoder", "LinearAutoencoder", "check_scale", "check_weight"]


@keras.saving.register_keras_serializable(package="distbench")
class Autoencoder(keras.Model):  # type: ignore[misc,unused-ignore]
    """Fully connected autoencoder; calling it reconstructs its inputs.

    Parameters
    ----------
    code_size : int
        Width of the code.
    hidden : sequence of int, default (128, 64)
        Widths of the encoder's hidden layers; the decoder mirrors them. The code and the output are linear.
    activation : str, default "relu"
        Activation of the hidden layers.
    **kwargs
        Passed to ``keras.Model``.

    Raises
    ------
    distbench.errors.InputError
        A width is not a whole number above 0.
    """

    # False for a model without a decoder: its loss is only what the model adds.
    reconstructs = True
    # Arguments of a subclass that are attributes of the same name, for its configuration.
    arguments: tuple[str, ...] = ()

    def __init__(
        self, code_size: int, hidden: Sequence[int] = (128, 64), activation: str = "relu", **kwargs: Any
    ) -> None:
        # The layers cast their inputs; the inputs of losses keep their precision.
        super().__init__(autocast=False, **kwargs)
        for width in (code_size, *hidden):
            whole_number(width, "code_size, hidden", 1)
        self.code_size = int(code_size)
        self.hidden = tuple(int(width) for width in hidden)
        self.activation = activation

    def build(self, input_shape: Sequence[int | None]) -> None:
        """Make encoder and decoder for inputs of shape ``(batch, features)``."""
        self.encoder = self._stack(self.hidden, self.code_size, "encoder")
        self.decoder = self._stack(self.hidden[::-1], input_shape[-1], "decoder")
        self.encoder.build(input_shape)
        self.decoder.build((None, self.code_size))
        self.built = True

    def _stack(self, hidden: Sequence[int], width: int | None, name: str) -> Any:
        policy = self.dtype_policy
        layers = [keras.layers.Dense(units, activation=self.activation, dtype=policy) for units in hidden]
        return keras.Sequential([*layers, keras.layers.Dense(width, dtype=policy)], name=name)

    @property
    def noise_size(self) -> int:
        """Random numbers that ``call`` takes as ``noise`` for each point while training; 0: none."""
        return 0

    def call(self, inputs: Any, training: bool | None = None) -> Any:
        """Reconstruct ``inputs``, shape (n, features)."""
        return self.decoder(self.encoder(inputs, training=training), training=training)

    def encode(self, X: ArrayLike, batch_size: int = 1024) -> NDArray[np.floating]:
        """Return the codes of points ``X`` (n, features) as numpy array (n, code_size), ``batch_size`` rows at once."""
        points = np.asarray(X, dtype=np.float32)
        if not self.built:
            self.build((None, *points.shape[1:]))
        return _in_batches(self.encoder, points, batch_size)

    def decode(self, Z: ArrayLike, batch_size: int = 1024) -> NDArray[np.floating]:
        """Return decoded codes ``Z`` (n, code_size) as numpy array (n, features), ``batch_size`` rows at once.

        Raises
        ------
        distbench.errors.InputError
            The model was never called on points, so their size is not known.
        """
        if not self.built:
            raise InputError("decode: this model has seen no points yet; fit it, or encode some, first")
        return _in_batches(self.decoder, np.asarray(Z, dtype=np.float32), batch_size)

    def get_config(self) -> dict[str, Any]:
        """Return what ``from_config`` needs to make this model again."""
        common = {"code_size": self.code_size, "hidden": list(self.hidden), "activation": self.activation}
        return {**super().get_config(), **common, **{name: getattr(self, name) for name in self.arguments}}


@keras.saving.register_keras_serializable(package="distbench")
class LinearAutoencoder(Autoencoder):
    """Autoencoder without hidden layers: at its optimum the decoder spans the principal subspace.

    Its codes are principal components only up to an invertible linear map (Baldi & Hornik 1989), so they do not
    keep the distances that PCA keeps.

    Parameters
    ----------
    code_size : int
        Width of the code.
    **kwargs
        Passed to ``keras.Model``.
    """

    def __init__(self, code_size: int, **kwargs: Any) -> None:
        super().__init__(code_size, hidden=(), **kwargs)

    @property
    def components_(self) -> NDArray[np.floating]:
        """Basis of the decoder's span, shape (code_size, features); not orthonormal."""
        return np.asarray(self.decoder.layers[-1].get_weights()[0])

    def get_config(self) -> dict[str, Any]:
        """Return what ``from_config`` needs to make this model again."""
        config = super().get_config()
        del config["hidden"], config["activation"]
        return config


def check_weight(argument: str, value: Any) -> float:
    """Return ``value`` as float; raise ``InputError`` unless it is a finite number of at least 0."""
    if not 0 <= value < float("inf"):
        raise InputError(f"{argument}: {value!r} is not a number of at least 0")
    return float(value)


def check_scale(value: Any) -> float | None:
    """Return a mean distance as float, or None; raise ``InputError`` unless it is above 0."""
    if value is not None and not 0 < value < float("inf"):
        raise InputError(f"scale: {value!r} is not a number above 0; pass the mean distance, or None")
    return None if value is None else float(value)


def _in_batches(network: Any, rows: NDArray[np.float32], batch_size: int) -> NDArray[np.floating]:
    starts = range(0, max(len(rows), 1), batch_size)
    parts = [network(rows[start : start + batch_size], training=False) for start in starts]
    codes = np.concatenate([ops.convert_to_numpy(part) for part in parts])
    # numpy has no bfloat16 of its own, and half precision would overflow in what comes after.
    return codes.astype(np.float32, copy=False)
