"""Density: whether crowded places stay crowded."""

from __future__ import annotations

from typing import Any

import numpy as np

from distbench.engine import Statistics
from distbench.engine.density import Density
from distbench.errors import InputError
from distbench.metrics._metric import Measured, Metric
from distbench.metrics.functions import measure_one

__all__ = ["METRICS", "density_kl"]


def _measure_density(gathered: Statistics) -> Measured:
    density: Density = gathered.extras["density"]
    return Measured(value=density.value, leave_one_out=density.leave_one_out if gathered.m > 1 else None)


_DENSITY_KL = Metric(
    "density_kl", "density", "down", (0, np.inf), True, frozenset({"density"}), _measure_density, default=False
)
METRICS = (_DENSITY_KL,)


def density_kl(X: Any, Z: Any, *, sigma: float = 0.1, reference: tuple[Any, Any] | None = None) -> float:
    r"""Return the Kullback-Leibler divergence of the points' densities in both spaces.

    .. math:: \sum_i p_i \log \frac{p_i}{q_i}, \quad p_i \propto \sum_j \exp \frac{-a_{ij}^2}{\sigma \max a^2}

    and q likewise of the code distances b, by their own largest. The sums run over the candidates and, in sample, the
    point itself; p and q sum to 1 over the points of X. Codes that all coincide have the same density everywhere.

    Parameters
    ----------
    X : array-like of shape (m, d)
        Input points.
    Z : array-like of shape (m, dim)
        Their codes.
    sigma : float
        Width of the kernel: the share of the squared largest distance at which it has fallen to 1/e.
    reference : tuple of array-likes (X_ref, Z_ref) of shapes (n, d) and (n, dim), optional
        Points that the density is summed over, and their codes. Default: the points themselves.

    Returns
    -------
    float
        In [0, inf); smaller is better.

    Raises
    ------
    InputError
        If an array or sigma cannot be used.

    References
    ----------
    .. [1] M. Moor, M. Horn, B. Rieck and K. Borgwardt (2020), Topological autoencoders.

    Examples
    --------
    >>> from distbench.metrics import density_kl
    >>> X = [[1.0], [2.0], [4.0], [8.0], [16.0], [32.0], [64.0]]  # each twice as far out as the last
    >>> round(density_kl(X, [[0.0], [1.0], [2.0], [3.0], [4.0], [5.0], [6.0]]), 4)
    0.0646
    """
    if isinstance(sigma, bool) or not isinstance(sigma, int | float | np.number) or not 0 < float(sigma) < np.inf:
        raise InputError("sigma", f"found {sigma!r}", "pass a number above 0, e.g. 0.1")
    return measure_one(_DENSITY_KL, X, Z, reference, sigma=float(sigma))
