"""The formulas of the pairwise-distance losses in float64, and points for them."""

from __future__ import annotations

from typing import Any

import numpy as np
from frameworks import dk, tf
from scipy.spatial.distance import cdist, pdist

__all__ = ["DISTANCES", "FORMS", "PAIRS", "RNG", "X", "Z", "bare", "by_definition", "jacobian"]

DISTANCES = ["euclidean", "cosine", "cityblock"]
FORMS = ["scaled", "stress", "sammon", "log_ratio", "correlation"]
PAIRS = ["all", "sampled"]
RNG = np.random.default_rng(0)
X = RNG.normal(size=(12, 5)).astype("float32")
Z = RNG.normal(size=(12, 2)).astype("float32")


def distances_of(x: Any, pairs: str, metric: str = "euclidean") -> Any:
    """Return the distances of the pairs of a loss, in float64."""
    x = np.asarray(x).astype("float64").reshape(len(x), -1)
    return pdist(x, metric) if pairs == "all" else np.diag(cdist(x, np.roll(x, -1, axis=0), metric))


def by_definition(
    x: Any, z: Any, form: str, pairs: str = "all", scale: float | None = None, metric: str = "euclidean"
) -> float:
    """Return the loss by its formula; pairs are counted once."""
    a, b = distances_of(x, pairs, metric), distances_of(z, pairs)
    match form:
        case "scaled":
            return float(np.mean((a - b) ** 2) / (a.mean() if scale is None else scale) ** 2)
        case "stress":
            return float(1 - np.sum(a * b) ** 2 / (np.sum(a**2) * np.sum(b**2)))
        case "sammon":
            return float(np.sum((a - b) ** 2 / a) / a.sum())
        case "log_ratio":
            near = (1e-3 * (a.mean() if scale is None else scale)) ** 2
            return float(np.mean(np.log((b**2 + near) / (a**2 + near)) ** 2) / 4)
        case _:
            return float(1 - np.corrcoef(a, b)[0, 1])


def bare(x: Any, z: Any, **settings: Any) -> float:
    return float(dk.pairwise_distance_loss(x, z, **settings))


def jacobian(network: Any, points: Any) -> Any:
    """Return the outputs of a network, and its derivatives at each point in float64."""
    points = tf.constant(points)
    with tf.GradientTape() as tape:
        tape.watch(points)
        outputs = network(points)
    return np.asarray(outputs), np.asarray(tape.batch_jacobian(outputs, points), dtype="float64")
