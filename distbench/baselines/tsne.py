"""t-SNE, which has codes of the fitted points alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from distbench.baselines._recipe import Progress, baseline
from distbench.errors import InputError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from distbench.baselines._tsne import TsneEncoder

__all__ = ["tsne"]


@baseline("tsne", deterministic=True, in_sample_only=True)
def tsne(
    X: NDArray[np.float64], code_size: int, seed: int, progress: Progress | None = None, *, perplexity: float = 30.0
) -> TsneEncoder:
    """t-SNE: places the fitted points, and no others, by their neighbors (van der Maaten & Hinton 2008).

    Barnes-Hut approximation, started at the principal components (Kobak & Berens 2019), so the seed changes nothing.
    ``perplexity`` is lowered to a third of the number of the other points if these are few. ``codes_`` holds the codes.
    ``encode`` returns the code of a fitted point and raises ``InputError`` for any other: t-SNE is no map. Codes have
    no units: use ``scaled_stress``, not ``stress``. Raises ``InputError`` if ``code_size`` exceeds 3, ``TrainingError``
    if all points are equal.
    """
    from distbench.baselines._tsne import fit_tsne

    if code_size > 3:
        raise InputError(f"code_size: {code_size}; tsne takes at most 3 (its tree of cells has no more dimensions)")
    if not 1 <= perplexity < float("inf"):
        raise InputError(f"perplexity: {perplexity!r} is not a finite number of at least 1")
    return fit_tsne(X, code_size, perplexity)
