"""A network of isometries that ends in a sigmoid."""

from __future__ import annotations

from typing import TYPE_CHECKING

from distbench.baselines._recipe import Progress, baseline
from distbench.errors import InputError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from distbench.baselines._isometric import IsometricEncoder

__all__ = ["isometry_sigmoid"]


@baseline("isometry_sigmoid", deterministic=False)
def isometry_sigmoid(
    X: NDArray[np.float64], code_size: int, seed: int, progress: Progress | None = None, *, gain: float = 4.0
) -> IsometricEncoder:
    """Rotations, a reflection and a translation, then a sigmoid, which bends distances. Ignores ``code_size``.

    The recipe ``isometry`` with an elementwise sigmoid after it, and nothing else, so all of its loss comes from the
    sigmoid. The sigmoid sees points centered, divided by one number that brings their coordinates into [-1, 1], and
    turned, times ``gain``: over [-4, 4] it goes from 0.02 to 0.98. In raw units, points of size 1,000 would all get 0
    or 1, and points of size 0.01 would lie where the sigmoid is nearly linear. Codes are divided by its slope at 0, so
    that distances near the mean point stay. Raises ``InputError`` unless ``gain`` is above 0.
    """
    from distbench.baselines._isometric import drawn

    if not 0 < gain < float("inf"):
        raise InputError(f"gain: {gain!r} is not a number above 0")
    return drawn("isometry_sigmoid", X, seed, None, gain)
