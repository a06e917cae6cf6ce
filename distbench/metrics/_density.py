"""Density: whether dense regions stay dense."""

from __future__ import annotations

from typing import Any

import numpy as np

from distbench.engine import Statistics
from distbench.engine.density import Density
from distbench.errors import InputError
from distbench.metrics._metric import Measured, Metric
from distbench.metrics.functions import NEIGHBORS, MetricDoc, documented, measure_one

__all__ = ["METRICS", "density_kl"]


def _measure_density(statistics: Statistics) -> Measured:
    density: Density = statistics.extras["density"]
    return Measured(value=density.value, leave_one_out=density.leave_one_out if statistics.m > 1 else None)


_DENSITY_KL = Metric(
    "density_kl", "density", "down", (0, np.inf), True, frozenset({"density"}), _measure_density, default=False
)
METRICS = (_DENSITY_KL,)


_DOC = MetricDoc(
    "the Kullback-Leibler divergence of the points' densities in both spaces",
    r"\sum_i p_i \log \frac{p_i}{q_i}, \quad p_i \propto \sum_j \exp \frac{-a_{ij}^2}{\sigma \max a^2}",
    "M. Moor, M. Horn, B. Rieck and K. Borgwardt (2020), Topological autoencoders.",
    "and q is made in the same way from the code distances b and their maximum. The sums run over the candidates "
    "and, in sample, the point itself; p and q sum to 1 over the points of X. Codes that all coincide have the same "
    "density everywhere.",
    brackets="[)",
    example=0.0646,
)
_SIGMA = "float\n    Width of the kernel: it falls to 1/e at this share of the squared largest distance."


@documented(_DENSITY_KL, _DOC, use="the density is summed over", example=NEIGHBORS, sigma=_SIGMA)
def density_kl(X: Any, Z: Any, *, sigma: float = 0.1, reference: tuple[Any, Any] | None = None) -> float:
    if isinstance(sigma, bool) or not isinstance(sigma, int | float | np.number) or not 0 < float(sigma) < np.inf:
        raise InputError("sigma", f"found {sigma!r}", "pass a number above 0, e.g. 0.1")
    return measure_one(_DENSITY_KL, X, Z, reference, sigma=float(sigma))
