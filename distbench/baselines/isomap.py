"""Distances along a neighbor graph."""

from __future__ import annotations

from typing import TYPE_CHECKING

from distbench._util.checks import whole_number
from distbench.baselines._recipe import Progress, baseline
from distbench.errors import TrainingError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from distbench.baselines._estimator import EstimatorEncoder

__all__ = ["isomap"]


@baseline("isomap", deterministic=True)
def isomap(
    X: NDArray[np.float64],
    code_size: int,
    seed: int,
    progress: Progress | None = None,
    *,
    n_neighbors: int = 10,
    max_points: int = 10000,
) -> EstimatorEncoder:
    """Isomap: classical scaling of shortest paths along a neighbor graph (Tenenbaum, de Silva & Langford 2000).

    Each point is joined to its nearest ``n_neighbors`` (fewer where there are fewer points). Where the graph falls into
    parts, each two parts are joined by the shortest line between them, and ``note`` says so. A new point is placed by
    its paths through its own nearest neighbors. Time and memory grow with the square of the number of points: more
    than ``max_points`` raise ``InputError``, as does a ``code_size`` that is not below the number of points.
    Raises ``TrainingError`` if all points are equal, or their paths span fewer dimensions than asked for.
    """
    from distbench.baselines._estimator import EstimatorEncoder, at_most, few_enough, points_in
    from distbench.baselines._points import Units

    whole_number(n_neighbors, "n_neighbors", 1)
    few_enough(len(X), max_points, "isomap")
    at_most(code_size, len(X) - 1, "isomap", f"one less than its {len(X)} points")
    units = Units.of(X)
    fitted, parts = _fitted(points_in(units, X), code_size, min(n_neighbors, len(X) - 1))
    note = f"neighbour graph in {parts} parts, joined by shortest lines" if parts > 1 else ""
    return EstimatorEncoder("isomap", fitted, units, units.scale, note)


def _fitted(points: NDArray[np.float64], code_size: int, n_neighbors: int) -> tuple[object, int]:
    """Return the fitted estimator, and how many parts its graph was in."""
    from scipy.sparse.csgraph import connected_components
    from sklearn.manifold import Isomap

    from distbench.baselines._estimator import few_wanted, numpy_seeded, quiet

    solver = "arpack" if few_wanted(code_size, len(points)) else "dense"
    estimator = Isomap(n_neighbors=n_neighbors, n_components=code_size, eigen_solver=solver)
    try:
        # The start of the search for eigenvectors is drawn from numpy's global state.
        with quiet(), numpy_seeded(0):
            estimator.fit(points)
    except ValueError as error:
        raise TrainingError(
            f"isomap: the ways along these points cannot be laid out in {code_size} dimensions ({error}); "
            "take a smaller code_size or more neighbors (n_neighbors)"
        ) from error
    return estimator, int(connected_components(estimator.nbrs_.kneighbors_graph())[0])
