"""Sums over the pairs of one query, for stress, correlation and distortion."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from distbench.engine._jit import counting, kernel

__all__ = ["MOMENTS", "N_MOMENTS", "add_moments", "any_outside", "extreme_ratios", "to_distances", "to_ratios"]

Array = NDArray[np.float64]

# The residuals are e = a - c b, where c is near the best common scale. Their sums stay accurate if distances are
# preserved; in sum a^2 - (sum ab)^2 / sum b^2 the digits would cancel. Pairs of distinct inputs have a ratio
# rho = b / a, and add (a - b)^2 / a to sammon, with b in the units of the input.
MOMENTS = ("n", "a", "b", "aa", "bb", "ee", "eb", "n_rho", "rho", "rho2", "sammon")
N_MOMENTS = len(MOMENTS)


@counting
def to_distances(keys: Array, root: bool, factor: float, out: Array) -> None:
    """Write the distances that belong to `keys` to `out`."""
    if root:
        for p in range(len(keys)):
            out[p] = np.sqrt(keys[p])
    else:
        for p in range(len(keys)):
            out[p] = keys[p] * factor


@counting
def to_ratios(a: Array, b: Array, out: Array) -> None:
    """Write b / a, or 0 if a is 0."""
    for p in range(len(a)):
        divisor = a[p] if a[p] > 0.0 else np.inf
        out[p] = b[p] / divisor


@counting
def add_moments(a: Array, b: Array, rho: Array, scale: float, unit: float, out: Array) -> float:
    """Add the sums named in `MOMENTS` over pairs of distances (a, b) to `out`; return how many a are above 0."""
    sa, sb, saa, sbb, see, seb = 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
    n_rho, rho1, rho2, sammon = 0.0, 0.0, 0.0, 0.0
    for p in range(len(a)):
        e = a[p] - scale * b[p]
        sa += a[p]
        sb += b[p]
        saa += a[p] * a[p]
        sbb += b[p] * b[p]
        see += e * e
        seb += e * b[p]
        distinct = 1.0 if a[p] > 0.0 else 0.0
        n_rho += distinct
        rho1 += rho[p]
        rho2 += rho[p] * rho[p]
        sammon += distinct * (a[p] - unit * b[p]) * (1.0 - unit * rho[p])
    out[0] += len(a)
    out[1] += sa
    out[2] += sb
    out[3] += saa
    out[4] += sbb
    out[5] += see
    out[6] += seb
    out[7] += n_rho
    out[8] += rho1
    out[9] += rho2
    out[10] += sammon
    return n_rho


@counting
def any_outside(rho: Array, least: float, largest: float) -> bool:
    """Return whether any ratio is below `least` or above `largest`."""
    count = 0.0
    for p in range(len(rho)):
        count += 1.0 if rho[p] < least else 0.0
        count += 1.0 if rho[p] > largest else 0.0
    return count > 0.0


@kernel
def extreme_ratios(a: Array, rho: Array, all_distinct: bool, out: Array) -> None:
    """Update the least and the largest ratio of distinct inputs, which are ``out[0]`` and ``out[1]``."""
    if all_distinct and not any_outside(rho, out[0], out[1]):
        return
    for p in range(len(a)):
        if a[p] > 0.0:
            out[0], out[1] = min(rho[p], out[0]), max(rho[p], out[1])
