"""A network of isometries."""

from __future__ import annotations

from typing import TYPE_CHECKING

from distbench.baselines._recipe import Progress, baseline

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from distbench.baselines._isometric import IsometricEncoder

__all__ = ["isometry"]


@baseline("isometry", deterministic=False)
def isometry(X: NDArray[np.float64], code_size: int, seed: int, progress: Progress | None = None) -> IsometricEncoder:
    """Rotations, a reflection and a translation: every distance is kept. Ignores ``code_size``.

    A network of ``distbench.keras`` layers with random weights. It is an isometry for any weights, so nothing is
    trained. Distances are kept to the precision of float32.
    """
    from distbench.baselines._isometric import drawn

    return drawn("isometry", X, seed, None)
