"""A network of isometries, and a projection."""

from __future__ import annotations

from typing import TYPE_CHECKING

from distbench.baselines._recipe import Progress, baseline
from distbench.errors import InputError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from distbench.baselines._isometric import IsometricEncoder

__all__ = ["isometry_projection"]


@baseline("isometry_projection", deterministic=False)
def isometry_projection(
    X: NDArray[np.float64], code_size: int, seed: int, progress: Progress | None = None
) -> IsometricEncoder:
    """Rotations, a reflection, a translation, then a projection onto a drawn subspace: no distance grows.

    The recipe ``isometry`` with ``code_size`` rows of an orthogonal matrix after it. It shows what an isometry loses
    when its codes get fewer columns. Raises ``InputError`` if ``code_size`` exceeds the features of ``X``.
    """
    from distbench.baselines._isometric import drawn

    if code_size > X.shape[1]:
        raise InputError(f"code_size: {code_size} is more than the {X.shape[1]} features of X; pass at most so many")
    return drawn("isometry_projection", X, seed, code_size)
