"""Chance: the score of the same codes with their rows shuffled."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from distbench._util.checks import has_queries_as_candidates
from distbench._util.float_errors import with_default_float_errors
from distbench.engine.canonical_order import canonical_order
from distbench.errors import InputError
from distbench.inputs.arrays import as_points
from distbench.inputs.table_names import check_pair_names
from distbench.metrics import METRICS, Measured
from distbench.metrics.functions import gather_checked

__all__ = ["chance"]

Array = NDArray[np.float64]

SHUFFLES = 3


@with_default_float_errors
def chance(
    X_test: Any,
    Z_test: Any,
    metric: str,
    *,
    reference: tuple[Any, Any] | None = None,
    k: int = 10,
    include_queries: bool = True,
    shuffles: int = SHUFFLES,
    seed: int = 0,
) -> float:
    """Return a metric's value for shuffled codes: its closed form if there is one, else the mean over a few shuffles.

    Parameters
    ----------
    X_test, Z_test : array-like of shape (m, d) and (m, dim)
        Test points and their codes.
    metric : str
        Name of the metric, perhaps with its own k: ``"knn_recall@100"``.
    reference : tuple of array-likes (X_ref, Z_ref) of shapes (n, d) and (n, dim), optional
        Reference points and their codes; codes are shuffled among the test points and among the references.
    k : int
        Number of neighbors.
    include_queries : bool
        Whether the other test points are candidates too.
    shuffles, seed : int
        Number of shuffles for a metric without a closed form, and their seed.

    Returns
    -------
    float
        The value, in the metric's range.

    Raises
    ------
    InputError
        If an argument cannot be used.
    """
    if metric not in METRICS:
        raise InputError("metric", f"found {metric!r}", METRICS.advice(metric))
    pairs = [] if reference is None else list(zip(reference, ("reference[0]", "reference[1]"), strict=False))
    check_pair_names([(X_test, "X_test"), (Z_test, "Z_test")], pairs)
    X, Z = as_points(X_test, "X_test"), as_points(Z_test, "Z_test")
    if reference is not None:
        reference = as_points(reference[0], "reference[0]"), as_points(reference[1], "reference[1]")

    include_queries = has_queries_as_candidates(include_queries, reference)

    def measure(codes: Array, pair: tuple[Array, Array] | None) -> Measured:
        chosen = METRICS[metric]
        return chosen.measure(gather_checked(X, codes, pair, [chosen], k=chosen.at(k), include_queries=include_queries))

    if (closed_form := measure(Z, reference).chance) is not None:
        return float(closed_form)
    rng, order = np.random.default_rng(seed), canonical_order(X, Z)
    others = None if reference is None else canonical_order(*reference)
    values = []
    for _ in range(shuffles):
        pair = None
        if reference is not None and others is not None:
            pair = reference[0], _shuffled(reference[1], others, rng)
        values.append(measure(_shuffled(Z, order, rng), pair).value)
    return float(np.mean(values))


def _shuffled(codes: Array, order: NDArray[np.int64], rng: np.random.Generator) -> Array:
    """Return codes in which the rows at `order` are exchanged at random."""
    out = np.empty_like(codes)
    out[order] = codes[rng.permutation(order)]
    return out
