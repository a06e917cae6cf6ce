"""Flat rows of plain Python values: what an evaluation leaves behind once its encoder is gone.

A row is one metric of one encoder on one data set, at one code size and one training seed. Rows hold no
numpy scalars, so they can cross process borders and be written as JSON as they are. A failure is a row
with a status and without numbers, never a number.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal, NotRequired, TypedDict

from distbench._util.text import plain_text

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from distbench.evaluation.report import Report
    from distbench.results.packing import PackedArray

__all__ = [
    "EUCLIDEAN",
    "FAILED",
    "OK",
    "STALE",
    "Row",
    "direction_of",
    "distance_of",
    "failed_row",
    "report_of",
    "rows_of",
]

EUCLIDEAN = "euclidean"
OK = "ok"
FAILED = "failed: "
STALE = "stale: "


class Row(TypedDict):
    """One metric of one encoder.

    ``dataset`` is empty where the points are the user's own; ``test`` then says whose they are.
    ``code_size`` is the size that was asked for, ``code_width`` the number of columns the codes really
    have. ``leave_one_out`` holds the value without each test point in turn, for paired comparisons, and
    ``interaction`` what these count twice, one list of a few numbers a judged point; rows that were stored before
    there was any have none, and their intervals are wider. Both may be packed: see :mod:`distbench.results.packing`.
    ``status`` is ``"ok"``; or ``"failed: "`` or ``"stale: "`` and the reason, and then there is no value.
    ``in_sample`` rows are of encoders that were fitted on the test points too; ``note`` is what a reader must know of
    the encoder. ``data_sha256`` and ``recipe_hash`` say what a row rests on, empty where that is not known, and
    ``stored`` the day it was measured, where it was not in this run. ``fingerprint`` is equal for equal points, so that
    rows of two runs can be paired; ``distance`` says how closeness was measured, ``"euclidean"`` or, where inputs and
    codes differ, ``"cosine/hamming"``, in another input space ``"euclidean of codes of NAME/euclidean"``. ``limit`` and
    ``verdict`` (``"met"``, ``"broken"``, ``"undecided"``) are of a check, None and empty where the metric had no limit.
    """

    encoder: str
    dataset: str
    code_size: int
    code_width: int | None
    metric: str
    metric_version: int
    value: float | None
    low: float | None
    high: float | None
    k: int
    m: int
    M: int
    seed: int | None
    seconds: float | None
    status: str
    leave_one_out: list[float] | PackedArray | None
    interaction: NotRequired[list[list[float]] | PackedArray | None]
    direction: str
    test: str
    in_sample: NotRequired[bool]
    note: NotRequired[str]
    data_sha256: NotRequired[str]
    recipe_hash: NotRequired[str]
    stored: NotRequired[str]
    fingerprint: NotRequired[str]
    distance: NotRequired[str]
    limit: NotRequired[float | None]
    verdict: NotRequired[str]


def rows_of(
    report: Report,
    *,
    encoder: str | None = None,
    dataset: str = "",
    code_size: int | None = None,
    seed: int | None = None,
    seconds: float | None = None,
    test: str = "",
    leave_one_out: Collection[str] = (),
    in_sample: bool = False,
    note: str = "",
    data_sha256: str = "",
    recipe_hash: str = "",
    limits: Mapping[str, float] = MappingProxyType({}),
) -> list[Row]:
    """Return a report as rows, one a metric, in the report's order.

    Parameters
    ----------
    report : Report
        What :func:`distbench.evaluate` returned.
    encoder : str, optional
        The encoder's name; the report's own name for it by default.
    dataset : str
        Name of the data set; empty for points that have none.
    code_size : int, optional
        The code size that was asked for; what the codes have by default.
    seed : int, optional
        The training seed, where the encoder was fitted here.
    seconds : float, optional
        How long the fit took.
    test : str
        Node id of the test that made the report.
    leave_one_out : collection of str
        Names of the metrics whose rows keep their leave-one-out values, one float a test point, and what these
        count twice. Means over draws of a stochastic encoder keep none: their intervals know of the draws, too.
    in_sample, note, data_sha256, recipe_hash
        As in :class:`Row`.
    limits : mapping of str to float
        What the report is held to, by metric.

    Returns
    -------
    list of Row
    """
    return [
        Row(
            encoder=report.encoder if encoder is None else encoder,
            dataset=dataset,
            code_size=int(report.code_size if code_size is None else code_size),
            code_width=int(report.code_size),
            metric=name,
            metric_version=_version(name),
            value=float(score.value),
            low=_plain(score.low),
            high=_plain(score.high),
            k=int(report.k),
            m=int(report.m),
            M=int(report.M),
            seed=seed,
            seconds=_plain(seconds),
            status=OK,
            leave_one_out=_floats(score.leave_one_out) if name in leave_one_out and score.draws == 1 else None,
            interaction=_floats(score.interaction) if name in leave_one_out and score.draws == 1 else None,
            direction=str(score.direction),
            test=test,
            in_sample=in_sample,
            note=note,
            data_sha256=data_sha256,
            recipe_hash=recipe_hash,
            fingerprint=report.fingerprint,
            distance=distance_of(report),
            limit=_plain(limits.get(name)),
            verdict=report.verdicts(**{name: limits[name]})[name] if name in limits else "",
        )
        for name, score in report.items()
    ]


def failed_row(
    reason: str,
    *,
    encoder: str,
    dataset: str,
    code_size: int,
    k: int,
    m: int,
    M: int,
    seed: int | None = None,
    test: str = "",
    in_sample: bool = False,
    data_sha256: str = "",
    recipe_hash: str = "",
    status: str = FAILED,
) -> Row:
    """Return the row of an encoder that could not be fitted or evaluated, or whose stored rows no longer hold.

    Parameters
    ----------
    reason : str
        What went wrong; only its first line is kept.
    encoder, dataset, code_size, k, m, M, seed, test, in_sample, data_sha256, recipe_hash
        As in :class:`Row`: what would have been measured.
    status : str
        ``FAILED`` or ``STALE``.

    Returns
    -------
    Row
        With ``status="failed: <reason>"`` (or stale) and without a value.
    """
    lines = reason.strip().splitlines()
    return Row(
        encoder=encoder,
        dataset=dataset,
        code_size=code_size,
        code_width=None,
        metric="",
        metric_version=0,
        value=None,
        low=None,
        high=None,
        k=k,
        m=m,
        M=M,
        seed=seed,
        seconds=None,
        status=f"{status}{lines[0] if lines else 'no reason given'}",
        leave_one_out=None,
        interaction=None,
        direction="up",
        test=test,
        in_sample=in_sample,
        note="",
        data_sha256=data_sha256,
        recipe_hash=recipe_hash,
    )


def report_of(rows: Sequence[Row], notes: Sequence[str] = ()) -> Report:
    """Return what rows of one encoder and seed say as a report: values and intervals, no points, pairs or chance.

    Parameters
    ----------
    rows : sequence of Row
        One a metric, all of them ``"ok"``; at least one.
    notes : sequence of str
        What a reader of the report must know.

    Returns
    -------
    Report
        For :meth:`Report.check`, which needs no more.
    """
    from distbench.evaluation.report import Report, Score

    first = rows[0]
    scores = {
        row["metric"]: Score(row["metric"], float(value), row["low"], row["high"], direction_of(row))
        for row in rows
        if (value := row["value"]) is not None
    }
    return Report(
        encoder=first["encoder"],
        scores=scores,
        k=first["k"],
        m=first["m"],
        M=first["M"],
        code_size=first["code_width"] or first["code_size"],
        notes=tuple(notes),
        n_reference=first["M"] + 1 - first["m"],
    )


def distance_of(report: Report) -> str:
    """Return how closeness was measured: one word, or two where inputs and codes differ, and in which input space."""
    x, z = report.distance_x, report.distance_z
    if report.space:
        return plain_text(f"{x} of {report.space}/{z}")
    return x if x == z else f"{x}/{z}"


def direction_of(row: Row) -> Literal["up", "down"]:
    """Return whether larger or smaller is better by a row's metric."""
    return "down" if row["direction"] == "down" else "up"


def _version(metric: str) -> int:
    from distbench.metrics import METRICS

    return int(METRICS[metric].version)


def _plain(value: float | None) -> float | None:
    return None if value is None else float(value)


def _floats(values: NDArray[np.float64] | None) -> Any:
    return None if values is None else values.tolist()
