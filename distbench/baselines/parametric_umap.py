"""A network trained on the loss of UMAP."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from distbench._util.checks import whole_number
from distbench.baselines._recipe import Progress, baseline
from distbench.errors import TrainingError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from distbench.baselines._estimator import EstimatorEncoder

__all__ = ["parametric_umap"]


@baseline("parametric_umap", deterministic=False, requires="umap")
def parametric_umap(
    X: NDArray[np.float64],
    code_size: int,
    seed: int,
    progress: Progress | None = None,
    *,
    n_neighbors: int = 15,
    min_dist: float = 0.1,
    epochs: int = 100,
) -> EstimatorEncoder:
    """Parametric UMAP of the package umap-learn: UMAP's loss with codes computed by a network (Sainburg et al. 2021).

    Three ReLU layers of 100, trained on the edges of the neighbor graph; ``epochs`` is how often the strongest edge is
    visited. The network maps new points and fitted points alike. Needs TensorFlow beside umap-learn. Codes have no
    units: use ``scaled_stress``, not ``stress``. Raises ``InputError`` if there are fewer than 4 points,
    ``TrainingError`` if all points are equal or training diverges, ``MissingDependencyError`` without umap-learn or
    TensorFlow.
    """
    import numpy as np

    from distbench.baselines._estimator import EstimatorEncoder, quiet
    from distbench.baselines._points import Units
    from distbench.baselines._training import seeded
    from distbench.baselines._umap import layout_options, require_parametric_umap

    options = layout_options("parametric_umap", n_neighbors, min_dist, len(X))
    whole_number(epochs, "epochs", 1)
    make = require_parametric_umap()
    units = Units.of(X)
    with quiet(), seeded(seed):
        estimator: Any = make(
            n_components=code_size,
            n_epochs=epochs,
            random_state=seed,
            keras_fit_kwargs={"verbose": 0, "callbacks": _callbacks(progress)},
            **options,
        )
        codes = estimator.fit_transform(units.points_in(X))
    if not np.isfinite(codes).all():
        raise TrainingError("parametric_umap: training diverged: codes are not finite; check X for outliers")
    return EstimatorEncoder("parametric_umap", estimator, units)


def _callbacks(progress: Progress | None) -> list[Any]:
    """Return a callback that reports each tenth of the training to ``progress``."""
    import keras

    class Tell(keras.callbacks.Callback):
        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            if progress is not None:
                progress(epoch + 1, self.params["epochs"])

    return [Tell()]
