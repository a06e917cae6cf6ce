"""An autoencoder whose codes hardly move when its inputs do."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from distbench.baselines._recipe import Progress, baseline

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from distbench.baselines._network import NetworkEncoder

__all__ = ["contractive_autoencoder"]


@baseline("contractive_autoencoder", deterministic=False)
def contractive_autoencoder(
    X: NDArray[np.float64],
    code_size: int,
    seed: int,
    progress: Progress | None = None,
    *,
    weight: float = 0.001,
    hidden: Sequence[int] = (128, 64),
    epochs: int | None = None,
    batch_size: int = 32,
    learning_rate: float = 3e-3,
) -> NetworkEncoder:
    """Autoencoder with a penalty on the derivative of its encoder (Rifai et al. 2011).

    The recipe ``autoencoder`` with one term more: ``weight * mean ||J||^2 * v / w``, J the Jacobian of the encoder, v
    and w the mean variances of inputs and codes in a batch. The ratio stands in for the tied weights of the
    original: without either, codes shrink and the decoder stretches them again.

    ``epochs=None``: about 9,000 steps (5,000 where X holds over a million numbers), in 40 to 200 passes.
    """
    from distbench.baselines._network import NetworkEncoder
    from distbench.baselines._points import Units
    from distbench.baselines._training import Plan, seeded, train
    from distbench.keras import ContractiveAutoencoder

    plan = Plan(epochs, batch_size, learning_rate)
    units = Units.of(X)
    points = units.points_in(X)
    with seeded(seed):
        model = ContractiveAutoencoder(code_size, weight, hidden, dtype="float32", name="contractive_autoencoder")
        train(model, points, seed, plan, progress)
    return NetworkEncoder("contractive_autoencoder", model, units)
