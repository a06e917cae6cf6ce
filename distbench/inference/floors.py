"""Floors: bounds that no encoder of a code size can beat on the points.

They hold in sample, for Euclidean distances in both spaces. A limit beyond its floor is an error in the test.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import eigvalsh
from scipy.spatial.distance import cdist

from distbench._util.checks import whole_number
from distbench._util.float_errors import with_default_float_errors
from distbench.engine.canonical_order import shuffled_rows
from distbench.engine.parallel.blas import one_blas_thread
from distbench.errors import InputError
from distbench.inputs.arrays import as_points
from distbench.inputs.sparse import without_empty_columns
from distbench.metrics import METRICS
from distbench.metrics.neighbor_counts import checked_k, numbers_of
from distbench.metrics.table import base_name

__all__ = ["BINDING_WITH_REFERENCE", "FLOORED", "check_floors", "floors", "refuse_beyond"]

Array = NDArray[np.float64]

FLOORED = ("knn_recall", "scaled_stress", "stress", "distortion")
"""The metrics that have a floor."""
BINDING_WITH_REFERENCE = frozenset({"distortion"})
"""Metrics whose floors also hold with reference points: a worst case over some pairs bounds that over all."""

MAX_POINTS = 2_000  # with more, packing uses a sample, and floors that need all distances are left out
MAX_PRODUCTS = 2e9  # the same for the number of points squared, times columns
MAX_COLUMNS = 1_500  # of the matrix whose eigenvalues are taken
MAX_VALUES = 1 << 25  # in an array; larger ones are neither copied nor read a second time
KISSING = {1: 2, 2: 6}  # largest number of k-neighborhoods that have a code, divided by k
ROUNDING = 1e-9  # a floor is lowered by this share
CODE_SIZE = "pass the number of columns of the codes, 1 or more"


@with_default_float_errors
def floors(
    X_test: Any, code_size: int, *, k: int | Iterable[int] = 10, metrics: Collection[str] = FLOORED
) -> dict[str, float]:
    r"""Return, by metric, the bounds that no encoder can beat in sample on these points.

    For stress, with :math:`\mu` the eigenvalues of the doubly centered Gram matrix (which are those of the centered
    scatter matrix, so no n x n matrix is needed) and :math:`T = \sqrt{\sum_{l > dim} \mu_l^2}`,

    .. math:: \|D_X^2 - D_Z^2\| \ge 2T, \quad s = \|D_X - D_Z\| \ge \sqrt{\Delta^2 + 2T} - \Delta

    with Delta the largest input distance. By the triangle inequality no code distance exceeds
    :math:`2 \Delta + s / \sqrt{n}`, hence also :math:`s (3 \Delta + s / \sqrt{n}) \ge 2T`. The floor is the larger of
    both bounds on s, divided by :math:`\|D_X\|`. It is also a floor of the scaled stress, since scaled codes are codes.
    For `distortion`, by packing:

    .. math:: (n_S^{1/dim} - 1) \sqrt{\frac{dim + 1}{2 dim}} \frac{\delta_S}{\Delta_S}

    the largest value over farthest-point prefixes S, with n_S points, least distance delta_S and diameter Delta_S. For
    `knn_recall`: a code of 2 columns is among the k nearest of at most 6k others (2k for 1 column). A point that is
    among the k nearest of more than 6k others in the input cannot be a neighbor of all of them in the codes.

    Parameters
    ----------
    X_test : array-like of shape (n, d)
        Test points.
    code_size : int
        Number of columns of the codes.
    k : int or iterable of int
        Number of neighbors, or several, for `knn_recall`.
    metrics : collection of str
        Metrics whose floors are computed, among ``FLOORED``; `knn_recall` also with its own k: ``"knn_recall@100"``.

    Returns
    -------
    dict of str to float
        Smallest possible values by metric; for `knn_recall` the largest possible value. Metrics whose floor would take
        more than seconds are missing: `knn_recall` for more than 2,000 points (fewer with more than 500 columns), and
        the stresses for more than 1,500 columns. For so many points the packing uses a sample, which also gives a
        floor.

    Raises
    ------
    InputError
        If the points, the code size or k cannot be used.

    References
    ----------
    .. [1] C. Eckart and G. Young (1936), The approximation of one matrix by another of lower rank.
    .. [2] H. Jung (1901), Ueber die kleinste Kugel, die eine raeumliche Figur einschliesst (for the packing).
    .. [3] J. Matousek (1990), Bi-Lipschitz embeddings into low-dimensional Euclidean spaces.
    """
    points = as_points(without_empty_columns([X_test], ["X_test"])[0], "X_test")
    dim = whole_number(code_size, "code_size", 1, CODE_SIZE)
    sample = _sample(points)
    whole = sample is None
    ks = numbers_of(k)
    chosen = METRICS.at_each_k([METRICS[name] for name in metrics if base_name(name) in FLOORED], ks)
    if points.size > MAX_VALUES:
        points, sample, chosen = points[sample], None, tuple(one for one in chosen if one.name == "distortion")
    wanted = {metric.name for metric in chosen}
    plain = np.asarray(points, dtype=np.float64)
    X = plain - plain.mean(axis=0)
    exponent = int(np.frexp(np.abs(X).max())[1])
    X = np.ldexp(X, -exponent)  # all floors are free of scale
    values: dict[str, float | None] = {}
    distances = None
    if whole or "distortion" in wanted:
        rows = np.ldexp(plain if sample is None else plain[sample], -exponent)  # exact: equal distances stay equal
        distances = cdist(rows, rows)
    if {"stress", "scaled_stress"} & wanted:
        values["stress"] = values["scaled_stress"] = _stress(X, dim, distances if whole else None)
    if distances is not None and "distortion" in wanted:
        values["distortion"] = _distortion(distances, dim)
    if distances is not None and whole and dim in KISSING:
        recalls = [metric for metric in chosen if base_name(metric.name) == "knn_recall"]
        first = checked_k(ks[0], len(X) - 1, recalls) if recalls else 0
        values |= {metric.name: _recall(distances, KISSING[dim], metric.at(first)) for metric in recalls}
    return {metric.name: value for metric in chosen if (value := values.get(metric.name)) is not None}


def _sample(points: NDArray[Any]) -> NDArray[np.int64] | None:
    """Return the rows of a sample whose distances take seconds at most, or None for all."""
    size = min(MAX_POINTS, int(np.sqrt(MAX_PRODUCTS / points.shape[1])) + 2)
    return None if len(points) <= size else np.sort(shuffled_rows(points, 0)[:size])


def check_floors(
    limits: Mapping[str, float], X_test: Any, code_size: int, *, k: int | Iterable[int] = 10, reference: bool = False
) -> None:
    """Raise InputError for limits that no encoder could meet, before one runs.

    Points of more than 2^25 values are not checked: this takes longer than it may save.

    Parameters
    ----------
    limits : mapping of str to float
        Limits by metric; those without a floor are not checked.
    X_test : array-like of shape (n, d)
        Test points.
    code_size : int
        Number of columns of the codes.
    k : int or iterable of int
        Number of neighbors; of several, metrics without their own k have the first.
    reference : bool
        Whether there are reference points. Then only the floor of `distortion` binds.

    Raises
    ------
    InputError
        If a limit is beyond its floor.
    """
    metrics = [
        name for name in limits if base_name(name) in FLOORED and (not reference or name in BINDING_WITH_REFERENCE)
    ]
    if metrics and math.prod(getattr(X_test, "shape", ())) <= MAX_VALUES:
        refuse_beyond(limits, floors(X_test, code_size, k=numbers_of(k)[0], metrics=metrics), code_size)


def refuse_beyond(limits: Mapping[str, float], known: Mapping[str, float], code_size: int) -> None:
    """Raise InputError if a limit is beyond its floor."""
    for name, limit in limits.items():
        if name not in known:
            continue
        floor, up = known[name], base_name(name) == "knn_recall"
        if limit > floor if up else limit < floor:
            side, bound = ("at least", "at most") if up else ("at most", "at least")
            raise InputError(
                name,
                f"found a limit of {side} {limit:g}, but every encoder with codes of {code_size} has {bound} "
                f"{floor:.4g} on these points",
                "loosen the limit or allow larger codes",
            )


def _stress(X: Array, dim: int, distances: Array | None) -> float | None:
    """Return the floor of both stresses; None if the eigenvalues would take too long."""
    n, total = len(X), float(np.sum(X**2))
    if min(X.shape) > MAX_COLUMNS or total == 0:
        return None
    with one_blas_thread():  # several would wait for each other beside other processes
        mu = eigvalsh(X.T @ X if X.shape[1] <= n else X @ X.T)[::-1]
    left = np.maximum(mu[dim:] - 1e-12 * mu[0], 0.0)  # less the possible rounding error
    T, largest = float(np.sqrt(np.sum(left**2))), _diameter(X, distances)
    root = np.sqrt(n)
    by_diameter = 2 * T / (np.sqrt(largest**2 + 2 * T) + largest)
    by_triangles = 4 * T / (np.sqrt((3 * largest) ** 2 + 8 * T / root) + 3 * largest)
    return float(max(by_diameter, by_triangles) / np.sqrt(2 * n * total) * (1 - ROUNDING))


def _diameter(X: Array, distances: Array | None) -> float:
    """Return the largest distance, or for many points a bound on it: a larger one lowers the floor of stress."""
    if distances is not None:
        return float(distances.max())
    spread = np.linalg.norm(X.max(axis=0) - X.min(axis=0))
    return float(min(spread, 2 * np.linalg.norm(X, axis=1).max()))


def _distortion(distances: Array, dim: int) -> float:
    """Return the packing floor over farthest-point prefixes, at least 1."""
    n = len(distances)
    chosen, diameter, best = int(distances.max(axis=1).argmax()), 0.0, 1.0
    nearest, farthest = np.full(n, np.inf), np.zeros(n)  # each point's distances to the prefix
    factor = np.sqrt((dim + 1) / (2 * dim))
    for size in range(2, n + 1):
        nearest, farthest = np.minimum(nearest, distances[chosen]), np.maximum(farthest, distances[chosen])
        chosen = int(np.argmax(nearest))
        least = float(nearest[chosen])  # of the prefix with this point: later points are never farther apart
        if least == 0:
            break
        diameter = max(diameter, float(farthest[chosen]))
        best = max(best, (size ** (1 / dim) - 1) * factor * least / diameter * (1 - ROUNDING))
    return float(best)


def _recall(distances: Array, kissing: int, k: int) -> float:
    """Return the largest possible recall: in-degrees are at most those that a code can have."""
    n = len(distances)
    distances = distances.copy()
    np.fill_diagonal(distances, np.inf)
    edge = np.partition(distances, k - 1, axis=1)[:, k - 1 : k]
    near, tied = distances < edge, distances == edge
    left = k - near.sum(axis=1, keepdims=True)
    degree = (near + tied * (left / tied.sum(axis=1, keepdims=True))).sum(axis=0)
    return float(min(1.0, np.minimum(degree, kissing * k).sum() / (k * n) * (1 + ROUNDING)))
