"""Product quantization after a rotation."""

from __future__ import annotations

from typing import TYPE_CHECKING

from distbench.baselines._recipe import Progress, baseline

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from distbench.baselines._quantised import QuantisedEncoder

__all__ = ["optimized_product_quantization"]


@baseline("optimized_product_quantization", deterministic=False, requires="faiss")
def optimized_product_quantization(
    X: NDArray[np.float64], code_size: int, seed: int, progress: Progress | None = None, *, unit: bool = False
) -> QuantisedEncoder:
    """Product quantization after a rotation that makes its loss small (Ge, He, Ke & Sun 2013).

    ``code_size`` is the number of bytes and of parts; each has at most 256 centroids, fitted by faiss. Codes are the
    decoded rows. With ``unit`` rows are divided by their lengths first. Raises ``InputError`` if there are fewer
    columns or points, ``TrainingError`` if all points are equal, ``MissingDependencyError`` without faiss.
    """
    from distbench.baselines._product_quantiser import product_quantiser

    return product_quantiser("optimized_product_quantization", X, code_size, seed, unit, optimized=True)
