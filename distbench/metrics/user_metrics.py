"""Metrics of a user's own: a score of each test point, with the interval that all metrics have."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

from distbench._util.text import raised, short_repr
from distbench.engine import Statistics
from distbench.errors import InputError
from distbench.metrics._metric import Measured, Metric

__all__ = ["MetricInputs", "adopt", "point_metric", "with_metric_inputs"]

Array = NDArray[np.float64]
PLACE = "cases"  # in Statistics.extras
GROUPS = 40  # of test points, each left out once


@dataclass(frozen=True, eq=False)
class MetricInputs:
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
    _kept: _Kept | None = field(default=None, repr=False)

    def distances(self) -> tuple[Array, Array]:
        """Return the distances of each test point to its M candidates, itself left out.

        Returns
        -------
        a, b : ndarray of shape (m, M)
            Input and code distances. Other test points come first, where they are candidates; then ``X_ref``.
        """
        if self._kept is None:
            object.__setattr__(self, "_kept", _Kept(self, np.arange(len(self.X)), {}))
        assert self._kept is not None
        return self._kept.distances("x"), self._kept.distances("z")

    def without(self, rows: NDArray[np.int64]) -> MetricInputs:
        """Return the cases without the test points of these `rows`, which are no candidates any more either.

        Parameters
        ----------
        rows : ndarray of int of shape (r,)
            Places in `X` and `Z`.

        Returns
        -------
        MetricInputs
            With m less the number of rows that were left out.
        """
        kept = None if self._kept is None else self._kept.without(rows)
        return replace(self, X=np.delete(self.X, rows, axis=0), Z=np.delete(self.Z, rows, axis=0), _kept=kept)


@dataclass(frozen=True, eq=False)
class _Kept:
    """Distances of some cases, computed once: those that are left when test points are left out are among them."""

    of: MetricInputs
    rows: NDArray[np.int64]
    whole: dict[str, tuple[Array, Array]]

    def without(self, rows: NDArray[np.int64]) -> _Kept:
        return replace(self, rows=np.delete(self.rows, rows))

    def distances(self, side: str) -> Array:
        if side not in self.whole:
            self.whole[side] = self._whole(side)
        own, others = self.whole[side]
        m, n = len(self.rows), others.shape[1]
        found = np.empty((m, n + (m - 1 if self.of.among else 0)))
        found[:, found.shape[1] - n :] = others[self.rows]
        if self.of.among:
            among = own[np.ix_(self.rows, self.rows)]
            found[:, : m - 1] = among[~np.eye(m, dtype=bool)].reshape(m, m - 1)
        return found

    def _whole(self, side: str) -> tuple[Array, Array]:
        from scipy.spatial.distance import cdist

        cases = self.of
        points, others = (cases.X, cases.X_ref) if side == "x" else (cases.Z, cases.Z_ref)
        distance = cases.distance_x if side == "x" else cases.distance_z
        own = cdist(points, points, distance) if cases.among else np.empty((0, 0))
        return own, cdist(points, others, distance)


def with_metric_inputs(
    gathered: Statistics,
    points: tuple[Any, Any],
    reference: tuple[Any, Any] | None,
    include_queries: bool,
    distances: tuple[str, str] = ("euclidean", "euclidean"),
) -> Statistics:
    """Return what was gathered with its points beside it, which metrics of users' own ask for."""
    among = include_queries or reference is None
    judged = gathered.judged if gathered.m < len(points[0]) else None

    def made() -> MetricInputs:
        (X, X_ref), (Z, Z_ref) = (
            _side(points[side], None if reference is None else reference[side], judged, among) for side in (0, 1)
        )
        return MetricInputs(X, Z, X_ref, Z_ref, among, gathered.k, *distances)

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
) -> Callable[[Callable[[MetricInputs], Any]], Metric]:
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
        Takes the function, which is given `MetricInputs` and returns an array of shape (m,); returns a `Metric`.

    Raises
    ------
    InputError
        If an argument cannot be used.

    References
    ----------
    .. [1] J. Shao and D. Tu (1995), The Jackknife and Bootstrap (delete-a-group jackknife).
    """
    _check(direction, bounds, chance, version)

    def made(function: Callable[[MetricInputs], Any]) -> Metric:
        name = getattr(function, "__name__", type(function).__name__)
        low, high = float(bounds[0]), float(bounds[1])
        family = OWN[0] if np.isfinite([low, high]).all() else OWN[1]
        measure = _Measure(name, function, (low, high), independent, chance)
        return Metric(name, family, direction, (low, high), scale_free, frozenset(), measure, default, version)

    return made


OWN = ("points", "unbounded")
"""Families of users' metrics: means of single points' scores with two bounds, and without."""


def _check(direction: Any, bounds: Any, chance: Any, version: Any) -> None:
    if direction not in ("up", "down"):
        raise InputError("direction", f"found {short_repr(direction)}", "pass 'up' or 'down'")
    try:
        low, high = (float(bound) for bound in bounds)
        fine = low < high
    except (TypeError, ValueError):
        fine = False
    if not fine:
        raise InputError(
            "bounds", f"found {short_repr(bounds)}", "pass the least and the largest value, such as (0, 1)"
        )
    if chance is not None and not low <= chance <= high:
        raise InputError("chance", f"found {short_repr(chance)}", "pass a number within the bounds, or leave it out")
    if isinstance(version, bool) or not isinstance(version, int) or version < 1:
        raise InputError("version", f"found {short_repr(version)}", "pass a whole number, 1 or more")


@dataclass(frozen=True)
class _Measure:
    """Measures with a function of a user's, which goes by a name in messages."""

    name: str
    function: Callable[[MetricInputs], Any]
    bounds: tuple[float, float]
    independent: bool
    chance: float | None

    def __call__(self, gathered: Statistics) -> Measured:
        cases: MetricInputs = gathered.extras[PLACE]()
        scores = self._scores(cases)
        m, value = len(scores), float(scores.mean())
        without = None
        if m > 1 and (self.independent or not cases.among):
            without = (scores.sum() - scores) / (m - 1)
        elif m > 1:
            groups = np.random.default_rng(0).permutation(m) % min(m, GROUPS)
            kept = [
                float(self._scores(cases.without(np.flatnonzero(groups == group))).mean())
                for group in range(min(m, GROUPS))
            ]
            without = _as_leave_one_out(value, np.array(kept), groups)
        return Measured(value, leave_one_out=without, points=scores, chance=self.chance)

    def _scores(self, cases: MetricInputs) -> Array:
        try:
            scores = np.asarray(self.function(cases), dtype=np.float64)
        except InputError:
            raise
        except Exception as error:
            raise InputError("metrics", f"{self.name} {raised(error)}", "mend the function") from error
        if scores.shape != (len(cases.X),):
            raise InputError(
                "metrics", f"{self.name} returned shape {scores.shape}", "return one score a test point, (m,)"
            )
        low, high = self.bounds
        wrong = np.flatnonzero(~(np.isfinite(scores) & (scores >= low) & (scores <= high)))
        if len(wrong):
            raise InputError(
                "metrics",
                f"{self.name} returned {scores[wrong[0]]:g} for test point {wrong[0]}",
                f"return finite numbers from {low:g} to {high:g}",
            )
        return scores


def _as_leave_one_out(value: float, kept: Array, groups: NDArray[np.int64]) -> Array:
    """Return values without one group each as values without one point each, which give the same variance.

    They are widened by what Student's quantile is larger for so few groups than for so many points.
    """
    n, m = len(kept), len(groups)
    few, many = stdtrit(n - 1, 0.975), stdtrit(m - 1, 0.975)
    return np.asarray(value + ((kept - kept.mean()) * np.sqrt((n - 1) / (m - 1)) * few / many)[groups])


RESERVED = frozenset(
    (
        *("encoder", "X_test", "Z_test", "reference", "k", "metrics", "include_queries", "confidence", "batch_size"),
        *("name", "distance_x", "distance_z", "labels", "reference_labels", "queries", "precision", "seed", "executor"),
        *("progress", "stochastic", "draws", "input_space", "dataset", "code_size", "limits", "undecided", "test"),
    )
)
"""Options of what takes limits by name, which no metric can be called."""


def adopt(name: str, found: Any) -> Metric:
    """Return a metric that a package adds under a name. Raises InputError for what cannot be one."""
    if not isinstance(found, Metric):
        raise InputError(f"found {type(found).__name__}; give what distbench.metrics.point_metric made")
    if not name.isidentifier():
        raise InputError(f"the name {name!r} cannot be written as a limit; give one of letters, digits and _")
    if name in RESERVED:
        raise InputError(f"the name {name!r} is that of an option; give it another")
    measure = replace(found.measure, name=name) if isinstance(found.measure, _Measure) else found.measure
    return replace(found, name=name, measure=measure)
