"""Metrics that users or packages add: a score of each test point, with the interval that all metrics have."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

from distbench._util.checks import whole_number
from distbench._util.distances import EUCLIDEAN
from distbench._util.text import raised, short_repr
from distbench.engine import Statistics
from distbench.errors import InputError
from distbench.metrics._metric import Measured, Metric

__all__ = ["MetricInputs", "adopt", "point_metric", "with_metric_inputs"]

Array = NDArray[np.float64]
EXTRA = "metric_inputs"  # in Statistics.extras
GROUPS = 40  # of test points, each left out once


@dataclass(frozen=True, eq=False)
class MetricInputs:
    """The points that a user's metric gets: it compares each test point with its candidates.

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
    distance_x: str = EUCLIDEAN
    distance_z: str = EUCLIDEAN
    _whole: tuple[tuple[Array, Array], ...] = field(default=(), repr=False)  # distances, kept for `without`

    def distances(self) -> tuple[Array, Array]:
        """Return the distances of each test point to its M candidates, itself left out.

        Returns
        -------
        a, b : ndarray of shape (m, M)
            Input and code distances. Other test points come first, where they are candidates; then ``X_ref``.
        """
        if not self._whole:
            sides = ((self.X, self.X_ref, self.distance_x), (self.Z, self.Z_ref, self.distance_z))
            object.__setattr__(self, "_whole", tuple(self._whole_side(*side) for side in sides))
        a, b = (self._candidates(own, others) for own, others in self._whole)
        return a, b

    def _whole_side(self, points: Array, others: Array, distance: str) -> tuple[Array, Array]:
        from scipy.spatial.distance import cdist

        own = cdist(points, points, distance) if self.among else np.empty((len(points), 0))
        return own, cdist(points, others, distance)

    def _candidates(self, own: Array, others: Array) -> Array:
        m = len(own)
        if not self.among:
            return others.copy()
        return np.concatenate([own[~np.eye(m, dtype=bool)].reshape(m, m - 1), others], axis=1)

    def without(self, rows: NDArray[np.int64]) -> MetricInputs:
        """Return the inputs without the test points of these `rows`, which are no candidates any more either.

        Parameters
        ----------
        rows : ndarray of int of shape (r,)
            Places in `X` and `Z`.

        Returns
        -------
        MetricInputs
            With m less the number of rows that were left out.
        """
        X, Z = (np.delete(points, rows, axis=0) for points in (self.X, self.Z))
        whole = tuple(
            (np.delete(np.delete(own, rows, axis=0), rows, axis=1) if self.among else own, np.delete(others, rows, 0))
            for own, others in self._whole
        )
        return replace(self, X=X, Z=Z, _whole=whole)


def with_metric_inputs(
    statistics: Statistics,
    points: tuple[Any, Any],
    reference: tuple[Any, Any] | None,
    include_queries: bool,
    distances: tuple[str, str] = (EUCLIDEAN, EUCLIDEAN),
) -> Statistics:
    """Return the statistics with what makes the `MetricInputs` of their points, for metrics of users."""
    among = include_queries or reference is None
    judged = statistics.judged if statistics.m < len(points[0]) else None

    def make() -> MetricInputs:
        (X, X_ref), (Z, Z_ref) = (
            _side(points[side], None if reference is None else reference[side], judged, among) for side in (0, 1)
        )
        return MetricInputs(X, Z, X_ref, Z_ref, among, statistics.k, *distances)

    statistics.extras[EXTRA] = make
    return statistics


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
        Takes the function, which gets `MetricInputs` and returns an array of shape (m,); returns a `Metric`.

    Raises
    ------
    InputError
        If an argument cannot be used.

    References
    ----------
    .. [1] J. Shao and D. Tu (1995), The Jackknife and Bootstrap (delete-a-group jackknife).
    """
    _check(direction, bounds, chance, version)

    def make(function: Callable[[MetricInputs], Any]) -> Metric:
        name = getattr(function, "__name__", type(function).__name__)
        low, high = float(bounds[0]), float(bounds[1])
        family = "points" if np.isfinite([low, high]).all() else "unbounded"
        measure = _Measure(name, function, (low, high), independent, chance)
        return Metric(name, family, direction, (low, high), scale_free, frozenset(), measure, default, version)

    return make


def _check(direction: Any, bounds: Any, chance: Any, version: Any) -> None:
    if direction not in ("up", "down"):
        raise InputError("direction", f"found {short_repr(direction)}", "pass 'up' or 'down'")
    try:
        low, high = (float(bound) for bound in bounds)
        ordered = low < high
    except (TypeError, ValueError):
        ordered = False
    if not ordered:
        raise InputError(
            "bounds", f"found {short_repr(bounds)}", "pass the least and the largest value, such as (0, 1)"
        )
    if chance is not None and not low <= chance <= high:
        raise InputError("chance", f"found {short_repr(chance)}", "pass a number within the bounds, or leave it out")
    whole_number(version, "version", 1)


@dataclass(frozen=True)
class _Measure:
    """Measures with a user's function; messages call it by its name."""

    name: str
    function: Callable[[MetricInputs], Any]
    bounds: tuple[float, float]
    independent: bool
    chance: float | None

    def __call__(self, statistics: Statistics) -> Measured:
        inputs: MetricInputs = statistics.extras[EXTRA]()
        scores = self._scores(inputs)
        m, value = len(scores), float(scores.mean())
        without = None
        if m > 1 and (self.independent or not inputs.among):
            without = (scores.sum() - scores) / (m - 1)
        elif m > 1:
            groups = np.random.default_rng(0).permutation(m) % min(m, GROUPS)
            means = [
                float(self._scores(inputs.without(np.flatnonzero(groups == group))).mean())
                for group in range(min(m, GROUPS))
            ]
            without = _as_leave_one_out(value, np.array(means), groups)
        return Measured(value, leave_one_out=without, points=scores, chance=self.chance)

    def _scores(self, inputs: MetricInputs) -> Array:
        try:
            scores = np.asarray(self.function(inputs), dtype=np.float64)
        except InputError:
            raise
        except Exception as error:
            raise InputError("metrics", f"{self.name} {raised(error)}", "correct the function") from error
        if scores.shape != (len(inputs.X),):
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


def _as_leave_one_out(value: float, means: Array, groups: NDArray[np.int64]) -> Array:
    """Return values without one group each as values without one point each, which give the same variance.

    They are widened by the ratio of Student's quantiles for so few groups and for so many points.
    """
    n, m = len(means), len(groups)
    few, many = stdtrit(n - 1, 0.975), stdtrit(m - 1, 0.975)
    return np.asarray(value + ((means - means.mean()) * np.sqrt((n - 1) / (m - 1)) * few / many)[groups])


RESERVED = frozenset(
    (
        *("encoder", "X_test", "Z_test", "reference", "k", "metrics", "include_queries", "confidence", "batch_size"),
        *("name", "distance_x", "distance_z", "labels", "reference_labels", "queries", "precision", "seed", "executor"),
        *("progress", "stochastic", "draws", "input_space", "dataset", "code_size", "limits", "undecided", "test"),
    )
)
"""Options of functions that take limits by name: no metric can have these names."""


def adopt(name: str, metric: Any) -> Metric:
    """Return a metric that a package adds under a name. Raises InputError for what cannot be one."""
    if not isinstance(metric, Metric):
        raise InputError(f"found {type(metric).__name__}; give what distbench.metrics.point_metric made")
    if not name.isidentifier():
        raise InputError(f"the name {name!r} cannot be written as a limit; give one of letters, digits and _")
    if name in RESERVED:
        raise InputError(f"the name {name!r} is that of an option; give it another")
    measure = replace(metric.measure, name=name) if isinstance(metric.measure, _Measure) else metric.measure
    return replace(metric, name=name, measure=measure)
