"""Autoencoders with the methods ``encode`` and ``decode``."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

import keras
import numpy as np
from keras import ops
from numpy.typing import ArrayLike, NDArray

from distbench._util.checks import whole_number
from distbench.errors import InputError

__all__ = ["Activation", "Autoencoder", "LinearAutoencoder", "build_stack", "check_scale", "check_seed", "check_weight"]

Activation: TypeAlias = str | Callable[[Any], Any] | None


@keras.saving.register_keras_serializable(package="distbench")
class Autoencoder(keras.Model):  # type: ignore[misc,unused-ignore]
    """Fully connected autoencoder; calling it reconstructs its inputs.

    Parameters
    ----------
    code_size : int
        Width of the code.
    hidden : sequence of int, default (128, 64)
        Widths of the encoder's hidden layers; the decoder mirrors them. The code and the output are linear.
    activation : str, callable or layer, default "relu"
        Activation of the hidden layers. Of a layer, each of them has its own copy.
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
        self, code_size: int, hidden: Sequence[int] = (128, 64), activation: Activation = "relu", **kwargs: Any
    ) -> None:
        # The layers cast their inputs; the inputs of losses keep their precision.
        super().__init__(autocast=False, **kwargs)
        for width in (code_size, *hidden):
            whole_number(width, "code_size, hidden", 1)
        self.code_size = int(code_size)
        self.hidden = tuple(int(width) for width in hidden)
        given = keras.saving.deserialize_keras_object(activation) if isinstance(activation, Mapping) else activation
        # Keras would take a layer among the attributes for a part of the model; it does not look into a function.
        self._given_activation: Callable[[], Any] = lambda: given

    @property
    def activation(self) -> Any:
        """The activation of the hidden layers; of a layer a new copy, with weights and a name of its own."""
        given = self._given_activation()
        if not isinstance(given, keras.layers.Layer):
            return given
        return type(given).from_config({key: value for key, value in given.get_config().items() if key != "name"})

    def build(self, input_shape: Sequence[int | None]) -> None:
        """Make encoder and decoder for inputs of shape ``(batch, features)``."""
        self.encoder = self._stack(self.hidden, self.code_size, "encoder")
        self.decoder = self._stack(self.hidden[::-1], input_shape[-1], "decoder")
        build_stack(self.encoder, input_shape)
        build_stack(self.decoder, (None, self.code_size))
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

    def encode(self, X: ArrayLike, batch_size: int | None = None) -> NDArray[np.floating]:
        """Return the codes of points ``X`` (n, features) as numpy array (n, code_size), ``batch_size`` rows at once.

        None: 8192 rows of up to 1,024 numbers, fewer of longer rows, at least 1024.
        """
        points = np.asarray(X, dtype=np.float32)
        if not self.built:
            self.build((None, *points.shape[1:]))
        return _in_batches(self.encoder, points, batch_size, points.shape[-1])

    def decode(self, Z: ArrayLike, batch_size: int | None = None) -> NDArray[np.floating]:
        """Return decoded codes ``Z`` (n, code_size) as numpy array (n, features), ``batch_size`` rows at once.

        None: as many as :meth:`encode` takes.

        Raises
        ------
        distbench.errors.InputError
            The model was never called on points, so their size is not known.
        """
        if not self.built:
            raise InputError("decode: this model has seen no points yet; fit it, or encode some, first")
        features = self.decoder.output_shape[-1]
        return _in_batches(self.decoder, np.asarray(Z, dtype=np.float32), batch_size, features)

    def get_config(self) -> dict[str, Any]:
        """Return what ``from_config`` needs to make this model again."""
        given = self._given_activation()
        named = given is None or isinstance(given, str)
        # Keras's own function for activations loses what it needs to restore a lambda.
        is_lambda = getattr(given, "__name__", "") == "<lambda>"
        serialize = keras.saving.serialize_keras_object if is_lambda else keras.activations.serialize
        activation = given if named else serialize(given)
        common = {"code_size": self.code_size, "hidden": list(self.hidden), "activation": activation}
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


def build_stack(stack: Any, input_shape: Sequence[int | None]) -> None:
    """Build a Sequential, and the activations in it that are layers, which Keras would build when they are called."""
    stack.build(input_shape)
    for layer in stack.layers:
        activation = getattr(layer, "activation", None)
        if isinstance(activation, keras.layers.Layer) and not activation.built:
            activation.build(layer.output.shape)


def check_weight(argument: str, value: Any) -> float:
    """Return ``value`` as float; raise ``InputError`` unless it is a finite number of at least 0."""
    if not 0 <= value < float("inf"):
        raise InputError(f"{argument}: {value!r} is not a number of at least 0")
    return float(value)


def check_seed(value: Any) -> int | None:
    """Return a seed as int, or None; raise ``InputError`` unless it is a whole number of at least 0."""
    return None if value is None else whole_number(value, "seed", 0)


def check_scale(value: Any) -> float | None:
    """Return a mean distance as float, or None; raise ``InputError`` unless it is above 0."""
    if value is not None and not 0 < value < float("inf"):
        raise InputError(f"scale: {value!r} is not a number above 0; pass the mean distance, or None")
    return None if value is None else float(value)


def _in_batches(network: Any, rows: NDArray[np.float32], batch_size: int | None, features: int) -> NDArray[np.floating]:
    # A call costs about a millisecond, whatever its size: with 8192 rows a small network is as quick as its predict().
    batch_size = batch_size or min(8192, max(1024, 2**23 // max(features, 1)))
    starts = range(0, max(len(rows), 1), batch_size)
    parts = [network(rows[start : start + batch_size], training=False) for start in starts]
    codes = np.concatenate([ops.convert_to_numpy(part) for part in parts])
    # numpy has no bfloat16 of its own, and half precision would overflow in what comes after.
    return codes.astype(np.float32, copy=False)
