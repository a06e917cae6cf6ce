"""Half an autoencoder: distances alone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from distbench.baselines._recipe import Progress, baseline

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from distbench.baselines._network import NetworkEncoder

__all__ = ["distance_encoder"]


@baseline("distance_encoder", deterministic=False)
def distance_encoder(
    X: NDArray[np.float64],
    code_size: int,
    seed: int,
    progress: Progress | None = None,
    *,
    form: str = "scaled",
    pairs: str = "all",
    hidden: Sequence[int] = (128, 64),
    epochs: int | None = None,
    batch_size: int = 32,
    learning_rate: float = 3e-3,
) -> NetworkEncoder:
    """Train an encoder on distances alone, without a decoder: metric scaling that can encode new points.

    The loss is ``mean((a - b)^2) / mean_a^2``, a and b the distances of inputs and codes in a batch, mean_a the mean
    distance of (at most 2,000) train points; or another ``form`` of ``distbench.keras.PairwiseDistanceLoss``. Codes
    keep distances in the inputs' own units.

    ``epochs=None``: about 9,000 steps (5,000 where X holds over a million numbers), in 40 to 200 passes.
    """
    from distbench.baselines._network import NetworkEncoder
    from distbench.baselines._points import Units
    from distbench.baselines._training import Plan, mean_distance, seeded, train
    from distbench.keras import DistanceEncoder

    plan = Plan(epochs, batch_size, learning_rate)
    units = Units.of(X)
    points = units.points_in(X)
    scale = mean_distance(points)
    with seeded(seed):
        model = DistanceEncoder(
            code_size, 1.0, scale, hidden, form=form, pairs=pairs, dtype="float32", name="distance_encoder"
        )
        train(model, points, seed, plan, progress)
    return NetworkEncoder("distance_encoder", model, units)
