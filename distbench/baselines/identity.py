"""No encoder at all."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from distbench.baselines._recipe import Progress, baseline

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import ArrayLike, NDArray

__all__ = ["IdentityEncoder", "identity"]


@dataclass(frozen=True)
class IdentityEncoder:
    """Codes are the points, flattened.

    Attributes
    ----------
    features : int
        Numbers a point.
    """

    features: int
    name: str = "identity"

    def encode(self, X: ArrayLike) -> NDArray[np.float64]:
        """Return points ``X`` (m, ...) as an array (m, features) of their own."""
        from distbench.baselines._points import as_rows

        return as_rows(X, self.features).copy()

    def transform(self, X: ArrayLike) -> NDArray[np.float64]:
        """Do the same under the name scikit-learn gives it."""
        return self.encode(X)


@baseline("identity", deterministic=True)
def identity(X: NDArray[np.float64], code_size: int, seed: int, progress: Progress | None = None) -> IdentityEncoder:
    """Codes are the inputs: every distance is kept. Pays no heed to the code size."""
    return IdentityEncoder(X.shape[1])
