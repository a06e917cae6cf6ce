"""The result of an evaluation: scores, the worst points and pairs, and verdicts on limits."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, get_args

import numpy as np
from numpy.typing import NDArray

from distbench._util.checks import whole_number
from distbench._util.distances import EUCLIDEAN
from distbench._util.imports import imported
from distbench._util.text import did_you_mean, short_repr
from distbench.errors import InputError, PreservationError
from distbench.evaluation.scores import Curve, GroupScore, Pair, PairKind, Score
from distbench.inference.floors import BINDING_WITH_REFERENCE, refuse_beyond
from distbench.inference.limits import check_limits, joined_limits
from distbench.inference.verdicts import Undecided, Verdict, check_undecided, passes, verdict
from distbench.metrics import METRICS

if TYPE_CHECKING:
    import pandas as pd

    from distbench.evaluation.points import EncodedPoints
    from distbench.inference.groups import Groups

__all__ = ["GroupScore", "Pair", "PairKind", "Report", "Score"]


@dataclass(frozen=True, eq=False)
class Report(Mapping[str, Score]):
    """Scores of one encoder on one set of points; a mapping from metric name to `Score`.

    Parameters
    ----------
    encoder : str
        Name of the encoder.
    scores : dict of str to Score
        Scores by metric, in the order of the table.
    k, m, M, code_size : int
        Number of neighbors (the first of several), number of test points evaluated, number of candidates of each test
        point, and number of columns of the codes; of an index, their bytes, if it tells them.
    confidence : float
        Confidence of the intervals.
    code_bytes, point_bytes : int or None
        Numbers of bytes of a code and of a point in the arrays that they came in, if these are known: columns times
        the size of a number. Bits that are packed eight to a byte count as bytes.
    notes : tuple of str
        Warnings and remarks for readers of the scores.
    pairs : mapping of str to tuple of Pair
        The worst pairs of each kind, worst first.
    judged : ndarray of int of shape (m,), or None
        Rows of the test points that were evaluated; None for all.
    distance_x, distance_z : str
        Distances of points and of codes.
    space : str
        Description of the input space, if input distances are not between the test and reference points themselves.
    n_reference : int
        Number of reference points.
    fingerprint : str
        Short hash of the test and reference points; equal points have equal hashes.
    groups : Groups or None
        Groups of the test points, over which intervals are; None for independent points.
    clouds : EncodedPoints or None
        The points themselves, not copied; None for a report from stored rows or on a search.
    is_search : bool
        Whether the neighbors are those that a search returned, an index or a database, not those among codes.
    searches_all : bool
        Whether the search is known to compare each query with all codes.
    """

    encoder: str
    scores: dict[str, Score]
    k: int
    m: int
    M: int
    code_size: int
    confidence: float = 0.95
    code_bytes: int | None = None
    point_bytes: int | None = None
    notes: tuple[str, ...] = ()
    pairs: Mapping[PairKind, tuple[Pair, ...]] = field(default_factory=dict, repr=False)
    judged: NDArray[np.int64] | None = field(default=None, repr=False)
    distance_x: str = EUCLIDEAN
    distance_z: str = EUCLIDEAN
    space: str = ""
    n_reference: int = 0
    fingerprint: str = field(default="", repr=False)
    groups: Groups | None = field(default=None, repr=False)
    clouds: EncodedPoints | None = field(default=None, repr=False)
    is_search: bool = field(default=False, repr=False)
    searches_all: bool = field(default=False, repr=False)

    def __getitem__(self, metric: str) -> Score:
        name = self.name_of(metric)
        if name is None:
            hint = did_you_mean(str(metric), self.scores, otherwise=f"this report has {', '.join(self.scores)}")
            raise KeyError(f"{metric!r} was not measured; {hint}")
        return self.scores[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.scores)

    def __len__(self) -> int:
        return len(self.scores)

    def __str__(self) -> str:
        return str(imported("distbench.evaluation.tables:report_text")(self))

    def name_of(self, metric: str) -> str | None:
        """Return the name that a metric has in this report, or None if it was not measured.

        With k = 10 ``knn_recall`` and ``knn_recall@10`` are the same metric.
        """
        return metric if metric in self.scores else METRICS.same(metric, self.scores, self.k)

    @property
    def compression(self) -> float | None:
        """How many times smaller a code is than a point, in bytes; None if that is not known."""
        return None if not self.code_bytes or self.point_bytes is None else self.point_bytes / self.code_bytes

    def as_dict(self) -> dict[str, float]:
        """Return the values as plain floats by metric name."""
        return {name: score.value for name, score in self.scores.items()}

    def worst_points(self, n: int = 5, metric: str = "continuity") -> list[tuple[int, float]]:
        """Return the `n` test points with the worst scores as pairs (row, score), worst first.

        Raises InputError if the metric was not measured or does not score single points.
        """
        if not isinstance(metric, str) or metric not in self:
            raise InputError(
                "metric", f"found {short_repr(metric)}, not measured", did_you_mean(str(metric), self.scores)
            )
        score, n = self[metric], whole_number(n, "n", 0, "pass how many to return, 0 or more")
        if score.points is None:
            raise InputError("metric", f"found {metric!r}, which does not score single points")
        order = np.argsort(score.points if score.direction == "up" else -score.points, kind="stable")
        rows = self.rows_judged()
        return [(int(rows[i]), float(score.points[i])) for i in order[:n]]

    def by_group(self, metric: str = "continuity") -> list[GroupScore]:
        """Return the value of a metric over the points of each group, worst first.

        A group's value is the mean of its points' scores; its interval is for other points of the same group, and None
        for fewer than five points. Raises InputError without groups, or for a metric that is not a mean of points'
        scores.
        """
        return list(imported("distbench.evaluation.by_group:by_group")(self, metric))

    def curve(self, metric: str = "knn_recall") -> Curve:
        """Return the values of a metric, with their intervals, at each number of neighbors that it was measured at.

        ``evaluate(..., k=(1, 2, 5, 10, 20, 50))`` measures at several. Raises InputError for a metric that was not
        measured, or has no number of neighbors.

        Returns
        -------
        Curve
            Arrays `k`, `value`, `low` and `high` of shape (n,), by ascending k; ends are nan without an interval.
        """
        curve: Curve = imported("distbench.evaluation.curve:curve")(self, metric)
        return curve

    def rows_judged(self) -> NDArray[np.int64]:
        """Return the rows of the test points that were evaluated."""
        return np.arange(self.m) if self.judged is None else self.judged

    def with_bounds(
        self, floors: Mapping[str, float] | None = None, attainable: Mapping[str, float] | None = None
    ) -> Report:
        """Return a copy of the report whose scores have floors and attainable values.

        Parameters
        ----------
        floors : mapping of str to float, optional
            From `distbench.inference.floors.floors`.
        attainable : mapping of str to float, optional
            From `distbench.inference.attainable.attainable`.
        """
        floors, attainable = floors or {}, attainable or {}
        scores = {
            name: replace(score, floor=floors.get(name, score.floor), attainable=attainable.get(name, score.attainable))
            for name, score in self.scores.items()
        }
        return replace(self, scores=scores)

    def in_sample(self) -> bool:
        """Return whether all test points were evaluated, and the candidates are the test points alone."""
        return self.judged is None and self.n_reference == 0 and self.m - 1 == self.M

    def worst_pairs(self, n: int = 5, kind: PairKind = "torn") -> list[Pair]:
        """Return the `n` worst pairs.

        Parameters
        ----------
        n : int
            Largest number of pairs.
        kind : {"torn", "merged", "extreme"}
            "torn": near in input, far in the codes; such pairs lower continuity. "merged": near in the codes, far in
            input; such pairs lower trustworthiness. Both kinds have at most one pair for each test point; if only
            recalls of over 16 million pairs were measured, they are of the test points that lost most neighbors.
            "extreme": the pairs with the largest and the least ratio of code to input distance, which determine the
            distortion.

        Raises
        ------
        InputError
            If `n` or `kind` cannot be used.
        """
        if kind not in get_args(PairKind):
            raise InputError("kind", f"found {short_repr(kind)}", f"pass {' or '.join(map(repr, get_args(PairKind)))}")
        return list(self.pairs.get(kind, ())[: whole_number(n, "n", 0, "pass how many to return, 0 or more")])

    def verdicts(self, limits: Mapping[str, float] | None = None, **by_name: float) -> dict[str, Verdict]:
        """Return the verdict on each limit, by metric: "met", "broken" or "undecided".

        Parameters
        ----------
        limits, **by_name
            As in `check`.

        Raises
        ------
        InputError
            As from `check`.
        """
        checked = self.checked_limits(joined_limits(limits, by_name))
        return {name: self._verdict(name, limit) for name, limit in checked.items()}

    def check(
        self, *, limits: Mapping[str, float] | None = None, undecided: Undecided = "value", **by_name: float
    ) -> Report:
        """Return the report if every limit is met; raise PreservationError otherwise.

        Parameters
        ----------
        limits : mapping of str to float, optional
            More limits by metric, as ``{"knn_recall@100": 0.9}`` for metrics with their own k.
        undecided : {"value", "fail", "pass"}
            What happens if a limit lies inside the interval, so that the test points do not decide. "value": the value
            alone decides. "fail": the check fails. Measured with "fail", an encoder whose true value is at its limit
            passed for 2 to 5 % of samples of test points (`distortion_q` of 100 points: up to 8 %), and an encoder
            farther on the bad side for under 1 %. "pass": the check passes.
        **by_name : float
            One limit for each metric, e.g. ``continuity=0.95``: the smallest allowed value, or the largest if lower is
            better.

        Raises
        ------
        PreservationError
            If a limit is broken. The message has metric, value, interval, limit, n, k, M and the worst pair.
        InputError
            If a limit is for an unknown metric, is not a number in the metric's range, or is beyond the report's floor.
        """
        __tracebackhide__ = True
        if broken := self.broken(joined_limits(limits, by_name), undecided):
            raise PreservationError(imported("distbench.evaluation.failure_message:failure_text")(self, broken))
        return self

    def broken(self, limits: Mapping[str, float], undecided: Undecided = "value") -> dict[str, float]:
        """Return the limits that the report does not pass, by metric. Raises InputError as `check` does."""
        check_undecided(undecided)
        return {
            name: limit
            for name, limit in self.checked_limits(limits).items()
            if not passes(self._verdict(name, limit), self[name].value, limit, self[name].direction, undecided)
        }

    def checked_limits(self, limits: Mapping[str, float]) -> dict[str, float]:
        """Return limits as floats by the metrics' names in this report. Raises InputError as `check` does."""
        checked: dict[str, float] = {}
        for name, limit in check_limits(limits, self).items():
            own = self.name_of(name) or name
            if own in checked:
                raise InputError(own, "found two limits", "give one")
            checked[own] = limit
        binding = set(self.scores) if self.in_sample() else BINDING_WITH_REFERENCE
        floors = {name: score.floor for name, score in self.scores.items() if name in binding}
        refuse_beyond(checked, {n: floor for n, floor in floors.items() if floor is not None}, self.code_size)
        return checked

    def _verdict(self, name: str, limit: float) -> Verdict:
        score = self[name]
        return verdict(score.value, score.low, score.high, limit, score.direction)

    def plot(self, kind: str | None = None, ax: Any = None, *, labels: Any = None) -> Any:
        """Draw with matplotlib how distances, points and neighborhoods are preserved.

        Parameters
        ----------
        kind : {"shepard", "points", "ranks"}, optional
            "shepard": density of code distance against input distance, with the line on which all pairs would lie if
            codes preserved distances up to scale. "points": test points at the first two columns of their codes,
            colored by their continuity, with the worst points and pairs. "ranks": R_NX(K), the share of the K nearest
            neighbors kept, rescaled so that chance scores 0 and perfect codes 1. Default: all three, side by side.
        ax : matplotlib Axes, or three Axes if `kind` is None, optional
            Axes to draw on, without pyplot. Make their figure with ``layout="constrained"``, which leaves room above
            and below. Several reports may draw "ranks" on the same axes. Default: a new figure of pyplot.
        labels : array-like of shape (m,), optional
            Labels of the test points, written into "points".

        Returns
        -------
        matplotlib Axes, or ndarray of shape (3,) of them
            The axes, three if `kind` is None. ``axes[0].figure.savefig("kept.png")`` writes them to a file.

        Raises
        ------
        InputError
            If an argument cannot be used, or the report comes from stored rows and has no points.
        MissingDependencyError
            If matplotlib is not installed.

        References
        ----------
        .. [1] J. A. Lee, D. H. Peluffo-Ordonez and M. Verleysen (2015), Multi-scale similarities in stochastic
           neighbour embedding: reducing dimensionality while preserving both local and global structure (R_NX).
        .. [2] R. N. Shepard (1962), The analysis of proximities: multidimensional scaling with an unknown distance
           function.
        """
        return imported("distbench.render.pictures:plot")(self, kind, ax, labels)

    def to_frame(self) -> pd.DataFrame:
        """Return the scores as a pandas frame with one row for each metric.

        Returns
        -------
        pandas.DataFrame
            Index ``metric``; columns ``value``, ``low``, ``high``, ``chance``, ``attainable`` and ``floor`` (nan where
            there is none), ``direction`` ("up" or "down") and ``draws``. ``attrs`` has encoder, k, m, M and distances.

        Raises
        ------
        MissingDependencyError
            If pandas is not installed.
        """
        frame: pd.DataFrame = imported("distbench.evaluation.tables:report_frame")(self)
        return frame

    def _repr_html_(self) -> str:
        """Return the table for notebooks."""
        return str(imported("distbench.evaluation.tables:report_html")(self))

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        """Make IPython print the table, not the fields of the dataclass."""
        printer.text("Report(...)" if cycle else str(self))
