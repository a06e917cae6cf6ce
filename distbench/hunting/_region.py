"""Which inputs are plausible: in the range of the data, near a point of it, and what the user says beside that."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from distbench._util.text import first_line, short_repr
from distbench.errors import InputError
from distbench.inputs.arrays import as_points

__all__ = ["PlausibleRegion", "region_of"]

Array = NDArray[np.float64]

BLOCK = 1 << 22  # distances that are looked at together
SMALLEST = 1e-120  # spread of points: squared distances have to be numbers
SLACK = 1e-9  # of a distance: sums round


@dataclass(frozen=True, eq=False)
class PlausibleRegion:
    """Plausible inputs around the points that there are.

    Attributes
    ----------
    rows : ndarray of shape (n, d)
        The points, flattened, as float64.
    low, high : ndarray of shape (d,)
        Least and largest value of each column.
    unit : float
        Median distance of a point to its nearest other point.
    reaches : ndarray of shape (n,)
        How far from each point, if it is the nearest, an input may lie.
    dtype : numpy.dtype
        Of the points as they were given: inputs are rounded to it, to whole numbers for integers.
    shape : tuple of int
        Of one point as it was given.
    like : object or None
        A frame without rows, where the points came in one.
    plausible : callable or None
        The user's own word: takes points as the encoder does, returns one bool a point.
    """

    rows: Array
    low: Array
    high: Array
    unit: float
    reaches: Array
    dtype: np.dtype[Any]
    shape: tuple[int, ...]
    like: Any = None
    plausible: Callable[[Any], Any] | None = None

    @property
    def whole(self) -> bool:
        """Whether inputs are whole numbers."""
        return self.dtype.kind in "biu"

    @property
    def free(self) -> NDArray[np.int64]:
        """Columns that are not the same number everywhere."""
        return np.flatnonzero(self.high > self.low)

    def shaped(self, points: Array) -> Any:
        """Return flat points as the encoder gets them."""
        given = points.astype(self.dtype).reshape(len(points), *self.shape)
        return given if self.like is None else type(self.like)(given, columns=self.like.columns)

    def clipped(self, points: Array) -> Array:
        """Return the nearest points within the range, as numbers of the data's type."""
        inside = np.clip(points, self.low, self.high)
        if self.whole:
            return np.rint(inside)
        return np.clip(inside.astype(self.dtype).astype(np.float64), self.low, self.high)

    def room(self, points: Array, directions: Array) -> Array:
        """Return how far each point can go in its direction within the range."""
        with np.errstate(divide="ignore", invalid="ignore"):
            edge = np.where(directions > 0, self.high, self.low)
            steps = np.where(directions == 0, np.inf, (edge - points) / directions)
        room: Array = np.maximum(steps.min(axis=1), 0)
        return room

    def keeps(self, points: Array) -> NDArray[np.bool_]:
        """Say which points are plausible."""
        if not len(points):
            return np.zeros(0, dtype=bool)
        kept: NDArray[np.bool_] = np.all((points >= self.low) & (points <= self.high), axis=1)
        nearest, distances = self.nearest(points[kept])
        kept[kept] = distances <= self.reaches[nearest] * (1 + SLACK)
        if self.plausible is not None and kept.any():
            kept[kept] = self._said(points[kept])
        return kept

    def nearest(self, points: Array) -> tuple[NDArray[np.int64], Array]:
        """Return the nearest row of each point, and how far away it is."""
        from scipy.spatial.distance import cdist

        nearest, distances = np.zeros(len(points), dtype=np.int64), np.zeros(len(points))
        step = max(1, BLOCK // len(self.rows))
        for start in range(0, len(points), step):
            block = cdist(points[start : start + step], self.rows)
            nearest[start : start + step] = block.argmin(axis=1)
            distances[start : start + step] = block.min(axis=1)
        return nearest, distances

    def _said(self, points: Array) -> NDArray[np.bool_]:
        assert self.plausible is not None
        try:
            said = np.asarray(self.plausible(self.shaped(points)))
        except Exception as error:
            raise InputError(
                "plausible", f"raised {type(error).__name__}: {first_line(error)}", "it gets points as the encoder does"
            ) from error
        if said.shape != (len(points),) or said.dtype != np.bool_:
            raise InputError(
                "plausible",
                f"returned {said.dtype} of shape {said.shape} for {len(points)} points",
                "return one bool a point",
            )
        result: NDArray[np.bool_] = said
        return result


def region_of(
    X: Any,
    *,
    rows: NDArray[np.int64] | None = None,
    reach: float = 1.0,
    bounds: Any = None,
    plausible: Callable[[Any], Any] | None = None,
) -> PlausibleRegion:
    """Return the plausible inputs around points.

    Parameters
    ----------
    X : array-like of shape (n, ...)
        Points, of which at least two differ.
    rows : ndarray of int, optional
        Which of them to look around; the range is that of all.
    reach : float
        How far from the nearest point an input may lie, in distances of that one to its own nearest other point.
    bounds : (low, high), optional
        The range, as numbers or one number a column; that of the data if not given.
    plausible : callable, optional
        Takes points in the shape of `X`, returns one bool a point.

    Raises
    ------
    InputError
        An argument cannot be used.
    """
    if isinstance(reach, bool) or not isinstance(reach, int | float) or not 0 < reach < np.inf:
        raise InputError("reach", f"found {short_repr(reach)}", "pass a number above 0, e.g. 1.0")
    if plausible is not None and not callable(plausible):
        raise InputError("plausible", f"found {short_repr(plausible)}", "pass a function of points that returns bools")
    points = np.asarray(as_points(X, "X"), dtype=np.float64)
    with np.errstate(over="ignore"):
        size = float(np.ptp(points, axis=0).max())
    if max(size, np.abs(points).max()) > 1 / SMALLEST or 0 < size < SMALLEST:
        raise InputError(
            "X", f"found numbers that spread over {size:.0e}, of which float64 cannot hold squares", "scale the points"
        )
    low, high = _range(points, bounds)
    chosen = points if rows is None else np.ascontiguousarray(points[rows])
    own = _to_nearest(chosen)
    unit = float(np.median(own))
    dtype, shape, like = _kind(X)
    region = PlausibleRegion(chosen, low, high, unit, own * reach, dtype, shape, like, plausible)
    if plausible is not None and not region.keeps(chosen).any():
        raise InputError("plausible", f"refuses all {len(chosen)} points themselves", "let it accept points like X")
    return region


def _kind(X: Any) -> tuple[np.dtype[Any], tuple[int, ...], Any]:
    """Return the type and shape of points, and an empty frame where they are one."""
    if hasattr(X, "iloc"):
        return np.dtype(np.float64), tuple(X.shape[1:]), X.iloc[:0]
    array = X if hasattr(X, "shape") and not hasattr(X, "detach") else None
    if array is None:
        array = np.asarray(X.detach().cpu() if hasattr(X, "detach") else X)
    return np.dtype(array.dtype), tuple(array.shape[1:]), None


def _range(points: Array, bounds: Any) -> tuple[Array, Array]:
    if bounds is None:
        return points.min(axis=0), points.max(axis=0)
    try:
        low, high = (
            np.broadcast_to(np.asarray(side, dtype=np.float64).ravel(), points.shape[1]).copy() for side in bounds
        )
    except (TypeError, ValueError):
        raise InputError(
            "bounds",
            f"found {short_repr(bounds)}",
            f"pass (low, high), each a number or one number a column ({points.shape[1]})",
        ) from None
    if not np.all(low <= high):  # false for NaN too
        raise InputError("bounds", f"found low above high in column {int(np.argmin(low <= high))}", "pass (low, high)")
    outside = (points < low) | (points > high)
    if outside.any():
        raise InputError(
            "bounds",
            f"row {int(np.argmax(outside.any(axis=1)))} of X lies outside",
            "pass bounds that hold all rows of X",
        )
    return low, high


def _to_nearest(points: Array) -> Array:
    """Return the distance of each point to the nearest that is no copy of it."""
    from sklearn.neighbors import NearestNeighbors

    distinct, which = np.unique(points, axis=0, return_inverse=True)
    if len(distinct) < 2:
        raise InputError("X", f"found {len(points)} rows and no two that differ", "pass at least two points that do")
    found = NearestNeighbors(n_neighbors=1).fit(distinct).kneighbors()[0][:, 0]
    apart = found > 0  # not where squares of distances underflow
    found = np.where(apart, found, np.median(found[apart]) if apart.any() else np.ptp(distinct, axis=0).max())
    result: Array = found[which.ravel()]
    return result
