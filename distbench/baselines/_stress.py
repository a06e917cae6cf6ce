"""Codes of least raw stress, sum (D - |z_i - z_j|)^2, of all points at once or of new points beside fixed ones.

Both iterate the same step. For codes ``Z`` with mean 0, the codes ``pull(Z, D, Z)`` have no more stress than ``Z`` (the
Guttman transform, de Leeuw 1977), and the same holds for a new point with ``Z`` fixed. A step of up to twice that
length has no more stress either (de Leeuw & Heiser 1980); 1.7 times the length needs a third fewer steps.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.distance import cdist
from threadpoolctl import threadpool_limits

__all__ = ["place", "pull", "smacof", "weighted_start"]

_STRIDE = 1.7
_LONGEST = 100.0
_CELLS = 1 << 17  # of a block of distances: stays in the cache

Array = NDArray[np.float64]


def pull(codes: Array, wanted: Array, anchors: Array) -> tuple[Array, Array]:
    """Return the Guttman transform of each code by anchors with mean 0, (m, p), and its sum of D |z - z_j|, (m,).

    ``wanted`` has shape (m, n). An anchor at the same place as a code does not pull it.
    """
    n = len(anchors)
    pulled, products = np.empty_like(codes), np.empty(len(codes))
    rows = max(1, _CELLS // n)
    for first in range(0, len(codes), rows):
        part = slice(first, first + rows)
        distances = _distances(codes[part], anchors)
        products[part] = np.einsum("ij,ij->i", wanted[part], distances)
        ratios = np.divide(wanted[part], distances, out=distances, where=distances > 0)
        pulled[part] = (codes[part] * ratios.sum(axis=1, keepdims=True) - ratios @ anchors) / n
    return pulled, products


def _distances(codes: Array, anchors: Array) -> Array:
    """Return distances by direct differences for short codes, and by products for long ones, where these are faster."""
    if codes.shape[1] <= 8:
        return np.asarray(cdist(codes, anchors))
    sizes, others = (codes**2).sum(axis=1)[:, None], (anchors**2).sum(axis=1)
    squares: Array = sizes + others - 2 * (codes @ anchors.T)
    # Squared distances within the rounding errors of the products become 0.
    squares[squares < 1e-14 * (sizes + others)] = 0.0
    return np.sqrt(squares, out=squares)


def smacof(wanted: Array, start: Array, tolerance: float = 1e-7, most_steps: int = 1000) -> Array:
    """Return codes (n, p) of all points for wanted distances (n, n), starting at ``start``; their mean is 0.

    Stops when a step lowers the stress by less than ``tolerance`` of the sum of squared distances of the codes.
    """
    codes = start - start.mean(axis=0)
    total, before = float(np.vdot(wanted, wanted)), np.inf
    # One BLAS thread: the products are small, and the result then does not depend on the number of cores.
    with threadpool_limits(1, "blas"):
        for _ in range(most_steps):
            pulled, products = pull(codes, wanted, codes)
            size = 2 * len(codes) * float(np.vdot(codes, codes))  # the sum of squared distances
            stress = total - 2 * float(products.sum()) + size
            if before - stress <= tolerance * size:
                break
            before = stress
            codes = codes + _STRIDE * (pulled - codes)
    centered: Array = codes - codes.mean(axis=0)
    return centered


def weighted_start(wanted: Array, anchors: Array, nearest: int = 10) -> Array:
    """Return the mean code of the nearest anchors, weighted by one over the distance; shape (m, p)."""
    nearest = min(nearest, len(anchors))
    columns = np.argpartition(wanted, nearest - 1, axis=1)[:, :nearest]
    distances = np.take_along_axis(wanted, columns, axis=1)
    # The floor lets a point that lies on an anchor start at its code, without a division by 0.
    weights = 1 / np.maximum(distances, 1e-12)
    weights /= weights.sum(axis=1, keepdims=True)
    start: Array = np.einsum("ij,ijp->ip", weights, anchors[columns])
    return start


def place(wanted: Array, anchors: Array, tolerance: float = 1e-5, most_steps: int = 500) -> Array:
    """Return codes (m, p) of new points, each of least stress to all ``anchors`` (n, p, mean 0); ``wanted`` is (m, n).

    Each starts at :func:`weighted_start`. Step lengths follow its last two steps (Barzilai & Borwein 1988); where
    such a step raised the stress, the next one has the safe length. It stops when the pull is shorter than
    ``tolerance``. No code depends on the other new points.
    """
    with threadpool_limits(1, "blas"):
        codes = weighted_start(wanted, anchors)
        pulls, stress = _look(codes, wanted, anchors)
        strides = np.full(len(codes), _STRIDE)
        slack = 1e-13 * (wanted**2).sum(axis=1)
        moving = np.flatnonzero(np.abs(pulls).max(axis=1) > tolerance)
        for _ in range(most_steps):
            if not len(moving):
                break
            step = strides[moving, None] * pulls[moving]
            now, height = _look(codes[moving] + step, wanted[moving], anchors)
            better = height <= stress[moving] + slack[moving]
            # Where even a step of the safe length does not help, rounding errors decide.
            ended = ~better & (strides[moving] == _STRIDE) | better & (np.abs(now).max(axis=1) <= tolerance)
            strides[moving] = np.where(better, _fitted_stride(step, pulls[moving] - now), _STRIDE)
            went = moving[better]
            codes[went] += step[better]
            pulls[went], stress[went] = now[better], height[better]
            moving = moving[~ended]
    return codes


def _look(codes: Array, wanted: Array, anchors: Array) -> tuple[Array, Array]:
    """Return the pull on each code, as a step, and its stress without the constant sum of D^2."""
    pulled, products = pull(codes, wanted, anchors)
    squares = len(anchors) * (codes**2).sum(axis=1) + float(np.vdot(anchors, anchors))
    return pulled - codes, squares - 2 * products


def _fitted_stride(step: Array, change: Array) -> Array:
    """Return the step length at which the pull would be 0 if it were linear along the step."""
    along = (step * change).sum(axis=1)
    fitted = np.divide((step**2).sum(axis=1), along, out=np.full(len(step), _STRIDE), where=along > 0)
    clipped: Array = np.clip(fitted, _STRIDE, _LONGEST)
    return clipped
