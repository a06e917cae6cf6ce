"""Rows: the results of an evaluation as plain Python values.

Rows hold no numpy scalars, so that they can go to other processes and into JSON. A failure is a row with a status and
without numbers, never a number.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from distbench._util.distances import EUCLIDEAN
from distbench._util.numbers import bytes_text
from distbench._util.text import plain_name, shortened
from distbench.inference.estimate import CONFIDENCE

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
    "name_with_fit",
    "report_of",
    "rows_of",
    "status_of",
]

OK = "ok"
FAILED = "failed: "
STALE = "stale: "


class Setting(NamedTuple):
    """The encoder, the points and the options of an evaluation; if they are equal, a metric has equal values.

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
        """The encoder, the points, the code size, and whether the encoder was fitted in sample."""
        return self[:5]

    @property
    def method(self) -> tuple[Any, ...]:
        """K, the distance, and the numbers of test points and of candidates."""
        return self[5:9]


@dataclass(frozen=True, kw_only=True)
class Row:
    """One metric of one encoder on one data set, at one code size and one training seed.

    Attributes
    ----------
    encoder : str
        The encoder's name.
    dataset : str
        The data set's name; empty for points of a test.
    code_size, code_width : int
        The code size that was set, and the actual number of columns of the codes.
    code_bytes, point_bytes : int or None
        Bytes of a code and of a point, if they are known; see :class:`distbench.evaluation.report.Report`.
    metric, metric_version, direction
        The metric, its version, and whether larger (``"up"``) or smaller (``"down"``) is better.
    value, low, high : float or None
        The value and its 95 % interval.
    k, m, M : int
        Number of neighbors, number of test points, and number of candidates of each test point. A metric whose name has
        its own number, as ``knn_recall@100``, takes that one; of several numbers in a call `k` is the first.
    seed : int or None
        The training seed.
    seconds : float or None
        Duration of the fit.
    status : str
        ``"ok"``; or ``"failed: "`` or ``"stale: "`` with the reason, in rows without a value.
    test : str
        Node id of the test that measured it.
    in_sample : bool
        Whether the encoder was fitted on the test points too.
    note : str
        Remarks on the encoder for readers; warnings have their code in brackets.
    data_sha256, recipe_hash : str
        Hashes of the data set and of the recipe's code; empty if they are not known.
    stored : str
        The day of the measurement; empty for rows of this run.
    fingerprint : str
        Hash of the points; rows of two runs can be paired if it is the same.
    groups : str
        Hash of the groups that intervals and `leave_one_out` are over; empty for single test points.
    distance : str
        The distance, such as ``"euclidean"``; if it differs between inputs and codes, both: ``"cosine/hamming"``; in
        another input space ``"euclidean of codes of NAME/euclidean"``. Empty in old files, which means Euclidean.
    limit : float or None
        The limit of a check.
    verdict : str
        Whether the limit is ``"met"``, ``"broken"`` or ``"undecided"``; empty without a limit.
    leave_one_out, interaction : lists of floats, PackedArray or None
        The value without each test point in turn, for paired comparisons, and the joint effects of two points that they
        count twice: a list of a few numbers for each point. :mod:`distbench.results.packing` packs them.
    losses : list of floats, PackedArray or None
        The distance of each test point's own score from the best possible one, for intervals near a perfect score.
    environment : str
        In a file: the name of the environment of the measurement; empty for that of the last run.
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
    groups: str = ""
    distance: str = ""
    limit: float | None = None
    verdict: Literal["met", "broken", "undecided", ""] = ""
    leave_one_out: Any = None
    interaction: Any = None
    losses: Any = None
    environment: str = ""
    code_bytes: int | None = None
    point_bytes: int | None = None

    @property
    def full_metric(self) -> str:
        """The metric with its k, if it has a number of neighbors; equal names are equal metrics, whatever their `k`."""
        from distbench.metrics import METRICS

        return METRICS.full_name(self.metric, self.k)

    @property
    def size_text(self) -> str:
        """The code size as text: bytes, if codes are not of floats."""
        return bytes_text(self.code_bytes, self.code_width or 0) or str(self.code_size)

    @property
    def setting(self) -> Setting:
        """The encoder, the points and the options of the evaluation."""
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

    ``key`` is a hash of everything that determines the verdict; ``stored`` and ``environment`` are as in :class:`Row`.
    ``p_value`` is two-sided, against the claim's threshold; None for a claim that no interval decides.
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
    p_value: float | None = None


def rows_of(
    report: Report,
    *,
    leave_one_out: Collection[str] = (),
    limits: Mapping[str, float] = MappingProxyType({}),
    **row_fields: Any,
) -> list[Row]:
    """Return a report as rows, one for each metric, in the report's order.

    Parameters
    ----------
    report : Report
        From :func:`distbench.evaluate`.
    leave_one_out : collection of str
        Names of metrics whose rows keep leave-one-out values, interactions and losses. Rows of a stochastic encoder
        keep none, since its intervals include the variance over draws.
    limits : mapping of str to float
        Limits by metric, for the verdicts.
    **row_fields
        Fields of :class:`Row` that the report lacks, or that replace its fields: ``encoder``, ``dataset``,
        ``code_size``, ``seed``, ``seconds``, ``test``, ``in_sample``, ``note``, ``data_sha256``, ``recipe_hash``.

    Returns
    -------
    list of Row
    """
    from distbench.metrics import METRICS

    row_fields = {"encoder": report.encoder, "dataset": "", "code_size": report.code_size, "seed": None, **row_fields}
    row_fields["encoder"] = plain_name(row_fields["encoder"])
    row_fields["code_size"] = int(row_fields["code_size"])  # it may be a numpy integer
    has_stored_confidence = report.confidence == CONFIDENCE  # rows hold 95 % intervals
    rows = []
    for name, score in report.items():
        keeps_arrays = name in leave_one_out and score.draws == 1
        low, high = (score.low, score.high) if has_stored_confidence else score.estimate().interval()
        row = Row(
            **row_fields,
            code_width=int(report.code_size),
            code_bytes=report.code_bytes,
            point_bytes=report.point_bytes,
            metric=name,
            metric_version=int(METRICS[name].version),
            value=float(score.value),
            low=_as_float(low),
            high=_as_float(high),
            k=int(report.k),
            m=int(report.m),
            M=int(report.M),
            status=OK,
            direction=score.direction,
            fingerprint=report.fingerprint,
            groups="" if report.groups is None else report.groups.fingerprint(),
            distance=distance_of(report),
            limit=_as_float(limits.get(name)),
            verdict=report.verdicts({name: limits[name]})[name] if name in limits else "",
            leave_one_out=_as_lists(score.leave_one_out) if keeps_arrays else None,
            interaction=_as_lists(score.interaction) if keeps_arrays else None,
            losses=_as_lists(score.estimate().losses) if keeps_arrays else None,
        )
        rows.append(row)
    return rows


def failed_row(reason: str, *, status: str = FAILED, **row_fields: Any) -> Row:
    """Return a row without a value, for an encoder that failed or whose stored rows are stale (``status=STALE``).

    The row's status has the first line of the reason. `row_fields` are the row's other fields, at least ``encoder``,
    ``dataset``, ``code_size``, ``k``, ``m`` and ``M``.
    """
    lines = reason.strip().splitlines()
    status = f"{status}{shortened(lines[0]) if lines else 'no reason given'}"
    return Row(**{"seed": None, **row_fields}, metric="", metric_version=0, status=status, direction="up")


def report_of(rows: Sequence[Row], notes: Sequence[str] = ()) -> Report:
    """Return successful rows of one encoder and seed as a report without points, pairs or chance."""
    from distbench.evaluation.report import Report, Score

    first = rows[0]
    scored = [(row, row.value) for row in rows if row.value is not None]
    return Report(
        encoder=first.encoder,
        scores={row.metric: Score(row.metric, value, row.low, row.high, row.direction) for row, value in scored},
        k=first.k,
        m=first.m,
        M=first.M,
        code_size=first.code_width or first.code_size,
        code_bytes=first.code_bytes,
        point_bytes=first.point_bytes,
        notes=tuple(notes),
        n_reference=first.M + 1 - first.m,
    )


def distance_of(report: Report) -> str:
    """Return the distance of a report in the form of `Row.distance`."""
    x, z = report.distance_x, report.distance_z
    if report.space:
        return plain_name(f"{x} of {report.space}/{z}")
    return x if x == z else f"{x}/{z}"


def name_with_fit(encoder: str, in_sample: bool) -> str:
    """Return an encoder's name, with "(in sample)" if it was fitted on the test points and its name does not say so."""
    is_named_so = "in sample" in encoder.replace("_", " ").replace("-", " ")
    return f"{encoder} (in sample)" if in_sample and not is_named_so else encoder


def status_of(row: Row) -> str:
    """Return a row's status, after its training seed if it has one."""
    return row.status if row.seed is None else f"seed {row.seed} {row.status}"


def _as_float(value: float | None) -> float | None:
    return None if value is None else float(value)


def _as_lists(values: NDArray[np.float64] | None) -> Any:
    return None if values is None else values.tolist()
