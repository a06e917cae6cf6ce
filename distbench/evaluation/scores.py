"""The score of a metric, a pair of points, and the score of a baseline."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from distbench.inference.estimate import Estimate

__all__ = ["Curve", "GroupScore", "Pair", "PairKind", "ReferenceScore", "Score"]


PairKind = Literal["torn", "merged", "extreme"]

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Score:
    """The value of one metric for one encoder, with its interval.

    Parameters
    ----------
    metric : str
        Name of the metric.
    value : float
        The metric on all points.
    low, high : float or None
        Ends of the confidence interval; None for metrics without a valid one (worst cases).
    direction : {"up", "down"}
        Whether larger or smaller is better.
    chance : float or None
        Expected value for shuffled codes.
    points : ndarray of shape (m,) or None
        The metric for each test point alone, over its candidates.
    leave_one_out : ndarray of shape (m,) or None
        The metric without each test point in turn, or without each group of them, shape (G,); intervals and paired
        comparisons are computed from it.
    floor : float or None
        Best value that any encoder of this code size could have on the test points; see `distbench.inference.floors`.
    attainable : float or None
        Value of metric MDS fitted on the test points themselves; see `distbench.inference.attainable`.
    interaction : ndarray of shape (m, sketches) or None
        The part that `leave_one_out` counts twice; see `distbench.inference.jackknife.jackknife_standard_error`.
    draws : int
        Number of times a stochastic encoder encoded the points; values are means over these draws. 1 for other
        encoders.
    sd_draws : float or None
        Standard deviation of the value over draws; None for one draw, or if a value is not finite.
    counts : tuple of int or None
        The numbers k of neighbors, M of candidates and m of test points.
    """

    metric: str
    value: float
    low: float | None
    high: float | None
    direction: Literal["up", "down"]
    chance: float | None = None
    points: Array | None = field(default=None, repr=False, compare=False)
    leave_one_out: Array | None = field(default=None, repr=False, compare=False)
    floor: float | None = None
    attainable: float | None = None
    interaction: Array | None = field(default=None, repr=False, compare=False)
    draws: int = 1
    sd_draws: float | None = None
    counts: tuple[int, int, int] | None = field(default=None, repr=False, compare=False)

    def estimate(self) -> Estimate:
        """Return the value as an `Estimate`, from which intervals, differences and means are computed."""
        from distbench.inference.estimate import Estimate

        draws = () if self.sd_draws is None else ((self.sd_draws, self.draws),)
        arrays = self.leave_one_out, self.interaction, self.points
        return Estimate.of_metric(self.metric, float(self.value), *arrays, self.counts, draws)

    @property
    def half_width(self) -> float:
        """The larger distance from the value to an end of its interval; infinite without an interval."""
        if self.low is None or self.high is None:
            return float("inf")
        return max(self.value - self.low, self.high - self.value)


class GroupScore(NamedTuple):
    """The value of a metric over the test points of one group.

    Attributes
    ----------
    group : any
        The group's label.
    value : float
        Mean of the scores of the group's points.
    low, high : float or None
        Interval for other points of the same group, among the same candidates; None for fewer than five points.
    n : int
        Number of the group's points that were evaluated.
    """

    group: Any
    value: float
    low: float | None
    high: float | None
    n: int


class Curve(NamedTuple):
    """A metric at several numbers of neighbors, ascending.

    Attributes
    ----------
    k : ndarray of int of shape (n,)
        The numbers of neighbors.
    value, low, high : ndarray of shape (n,)
        The values and the ends of their intervals, nan where there is none.
    """

    k: NDArray[np.int64]
    value: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]


@dataclass(frozen=True)
class Pair:
    """A test point and a candidate between which the codes do not preserve the distance.

    As text, both points are followed by the rank and the distance in input space and, after ``->``, in code space.

    Parameters
    ----------
    query : int
        Row of the test point.
    partner : int
        Row of the other point, in the test points or in the reference.
    partner_set : {"test", "reference"}
        The set in which `partner` is a row.
    input_distance, code_distance : float
        Distances in input and in code space, each in the units of its space.
    rank_input, rank_code : float
        Ranks of the partner among the query's candidates, by input and by code distance; 1 is the nearest, and ties
        share their mean rank.
    M : int
        Number of candidates.
    labels : tuple of str
        Labels of the test point and its partner, if they are known.
    """

    query: int
    partner: int
    partner_set: Literal["test", "reference"]
    input_distance: float
    code_distance: float
    rank_input: float
    rank_code: float
    M: int
    labels: tuple[str, str] | None = None

    def __str__(self) -> str:
        first, second = ("", "") if self.labels is None else (f" (label {label})" for label in self.labels)
        return (
            f"test {self.query}{first}, {self.partner_set} {self.partner}{second}: "
            f"rank {self.rank_input:g} -> {self.rank_code:g} of {self.M}, "
            f"distance {self.input_distance:.4g} -> {self.code_distance:.4g}"
        )


@dataclass(frozen=True)
class ReferenceScore:
    """The value of a metric for another encoder; ``where`` says on which points, and how it was fitted.

    ``is_baseline`` is false for an encoder of the same run.
    """

    metric: str
    encoder: str
    value: float
    where: str
    is_baseline: bool = True
