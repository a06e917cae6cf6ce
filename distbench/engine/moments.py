"""Sums over the pairs of one query, from which stress, correlation and distortion follow."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from distbench.engine._jit import kernel

__all__ = ["MOMENTS", "N_MOMENTS", "add_moments", "extreme_ratios"]

Array = NDArray[np.float64]

# e = a - c b, with c near the best common scale: sums of residuals do not cancel where distances are kept, as
# sum a^2 - (sum ab)^2 / sum b^2 would. rho = b / a over pairs of distinct inputs.
MOMENTS = ("n", "a", "b", "aa", "bb", "ee", "eb", "n_rho", "rho", "rho2")
N_MOMENTS = len(MOMENTS)


@kernel
def add_moments(a: Array, b: Array, scale: float, out: Array) -> None:
    """Add the sums named in `MOMENTS` over pairs of distances (a, b) to `out`."""
    sa, sb, saa, sbb, see, seb = 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
    n_rho, rho1, rho2 = 0.0, 0.0, 0.0
    for p in range(len(a)):
        e = a[p] - scale * b[p]
        sa += a[p]
        sb += b[p]
        saa += a[p] * a[p]
        sbb += b[p] * b[p]
        see += e * e
        seb += e * b[p]
        if a[p] > 0.0:
            rho = b[p] / a[p]
            n_rho += 1.0
            rho1 += rho
            rho2 += rho * rho
    for place, total in enumerate((float(len(a)), sa, sb, saa, sbb, see, seb, n_rho, rho1, rho2)):
        out[place] += total


@kernel
def extreme_ratios(a: Array, b: Array, offset: int, ratios: Array, partners: NDArray[np.int64]) -> None:
    """Keep the least and the largest b / a, and with whom, over pairs with a > 0."""
    for p in range(len(a)):
        if a[p] > 0.0:
            rho = b[p] / a[p]
            if rho < ratios[0]:
                ratios[0] = rho
                partners[0] = offset + p
            if rho > ratios[1]:
                ratios[1] = rho
                partners[1] = offset + p
