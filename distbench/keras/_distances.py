"""Distances between rows of tensors: safe gradients, float32, and one entry for each distance."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from keras import ops

from distbench._util.distances import EUCLIDEAN, INPUT_DISTANCES, distance_advice
from distbench.errors import InputError

__all__ = [
    "PRECOMPUTED",
    "batch_shape",
    "check_distance",
    "next_distances",
    "pairwise_distances",
    "squared_lengths",
    "to_rows",
]

PRECOMPUTED = "precomputed"


def pairwise_distances(points: Any, distance: str = EUCLIDEAN) -> Any:
    """Return the distances between all rows, by direct differences, in float32.

    Parameters
    ----------
    points : tensor, shape (n, ...)
        Axes after the first are flattened. ``n`` may be known at run time alone.
    distance : {"euclidean", "cosine", "cityblock"}
        "cosine" is 1 - cos of the angle of two rows. Rows of zeros are 0 from each other and 1 from all others.

    Returns
    -------
    tensor, shape (n, n)
        Symmetric; memory grows as n * n * d.

    Raises
    ------
    distbench.errors.InputError
        ``distance`` is unknown.

    Notes
    -----
    Points that coincide are 0 apart, and their distance has gradient 0 on every backend, compiled or not.
    """
    check_distance(distance)
    rows, lengths = _rows_and_lengths(points, distance)
    return lengths(ops.expand_dims(rows, 1) - ops.expand_dims(rows, 0))


def next_distances(points: Any, distance: str = EUCLIDEAN) -> Any:
    """Return the distances between each row and the next, the last and the first; shape (n,)."""
    rows, lengths = _rows_and_lengths(points, distance)
    return lengths(rows - ops.concatenate([rows[1:], rows[:1]]))


def to_rows(points: Any) -> Any:
    """Return points as rows of float32: (n, ...) becomes (n, d)."""
    # Gram products cancel in float32, and overflow in half precision: hence differences, hence the cast.
    rows = ops.cast(points, "float32")
    return rows if len(rows.shape) == 2 else ops.reshape(rows, (ops.shape(rows)[0], -1))


def squared_lengths(differences: Any) -> Any:
    """Return the sums of squares along the last axis."""
    return _sums(ops.square(differences))


def check_distance(distance: Any, known: tuple[str, ...] = INPUT_DISTANCES) -> None:
    """Raise ``InputError`` for a distance that is not ``known``."""
    if distance not in known:
        raise InputError("distance", f"found {distance!r}", distance_advice(distance, known))


def batch_shape(name: str, points: Any) -> list[int | None]:
    """Return the shape of a batch, None where it is known at run time alone; raise ``InputError`` if it is no batch."""
    try:
        shape = list(points.shape if hasattr(points, "shape") else np.shape(points))
    except ValueError:  # TensorFlow's, of unknown rank
        raise InputError(name, "found a tensor of unknown rank", "give it the shape (None, features)") from None
    if not shape:
        raise InputError(name, "found a single number", "pass a batch of points, shape (n, ...)")
    return shape


def _sums(values: Any) -> Any:
    # A product with ones sums along the last axis: XLA's own sums of short rows take several times as long.
    return ops.tensordot(values, ops.ones(ops.shape(values)[-1:], "float32"), axes=1)


def _lengths(differences: Any) -> Any:
    squares = squared_lengths(differences)
    together = squares <= 0  # false for NaN, which must not pass for 0
    # The gradient of sqrt is infinite at 0, and 0 * inf is NaN: so 0 must not reach sqrt, not even unused.
    return ops.where(together, 0.0, ops.sqrt(ops.where(together, 1.0, squares)))


def _units(points: Any) -> Any:
    """Return rows of length 1. A row of zeros has 1 in a column of its own: half a squared difference is 1 - cos."""
    rows = to_rows(points)
    lengths = ops.expand_dims(_lengths(rows), -1)
    units = rows / ops.where(lengths > 0, lengths, 1.0)
    return ops.concatenate([units, ops.cast(ops.equal(lengths, 0), "float32")], axis=1)


class _Distance(NamedTuple):
    rows: Callable[[Any], Any]
    lengths: Callable[[Any], Any]


_DISTANCES = {
    EUCLIDEAN: _Distance(to_rows, _lengths),
    "cosine": _Distance(_units, lambda differences: squared_lengths(differences) / 2),
    "cityblock": _Distance(to_rows, lambda differences: _sums(ops.abs(differences))),
}


def _rows_and_lengths(points: Any, distance: str) -> tuple[Any, Callable[[Any], Any]]:
    found = _DISTANCES[distance]
    return found.rows(points), found.lengths
