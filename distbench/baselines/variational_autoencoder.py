"""An autoencoder whose codes are distributions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from distbench.baselines._recipe import Progress, baseline
from distbench.errors import TrainingError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from distbench.baselines._network import NetworkEncoder

__all__ = ["variational_autoencoder"]


@baseline("variational_autoencoder", deterministic=False)
def variational_autoencoder(
    X: NDArray[np.float64],
    code_size: int,
    seed: int,
    progress: Progress | None = None,
    *,
    weight: float = 1.0,
    hidden: Sequence[int] = (128, 64),
    epochs: int | None = None,
    batch_size: int = 32,
    learning_rate: float = 1e-3,
) -> NetworkEncoder:
    """Variational autoencoder; codes are the means (Kingma & Welling 2014).

    The recipe ``autoencoder`` with codes drawn from a normal distribution, and one term more: ``weight * 2 / d`` times
    its divergence from the standard one, d the number of features. Weight 1 is the evidence lower bound for
    a decoder whose variance is that of the inputs. The rate is a third of that recipe's: at 0.003 the codes of mnist5k
    collapsed in some seeds. Raises ``TrainingError`` where they do: no number of the code then varies by a hundredth of
    what the prior says.

    ``epochs=None``: about 9,000 steps (5,000 where X holds over a million numbers), in 40 to 200 passes.
    """
    from distbench.baselines._network import NetworkEncoder
    from distbench.baselines._points import Units
    from distbench.baselines._training import Plan, seeded, train
    from distbench.keras import VariationalAutoencoder

    plan = Plan(epochs, batch_size, learning_rate)
    units = Units.of(X)
    points = units.points_in(X)
    with seeded(seed):
        model = VariationalAutoencoder(code_size, weight, hidden, dtype="float32", name="variational_autoencoder")
        train(model, points, seed, plan, progress)
    if model.encode(points).std(axis=0).max() < 0.01:
        raise TrainingError(
            "variational_autoencoder: the codes collapsed to the prior and say nothing about X; "
            "lower learning_rate or weight"
        )
    return NetworkEncoder("variational_autoencoder", model, units)
