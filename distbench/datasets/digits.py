"""The handwritten digits that scikit-learn ships."""

from __future__ import annotations

from typing import TYPE_CHECKING

from distbench.datasets._dataset import dataset

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["digits"]


@dataset(
    "digits",
    source="Optical Recognition of Handwritten Digits (Alpaydin & Kaynak 1998), UCI Machine Learning Repository, "
    "https://doi.org/10.24432/C50P49; the 1,797 images of its test set, shipped by scikit-learn",
    licence="CC BY 4.0, as the UCI Machine Learning Repository states",
    image_shape=(8, 8),
)
def digits() -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """1,797 real images of 8 x 8 pixels, scaled from 0..16 to [0, 1], in 10 classes."""
    import numpy as np
    from sklearn.datasets import load_digits

    images, labels = load_digits(return_X_y=True)
    return np.asarray(images, dtype=np.float64) / 16, np.asarray(labels, dtype=np.int64)
