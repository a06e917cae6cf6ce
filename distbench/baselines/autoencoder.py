"""An autoencoder that is asked for reconstruction alone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from distbench.baselines._recipe import Progress, baseline

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from distbench.baselines._network import NetworkEncoder

__all__ = ["autoencoder"]


@baseline("autoencoder", deterministic=False)
def autoencoder(
    X: NDArray[np.float64],
    code_size: int,
    seed: int,
    progress: Progress | None = None,
    *,
    hidden: Sequence[int] = (128, 64),
    epochs: int | None = None,
    batch_size: int = 32,
    learning_rate: float = 3e-3,
) -> NetworkEncoder:
    """Autoencoder with ReLU layers, trained on reconstruction alone (Hinton & Salakhutdinov 2006).

    Inputs are centred and divided by one number, which keeps their geometry; codes are multiplied by it again. The
    loss does not ask for any scale of the codes, so ``stress`` says little about this encoder: use
    ``scaled_stress``.

    ``epochs=None``: about 9,000 steps (5,000 where X holds over a million numbers), in 40 to 200 passes.
    """
    from distbench.baselines._network import NetworkEncoder
    from distbench.baselines._points import Units
    from distbench.baselines._training import Plan, seeded, train
    from distbench.keras import Autoencoder

    plan = Plan(epochs, batch_size, learning_rate)
    units = Units.of(X)
    points = units.points_in(X)
    with seeded(seed):
        model = Autoencoder(code_size, hidden, dtype="float32", name="autoencoder")
        train(model, points, seed, plan, progress)
    return NetworkEncoder("autoencoder", model, units)
