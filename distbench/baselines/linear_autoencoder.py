"""An autoencoder without hidden layers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from distbench.baselines._recipe import Progress, baseline
from distbench.errors import InputError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from distbench.baselines._network_encoder import NetworkEncoder

__all__ = ["linear_autoencoder"]


@baseline("linear_autoencoder", deterministic=False)
def linear_autoencoder(
    X: NDArray[np.float64],
    code_size: int,
    seed: int,
    progress: Progress | None = None,
    *,
    epochs: int | None = None,
    batch_size: int | None = None,
    learning_rate: float = 1e-2,
) -> NetworkEncoder:
    """Linear autoencoder: finds the subspace of PCA, but no orthonormal code (Baldi & Hornik 1989).

    Trained on all points at once (``batch_size=None``): the noise of small batches keeps the subspace some tenths of a
    degree away from its optimum. Inputs are centered and divided by one number, which keeps their geometry; codes are
    multiplied by it again. ``epochs=None``: 2,000, or 1,000 where X holds over a million numbers. Raises ``InputError``
    if ``code_size`` exceeds the number of points or features.
    """
    from distbench.baselines._network_encoder import LinearNetworkEncoder, fit_network
    from distbench.baselines._training import Plan
    from distbench.keras import LinearAutoencoder

    most = min(X.shape)
    if code_size > most:
        raise InputError(
            f"code_size: {code_size} is more than X {X.shape} allows; linear_autoencoder takes at most {most}"
        )
    is_small = X.size <= 1_000_000
    plan = Plan((2000 if is_small else 1000) if epochs is None else epochs, batch_size, learning_rate, xla=is_small)

    def build(points: NDArray[np.float32]) -> LinearAutoencoder:
        return LinearAutoencoder(code_size, dtype="float32", name="linear_autoencoder")

    return fit_network("linear_autoencoder", X, seed, plan, build, progress, LinearNetworkEncoder)
