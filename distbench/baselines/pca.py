"""Principal components."""

from __future__ import annotations

from typing import TYPE_CHECKING

from distbench.baselines._recipe import Progress, baseline
from distbench.errors import InputError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from distbench.baselines._affine import AffineEncoder

__all__ = ["pca"]


@baseline("pca", deterministic=True)
def pca(X: NDArray[np.float64], code_size: int, seed: int, progress: Progress | None = None) -> AffineEncoder:
    """Principal component analysis: the linear map with the least squared error (Pearson 1901).

    The components are orthonormal and not whitened, so codes keep the units of the inputs. Raises ``InputError`` if
    ``code_size`` exceeds the number of points or features.
    """
    from sklearn.decomposition import PCA

    from distbench.baselines._affine import AffineEncoder

    if code_size > min(X.shape):
        raise InputError(f"code_size: {code_size} is more than X {X.shape} allows; pca takes at most {min(X.shape)}")
    fitted = PCA(code_size, svd_solver="full").fit(X)
    return AffineEncoder("pca", fitted.mean_, fitted.components_)
