"""Distances that are given as a matrix instead of points."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from distbench._util.distances import PRECOMPUTED
from distbench.errors import InputError
from distbench.inputs.arrays import as_points
from distbench.inputs.blocks import matrix_blocks
from distbench.inputs.sparse import is_sparse

__all__ = ["given_distances", "reference_count"]

Array = NDArray[Any]

ROUNDING = 1e-9  # distances there and back may differ by this share of the largest one
NEARLY_ZERO = 0.01  # of the largest distance; products of float32 leave about as much
LEAST_CANDIDATES = 3


def given_distances(
    matrix: Any, name: str, references: int | None, include_queries: bool
) -> tuple[Array, Array | None]:
    """Return given distances, and an array without columns that has a row for each reference point, if there are any.

    `references` is the number of reference points, or None if the columns alone tell it. Raises InputError unless the
    matrix has a row for each test point and a column for each candidate: the test points, if `include_queries`, and
    then the reference points.
    """
    if is_sparse(matrix):
        found = "found a sparse matrix, in which a distance that is missing counts as 0"
        raise InputError(name, found, "pass all distances as an array")
    if len(getattr(matrix, "shape", ())) == 1:
        found = f"found a vector of {len(matrix)} distances"
        raise InputError(name, found, "pass a matrix; scipy.spatial.distance.squareform makes one of such a vector")
    distances = as_points(matrix, name)
    m, columns = distances.shape
    tests = m if include_queries else 0
    n = columns - tests if references is None else references
    if n < 0 or columns != tests + n:
        wanted = [f"{tests} test points"] * bool(tests) + [f"{n} reference points"] * (n > 0)
        raise InputError(
            name,
            f"found distances of shape {distances.shape}",
            f"pass a row for each test point, and a column for each candidate: {', then '.join(wanted)}",
        )
    if tests + n - bool(tests) < LEAST_CANDIDATES:
        raise InputError(name, f"found {columns} columns", f"at least {LEAST_CANDIDATES} candidates are needed")
    _check_numbers(distances, name)
    if include_queries:
        _check_square(distances, name)
    return distances, np.empty((n, 0)) if n else None


def _check_numbers(distances: Array, name: str) -> None:
    largest = 0.0
    for rows, block in matrix_blocks(distances):
        negative = np.flatnonzero(block.min(axis=1) < 0)
        if negative.size:
            least = block[negative[0]].min()
            found = f"found {least:.4g} in row {rows.start + negative[0]}"
            otherwise = "pass distances, which are never negative, not similarities"
            raise InputError(name, found, _advice(least, block.max(), "numpy.maximum(D, 0)", otherwise))
        largest = max(largest, float(block.max()))
    if largest == 0:
        raise InputError(name, "found distances that are all 0", "nothing can be measured on them")


def _advice(value: float, largest: float, remedy: str, otherwise: str) -> str:
    is_rounding = abs(value) <= NEARLY_ZERO * largest
    return f"set what rounding left to 0: {remedy}" if is_rounding else otherwise


def _check_square(distances: Array, name: str) -> None:
    """Raise InputError unless the distances between the test points are symmetric, with 0 on the diagonal."""
    m = len(distances)
    diagonal = np.asarray(distances[np.arange(m), np.arange(m)])
    if diagonal.any():
        row = int(np.flatnonzero(diagonal)[0])
        found = f"found {diagonal[row]:.4g} from test point {row} to itself"
        otherwise = "pass distances, not similarities; columns begin with the test points in order"
        raise InputError(
            name, found, _advice(diagonal[row], distances[row].max(), "numpy.fill_diagonal(D, 0)", otherwise)
        )
    for rows, block in matrix_blocks(distances):
        there, back = block[:, :m], np.asarray(distances[:, rows.start : rows.stop][:m]).T
        i, j = divmod(int(np.abs(there - back).argmax()), m)
        if abs(there[i, j] - back[i, j]) > ROUNDING * max(there[i, j], back[i, j]):
            gap = float(back[i, j]) - float(there[i, j])
            change = f"{abs(gap):.3g} {'more' if gap > 0 else 'less'}"
            found = f"found {there[i, j]:.6g} from test point {rows.start + i} to {j}, but {change} back"
            raise InputError(name, found, "pass distances that are the same in both directions, e.g. (D + D.T) / 2")


def reference_count(
    reference: tuple[Any, Any] | None, distances: tuple[str, str], names: tuple[str, str]
) -> int | None:
    """Return the number of reference points, 0 without any; None if only the columns of given distances tell it.

    Raises InputError for reference points beside given distances, whose columns have them already.
    """
    given = [distance == PRECOMPUTED for distance in distances]
    if reference is None:
        return None if all(given) else 0
    for part, name, is_given in zip(reference, names, given, strict=True):
        if is_given and part is not None:
            found = "found points beside given distances"
            raise InputError(name, found, "pass None: the distances have columns for the reference points")
        if part is None and not is_given:
            raise InputError(name, "found None", "pass one row for each reference point")
    if all(given) or not any(given):
        return None
    counted = reference[given.index(False)]
    return len(as_points(counted, names[given.index(False)]))
