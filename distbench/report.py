"""What an evaluation says: scores, the pairs and points behind them, and limits."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from distbench.errors import InputError, PreservationError
from distbench.limits import check_limits, is_met

__all__ = ["Pair", "PairKind", "Report", "Score"]

PairKind = Literal["torn", "merged", "extreme"]

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Score:
    """One metric of one encoder.

    Parameters
    ----------
    metric : str
        Name of the metric.
    value : float
        The metric on all points.
    low, high : float or None
        Ends of the confidence interval; None where there is no honest one (worst cases).
    direction : {"up", "down"}
        Whether larger or smaller is better.
    chance : float or None
        Expected value for shuffled codes.
    points : ndarray of shape (m,) or None
        The metric over each query's own candidates.
    leave_one_out : ndarray of shape (m,) or None
        The metric without each query; what intervals and paired comparisons come from.
    """

    metric: str
    value: float
    low: float | None
    high: float | None
    direction: Literal["up", "down"]
    chance: float | None = None
    points: Array | None = field(default=None, repr=False, compare=False)
    leave_one_out: Array | None = field(default=None, repr=False, compare=False)


@dataclass(frozen=True)
class Pair:
    """A test point and a neighbour whose closeness the codes do not show.

    Parameters
    ----------
    query : int
        Row of the test point.
    partner : int
        Row of the other point, in the test points or in the reference.
    partner_set : {"test", "reference"}
        Which of the two.
    input_distance, code_distance : float
        Distances in both spaces, in their own units.
    rank_input, rank_code : float
        Rank of the partner among the query's candidates in both spaces, 1 = nearest; ties share their mean rank.
    M : int
        Number of candidates.
    """

    query: int
    partner: int
    partner_set: Literal["test", "reference"]
    input_distance: float
    code_distance: float
    rank_input: float
    rank_code: float
    M: int

    def __str__(self) -> str:
        return (
            f"test point {self.query} and {self.partner_set} point {self.partner}: "
            f"input distance {self.input_distance:.4g} (rank {self.rank_input:g} of {self.M}), "
            f"code distance {self.code_distance:.4g} (rank {self.rank_code:g} of {self.M})"
        )


@dataclass(frozen=True, eq=False)
class Report(Mapping[str, Score]):
    """Scores of one encoder on one set of points; a mapping from metric name to `Score`.

    Parameters
    ----------
    encoder : str
        Name of the encoder.
    scores : dict of str to Score
        In the order of the table of metrics.
    k, m, M, code_size : int
        Neighbours, test points, candidates of each, columns of the codes.
    confidence : float
        Of the intervals.
    notes : tuple of str
        What a reader of the scores must know.
    pairs : mapping of str to tuple of Pair
        What `worst_pairs` picks from, worst first.
    """

    encoder: str
    scores: dict[str, Score]
    k: int
    m: int
    M: int
    code_size: int
    confidence: float = 0.95
    notes: tuple[str, ...] = ()
    pairs: Mapping[PairKind, tuple[Pair, ...]] = field(default_factory=dict, repr=False)

    def __getitem__(self, metric: str) -> Score:
        try:
            return self.scores[metric]
        except KeyError:
            raise KeyError(f"{metric!r} was not measured; this report has {', '.join(self.scores)}") from None

    def __iter__(self) -> Iterator[str]:
        return iter(self.scores)

    def __len__(self) -> int:
        return len(self.scores)

    def __str__(self) -> str:
        from distbench.render.report import report_text

        return report_text(self)

    def as_dict(self) -> dict[str, float]:
        """Return the values as plain floats by metric name."""
        return {name: score.value for name, score in self.scores.items()}

    def worst_points(self, n: int = 5, metric: str = "continuity") -> list[tuple[int, float]]:
        """Return the `n` test points with the worst own score: (row, score), worst first.

        Raises
        ------
        InputError
            If the metric has no score of single points.
        """
        score = self[metric]
        if score.points is None:
            raise InputError(f"metric: found {metric!r}, which has no score of single points")
        order = np.argsort(score.points if score.direction == "up" else -score.points, kind="stable")
        return [(int(p), float(score.points[p])) for p in order[:n]]

    def worst_pairs(self, n: int = 5, kind: PairKind = "torn") -> list[Pair]:
        """Return the `n` worst pairs.

        Parameters
        ----------
        n : int
            How many.
        kind : {"torn", "merged", "extreme"}
            Near in input and far in the codes (what continuity punishes), or near in the codes and far in input
            (what trustworthiness punishes), at most one for each test point; or the pair with the largest and
            the pair with the least ratio of code to input distance (what worst-case distortion rests on).

        Raises
        ------
        InputError
            If `kind` is none of these.
        """
        if kind not in get_args(PairKind):
            raise InputError(f"kind: found {kind!r}; pass {' or '.join(map(repr, get_args(PairKind)))}")
        return list(self.pairs.get(kind, ())[:n])

    def check(self, **limits: float) -> Report:
        """Return the report if every limit is met.

        Parameters
        ----------
        **limits : float
            One limit a metric, e.g. ``continuity=0.95``: at least or at most follows from the metric's direction.
            The value decides; the interval is reported beside it.

        Raises
        ------
        PreservationError
            If a limit is broken: names metric, value, interval, limit, n, k, M and the worst pair.
        InputError
            If a limit names no metric or is no number.
        """
        __tracebackhide__ = True
        checked = check_limits(limits, self.scores)
        broken = {
            name: limit for name, limit in checked.items() if not is_met(self[name].value, limit, self[name].direction)
        }
        if broken:
            from distbench.render.report import failure_text

            raise PreservationError(failure_text(self, broken))
        return self

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        """Show the table where a notebook would show the dataclass."""
        printer.text("Report(...)" if cycle else str(self))
