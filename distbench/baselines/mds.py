"""Multidimensional scaling."""

from __future__ import annotations

from typing import TYPE_CHECKING

from distbench.baselines._recipe import Progress, baseline

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from distbench.baselines._mds import MdsEncoder

__all__ = ["mds"]


@baseline("mds", deterministic=True)
def mds(
    X: NDArray[np.float64], code_size: int, seed: int, progress: Progress | None = None, *, max_points: int = 5000
) -> MdsEncoder:
    """Metric multidimensional scaling by SMACOF: codes of least raw stress (de Leeuw 1977).

    Minimizes ``sum (d(x_i, x_j) - |z_i - z_j|)^2`` over the codes of the fitted points, started at their principal
    components, in one run; ``codes_`` holds them. It is no map: a new point gets the code with the least sum of ``(d(x,
    x_j) - |z - z_j|)^2`` over all fitted points, whose codes stay fixed. That search starts at the mean code of the 10
    nearest fitted points, weighted by one over the distance, so a fitted point gets its own code again unless another
    place has less stress.

    Time and memory grow with the square of the number of points: more than ``max_points`` raise ``InputError``.
    Raises ``TrainingError`` if all points are equal.
    """
    from distbench.baselines._estimator import few_enough
    from distbench.baselines._mds import fit_mds

    few_enough(len(X), max_points, "mds")
    return fit_mds(X, code_size)
