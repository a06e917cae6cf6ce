"""The first columns, a byte each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from distbench.baselines._recipe import Progress, baseline

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from distbench.baselines._quantised import QuantisedEncoder

__all__ = ["int8"]


@baseline("int8", deterministic=True)
def int8(
    X: NDArray[np.float64], code_size: int, seed: int, progress: Progress | None = None, *, unit: bool = False
) -> QuantisedEncoder:
    """Keep the first columns, each rounded to one of 256 levels between its least and largest value: a byte a column.

    This is uniform scalar quantization (Gersho & Gray 1992). ``code_size`` is the number of bytes and of columns; codes
    are the rounded columns. With ``unit`` rows are divided by their lengths first. Raises ``InputError`` if there are
    fewer columns, ``TrainingError`` if all points are equal.
    """
    from distbench.baselines._quantised import Levels, QuantisedEncoder, first_columns

    levels = Levels.of(first_columns("int8", X, code_size, code_size, unit))
    return QuantisedEncoder("int8", X.shape[1], code_size, lambda rows: levels.nearest(rows[:, :code_size]), unit)
