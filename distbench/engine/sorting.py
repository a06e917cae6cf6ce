"""The one sort that kernels share: compiling a second one would cost two seconds."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from distbench.engine._jit import kernel

__all__ = ["argsort", "distinct"]

Array = NDArray[np.float64]


@kernel
def argsort(values: Array) -> NDArray[np.int64]:
    """Return the places of the values in ascending order."""
    return np.argsort(values)


@kernel
def distinct(values: Array) -> Array:
    """Return the distinct values in ascending order."""
    levels = np.empty(len(values))
    count = 0
    for p in argsort(values):
        if count == 0 or values[p] != levels[count - 1]:
            levels[count] = values[p]
            count += 1
    return levels[:count].copy()
