"""Flat rows of plain Python values: what an evaluation leaves behind once its encoder is gone.

A row is one metric of one encoder on one data set, at one code size and one training seed. Rows hold no
numpy scalars, so they can cross process borders and be written as JSON as they are. A failure is a row
with a status and without numbers, never a number.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING, Any, NotRequired, TypedDict

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from distbench.report import Report

__all__ = ["OK", "Row", "failed_row", "rows_of"]

OK = "ok"


class Row(TypedDict):
    """One metric of one encoder.

    ``dataset`` is empty where the points are the user's own; ``test`` then says whose they are.
    ``code_size`` is the size that was asked for, ``code_width`` the number of columns the codes really
    have. ``leave_one_out`` holds the value without each test point in turn, for paired comparisons, and
    ``interaction`` what these count twice, one list of a few numbers a judged point; rows that were stored before
    there was any have none, and their intervals are wider.
    ``status`` is ``"ok"``, or ``"failed: "`` and the reason, and then there is no value.
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
    leave_one_out: list[float] | None
    interaction: NotRequired[list[list[float]] | None]
    direction: str
    test: str


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
        count twice.

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
            leave_one_out=_floats(score.leave_one_out) if name in leave_one_out else None,
            interaction=_floats(score.interaction) if name in leave_one_out else None,
            direction=str(score.direction),
            test=test,
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
) -> Row:
    """Return the row of an encoder that could not be fitted or evaluated.

    Parameters
    ----------
    reason : str
        What went wrong; only its first line is kept.
    encoder, dataset, code_size, k, m, M, seed, test
        As in :class:`Row`: what would have been measured.

    Returns
    -------
    Row
        With ``status="failed: <reason>"`` and without a value.
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
        status=f"failed: {lines[0] if lines else 'no reason given'}",
        leave_one_out=None,
        interaction=None,
        direction="up",
        test=test,
    )


def _version(metric: str) -> int:
    from distbench.metrics import METRICS

    return int(METRICS[metric].version)


def _plain(value: float | None) -> float | None:
    return None if value is None else float(value)


def _floats(values: NDArray[np.float64] | None) -> Any:
    return None if values is None else values.tolist()
