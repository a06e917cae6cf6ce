"""Metrics that users or packages add: functions that score each test point."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

from distbench._util.checks import whole_number
from distbench._util.distances import EUCLIDEAN, PRECOMPUTED
from distbench._util.text import raised, short_repr
from distbench.engine import Statistics
from distbench.engine.spaces import distance_table
from distbench.errors import InputError
from distbench.metrics._metric import Measured, Metric
from distbench.metrics.neighbor_counts import all_but_one

__all__ = ["MetricInputs", "adopt", "point_metric", "with_metric_inputs"]

Array = NDArray[np.float64]
EXTRA = "metric_inputs"  # key in Statistics.extras
GROUPS = 40  # test points are split into so many groups, and each group is left out once


@dataclass(frozen=True, eq=False)
class MetricInputs:
    """The input of a user's metric, which compares each test point with its candidates.

    Attributes
    ----------
    X, Z : ndarray of shape (m, d) and (m, dim)
        Test points to score, and their codes.
    X_ref, Z_ref : ndarray of shape (n, d) and (n, dim)
        Other candidates, the same for all test points, and their codes; n may be 0.
    among : bool
        Whether the other test points are candidates too.
    k : int
        Number of neighbors.
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
    _kept: tuple[tuple[Array, Array], ...] = field(default=(), repr=False)  # computed distances, also for `without`

    def distances(self) -> tuple[Array, Array]:
        """Return the distances of each test point to its M candidates.

        Returns
        -------
        a, b : ndarray of shape (m, M)
            Input and code distances: to the other test points, if they are candidates; then to ``X_ref``.
        """
        if not self._kept:
            spaces = ((self.X, self.X_ref, self.distance_x), (self.Z, self.Z_ref, self.distance_z))
            object.__setattr__(self, "_kept", tuple(self._distances(*space) for space in spaces))
        a, b = (self._to_candidates(to_tests, to_others) for to_tests, to_others in self._kept)
        return a, b

    def _distances(self, points: Array, others: Array, distance: str) -> tuple[Array, Array]:
        to_tests = distance_table(points, points, distance) if self.among else np.empty((len(points), 0))
        return to_tests, distance_table(points, others, distance)

    def _to_candidates(self, to_tests: Array, to_others: Array) -> Array:
        m = len(to_tests)
        if not self.among:
            return to_others.copy()
        return np.concatenate([to_tests[~np.eye(m, dtype=bool)].reshape(m, m - 1), to_others], axis=1)

    def without(self, rows: NDArray[np.int64]) -> MetricInputs:
        """Return the input without some test points, neither as queries nor as candidates.

        Parameters
        ----------
        rows : ndarray of int of shape (r,)
            Rows of `X` and `Z` to leave out.
        """
        X, Z = (np.delete(points, rows, axis=0) for points in (self.X, self.Z))
        kept = tuple(
            (np.delete(np.delete(a, rows, axis=0), rows, axis=1) if self.among else a, np.delete(b, rows, axis=0))
            for a, b in self._kept
        )
        return replace(self, X=X, Z=Z, _kept=kept)


def with_metric_inputs(
    statistics: Statistics,
    points: tuple[Any, Any],
    reference: tuple[Any, Any] | None,
    include_queries: bool,
    distances: tuple[str, str] = (EUCLIDEAN, EUCLIDEAN),
) -> Statistics:
    """Add to the statistics a function that returns the `MetricInputs` for users' metrics."""
    among = include_queries or reference is None
    queries = statistics.judged if statistics.m < len(points[0]) else None

    def make(k: int) -> MetricInputs:
        (X, X_ref), (Z, Z_ref) = (
            _queries_and_others(points[side], None if reference is None else reference[side], queries, among)
            for side in (0, 1)
        )
        Z, Z_ref = (np.asarray(codes, dtype=np.result_type(codes, np.float32)) for codes in (Z, Z_ref))  # no bytes
        inputs = MetricInputs(X, Z, X_ref, Z_ref, among, k, *distances)
        if PRECOMPUTED not in distances:
            return inputs
        parts = ((X, X_ref), (Z, Z_ref))
        kept = [
            _given_distances(points[side], queries, among)
            if distances[side] == PRECOMPUTED
            else inputs._distances(*parts[side], distances[side])
            for side in (0, 1)
        ]
        return replace(inputs, _kept=tuple(kept))

    statistics.extras[EXTRA] = make
    return statistics


def _queries_and_others(points: Any, others: Any, rows: NDArray[np.int64] | None, among: bool) -> tuple[Array, Array]:
    """Return the queries of one space, and their other candidates: test points that are no queries, and references."""
    tests = np.asarray(points)
    references = tests[:0] if others is None else np.asarray(others)
    if rows is None:
        return tests, references
    if references.shape[1] != tests.shape[1]:  # given distances: the candidates are columns
        return tests[rows], references
    return tests[rows], np.concatenate([np.delete(tests, rows, axis=0), references]) if among else references


def _given_distances(points: Any, rows: NDArray[np.int64] | None, among: bool) -> tuple[Array, Array]:
    """Return given distances of queries to each other, if they are candidates, and to all other candidates."""
    distances = np.asarray(points, dtype=np.float64)
    rows = np.arange(len(distances)) if rows is None else rows
    to_all = distances[rows]
    return (to_all[:, rows], np.delete(to_all, rows, axis=1)) if among else (to_all[:, :0], to_all)


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
    """Return a decorator of a function that scores test points; it makes a metric, the mean of the scores.

    A package offers the metric as an entry point of the group ``distbench.metrics``. Then limits, intervals and
    leaderboards work as for all other metrics; the name of the entry point is the name of the metric.

    Parameters
    ----------
    direction : {"up", "down"}
        Whether larger or smaller is better.
    bounds : tuple of float
        Least and largest possible value. Intervals end there, and limits beyond them are refused.
    scale_free : bool
        Whether the value stays the same when all codes are multiplied by c > 0.
    chance : float, optional
        Expected value for shuffled codes.
    independent : bool
        Whether a point's score depends only on that point, its code, ``X_ref`` and ``Z_ref``. If it does not, and test
        points are candidates of each other, the function is called 40 more times, each time without one fortieth of
        the test points.
    default : bool
        Whether ``metrics="default"`` includes it.
    version : int
        Raise this number when a change of the function gives other values: stored results are then measured again.

    Returns
    -------
    callable
        Decorator of a function from `MetricInputs` to an array of shape (m,); returns a `Metric`.

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
        row = Metric(name, family, direction, (low, high), scale_free, frozenset(), measure, default, version)
        return replace(row, largest_k=all_but_one)

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
    """Measures a metric with a user's function; `name` is its name in messages."""

    name: str
    function: Callable[[MetricInputs], Any]
    bounds: tuple[float, float]
    independent: bool
    chance: float | None

    def __call__(self, statistics: Statistics) -> Measured:
        inputs: MetricInputs = statistics.extras[EXTRA](statistics.k)
        scores = self._scores(inputs)
        m, value = len(scores), float(scores.mean())
        without = None
        if m > 1 and (self.independent or not inputs.among):
            without = (scores.sum() - scores) / (m - 1)
        elif m > 1:
            groups = np.random.default_rng(0).permutation(m)[statistics.places[:m]] % min(m, GROUPS)
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
        invalid = np.flatnonzero(~(np.isfinite(scores) & (scores >= low) & (scores <= high)))
        if len(invalid):
            raise InputError(
                "metrics",
                f"{self.name} returned {scores[invalid[0]]:g} for test point {invalid[0]}",
                f"return finite numbers from {low:g} to {high:g}",
            )
        return scores


def _as_leave_one_out(value: float, means: Array, groups: NDArray[np.int64]) -> Array:
    """Return leave-one-out values of points with the jackknife variance that the `means` without each group have.

    Their spread is raised by the ratio of Student's quantiles for the number of groups and the number of points.
    """
    n, m = len(means), len(groups)
    for_groups, for_points = stdtrit(n - 1, 0.975), stdtrit(m - 1, 0.975)
    return np.asarray(value + ((means - means.mean()) * np.sqrt((n - 1) / (m - 1)) * for_groups / for_points)[groups])


RESERVED = frozenset(
    (
        *("encoder", "X_test", "Z_test", "reference", "k", "metrics", "include_queries", "confidence", "batch_size"),
        *(
            "name",
            "distance_x",
            "distance_z",
            "codes",
            "labels",
            "reference_labels",
            "groups",
            "queries",
            "precision",
            "seed",
            "executor",
        ),
        *(
            "progress",
            "stochastic",
            "draws",
            "input_space",
            "reference_encoder",
            "dataset",
            "code_size",
            "limits",
            "undecided",
            "test",
        ),
    )
)
"""Names that no metric can have: options of the functions that also take limits by name."""


def adopt(name: str, metric: Any) -> Metric:
    """Return a package's metric under its name. Raises InputError if it is no metric, or the name cannot be used."""
    if not isinstance(metric, Metric):
        raise InputError(f"found {type(metric).__name__}; give a metric made with distbench.metrics.point_metric")
    if not name.isidentifier():
        raise InputError(f"the name {name!r} cannot be written as a limit; give one of letters, digits and _")
    if name in RESERVED:
        raise InputError(f"the name {name!r} is that of an option; give it another")
    measure = replace(metric.measure, name=name) if isinstance(metric.measure, _Measure) else metric.measure
    return replace(metric, name=name, measure=measure)
