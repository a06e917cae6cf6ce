"""Principal components, a byte each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from distbench.baselines._recipe import Progress, baseline
from distbench.errors import InputError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from distbench.baselines._quantised import QuantisedEncoder

__all__ = ["pca_int8"]


@baseline("pca_int8", deterministic=True)
def pca_int8(
    X: NDArray[np.float64], code_size: int, seed: int, progress: Progress | None = None, *, unit: bool = False
) -> QuantisedEncoder:
    """Principal components (Pearson 1901), each rounded to one of 256 levels: a byte a component.

    ``code_size`` is the number of bytes and of components. The mean is not subtracted, so cosines stay what they are.
    With ``unit`` rows are divided by their lengths first. Raises ``InputError`` if there are fewer columns or points,
    ``TrainingError`` if all points are equal.
    """
    from sklearn.decomposition import PCA

    from distbench.baselines._quantised import Levels, QuantisedEncoder, first_columns

    first_columns("pca_int8", X, code_size, code_size, unit)
    rows = first_columns("pca_int8", X, X.shape[1], code_size, unit)
    if code_size > len(X):
        raise InputError("code_size", f"found {code_size} for {len(X)} points", "pass no more than there are points")
    components = PCA(code_size, svd_solver="full").fit(rows).components_.T
    levels = Levels.of(rows @ components)
    return QuantisedEncoder("pca_int8", X.shape[1], code_size, lambda rows: levels.nearest(rows @ components), unit)
