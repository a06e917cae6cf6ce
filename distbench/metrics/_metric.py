"""A metric: one row of a table, measured by a pure function of the engine's statistics."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from distbench.engine import Statistics
from distbench.engine.searches import Search

__all__ = ["Measured", "Metric"]

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Measured:
    """The values of one metric on one set of points.

    Parameters
    ----------
    value : float
        The metric over all points.
    leave_one_out : ndarray of shape (m,), optional
        The metric without each query in turn; None for worst cases, which have no interval.
    points : ndarray of shape (m,), optional
        The metric for each query alone, over its candidates.
    chance : float, optional
        Expected value when the rows of the codes are shuffled.
    interaction : ndarray of shape (m, sketches), optional
        The part that `leave_one_out` counts twice; see `distbench.inference.jackknife.jackknife_standard_error`.
    """

    value: float
    leave_one_out: Array | None = None
    points: Array | None = None
    chance: float | None = None
    interaction: Array | None = None


@dataclass(frozen=True)
class Metric:
    """One row of the table of metrics.

    Parameters
    ----------
    name, family : str
        Name in reports, and name of the group of related metrics.
    direction : {"up", "down"}
        Whether larger or smaller is better.
    bounds : tuple of float
        Least and largest possible value.
    scale_free : bool
        Whether the value stays the same when all codes are multiplied by c > 0.
    families : frozenset of str
        Names of the statistics that the engine must gather.
    measure : callable
        Function from `Statistics` to `Measured`.
    default : bool
        Whether ``metrics="default"`` includes it.
    version : int
        A number that is raised when new code gives other values for the same points.
    least_failure : callable, optional
        Function from k, the number M of candidates and the number m of queries to the least that one misplaced
        candidate takes from a query's score; for metrics whose value is the mean of single points' scores.
    largest_k : callable, optional
        Function from the number M of candidates to the largest k; for metrics of k neighbors.
    k : int, optional
        The metric's own number of neighbors, which its name has after ``@``. Default: that of the call.
    within : int, optional
        Among how many of the nearest by code the k nearest by input are looked up, if not among k.
    search : callable, optional
        Function from k to the search whose results the metric reads; see `distbench.engine.searches`.
    has_interval : bool
        False for a worst case, whose interval no sample of points tells.
    """

    name: str
    family: str
    direction: Literal["up", "down"]
    bounds: tuple[float, float]
    scale_free: bool
    families: frozenset[str]
    measure: Callable[[Statistics], Measured]
    default: bool = True
    version: int = 1
    least_failure: Callable[[int, int, int], float] | None = None
    largest_k: Callable[[int], int] | None = None
    k: int | None = None
    within: int | None = None
    search: Callable[[int], Search] | None = None
    has_interval: bool = True

    def at(self, k: int) -> int:
        """Return the number of neighbors in a call with `k`: the metric's own k, if it has one."""
        return k if self.k is None else self.k

    @property
    def best(self) -> float:
        """The best possible value; infinite if there is none."""
        return self.bounds[1] if self.direction == "up" else self.bounds[0]

    @property
    def is_mean_of_points(self) -> bool:
        """Whether the value is the mean of single points' scores, each within the bounds."""
        return self.family in ("ranks", "order", "semantic", "points")

    @property
    def has_isolated_failures(self) -> bool:
        """Whether points fail nearly independently near a perfect score, as they do unless labels decide."""
        return self.family in ("ranks", "order")
