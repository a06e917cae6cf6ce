"""UMAP, with codes for new points too."""

from __future__ import annotations

from typing import TYPE_CHECKING

from distbench.baselines._recipe import Progress, baseline
from distbench.errors import TrainingError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from distbench.baselines._estimator import PlacedEncoder

__all__ = ["umap"]


@baseline("umap", deterministic=False, requires="umap")
def umap(
    X: NDArray[np.float64],
    code_size: int,
    seed: int,
    progress: Progress | None = None,
    *,
    n_neighbors: int = 15,
    min_dist: float = 0.1,
) -> PlacedEncoder:
    """UMAP of the package umap-learn: a layout that keeps a graph of neighbors (McInnes, Healy & Melville 2018).

    ``codes_`` holds the codes of the fitted points. umap-learn's ``transform`` places other points in that layout, and
    also some of the fitted points. All fitted points, passed in their order, get ``codes_``. Codes have no units: use
    ``scaled_stress``, not ``stress``. Raises ``InputError`` if there are fewer than 4 points or ``code_size`` is not
    below their number less 1, ``TrainingError`` if all points are equal, ``MissingDependencyError`` without umap-learn.
    """
    import numpy as np

    from distbench.baselines._estimator import PlacedEncoder, at_most, points_in, quiet
    from distbench.baselines._points import Units
    from distbench.baselines._umap import layout_options, require_umap

    options = layout_options("umap", n_neighbors, min_dist, len(X))
    at_most(code_size, len(X) - 2, "umap", f"two less than its {len(X)} points")
    library = require_umap()
    units = Units.of(X)
    estimator = library.UMAP(n_components=code_size, random_state=seed, **options)
    with quiet():
        codes = np.asarray(estimator.fit_transform(points_in(units, X)), dtype=np.float64)
    if not np.isfinite(codes).all():
        raise TrainingError("umap: codes are not finite; check X for outliers")
    return PlacedEncoder(name="umap", estimator=estimator, units=units, codes_=codes)
