"""Four ways to make codes of embeddings, each smaller than the 1,024 bytes of 256 float32 numbers."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from sklearn.decomposition import PCA
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import Normalizer

Encode = Callable[[np.ndarray], np.ndarray]


def numbers(train: np.ndarray, size: int) -> Encode:
    """Keep the `size` directions in which embeddings of length 1 vary most."""
    return make_pipeline(Normalizer(), PCA(size, random_state=0)).fit(train).transform


def signs(train: np.ndarray) -> Encode:
    """Keep one bit a number: whether it is above 0."""
    return lambda embeddings: embeddings > 0


def rotated_signs(train: np.ndarray, rounds: int = 10, seed: int = 0) -> Encode:
    """Keep signs after the rotation under which they lose least (ITQ, Gong & Lazebnik 2011)."""
    unit = make_pipeline(Normalizer(), PCA(random_state=0)).fit(train)
    points = unit.transform(train)
    rotation = np.linalg.qr(np.random.default_rng(seed).standard_normal((points.shape[1],) * 2))[0]
    for _ in range(rounds):
        left, _, right = np.linalg.svd(np.sign(points @ rotation).T @ points)
        rotation = (left @ right).T
    return lambda embeddings: unit.transform(embeddings) @ rotation > 0


FIT: dict[str, Callable[[np.ndarray], Encode]] = {
    "64 numbers": lambda train: numbers(train, 64),
    "16 numbers": lambda train: numbers(train, 16),
    "256 signs": signs,
    "256 rotated signs": rotated_signs,
}
