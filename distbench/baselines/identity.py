"""The encoder that returns its inputs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from distbench.baselines._recipe import Progress, Transformer, baseline

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import ArrayLike, NDArray

__all__ = ["IdentityEncoder", "identity"]


@dataclass(frozen=True)
class IdentityEncoder(Transformer):
    """An encoder whose codes are the points, flattened.

    Attributes
    ----------
    features : int
        Number of features.
    """

    features: int
    name: str = "identity"

    def encode(self, X: ArrayLike) -> NDArray[np.float64]:
        """Return points ``X`` (m, ...) as a new array (m, features)."""
        from distbench.baselines._points import as_rows

        return as_rows(X, self.features).copy()


@baseline("identity", deterministic=True)
def identity(X: NDArray[np.float64], code_size: int, seed: int, progress: Progress | None = None) -> IdentityEncoder:
    """Codes are the inputs: every distance is kept. Ignores ``code_size``."""
    return IdentityEncoder(X.shape[1])
