"""An autoencoder that is also asked to keep distances."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from distbench.baselines._recipe import Progress, baseline

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from distbench.baselines._network import NetworkEncoder

__all__ = ["pairwise_autoencoder"]


@baseline("pairwise_autoencoder", deterministic=False)
def pairwise_autoencoder(
    X: NDArray[np.float64],
    code_size: int,
    seed: int,
    progress: Progress | None = None,
    *,
    weight: float | None = None,
    form: str = "scaled",
    pairs: str = "all",
    hidden: Sequence[int] = (128, 64),
    epochs: int | None = None,
    batch_size: int = 32,
    learning_rate: float = 3e-3,
) -> NetworkEncoder:
    """Autoencoder whose loss also holds codes as far apart as their inputs.

    The recipe ``autoencoder`` with one term more: ``weight * mean((a - b)^2) / mean_a^2``, a and b the distances of
    inputs and codes in a batch, mean_a the mean distance of (at most 2,000) train points; or another ``form`` of
    ``distbench.keras.PairwiseDistanceLoss``. Codes keep distances in the inputs' own units.

    ``weight=None``: 2 for codes of up to three numbers, which cannot keep distances and neighbours both, else 10.
    ``epochs=None``: about 9,000 steps (5,000 where X holds over a million numbers), in 40 to 200 passes.
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
            pairs=pairs,
            dtype="float32",
            name="pairwise_autoencoder",
        )
        train(model, points, seed, plan, progress)
    return NetworkEncoder("pairwise_autoencoder", model, units)
