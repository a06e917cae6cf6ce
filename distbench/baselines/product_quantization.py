"""Product quantization."""

from __future__ import annotations

from typing import TYPE_CHECKING

from distbench.baselines._recipe import Progress, baseline

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from distbench.baselines._quantised import QuantisedEncoder

__all__ = ["product_quantization"]


@baseline("product_quantization", deterministic=False, requires="faiss")
def product_quantization(
    X: NDArray[np.float64], code_size: int, seed: int, progress: Progress | None = None, *, unit: bool = False
) -> QuantisedEncoder:
    """Product quantization: a row is cut into parts, each coded as its nearest centroid (Jégou, Douze & Schmid 2011).

    ``code_size`` is the number of bytes and of parts; each has at most 256 centroids, fitted by faiss. Codes are the
    decoded rows. With ``unit`` rows are divided by their lengths first. Raises ``InputError`` if there are fewer
    columns, ``TrainingError`` if all points are equal, ``MissingDependencyError`` without faiss.
    """
    from distbench.baselines._product_quantiser import product_quantiser

    return product_quantiser("product_quantization", X, code_size, seed, unit, optimized=False)
