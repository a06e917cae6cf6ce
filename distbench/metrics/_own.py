"""Metrics of a user's own: a score of each test point, with the interval that all metrics have."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

from distbench.engine import Gathered
from distbench.errors import InputError
from distbench.metrics._metric import Measured, Metric
from distbench.wording import in_brief, raised

__all__ = ["Cases", "adopt", "point_metric", "with_cases"]

Array = NDArray[np.float64]
PLACE = "cases"  # in Gathered.extras
GROUPS = 40  # of test points, each left out once


@dataclass(frozen=True, eq=False)
class Cases:
    """The points that a metric of one's own is given: each test point is to be compared with its candidates.

    Attributes
    ----------
    X, Z : ndarray of shape (m, d) and (m, dim)
        Test points that are judged, and their codes.
    X_ref, Z_ref : ndarray of shape (n, d) and (n, dim)
        Other candidates, the same for all, and their codes; n may be 0.
    among : bool
        Whether the other test points are candidates too.
    k : int
        Number of neighbours.
    distance_x, distance_z : str
        Distances of points and of codes.
    """

    X: NDArray[Any]
    Z: NDArray[Any]
    X_ref: NDArray[Any]
    Z_ref: NDArray[Any]
    among: bool
    k: int
    distance_x: str = "euclidean"
    distance_z: str = "euclidean"

    def distances(self) -> tuple[Array, Array]:
        """Return the distances of each test point to its M candidates, itself left out.

        Returns
        -------
        a, b : ndarray of shape (m, M)
            Input and code distances. Other test points come first, where they are candidates; then ``X_ref``.
        """
        return (
            _distances(self.X, self.X_ref, self.distance_x, self.among),
            _distances(self.Z, self.Z_ref, self.distance_z, self.among),
        )

    def without(self, rows: NDArray[np.int64]) -> Cases:
        """Return the cases without the test points of these `rows`, which are no candidates any more either.

        Parameters
        ----------
        rows : ndarray of int of shape (r,)
            Places in `X` and `Z`.

        Returns
        -------
        Cases
            With m less the number of rows that were left out.
        """
        return replace(self, X=np.delete(self.X, rows, axis=0), Z=np.delete(self.Z, rows, axis=0))


def _distances(points: Any, others: Any, distance: str, among: bool) -> Array:
    from scipy.spatial.distance import cdist

    parts = [cdist(points, others, distance)]
    if among:
        m = len(points)
        parts.insert(0, cdist(points, points, distance)[~np.eye(m, dtype=bool)].reshape(m, m - 1))
    return np.concatenate(parts, axis=1)


def with_cases(
    gathered: Gathered,
    points: tuple[Any, Any],
    reference: tuple[Any, Any] | None,
    include_queries: bool,
    distances: tuple[str, str] = ("euclidean", "euclidean"),
) -> Gathered:
    """Return what was gathered with its points beside it, which metrics of users' own ask for."""
    among = include_queries or reference is None
    judged = gathered.judged if gathered.m < len(points[0]) else None

    def made() -> Cases:
        (X, X_ref), (Z, Z_ref) = (
            _side(points[side], None if reference is None else reference[side], judged, among) for side in (0, 1)
        )
        return Cases(X, Z, X_ref, Z_ref, among, gathered.k, *distances)

    gathered.extras[PLACE] = made
    return gathered


def _side(points: Any, others: Any, judged: NDArray[np.int64] | None, among: bool) -> tuple[Array, Array]:
    """Return judged points, and other candidates: references, and test points that are not judged."""
    own = np.asarray(points)
    rest = own[:0] if others is None else np.asarray(others)
    if judged is None:
        return own, rest
    return own[judged], np.concatenate([np.delete(own, judged, axis=0), rest]) if among else rest


def point_metric(
    *,
    direction: Literal["up", "down"],
    bounds: tuple[float, float] = (-np.inf, np.inf),
    scale_free: bool = False,
    chance: float | None = None,
    independent: bool = False,
    default: bool = False,
    version: int = 1,
) -> Callable[[Callable[[Cases], Any]], Metric]:
    """Make a metric of a function that gives each test point a score; the metric is their mean.

    Put it into a package's entry points, in the group ``distbench.metrics``: it then has limits, intervals and places
    on leaderboards as all others have. Its name is that of the entry point.

    Parameters
    ----------
    direction : {"up", "down"}
        Whether larger or smaller is better.
    bounds : tuple of float
        Least and largest possible value. A limit beyond them is refused, and no interval leaves them.
    scale_free : bool
        Whether multiplying all codes by c > 0 leaves it unchanged.
    chance : float, optional
        Expected value for shuffled codes.
    independent : bool
        Whether a point's score depends on that point, its code and ``X_ref``, ``Z_ref`` alone. Else, where test points
        are candidates of each other, the function is called 40 times more, without a fortieth of them each time.
    default : bool
        Whether it is part of ``metrics="default"``.
    version : int
        Raise it when values change for the same points: stored results are then measured anew.

    Returns
    -------
    callable
        Takes the function, which is given `Cases` and returns an array of shape (m,); returns a `Metric`.

    Raises
    ------
    InputError
        If an argument cannot be used.

    References
    ----------
    .. [1] J. Shao and D. Tu (1995), The Jackknife and Bootstrap (delete-a-group jackknife).
    """
    _check(direction, bounds, chance, version)

    def made(function: Callable[[Cases], Any]) -> Metric:
        name = getattr(function, "__name__", type(function).__name__)

        def measure(gathered: Gathered) -> Measured:
            return _measured(name, function, gathered.extras[PLACE](), bounds, independent, chance)

        low, high = float(bounds[0]), float(bounds[1])
        family = OWN[0] if np.isfinite([low, high]).all() else OWN[1]
        return Metric(name, family, direction, (low, high), scale_free, frozenset(), measure, default, version)

    return made


OWN = ("points", "unbounded")
"""Families of users' metrics: means of single points' scores with two bounds, and without."""


def _check(direction: Any, bounds: Any, chance: Any, version: Any) -> None:
    if direction not in ("up", "down"):
        raise InputError(f"direction: found {in_brief(direction)}; pass 'up' or 'down'")
    try:
        low, high = (float(bound) for bound in bounds)
        fine = low < high
    except (TypeError, ValueError):
        fine = False
    if not fine:
        raise InputError(f"bounds: found {in_brief(bounds)}; pass the least and the largest value, such as (0, 1)")
    if chance is not None and not low <= chance <= high:
        raise InputError(f"chance: found {in_brief(chance)}; pass a number within the bounds, or leave it out")
    if isinstance(version, bool) or not isinstance(version, int) or version < 1:
        raise InputError(f"version: found {in_brief(version)}; pass a whole number, 1 or more")


def _measured(
    name: str, function: Any, cases: Cases, bounds: tuple[float, float], independent: bool, chance: float | None
) -> Measured:
    scores = _scores(name, function, cases, bounds)
    m, value = len(scores), float(scores.mean())
    if m < 2:
        without = None
    elif independent or not cases.among:
        without = (scores.sum() - scores) / (m - 1)
    else:
        groups = np.random.default_rng(0).permutation(m) % min(m, GROUPS)
        kept = [
            float(_scores(name, function, cases.without(np.flatnonzero(groups == group)), bounds).mean())
            for group in range(min(m, GROUPS))
        ]
        without = _as_leave_one_out(value, np.array(kept), groups)
    return Measured(value, leave_one_out=without, points=scores, chance=chance)


def _as_leave_one_out(value: float, kept: Array, groups: NDArray[np.int64]) -> Array:
    """Return values without one group each as values without one point each, which give the same variance.

    They are widened by what Student's quantile is larger for so few groups than for so many points.
    """
    n, m = len(kept), len(groups)
    few, many = stdtrit(n - 1, 0.975), stdtrit(m - 1, 0.975)
    return np.asarray(value + ((kept - kept.mean()) * np.sqrt((n - 1) / (m - 1)) * few / many)[groups])


def _scores(name: str, function: Any, cases: Cases, bounds: tuple[float, float]) -> Array:
    try:
        scores = np.asarray(function(cases), dtype=np.float64)
    except InputError:
        raise
    except Exception as error:
        raise InputError(f"metrics: {name} raised {raised(error)}; mend the function") from error
    if scores.shape != (len(cases.X),):
        raise InputError(f"metrics: {name} returned shape {scores.shape}; return one score a test point, (m,)")
    wrong = np.flatnonzero(~((scores >= bounds[0]) & (scores <= bounds[1])))  # nan too
    if len(wrong):
        raise InputError(
            f"metrics: {name} returned {scores[wrong[0]]:g} for test point {wrong[0]}; return numbers from "
            f"{bounds[0]:g} to {bounds[1]:g}"
        )
    return scores


def adopt(name: str, found: Any) -> Metric:
    """Return a metric that a package adds under a name. Raises InputError for what cannot be one."""
    import inspect

    from distbench.checking import check_encoder
    from distbench.evaluation import evaluate

    if not isinstance(found, Metric):
        raise InputError(f"found {type(found).__name__}; give what distbench.metrics.point_metric made")
    if not name.isidentifier():
        raise InputError(f"the name {name!r} cannot be written as a limit; give one of letters, digits and _")
    options = {
        *inspect.signature(evaluate).parameters,
        *inspect.signature(check_encoder).parameters,
        "limits",
        "undecided",
        "test",
    }
    if name in options:
        raise InputError(f"the name {name!r} is that of an option; give it another")
    return replace(found, name=name)
