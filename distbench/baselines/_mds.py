"""Codes of metric multidimensional scaling, and how new points get theirs."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.spatial.distance import cdist, pdist, squareform

from distbench.baselines._estimator import points_in
from distbench.baselines._points import Units
from distbench.baselines._recipe import Transformer
from distbench.baselines._stress import place, smacof

__all__ = ["MdsEncoder", "fit_mds"]

_BLOCK = 512  # new points at a time: bounds the memory their distances take


@dataclass(frozen=True, eq=False)
class MdsEncoder(Transformer):
    """Codes of fitted points; any other point gets the code of least stress to all of them.

    Attributes
    ----------
    units : Units
        Converts between the user's points and ``points``.
    points : numpy.ndarray, shape (n, d)
        The points fitted on, in ``units``.
    codes_ : numpy.ndarray, shape (n, code_size)
        Their codes, in the units of the inputs.
    unit : float
        Mean distance of ``points``: the unit in which codes are computed.
    note_out_of_sample : str
        How new points get their codes.
    """

    units: Units
    points: NDArray[np.float64] = field(repr=False)
    codes_: NDArray[np.float64] = field(repr=False)
    unit: float
    name: str = "mds"
    note_out_of_sample: str = "out of sample: the code of least stress to all train points"

    def encode(self, X: ArrayLike) -> NDArray[np.float64]:
        """Return the codes of points ``X`` (m, ...) as an array (m, code_size)."""
        rows = points_in(self.units, X)
        anchors = self.codes_ / self.units.scale / self.unit
        blocks = [rows[first : first + _BLOCK] for first in range(0, len(rows), _BLOCK)]
        codes = [place(cdist(block, self.points) / self.unit, anchors) for block in blocks]
        return np.concatenate([*codes, np.empty((0, anchors.shape[1]))]) * self.unit * self.units.scale


def fit_mds(X: NDArray[np.float64], code_size: int) -> MdsEncoder:
    """Fit points (n, d), starting at their principal components; further columns start and stay at 0."""
    units = Units.of(X)
    points = points_in(units, X)
    distances = pdist(points)
    unit = float(distances.mean())
    left, scales, _ = np.linalg.svd(points, full_matrices=False)
    width = min(code_size, len(scales))
    start = np.zeros((len(X), code_size))
    start[:, :width] = left[:, :width] * scales[:width] / unit
    codes = smacof(squareform(distances) / unit, start)
    return MdsEncoder(units, points, codes * unit * units.scale, unit)
