"""Directions in which inputs are moved, and the directions that an encoder stretches most and least."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from distbench.hunting._region import PlausibleRegion

__all__ = ["DirectionKind", "Directions", "stretched_directions"]

Array = NDArray[np.float64]
DirectionKind = Literal["any", "data"]

MAX_DIRECTIONS = 512  # for each point
TINY = 1e-300  # in place of 0 in a divisor
SLACK = 1e-9  # as a share of the median distance from a point to the nearest other one


@dataclass(frozen=True)
class Directions:
    """The directions in which inputs may be moved.

    With ``kind="any"`` all columns that vary may change. With ``kind="data"`` the directions are differences to the
    nearest rows, at most as many as a code has numbers.
    """

    region: PlausibleRegion
    kind: DirectionKind
    code_size: int

    @property
    def count(self) -> int:
        """The number of independent directions of a point."""
        columns = len(self.region.varying)
        return columns if self.kind == "any" else min(columns, self.code_size)

    def bases(self, points: Array, count: int, rng: np.random.Generator) -> Array:
        """Return at most `count` orthonormal directions of each point, shape (m, r, d).

        With ``kind="data"`` all lead to neighbors. Else they are the varying columns, if at most `count` vary; else
        about half lead to neighbors and the rest are random.
        """
        varying, d = self.region.varying, self.region.rows.shape[1]
        count = max(1, min(count, MAX_DIRECTIONS))
        if self.kind == "any" and len(varying) <= count:
            return np.broadcast_to(np.eye(d)[varying], (len(points), len(varying), d))
        to_neighbors = self.code_size if self.kind == "data" else max(1, count // 2)
        to_neighbors = min(to_neighbors, count, len(varying), len(self.region.rows) - 1)
        spans = self._to_neighbors(points, to_neighbors)
        if self.kind == "any":
            random = np.zeros((len(points), count - to_neighbors, d))
            random[:, :, varying] = rng.normal(size=(len(points), count - to_neighbors, len(varying)))
            spans = np.concatenate([spans, random], axis=1)
        return _orthonormal(spans)

    def to_nearest(self, points: Array) -> Array:
        """Return the unit direction of each point to its nearest row, shape (m, 1, d)."""
        return _orthonormal(self._to_neighbors(points, 1))

    def landing(self, targets: Array) -> Array:
        """Return targets clipped to the range; with ``kind="data"`` leave out those that would be clipped."""
        region = self.region
        if self.kind == "data":
            slack = SLACK * region.median_gap
            targets = targets[((targets >= region.low - slack) & (targets <= region.high + slack)).all(axis=1)]
        return region.clip(targets)

    def _to_neighbors(self, points: Array, count: int) -> Array:
        from scipy.spatial.distance import cdist

        gaps = cdist(points, self.region.rows)
        gaps[gaps == 0] = np.inf  # the point itself and its copies
        nearest = np.argsort(gaps, axis=1, kind="stable")[:, :count]
        differences: Array = self.region.rows[nearest] - points[:, None]
        return differences


def _orthonormal(spans: Array) -> Array:
    """Return an orthonormal basis of each span; rows beyond the dimensions of the span are 0."""
    q, r = np.linalg.qr(spans.transpose(0, 2, 1))
    diagonal = np.abs(np.diagonal(r, axis1=1, axis2=2))
    independent = diagonal > 1e-10 * np.maximum(diagonal.max(axis=1, keepdims=True), TINY)
    result: Array = q.transpose(0, 2, 1) * independent[:, :, None]
    return result


def stretched_directions(jacobian: Array, basis: Array, preferred: Array) -> Array:
    """Return the direction that is stretched most, then one or more that are stretched least, shape (2 or more, d).

    `jacobian` (code_size, r) is along the rows of `basis` (r, d), which are orthonormal or 0. Of directions that are
    not stretched at all, those nearest to the rows of `preferred` are returned.
    """
    nonzero = basis.any(axis=1)
    basis, jacobian = basis[nonzero], jacobian[:, nonzero]
    if len(jacobian) > jacobian.shape[1]:
        jacobian = np.asarray(np.linalg.qr(jacobian, mode="r"))
    _, sizes, right = np.linalg.svd(jacobian, full_matrices=False)
    kept = right[sizes > 1e-12 * max(float(sizes[0]), TINY)]
    least = right[-1:]
    if len(kept) < len(basis):
        projected = preferred @ basis.T
        lost = projected - (projected @ kept.T) @ kept
        lost -= (lost @ kept.T) @ kept  # removes the rounding error of the first projection
        lengths = np.linalg.norm(lost, axis=1)
        usable = lengths > 1e-9 * np.maximum(np.linalg.norm(projected, axis=1), TINY)
        if usable.any():
            least = lost[usable] / lengths[usable, None]
    return np.concatenate([right[:1] @ basis, least @ basis])
