"""The distances of a sample of test points, and the two pictures that are made from them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypedDict

import numpy as np
from numpy.typing import NDArray

from distbench.engine.spaces import space_of

if TYPE_CHECKING:
    from distbench.evaluation.report import Report

__all__ = ["Curve", "Shepard", "curve", "rounded", "sample", "sampled_distances", "shepard"]

DIGITS = 5  # significant digits of numbers, more than a picture can show
BINS = 64  # of the density, in each direction
MAX_QUERIES, MIN_QUERIES = 500, 20  # test points in the sample
MAX_DISTANCES = 2_000_000  # about so many in each space, or those of MIN_QUERIES test points if that is more
CURVE_SIZES = 40  # number of neighborhood sizes, up to half of the candidates
OUTLIER_SHARE = 2e-3  # this share of the pairs may lie outside the picture, if it would be too small for all others
OUTLIER_QUERIES, MANY_QUERIES = 3, 100  # with 100 test points or more, all pairs of 3 test points may lie outside

Array = NDArray[np.float64]
Indices = NDArray[np.int64]


class Shepard(TypedDict):
    """Counts of pairs by code distance (rows) and input distance (columns).

    Of all ``pairs``, ``beyond`` are outside the edges. The ideal line is ``code = slope * input``: multiplied by ``1 /
    slope``, code distances are as near as possible to input distances. ``slope`` is None if all codes are equal.
    """

    counts: list[list[int]]
    input_edges: list[float]
    code_edges: list[float]
    slope: float | None
    pairs: int
    beyond: int


class Curve(TypedDict):
    """R_NX(K): the share of the K nearest neighbors that is kept, rescaled so that chance is 0; mean of ``queries``."""

    K: list[int]
    kept: list[float]
    M: int
    queries: int


def rounded(values: Any) -> Any:
    """Return a number, or an array as nested lists, rounded to a few digits."""
    if np.ndim(values):
        return [rounded(value) for value in values]
    return float(f"{float(values):.{DIGITS}g}")


def sampled_distances(report: Report) -> tuple[Array, Array]:
    """Return input and code distances from a sample of evaluated test points (rows) to all their candidates."""
    arrays = report.clouds
    assert arrays is not None
    n = len(arrays.X)
    includes_queries = arrays.X_ref is None or len(arrays.X_ref) + n - 1 == report.M
    chosen = sample(report.rows_judged(), max(MIN_QUERIES, min(MAX_QUERIES, MAX_DISTANCES // report.M)))
    order = np.concatenate([chosen, np.setdiff1d(np.arange(n), chosen)])

    def distances(points: Any, reference: Any, distance: str) -> Array:
        sources = [points] if reference is None else [points, reference]
        space = space_of(sources, order, 0 if includes_queries else n, distance)
        keys = space.keys(0, len(chosen), np.empty((len(chosen), space.n)))
        if includes_queries:  # leave out the distance of each point to itself
            keys = keys[~np.eye(len(chosen), space.n, dtype=bool)].reshape(len(chosen), -1)
        return np.ldexp(space.to_distance(keys), space.exponent)

    return distances(arrays.X, arrays.X_ref, report.distance_x), distances(arrays.Z, arrays.Z_ref, report.distance_z)


def sample(rows: Indices, size: int) -> Indices:
    """Return a random sample of rows, always the same, in ascending order; all rows if there are at most `size`."""
    if len(rows) <= size:
        return rows
    return np.sort(np.random.default_rng(0).choice(rows, size, replace=False))


def shepard(a: Array, b: Array) -> Shepard:
    """Return counts of pairs by input distance `a` and code distance `b` of queries (rows) and candidates (columns)."""
    top_a, top_b = _top(a), _top(b)
    a, b = a.ravel() / top_a, b.ravel() / top_b  # so that squares do not overflow
    counts = np.histogram2d(b, a, bins=BINS, range=((0, 1), (0, 1)))[0].astype(np.int64)
    product = float(a @ b)
    return Shepard(
        counts=counts.tolist(),
        input_edges=rounded(np.linspace(0, top_a, BINS + 1)),
        code_edges=rounded(np.linspace(0, top_b, BINS + 1)),
        slope=rounded(float(b @ b) / product * top_b / top_a) if product > 0 else None,
        pairs=len(a),
        beyond=len(a) - int(counts.sum()),
    )


def _top(values: Array) -> float:
    """Return the upper edge: the largest value, unless it is an outlier that would squeeze all others."""
    largest = float(values.max())
    share = OUTLIER_QUERIES / len(values) if len(values) >= MANY_QUERIES else OUTLIER_SHARE
    usual = float(np.quantile(values, 1 - share))
    return (usual * 1.1 if largest > 1.5 * usual > 0 else largest) or 1.0


def curve(a: Array, b: Array) -> Curve:
    """Return the share of neighbors kept beyond chance from distances of queries (rows) to candidates (columns)."""
    queries, M = a.shape
    sizes = np.unique(np.rint(np.geomspace(1, max(1, (M - 1) // 2), CURVE_SIZES)).astype(np.int64))
    common = np.sum([_common(row_a, row_b, sizes) for row_a, row_b in zip(a, b, strict=True)], axis=0)
    kept = (M * common / queries / sizes - sizes) / (M - sizes)
    return Curve(K=sizes.tolist(), kept=rounded(kept), M=M, queries=queries)


def _common(a: Array, b: Array, sizes: Indices) -> Array:
    """Return for each K how many of the K nearest are the same in both spaces; ties count by their probability."""
    (less_a, same_a), (less_b, same_b) = _ranks(a), _ranks(b)
    untied = (same_a == 1) & (same_b == 1)
    first_size = np.maximum(less_a[untied], less_b[untied]) + 1  # smallest K at which both spaces have the candidate
    total = np.cumsum(np.bincount(first_size, minlength=len(a) + 1))[sizes].astype(np.float64)
    tied = ~untied
    if tied.any():
        chance_a = np.clip((sizes[:, None] - less_a[tied]) / same_a[tied], 0, 1)
        chance_b = np.clip((sizes[:, None] - less_b[tied]) / same_b[tied], 0, 1)
        total += np.einsum("kp,kp->k", chance_a, chance_b)
    return total


def _ranks(values: Array) -> tuple[Indices, Indices]:
    """Return for each value how many values are less, and how many are equal."""
    _, group, sizes = np.unique(values, return_inverse=True, return_counts=True)
    return (np.cumsum(sizes) - sizes)[group], sizes[group]
