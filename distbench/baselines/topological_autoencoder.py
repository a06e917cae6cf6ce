"""An autoencoder that keeps how clusters merge."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from distbench.baselines._recipe import Progress, baseline

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from distbench.baselines._network import NetworkEncoder

__all__ = ["topological_autoencoder"]


@baseline("topological_autoencoder", deterministic=False)
def topological_autoencoder(
    X: NDArray[np.float64],
    code_size: int,
    seed: int,
    progress: Progress | None = None,
    *,
    weight: float = 10.0,
    hidden: Sequence[int] = (128, 64),
    epochs: int | None = None,
    batch_size: int = 32,
    learning_rate: float = 3e-3,
) -> NetworkEncoder:
    """Autoencoder that keeps the distances at which clusters of a batch merge (Moor et al. 2020).

    The recipe ``autoencoder`` with one term more: ``weight`` times the mean squared difference of distances of inputs
    and codes, over the edges of the minimum spanning trees of both, divided by the squared mean distance of
    (at most 2,000) train points. The original sums raw distances, so that its weight depends on the data.

    ``epochs=None``: about 9,000 steps (5,000 where X holds over a million numbers), in 40 to 200 passes.
    """
    from distbench.baselines._network import NetworkEncoder
    from distbench.baselines._points import Units
    from distbench.baselines._training import Plan, mean_distance, seeded, train
    from distbench.keras import TopologicalAutoencoder

    plan = Plan(epochs, batch_size, learning_rate)
    units = Units.of(X)
    points = units.points_in(X)
    scale = mean_distance(points)
    with seeded(seed):
        model = TopologicalAutoencoder(
            code_size, weight, scale, hidden, dtype="float32", name="topological_autoencoder"
        )
        train(model, points, seed, plan, progress)
    return NetworkEncoder("topological_autoencoder", model, units)
