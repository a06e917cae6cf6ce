"""Rows: what an evaluation leaves behind once its encoder is gone, as plain Python values.

Rows hold no numpy scalars, so that they cross process borders and become JSON as they are. A failure is a row with a
status and without numbers, never a number.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from distbench._util.distances import EUCLIDEAN
from distbench._util.text import plain_text

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from distbench.evaluation.report import Report

__all__ = [
    "FAILED",
    "OK",
    "STALE",
    "ClaimOutcome",
    "Row",
    "Setting",
    "distance_of",
    "failed_row",
    "report_of",
    "rows_of",
]

OK = "ok"
FAILED = "failed: "
STALE = "stale: "


class Setting(NamedTuple):
    """What was evaluated and how: two rows of one metric with equal settings hold the same quantity.

    ``test`` is empty for points of a data set, which are the same in every test.
    """

    encoder: str
    dataset: str
    test: str
    code_size: int
    in_sample: bool
    k: int
    distance: str
    m: int
    M: int
    seed: int | None

    @property
    def subject(self) -> tuple[Any, ...]:
        """What was evaluated: the encoder, the points, the code size, in sample or not."""
        return self[:5]

    @property
    def method(self) -> tuple[Any, ...]:
        """How it was evaluated: k, the distance, the numbers of test points and of candidates."""
        return self[5:9]


@dataclass(frozen=True, kw_only=True)
class Row:
    """One metric of one encoder on one data set, at one code size and one training seed.

    Attributes
    ----------
    encoder : str
        The encoder's name.
    dataset : str
        The data set's name; empty for points that a test brings itself.
    code_size, code_width : int
        The code size that was asked for, and the number of columns that the codes have.
    metric, metric_version, direction
        What was measured, in which version, and whether larger (``"up"``) or smaller (``"down"``) is better.
    value, low, high : float or None
        The value and its 95 % interval.
    k, m, M : int
        Numbers of neighbors, of test points, and of candidates for each.
    seed : int or None
        The training seed.
    seconds : float or None
        How long the fit took.
    status : str
        ``"ok"``; or ``"failed: "`` or ``"stale: "`` and the reason, and then there is no value.
    test : str
        Node id of the test that measured it.
    in_sample : bool
        Whether the encoder was fitted on the test points too.
    note : str
        What a reader must know of the encoder.
    data_sha256, recipe_hash : str
        What the row rests on; empty where that is not known.
    stored : str
        The day it was measured, where that was not in this run.
    fingerprint : str
        Equal for equal points, so that rows of two runs can be paired.
    distance : str
        ``"euclidean"``; where inputs and codes differ ``"cosine/hamming"``; in another input space
        ``"euclidean of codes of NAME/euclidean"``. Empty in old files, for Euclidean.
    limit : float or None
        The limit of a check.
    verdict : str
        Whether the limit is ``"met"``, ``"broken"`` or ``"undecided"``; empty without a limit.
    leave_one_out, interaction : lists of floats, PackedArray or None
        The value without each test point in turn, for paired comparisons, and what these count twice: one list of a
        few numbers a point. :mod:`distbench.results.packing` packs them.
    environment : str
        In a file: the name of the environment it was measured in; empty for that of the last run.
    """

    encoder: str
    dataset: str
    code_size: int
    code_width: int | None = None
    metric: str
    metric_version: int
    value: float | None = None
    low: float | None = None
    high: float | None = None
    k: int
    m: int
    M: int
    seed: int | None
    seconds: float | None = None
    status: str
    direction: Literal["up", "down"]
    test: str = ""
    in_sample: bool = False
    note: str = ""
    data_sha256: str = ""
    recipe_hash: str = ""
    stored: str = ""
    fingerprint: str = ""
    distance: str = ""
    limit: float | None = None
    verdict: Literal["met", "broken", "undecided", ""] = ""
    leave_one_out: Any = None
    interaction: Any = None
    environment: str = ""

    @property
    def setting(self) -> Setting:
        """What was evaluated and how."""
        return Setting(
            self.encoder,
            self.dataset,
            "" if self.dataset else self.test,
            self.code_size,
            self.in_sample,
            self.k,
            self.distance or EUCLIDEAN,
            self.m,
            self.M,
            self.seed,
        )


@dataclass(frozen=True, kw_only=True)
class ClaimOutcome:
    """A claim of a suite and its verdict.

    ``stored`` is the day it was judged on, where that was not in this run; ``key`` is a hash of all that the verdict
    rests on, and ``environment`` as in :class:`Row`.
    """

    id: str
    statement: str
    source: str
    verdict: str
    expect: str
    evidence: str
    key: str = ""
    stored: str = ""
    environment: str = ""


def rows_of(
    report: Report,
    *,
    leave_one_out: Collection[str] = (),
    limits: Mapping[str, float] = MappingProxyType({}),
    **about: Any,
) -> list[Row]:
    """Return a report as rows, one a metric, in the report's order.

    Parameters
    ----------
    report : Report
        From :func:`distbench.evaluate`.
    leave_one_out : collection of str
        Names of the metrics whose rows keep their leave-one-out values and what these count twice. Means over draws
        of a stochastic encoder keep none: their intervals include the spread of the draws.
    limits : mapping of str to float
        The limits that the report is held to, by metric.
    **about
        Fields of :class:`Row` that the report does not know, or in place of its own: ``encoder``, ``dataset``,
        ``code_size``, ``seed``, ``seconds``, ``test``, ``in_sample``, ``note``, ``data_sha256``, ``recipe_hash``.

    Returns
    -------
    list of Row
    """
    from distbench.metrics import METRICS

    about = {"encoder": report.encoder, "dataset": "", "code_size": report.code_size, "seed": None, **about}
    about["code_size"] = int(about["code_size"])  # numpy's numbers cross no process borders
    rows = []
    for name, score in report.items():
        keeps_points = name in leave_one_out and score.draws == 1
        row = Row(
            **about,
            code_width=int(report.code_size),
            metric=name,
            metric_version=int(METRICS[name].version),
            value=float(score.value),
            low=_as_float(score.low),
            high=_as_float(score.high),
            k=int(report.k),
            m=int(report.m),
            M=int(report.M),
            status=OK,
            direction=score.direction,
            fingerprint=report.fingerprint,
            distance=distance_of(report),
            limit=_as_float(limits.get(name)),
            verdict=report.verdicts(**{name: limits[name]})[name] if name in limits else "",
            leave_one_out=_as_lists(score.leave_one_out) if keeps_points else None,
            interaction=_as_lists(score.interaction) if keeps_points else None,
        )
        rows.append(row)
    return rows


def failed_row(reason: str, *, status: str = FAILED, **about: Any) -> Row:
    """Return the row of an encoder that could not be fitted or evaluated, or whose stored rows no longer hold.

    Parameters
    ----------
    reason : str
        What went wrong; only its first line is kept.
    status : str
        ``FAILED`` or ``STALE``.
    **about
        Fields of :class:`Row`: what would have been measured, at least ``encoder``, ``dataset``, ``code_size``, ``k``,
        ``m`` and ``M``.

    Returns
    -------
    Row
        With ``status="failed: <reason>"`` (or stale) and without a value.
    """
    lines = reason.strip().splitlines()
    status = f"{status}{lines[0] if lines else 'no reason given'}"
    return Row(**{"seed": None, **about}, metric="", metric_version=0, status=status, direction="up")


def report_of(rows: Sequence[Row], notes: Sequence[str] = ()) -> Report:
    """Return rows of one encoder and seed, all of them ``"ok"``, as a report without points, pairs or chance."""
    from distbench.evaluation.report import Report, Score

    first = rows[0]
    return Report(
        encoder=first.encoder,
        scores={
            row.metric: Score(row.metric, row.value, row.low, row.high, row.direction)
            for row in rows
            if row.value is not None
        },
        k=first.k,
        m=first.m,
        M=first.M,
        code_size=first.code_width or first.code_size,
        notes=tuple(notes),
        n_reference=first.M + 1 - first.m,
    )


def distance_of(report: Report) -> str:
    """Return how closeness was measured: one word, or two where inputs and codes differ, and in which input space."""
    x, z = report.distance_x, report.distance_z
    if report.space:
        return plain_text(f"{x} of {report.space}/{z}")
    return x if x == z else f"{x}/{z}"


def _as_float(value: float | None) -> float | None:
    return None if value is None else float(value)


def _as_lists(values: NDArray[np.float64] | None) -> Any:
    return None if values is None else values.tolist()
