"""Points and an encoder in, a report out; and two reports compared, point by point."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from distbench.encoders import as_encoder
from distbench.engine import Gathered
from distbench.errors import InputError
from distbench.inference.intervals import check_confidence, jackknife_interval
from distbench.limits import near_miss
from distbench.metrics import METRICS, Metric
from distbench.metrics._api import gather_checked
from distbench.points import as_points, check_candidates, check_same_columns
from distbench.report import Report, Score
from distbench.witnesses import worst_pairs

__all__ = ["Difference", "compare", "evaluate", "evaluate_codes"]

Array = NDArray[np.float64]


def evaluate(
    encoder: Any,
    X_test: Any,
    *,
    reference: Any = None,
    k: int = 10,
    metrics: str | Iterable[str] = "default",
    include_queries: bool = True,
    confidence: float = 0.95,
    batch_size: int = 1024,
    name: str | None = None,
) -> Report:
    """Measure how well an encoder keeps close things close on test points.

    Parameters
    ----------
    encoder : Keras model, object with ``transform``, ``encode`` or ``predict``, or callable
        Maps rows of points to rows of codes.
    X_test : array-like of shape (m, d)
        Points the encoder is judged on. Images (m, h, w[, c]) reach the encoder as they are and are flattened
        for input distances.
    reference : array-like of shape (n, d), optional
        Points that neighbours are looked up in, usually the training points. Default: the test points.
    k : int
        Number of neighbours, 1 <= k < M / 2.
    metrics : "default" or iterable of str
        Names of metrics.
    include_queries : bool
        Whether the other test points are candidates too.
    confidence : float
        Of the intervals.
    batch_size : int
        Rows that the encoder gets at once.
    name : str, optional
        Of the encoder, in the report.

    Returns
    -------
    Report

    Raises
    ------
    InputError
        If points, k or a metric's name cannot be used.
    EncoderError
        If the encoder is of no known kind or returns what cannot be used.
    """
    chosen = _chosen(metrics)
    check_confidence(confidence)
    _check_before_encoding(X_test, reference, k, include_queries)
    adapter = as_encoder(encoder, batch_size=batch_size)
    return _evaluate_codes(
        (X_test, adapter.encode(X_test)),
        None if reference is None else (reference, adapter.encode(reference)),
        names=("X_test", "codes of X_test", "reference", "codes of reference"),
        k=k,
        chosen=chosen,
        include_queries=include_queries,
        confidence=confidence,
        name=name or adapter.name,
    )


def evaluate_codes(
    X_test: Any,
    Z_test: Any,
    *,
    reference: tuple[Any, Any] | None = None,
    k: int = 10,
    metrics: str | Iterable[str] = "default",
    include_queries: bool = True,
    confidence: float = 0.95,
    name: str = "codes",
) -> Report:
    """Measure codes that are there already.

    Parameters
    ----------
    X_test : array-like of shape (m, d)
        Test points.
    Z_test : array-like of shape (m, dim)
        Their codes.
    reference : tuple of array-likes (X_ref, Z_ref), optional
        Reference points and their codes.
    k, metrics, include_queries, confidence, name
        As for `evaluate`.

    Returns
    -------
    Report

    Raises
    ------
    InputError
        If an argument cannot be used.
    """
    if reference is not None and not (isinstance(reference, tuple | list) and len(reference) == 2):
        raise InputError(f"reference: found {type(reference).__name__}; pass a pair (X_ref, Z_ref)")
    return _evaluate_codes(
        (X_test, Z_test),
        reference,
        names=("X_test", "Z_test", "reference[0]", "reference[1]"),
        k=k,
        chosen=_chosen(metrics),
        include_queries=include_queries,
        confidence=confidence,
        name=name,
    )


def _check_before_encoding(X_test: Any, reference: Any, k: Any, include_queries: bool) -> None:
    """Refuse what cannot be measured before an encoder runs for minutes."""
    X = as_points(X_test, "X_test")
    M = len(X) - 1 if include_queries or reference is None else 0
    if reference is not None:
        X_ref = as_points(reference, "reference")
        check_same_columns(X, X_ref, ("X_test", "reference"))
        M += len(X_ref)
    check_candidates(k, M)


def _chosen(metrics: str | Iterable[str]) -> list[Metric]:
    if isinstance(metrics, str):
        if metrics == "default":
            return [metric for metric in METRICS.values() if metric.default]
        metrics = [metrics]
    if not isinstance(metrics, Iterable):
        raise InputError(f"metrics: found {metrics!r}; pass 'default' or names")
    names = set(metrics)
    if not names:
        raise InputError("metrics: found none; pass 'default' or names")
    for name in names:
        if name not in METRICS:
            raise InputError(f"metrics: found no metric {name!r}; {near_miss(str(name), METRICS)}")
    return [metric for name, metric in METRICS.items() if name in names]


def _evaluate_codes(
    test: tuple[Any, Any],
    reference: tuple[Any, Any] | None,
    *,
    names: tuple[str, str, str, str],
    k: int,
    chosen: list[Metric],
    include_queries: bool,
    confidence: float,
    name: str,
) -> Report:
    check_confidence(confidence)
    notes: list[str] = []
    X, Z = as_points(test[0], names[0], notes), as_points(test[1], names[1], notes)
    if reference is not None:
        reference = as_points(reference[0], names[2], notes), as_points(reference[1], names[3], notes)
    include_queries = include_queries or reference is None
    families = frozenset({"ranks"}).union(*(metric.families for metric in chosen))
    gathered = gather_checked(X, Z, reference, k=k, include_queries=include_queries, families=families, names=names)
    notes += [*_coincidence(X, Z), *gathered.notes]
    return Report(
        encoder=name,
        scores={metric.name: _score(metric, gathered, confidence) for metric in chosen},
        k=gathered.k,
        m=gathered.m,
        M=gathered.M,
        code_size=Z.shape[1],
        confidence=confidence,
        notes=tuple(notes),
        pairs=worst_pairs(gathered, (X, Z), reference),
    )


def _coincidence(X: Array, Z: Array) -> list[str]:
    inputs, codes = len(np.unique(X, axis=0)), len(np.unique(Z, axis=0))
    if codes >= inputs:
        return []
    return [f"{inputs} distinct test points share {codes} distinct codes: scores of ranks flatter such an encoder"]


def _score(metric: Metric, gathered: Gathered, confidence: float) -> Score:
    measured = metric.measure(gathered)
    low, high = jackknife_interval(measured.value, measured.leave_one_out, confidence, metric.bounds)
    return Score(
        metric=metric.name,
        value=measured.value,
        low=low,
        high=high,
        direction=metric.direction,
        chance=measured.chance,
        points=measured.points,
        leave_one_out=measured.leave_one_out,
    )


@dataclass(frozen=True)
class Difference:
    """How two encoders differ in one metric, judged on the same test points.

    Parameters
    ----------
    metric : str
        Name of the metric.
    value : float
        First report's value minus the second's.
    low, high : float or None
        Interval of the difference, by the paired jackknife; None where there is no honest one.
    better : {"a", "b"} or None
        Which report is better, where the interval excludes 0.
    """

    metric: str
    value: float
    low: float | None
    high: float | None
    better: Literal["a", "b"] | None


def compare(report_a: Report, report_b: Report) -> dict[str, Difference]:
    """Compare two encoders judged on the same test points, in every metric that both reports have.

    Parameters
    ----------
    report_a, report_b : Report
        Of the same test and reference points, in the same order, with the same k.

    Returns
    -------
    dict of str to Difference

    Raises
    ------
    InputError
        If the reports are not of the same k, m and M.
    """
    for what in ("k", "m", "M"):
        a, b = getattr(report_a, what), getattr(report_b, what)
        if a != b:
            raise InputError(f"report_a, report_b: found {what} = {a} and {b}; evaluate both on the same points")
    return {
        name: _difference(report_a[name], report_b[name], report_a.confidence) for name in report_a if name in report_b
    }


def _difference(a: Score, b: Score, confidence: float) -> Difference:
    value = a.value - b.value if np.isfinite([a.value, b.value]).any() else 0.0
    low = high = None
    if a.leave_one_out is not None and b.leave_one_out is not None and np.isfinite(value):
        low, high = jackknife_interval(value, a.leave_one_out - b.leave_one_out, confidence)
    better: Literal["a", "b"] | None = None
    if low is not None and high is not None and not low <= 0 <= high:
        better = "a" if (value > 0) == (a.direction == "up") else "b"
    return Difference(a.metric, value, low, high, better)
