"""An autoencoder that is also asked to keep distances, on as many pairs as points."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from distbench.baselines._recipe import Progress, baseline

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from distbench.baselines._network import NetworkEncoder

__all__ = ["sampled_pairs_autoencoder"]


@baseline("sampled_pairs_autoencoder", deterministic=False)
def sampled_pairs_autoencoder(
    X: NDArray[np.float64],
    code_size: int,
    seed: int,
    progress: Progress | None = None,
    *,
    weight: float | None = None,
    form: str = "scaled",
    hidden: Sequence[int] = (128, 64),
    epochs: int | None = None,
    batch_size: int = 32,
    learning_rate: float = 3e-3,
) -> NetworkEncoder:
    """Autoencoder whose loss also holds codes as far apart as their inputs, on as many pairs as points.

    The recipe ``pairwise_autoencoder`` with fewer pairs: each point of a batch and the next one, so that the cost of a
    step grows as the batch, not as its square.
    """
    from distbench.baselines._network import NetworkEncoder
    from distbench.baselines._pairwise import pair_weight
    from distbench.baselines._points import Units
    from distbench.baselines._training import Plan, mean_distance, seeded, train
    from distbench.keras import DistancePreservingAutoencoder

    plan = Plan(epochs, batch_size, learning_rate)
    units = Units.of(X)
    points = units.points_in(X)
    scale = mean_distance(points)
    with seeded(seed):
        model = DistancePreservingAutoencoder(
            code_size,
            pair_weight(weight, code_size),
            scale,
            hidden,
            form=form,
            pairs="sampled",
            dtype="float32",
            name="sampled_pairs_autoencoder",
        )
        train(model, points, seed, plan, progress)
    return NetworkEncoder("sampled_pairs_autoencoder", model, units)
