"""An autoencoder for images."""

from __future__ import annotations

from collections.abc import Sequence
from math import isqrt, prod
from typing import Any

import keras

from distbench._util.checks import whole_number
from distbench.errors import InputError
from distbench.keras._models import Activation, Autoencoder

__all__ = ["ConvolutionalAutoencoder"]


@keras.saving.register_keras_serializable(package="distbench")
class ConvolutionalAutoencoder(Autoencoder):
    """Autoencoder of strided convolutions, on images that come as flat rows.

    Each convolution (3 x 3, stride 2) halves height and width, a dense layer makes the code, and transposed
    convolutions mirror them. Rows in, rows out.

    Parameters
    ----------
    code_size : int
        Width of the code.
    image_shape : tuple of int or None
        Height and width, or height, width and channels, of the image in a row. None: a square of one channel.
    filters : sequence of int, default (8, 16)
        Channels after each convolution.
    activation : str, default "relu"
        Activation of all layers but the code and the output.
    **kwargs
        Passed to ``keras.Model``.

    Raises
    ------
    distbench.errors.InputError
        A width is not a whole number above 0, or ``image_shape`` does not fit the rows.
    """

    def __init__(
        self,
        code_size: int,
        image_shape: Sequence[int] | None = None,
        filters: Sequence[int] = (8, 16),
        activation: Activation = "relu",
        **kwargs: Any,
    ) -> None:
        super().__init__(code_size, (), activation, **kwargs)
        if not filters:
            raise InputError("filters: empty; give the channels of one convolution at least")
        self.filters = tuple(whole_number(channels, "filters", 1) for channels in filters)
        self.image_shape = (
            None if image_shape is None else tuple(whole_number(size, "image_shape", 1) for size in image_shape)
        )
        if self.image_shape is not None and len(self.image_shape) not in (2, 3):
            raise InputError(
                f"image_shape: {self.image_shape}; give height and width, and channels where there are any"
            )

    def networks(self, input_shape: Sequence[int | None]) -> tuple[Any, Any]:
        """Return an encoder and a decoder, not built, for inputs of shape ``(batch, features)``."""
        features = int(input_shape[-1] or 0)
        height, width, channels = self._image(features)
        policy, layers, shrink = self.dtype_policy, keras.layers, 2 ** len(self.filters)
        common = {"kernel_size": 3, "strides": 2, "padding": "same", "dtype": policy}
        # As many rows and columns as the convolutions leave, rounded up; the decoder's surplus is cut off.
        small = (-(-height // shrink), -(-width // shrink), self.filters[-1])
        encoder = keras.Sequential(
            [
                layers.Reshape((height, width, channels), dtype=policy),
                *(layers.Conv2D(n, activation=self.activation, **common) for n in self.filters),
                layers.Flatten(dtype=policy),
                layers.Dense(self.code_size, dtype=policy),
            ],
            name="encoder",
        )
        crop = ((0, small[0] * shrink - height), (0, small[1] * shrink - width))
        decoder = keras.Sequential(
            [
                layers.Dense(prod(small), activation=self.activation, dtype=policy),
                layers.Reshape(small, dtype=policy),
                *(layers.Conv2DTranspose(n, activation=self.activation, **common) for n in self.filters[-2::-1]),
                layers.Conv2DTranspose(channels, **common),
                layers.Cropping2D(crop, dtype=policy),
                layers.Flatten(dtype=policy),
            ],
            name="decoder",
        )
        return encoder, decoder

    def _image(self, features: int) -> tuple[int, int, int]:
        side = isqrt(features)
        shape = self.image_shape or (side, side)
        if prod(shape) == features:
            return (*shape, 1)[:3]  # type: ignore[return-value]
        if self.image_shape is None:
            raise InputError(f"image_shape: {features} features are no square image; give height, width and channels")
        raise InputError(f"image_shape: {self.image_shape} holds {prod(shape)} numbers, a row has {features}")

    def get_config(self) -> dict[str, Any]:
        """Return what ``from_config`` needs to make this model again."""
        config = super().get_config()
        del config["hidden"]
        return {**config, "image_shape": self.image_shape and list(self.image_shape), "filters": list(self.filters)}
