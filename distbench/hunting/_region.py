"""The plausible inputs: within the range of the data, near a data point, and accepted by the user."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from distbench._util.text import first_line, short_repr
from distbench.errors import InputError
from distbench.inputs.arrays import as_points
from distbench.inputs.batches import rows_of_points
from distbench.inputs.frames import frame_like, is_frame

__all__ = ["PlausibleRegion", "plausible_region"]

Array = NDArray[np.float64]

BLOCK_DISTANCES = 1 << 22  # distances in memory at once
SMALLEST_SPREAD = 1e-120  # squares of smaller distances underflow
SLACK = 1e-9  # relative rounding error of sums


@dataclass(frozen=True, eq=False)
class PlausibleRegion:
    """The plausible inputs around some points."""

    rows: Array  # the points, flattened, shape (n, d)
    low: Array  # smallest plausible value of each column
    high: Array
    median_gap: float  # median distance from a point to its nearest other point
    radii: Array  # of each point: largest distance of an input whose nearest point it is
    dtype: np.dtype[Any]  # of the points as passed; inputs are rounded to it
    shape: tuple[int, ...]  # of one point as passed
    empty_frame: Any = None  # has the columns of the user's frame, if the points are a frame
    accepts: Callable[[Any], Any] | None = None  # the user's function `plausible`

    @property
    def is_integer(self) -> bool:
        """Whether inputs are whole numbers."""
        return self.dtype.kind in "biu"

    @cached_property
    def varying(self) -> NDArray[np.int64]:
        """The columns that may vary."""
        return np.flatnonzero(self.high > self.low)

    def as_passed(self, points: Array) -> Any:
        """Return flat points in the type and shape that the encoder takes."""
        array = points.astype(self.dtype).reshape(len(points), *self.shape)
        return array if self.empty_frame is None else frame_like(self.empty_frame, array)

    def clip(self, points: Array) -> Array:
        """Return the nearest points within the range, rounded to the type of the data."""
        inside = np.clip(points, self.low, self.high)
        if self.is_integer:
            return np.rint(inside)
        return np.clip(inside.astype(self.dtype).astype(np.float64), self.low, self.high)

    def room(self, points: Array, directions: Array) -> Array:
        """Return how far each point can move in its direction within the range."""
        with np.errstate(divide="ignore", invalid="ignore"):
            edge = np.where(directions > 0, self.high, self.low)
            steps = np.where(directions == 0, np.inf, (edge - points) / directions)
        room: Array = np.maximum(steps.min(axis=1), 0)
        return room

    def contains(self, points: Array) -> NDArray[np.bool_]:
        """Return which points are plausible."""
        if not len(points):
            return np.zeros(0, dtype=bool)
        inside: NDArray[np.bool_] = np.all((points >= self.low) & (points <= self.high), axis=1)
        nearest, distances = self.nearest_rows(points[inside])
        inside[inside] = distances <= self.radii[nearest] * (1 + SLACK)
        if self.accepts is not None and inside.any():
            inside[inside] = self._accepted(self.accepts, points[inside])
        return inside

    def nearest_rows(self, points: Array) -> tuple[NDArray[np.int64], Array]:
        """Return the nearest row to each point, and its distance."""
        from scipy.spatial.distance import cdist

        nearest, distances = np.zeros(len(points), dtype=np.int64), np.zeros(len(points))
        step = max(1, BLOCK_DISTANCES // len(self.rows))
        for start in range(0, len(points), step):
            block = cdist(points[start : start + step], self.rows)
            nearest[start : start + step] = block.argmin(axis=1)
            distances[start : start + step] = block.min(axis=1)
        return nearest, distances

    def _accepted(self, accepts: Callable[[Any], Any], points: Array) -> NDArray[np.bool_]:
        try:
            accepted = np.asarray(accepts(self.as_passed(points)))
        except Exception as error:
            raise InputError(
                "plausible",
                f"raised {type(error).__name__}: {first_line(error)}",
                "it is called with points in the form that the encoder takes",
            ) from error
        if accepted.shape != (len(points),) or accepted.dtype != np.bool_:
            raise InputError(
                "plausible",
                f"returned {accepted.dtype} of shape {accepted.shape} for {len(points)} points",
                "return one bool for each point",
            )
        return accepted


def plausible_region(
    X: Any,
    *,
    rows: NDArray[np.int64] | None = None,
    reach: float = 1.0,
    bounds: Any = None,
    plausible: Callable[[Any], Any] | None = None,
) -> PlausibleRegion:
    """Return the plausible inputs around the points `X`.

    `rows` selects the points to search around; the range is that of all points. The other arguments are those of
    :func:`distbench.hunt`; raises InputError if one cannot be used.
    """
    if isinstance(reach, bool) or not isinstance(reach, int | float) or not 0 < reach < np.inf:
        raise InputError("reach", f"found {short_repr(reach)}", "pass a number above 0, e.g. 1.0")
    if plausible is not None and not callable(plausible):
        raise InputError("plausible", f"found {short_repr(plausible)}", "pass a function of points that returns bools")
    points = np.asarray(as_points(X, "X"), dtype=np.float64)
    with np.errstate(over="ignore"):
        spread = float(np.ptp(points, axis=0).max())
    if max(spread, np.abs(points).max()) > 1 / SMALLEST_SPREAD or 0 < spread < SMALLEST_SPREAD:
        raise InputError(
            "X",
            f"found numbers that spread over {spread:.0e}, whose squares overflow or underflow in float64",
            "scale the points",
        )
    low, high = _range(points, bounds)
    selected = points if rows is None else np.ascontiguousarray(points[rows])
    gaps = _nearest_gaps(selected)
    dtype, shape, frame = _type_of(X)
    region = PlausibleRegion(
        selected, low, high, float(np.median(gaps)), gaps * reach, dtype, shape, frame, accepts=plausible
    )
    if plausible is not None and not region.contains(selected).any():
        raise InputError(
            "plausible", f"refuses all {len(selected)} points of X", "change it to accept points like these"
        )
    return region


def _type_of(X: Any) -> tuple[np.dtype[Any], tuple[int, ...], Any]:
    """Return the type of the points, the shape of one point, and an empty frame if they are a frame."""
    if is_frame(X):
        return np.dtype(np.float64), tuple(X.shape[1:]), X[:0]
    array = rows_of_points(X)
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
            f"pass (low, high), each a number, or one number for each of {points.shape[1]} columns",
        ) from None
    if not np.all(low <= high):  # false for NaN too
        raise InputError("bounds", f"found low above high in column {int(np.argmin(low <= high))}", "pass (low, high)")
    outside = ((points < low) | (points > high)).any(axis=1)
    if outside.any():
        row = int(np.argmax(outside))
        raise InputError("bounds", f"row {row} of X lies outside", "pass bounds that hold all rows of X")
    return low, high


def _nearest_gaps(points: Array) -> Array:
    """Return the distance from each point to the nearest point that is not a copy of it."""
    from sklearn.neighbors import NearestNeighbors

    distinct, inverse = np.unique(points, axis=0, return_inverse=True)
    if len(distinct) < 2:
        raise InputError("X", f"found {len(points)} rows, no two of which differ", "pass points that differ")
    gaps = NearestNeighbors(n_neighbors=1).fit(distinct).kneighbors()[0][:, 0]
    positive = gaps > 0  # a distance is 0 if its square underflows
    gaps = np.where(positive, gaps, np.median(gaps[positive]) if positive.any() else np.ptp(distinct, axis=0).max())
    result: Array = gaps[inverse.ravel()]
    return result
