"""Sums over the pairs of one query, for stress, correlation and distortion."""

from __future__ import annotations

__all__ = ["MOMENTS", "N_MOMENTS"]

# The residuals are e = a - c b, where c is near the best common scale. Their sums stay accurate if distances are
# preserved; in sum a^2 - (sum ab)^2 / sum b^2 the digits would cancel. Pairs of distinct inputs have a ratio
# rho = b / a, and add (a - b)^2 / a to sammon, with b in the units of the input.
MOMENTS = ("n", "a", "b", "aa", "bb", "ee", "eb", "n_rho", "rho", "rho2", "sammon")
N_MOMENTS = len(MOMENTS)
