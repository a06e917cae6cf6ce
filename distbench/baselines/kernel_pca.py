"""Principal components in the space of a kernel."""

from __future__ import annotations

from typing import TYPE_CHECKING

from distbench.baselines._recipe import Progress, baseline

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from distbench.baselines._estimator import EstimatorEncoder

__all__ = ["kernel_pca"]

_PAIRED_POINTS = 2000


@baseline("kernel_pca", deterministic=True)
def kernel_pca(
    X: NDArray[np.float64], code_size: int, seed: int, progress: Progress | None = None, *, width: float = 1.0
) -> EstimatorEncoder:
    """Kernel PCA with a Gaussian kernel as wide as the median distance (Schoelkopf, Smola & Mueller 1998).

    The kernel is ``exp(-|x - y|^2 / (2 s^2))``, s = ``width`` times the median of distances above 0 among train points
    (at most 2,000 of them, evenly picked). Codes have the units of the kernel, not of the inputs, so ``stress`` says
    little about this encoder: use ``scaled_stress``. Raises ``InputError`` if ``code_size`` is not below the number of
    points, ``TrainingError`` if all points are equal.
    """
    from sklearn.decomposition import KernelPCA

    from distbench.baselines._estimator import EstimatorEncoder, at_most, few_wanted, points_in, quiet
    from distbench.baselines._points import Units
    from distbench.errors import InputError

    if not 0 < width < float("inf"):
        raise InputError(f"width: {width!r} is not a finite number above 0")
    at_most(code_size, len(X) - 1, "kernel_pca", f"one less than its {len(X)} points")
    units = Units.of(X)
    points = points_in(units, X)
    gamma = 1 / (2 * (width * _median_distance(points)) ** 2)
    solver = "arpack" if few_wanted(code_size, len(X)) else "dense"
    with quiet():
        # The random state only starts the search for eigenvectors; the result does not depend on it.
        fitted = KernelPCA(code_size, kernel="rbf", gamma=gamma, eigen_solver=solver, random_state=0).fit(points)
    return EstimatorEncoder("kernel_pca", fitted, units)


def _median_distance(points: NDArray[np.float64]) -> float:
    import numpy as np
    from scipy.spatial.distance import pdist

    picked = np.linspace(0, len(points) - 1, min(len(points), _PAIRED_POINTS)).astype(int)
    distances = pdist(points[picked])
    apart = distances[distances > 0]
    # If all picked points are equal, the spread of all points is used instead.
    return float(np.median(apart)) if apart.size else float(np.linalg.norm(points, axis=1).max())
