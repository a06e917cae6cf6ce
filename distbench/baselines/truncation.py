"""The first columns of the points."""

from __future__ import annotations

from typing import TYPE_CHECKING

from distbench.baselines._recipe import Progress, baseline
from distbench.errors import InputError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from distbench.baselines._quantised import QuantisedEncoder

__all__ = ["truncation"]

NUMBER_BYTES = 4  # of a column in single precision


@baseline("truncation", deterministic=True)
def truncation(
    X: NDArray[np.float64], code_size: int, seed: int, progress: Progress | None = None, *, unit: bool = False
) -> QuantisedEncoder:
    """Keep the first columns in single precision, as Matryoshka embeddings are shortened (Kusupati et al. 2022).

    ``code_size`` is the number of bytes of a code, 4 for each column. With ``unit`` rows are divided by their lengths
    first. Raises ``InputError`` if ``code_size`` is no multiple of 4, or stands for more columns than there are.
    """
    from distbench.baselines._quantised import QuantisedEncoder, first_columns

    columns = code_size // NUMBER_BYTES
    if code_size % NUMBER_BYTES:
        raise InputError("code_size", f"found {code_size} bytes", "truncation takes a multiple of 4")
    first_columns("truncation", X, columns, code_size, unit)
    return QuantisedEncoder("truncation", X.shape[1], code_size, lambda rows: rows[:, :columns].astype("f4"), unit)
