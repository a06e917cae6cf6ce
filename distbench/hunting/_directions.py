"""In which directions inputs are moved: of all, or those of the data around a point; the most and least stretched."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from distbench.hunting._region import PlausibleRegion
from distbench.hunting._slopes import MOST_COLUMNS

__all__ = ["Directions", "bases_of", "extremes", "landed"]

Array = NDArray[np.float64]
Directions = Literal["any", "data"]


def bases_of(
    region: PlausibleRegion, points: Array, directions: Directions, code_size: int, most: int, rng: np.random.Generator
) -> Array:
    """Return unit directions to move each point in, mutually orthogonal.

    Parameters
    ----------
    region : PlausibleRegion
        The data.
    points : ndarray of shape (m, d)
        Flat points.
    directions : {"any", "data"}
        All columns that vary; or the span of the differences to the nearest rows, as many as a code has numbers.
    code_size : int
        Numbers of a code.
    most : int
        Directions a point at most: where there are more columns, they are those to its neighbours and random ones.
    rng : numpy.random.Generator

    Returns
    -------
    ndarray of shape (m, r, d)
    """
    free, d = region.free, region.rows.shape[1]
    most = max(1, min(most, MOST_COLUMNS))
    if directions == "any" and len(free) <= most:
        return np.broadcast_to(np.eye(d)[free], (len(points), len(free), d))
    near = min(code_size if directions == "data" else max(1, most // 2), most, len(free), len(region.rows) - 1)
    spans = _to_neighbours(region, points, near)
    if directions == "any":
        random = np.zeros((len(points), most - near, d))
        random[:, :, free] = rng.normal(size=(len(points), most - near, len(free)))
        spans = np.concatenate([spans, random], axis=1)
    return _orthonormal(spans)


def landed(region: PlausibleRegion, targets: Array, directions: Directions) -> Array:
    """Return the nearest points within the range; none for targets that would leave their directions by that."""
    if directions == "data":
        slack = 1e-9 * region.unit
        targets = targets[((targets >= region.low - slack) & (targets <= region.high + slack)).all(axis=1)]
    return region.clipped(targets)


def _to_neighbours(region: PlausibleRegion, points: Array, count: int) -> Array:
    from scipy.spatial.distance import cdist

    gaps = cdist(points, region.rows)
    gaps[gaps == 0] = np.inf  # itself and its copies
    nearest = np.argsort(gaps, axis=1, kind="stable")[:, :count]
    result: Array = region.rows[nearest] - points[:, None]
    return result


def _orthonormal(spans: Array) -> Array:
    """Return as many orthonormal rows; those of a span that has fewer dimensions are 0."""
    q, r = np.linalg.qr(spans.transpose(0, 2, 1))
    diagonal = np.abs(np.diagonal(r, axis1=1, axis2=2))
    whole = diagonal > 1e-10 * np.maximum(diagonal.max(axis=1, keepdims=True), 1e-300)
    result: Array = q.transpose(0, 2, 1) * whole[:, :, None]
    return result


def extremes(jacobian: Array, basis: Array, wish: Array) -> tuple[Array, Array]:
    """Return the most stretched direction and some that are least stretched.

    Parameters
    ----------
    jacobian : ndarray of shape (code_size, r)
        Along the rows of `basis`.
    basis : ndarray of shape (r, d)
        Orthonormal rows, some of them perhaps 0.
    wish : ndarray of shape (w, d)
        Directions to be near to, where there is a choice: where a whole plane is lost.

    Returns
    -------
    most : ndarray of shape (1, d)
    least : ndarray of shape (1 to w, d)
    """
    real = basis.any(axis=1)
    basis, jacobian = basis[real], jacobian[:, real]
    if len(jacobian) > jacobian.shape[1]:
        jacobian = np.asarray(np.linalg.qr(jacobian, mode="r"))
    _, sizes, right = np.linalg.svd(jacobian, full_matrices=False)
    most = right[:1] @ basis
    lost = sizes <= 1e-12 * max(float(sizes[0]), 1e-300)
    kept = right[~lost]
    if len(kept) == basis.shape[0]:
        return most, right[-1:] @ basis
    wished = wish @ basis.T
    rest = wished - (wished @ kept.T) @ kept  # what no code notices
    rest -= (rest @ kept.T) @ kept  # once more: the first time leaves rounding
    lengths = np.linalg.norm(rest, axis=1)
    usable = lengths > 1e-9 * np.maximum(np.linalg.norm(wished, axis=1), 1e-300)
    if not usable.any():
        return most, right[-1:] @ basis
    return most, (rest[usable] / lengths[usable, None]) @ basis
