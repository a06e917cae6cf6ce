"""A random projection."""

from __future__ import annotations

from typing import TYPE_CHECKING

from distbench.baselines._recipe import Progress, baseline

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from distbench.baselines._affine import AffineEncoder

__all__ = ["random_projection"]


@baseline("random_projection", deterministic=False)
def random_projection(
    X: NDArray[np.float64], code_size: int, seed: int, progress: Progress | None = None
) -> AffineEncoder:
    """Gaussian random projection: keeps squared distances on average (Johnson & Lindenstrauss 1984)."""
    import numpy as np

    from distbench.baselines._affine import AffineEncoder

    d = X.shape[1]
    matrix = np.random.default_rng(seed).standard_normal((code_size, d)) / np.sqrt(code_size)
    return AffineEncoder("random_projection", np.zeros(d), matrix)
