"""The signs of the columns, a bit each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from distbench.baselines._recipe import Progress, baseline

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from distbench.baselines._quantised import QuantisedEncoder

__all__ = ["binary"]


@baseline("binary", deterministic=True)
def binary(
    X: NDArray[np.float64],
    code_size: int,
    seed: int,
    progress: Progress | None = None,
    *,
    unit: bool = False,
    rotate: bool = False,
) -> QuantisedEncoder:
    """Keep the signs of the first columns less their means: eight columns a byte.

    ``code_size`` is the number of bytes; all columns are used if it has room for more. Codes are -1 and 1: their
    Euclidean and cosine distances and inner products order them as the Hamming distance of the bits does. ``rotate``
    multiplies the columns by a random rotation, always the same, before the first are taken (random hyperplanes,
    Charikar 2002). With ``unit`` rows are divided by their lengths first. Raises ``TrainingError`` if all points are
    equal.
    """
    import numpy as np

    from distbench.baselines._quantised import QuantisedEncoder, first_columns

    d = X.shape[1]
    bits = min(8 * code_size, d)
    rows = first_columns("binary", X, d, code_size, unit)
    turned = np.eye(d)[:, :bits]
    if rotate:
        turned = np.linalg.qr(np.random.default_rng(0).standard_normal((d, d)))[0][:, :bits]
    means = rows.mean(axis=0) @ turned
    return QuantisedEncoder("binary", d, code_size, lambda rows: np.where(rows @ turned > means, 1.0, -1.0), unit)
