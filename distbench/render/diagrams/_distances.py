"""Distances of a sample of test points, and the two pictures that are drawn from them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from distbench.engine.point_space import Space
from distbench.results.pictures import Curve, Shepard, plain, short

if TYPE_CHECKING:
    from distbench.evaluation.report import Report

__all__ = ["curve", "sample", "sampled_distances", "shepard"]

CELLS = 64  # of the density, each way
QUERIES = 500  # test points whose distances are looked at
LEAST_QUERIES = 20
DISTANCES = 2_000_000  # about so many, in each space
SIZES = 40  # of neighbourhoods, up to half of the candidates: as k
OUTLIERS = 2e-3  # share of pairs that may be beyond the edges, if they would squeeze all others
FEW, MANY = 3, 100  # or so many test points with all of their pairs, where there are many

Array = NDArray[np.float64]
Indices = NDArray[np.int64]


def sampled_distances(report: Report) -> tuple[Array, Array]:
    """Return input and code distances of a sample of judged test points, a row each, to all of their candidates."""
    clouds = report.clouds
    assert clouds is not None
    n = len(clouds.X)
    own = clouds.X_ref is None or len(clouds.X_ref) + n - 1 == report.M  # test points are candidates too
    judged = report.rows_judged()
    size = max(LEAST_QUERIES, min(QUERIES, DISTANCES // report.M))
    chosen = sample(judged, size)
    order = np.concatenate([chosen, np.setdiff1d(np.arange(n), chosen)])
    found = []
    for test, reference, distance in (
        (clouds.X, clouds.X_ref, report.distance_x),
        (clouds.Z, clouds.Z_ref, report.distance_z),
    ):
        sources = [test] if reference is None else [test, reference]
        found.append(_distances(sources, order, 0 if own else n, distance, len(chosen), own))
    return found[0], found[1]


def _distances(sources: list[Any], order: Indices, first: int, distance: str, queries: int, own: bool) -> Array:
    space = Space(sources, order, first, distance)
    keys = space.keys(0, queries, np.empty((queries, space.n)))
    if own:  # each has a column, which goes
        keys = keys[~np.eye(queries, space.n, dtype=bool)].reshape(queries, -1)
    return np.ldexp(space.to_distance(keys), space.exponent)


def sample(rows: Indices, size: int) -> Indices:
    """Return a seeded sample in ascending order, or all."""
    if len(rows) <= size:
        return rows
    return np.sort(np.random.default_rng(0).choice(rows, size, replace=False))


def shepard(a: Array, b: Array) -> Shepard:
    """Count pairs by input distance `a` and code distance `b`: a query each row, a candidate a column."""
    tops = _top(a), _top(b)
    a, b = a.ravel(), b.ravel()
    columns, rows = _cells(a, tops[0]), _cells(b, tops[1])
    inside = (columns < CELLS) & (rows < CELLS)
    counts = np.bincount(rows[inside] * CELLS + columns[inside], minlength=CELLS * CELLS)
    product = float((a / tops[0]) @ (b / tops[1]))  # in units in which squares stay in range
    square = float((b / tops[1]) @ (b / tops[1]))
    return Shepard(
        counts=counts.reshape(CELLS, CELLS).tolist(),
        input_edges=plain(np.linspace(0, tops[0], CELLS + 1)),
        code_edges=plain(np.linspace(0, tops[1], CELLS + 1)),
        slope=short(square / product * tops[1] / tops[0]) if product > 0 else None,
        pairs=len(a),
        beyond=int(len(a) - np.count_nonzero(inside)),
    )


def _cells(values: Array, top: float) -> Indices:
    """Return the cell of each value; `CELLS` is beyond. The last cell holds its upper edge."""
    cells = np.minimum(values / top * CELLS, CELLS).astype(np.int64)
    cells[values == top] = CELLS - 1
    return cells


def _top(values: Array) -> float:
    """Return the upper edge: the largest value, unless it is an outlier that would squeeze all others."""
    largest = float(values.max())
    share = FEW / len(values) if len(values) >= MANY else OUTLIERS
    most = float(np.quantile(values, 1 - share))
    top = most * 1.1 if largest > 1.5 * most > 0 else largest
    return top or 1.0


def curve(a: Array, b: Array) -> Curve:
    """Return how much of neighbourhoods is kept beyond chance: a query each row of distances, a candidate a column."""
    queries, M = a.shape
    sizes = np.unique(np.rint(np.geomspace(1, max(1, (M - 1) // 2), SIZES)).astype(np.int64))
    common = np.zeros(len(sizes))
    for row_a, row_b in zip(a, b, strict=True):
        common += _common(row_a, row_b, sizes)
    share = common / queries / sizes
    kept = (M * share - sizes) / (M - sizes)
    return Curve(K=sizes.tolist(), kept=plain(kept), M=M, queries=queries)


def _common(a: Array, b: Array, sizes: Indices) -> Array:
    """Return how many of K nearest neighbours are the same in both spaces; tied ones count by their chances."""
    (less_a, same_a), (less_b, same_b) = _places(a), _places(b)
    alone = (same_a == 1) & (same_b == 1)
    last = np.maximum(less_a[alone], less_b[alone]) + 1  # the K from which on both are in
    total = np.cumsum(np.bincount(last, minlength=len(a) + 1))[sizes].astype(np.float64)
    tied = ~alone
    if tied.any():
        one, two = (
            np.clip((sizes[:, None] - less[tied]) / same[tied], 0, 1)
            for less, same in ((less_a, same_a), (less_b, same_b))
        )
        total += np.einsum("kp,kp->k", one, two)
    return total


def _places(values: Array) -> tuple[Indices, Indices]:
    """Return for each value how many are below it, and how many equal it."""
    order = np.argsort(values)
    ordered = values[order]
    starts = np.flatnonzero(np.concatenate([[True], ordered[1:] != ordered[:-1]]))
    sizes = np.diff(np.append(starts, len(values)))
    less, same = np.empty((2, len(values)), dtype=np.int64)
    less[order], same[order] = np.repeat(starts, sizes), np.repeat(sizes, sizes)
    return less, same
