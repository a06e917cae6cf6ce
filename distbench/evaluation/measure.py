"""Measures the metrics of encoded points: gathers statistics, adds intervals, and makes the report."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from distbench._util.distances import INNER_PRODUCT, PRECOMPUTED
from distbench._util.notes import Note
from distbench.engine import Statistics
from distbench.engine.canonical_order import row_of_distances
from distbench.engine.moments import MOMENTS
from distbench.errors import InputError
from distbench.evaluation.fingerprint import fingerprint
from distbench.evaluation.notes import few_groups_note, report_warnings
from distbench.evaluation.points import EncodedPoints, InputPoints
from distbench.evaluation.report import Report, Score
from distbench.evaluation.sampling import sampled, unreached_notes
from distbench.evaluation.settings import Settings
from distbench.evaluation.worst_pairs import worst_pairs
from distbench.inference.estimate import mean_arrays
from distbench.inference.groups import FEW_GROUPS, leave_groups_out
from distbench.metrics import Measured, Metric
from distbench.metrics.each_k import gather_each_k, measured
from distbench.metrics.reconstruction import SQUARED_ERRORS
from distbench.metrics.user_metrics import with_metric_inputs

__all__ = ["measure", "score_of"]

Rows = NDArray[np.int64]
Scores = NDArray[np.float64] | None

RANKED_PAIRS = 1 << 24  # at most so many have ranks only for worst pairs


def measure(
    points: InputPoints,
    draws: Sequence[EncodedPoints],
    settings: Settings,
    name: str,
    notes: Sequence[str],
    may_reconstruct: bool = True,
) -> Report:
    """Return the report on the encoder `name`: on one draw of its codes, or on the mean of several.

    The report's notes begin with `notes`; `may_reconstruct` is whether the encoder may be an autoencoder.
    """
    total, precision = len(points.X), settings.precision
    settings = replace(settings, distance_z=draws[0].distance_z)

    def report_on(judged: Rows | None) -> Report:
        return _report(points, draws, settings, name, judged)

    def half_widths(report: Report) -> dict[str, float]:
        return {metric: report[metric].half_width for metric in precision or ()}

    warnings = report_warnings(points, draws, settings.distances, may_reconstruct)
    is_sample = settings.queries is not None or precision is not None
    rows = row_of_distances(points.X, settings.distance_x) if is_sample else points.X
    report = sampled(report_on, half_widths, rows, settings.queries, precision, settings.seed)
    if settings.queries is not None and settings.queries > total:
        text = f"queries: found {settings.queries:,}, but only {total:,} test points; all of them were evaluated"
        warnings.append(Note("info", "queries", text))
    unreached = unreached_notes(precision or {}, half_widths(report), total)
    return replace(report, notes=(*notes, *warnings, *report.notes, *unreached))


def _report(
    points: InputPoints, draws: Sequence[EncodedPoints], settings: Settings, name: str, judged: Rows | None
) -> Report:
    first = draws[0]
    statistics = _gather(points, first, settings, judged, _families(points, settings, judged))
    if statistics.moments is not None and not statistics.moments.total[MOMENTS.index("aa")] > 0:
        found = f"found points without any {settings.distance_x} distance between them"
        raise InputError(points.names[0], found, "there is nothing to measure")
    values = {metric.name: [measured(metric, statistics)] for metric in settings.metrics}
    for draw in draws[1:]:
        other = _gather(points, draw, settings, judged)
        for metric in settings.metrics:
            values[metric.name].append(measured(metric, other))
    scores = {m.name: score_of(m, values[m.name], statistics, settings.confidence) for m in settings.metrics}
    notes = list(statistics.notes)
    if judged is not None:
        text = f"{len(judged):,} of {len(points.X):,} test points were evaluated, against all candidates"
        notes.insert(0, Note("info", "judged", text))
    if points.groups is not None and len(points.groups) < FEW_GROUPS:
        notes.append(few_groups_note(len(points.groups)))
    return Report(
        encoder=name,
        scores=scores,
        k=statistics.k,
        m=statistics.m,
        M=statistics.M,
        code_size=first.code_size,
        code_bytes=first.code_bytes,
        point_bytes=points.point_bytes,
        confidence=settings.confidence,
        notes=tuple(notes),
        pairs=worst_pairs(statistics, points.labels, values[settings.metrics[0].name][0].points),
        judged=judged,
        distance_x=settings.distance_x,
        distance_z=settings.distance_z,
        space=points.space,
        n_reference=0 if points.X_ref is None else len(points.X_ref),
        fingerprint=fingerprint(points.X, points.X_ref, judged),
        clouds=None
        if {INNER_PRODUCT, PRECOMPUTED} & set(settings.distances)
        else _with_images(first, points),  # pictures show lengths
        groups=points.groups,
    )


def _with_images(encoded: EncodedPoints, points: InputPoints) -> EncodedPoints:
    return replace(encoded, image_shape=points.image_shape)


def _families(points: InputPoints, settings: Settings, judged: Rows | None) -> Collection[str]:
    """Return what is gathered beside what the metrics need: ranks, from which worst pairs are found.

    Recalls need no ranks, which take most of the time if there are many pairs.
    """
    queries = len(points.X if judged is None else judged)
    pairs = queries * (len(points.X) + (0 if points.X_ref is None else len(points.X_ref)))
    return () if pairs > RANKED_PAIRS and all(metric.search for metric in settings.metrics) else {"ranks"}


def _gather(
    points: InputPoints, draw: EncodedPoints, settings: Settings, judged: Rows | None, families: Collection[str] = ()
) -> Statistics:
    """Return the statistics of one draw of codes that the metrics need, and these families."""
    labels, labels_ref = points.label_codes
    statistics = gather_each_k(
        settings.metrics,
        points.k,
        *(draw.X, draw.Z, draw.X_ref, draw.Z_ref),
        families=families,
        judged=judged,
        labels=labels,
        labels_ref=labels_ref,
        groups=None if points.groups is None else points.groups.codes,
        **settings.engine_options(),
    )
    if draw.squared_errors is not None:
        statistics.extras[SQUARED_ERRORS] = draw.squared_errors[statistics.judged]
    return with_metric_inputs(
        statistics, (draw.X, draw.Z), draw.reference, settings.include_queries, settings.distances
    )


def score_of(metric: Metric, draws: Sequence[Measured], statistics: Statistics, confidence: float) -> Score:
    """Return the mean score of a metric over draws, with its interval; `statistics` are those of one draw."""
    codes = statistics.groups
    values = np.array([draw.value for draw in draws])
    without = mean_arrays([draw.leave_one_out for draw in draws])
    if without is not None and codes is not None:
        without = leave_groups_out(without, codes[: len(without)])
    chances = [draw.chance for draw in draws if draw.chance is not None]
    score = Score(
        metric=metric.name,
        value=draws[0].value if len(draws) == 1 else float(values.mean()),
        low=None,
        high=None,
        direction=metric.direction,
        chance=float(np.mean(chances)) if chances else None,
        points=mean_arrays([draw.points for draw in draws]),
        leave_one_out=without,
        interaction=mean_arrays([draw.interaction for draw in draws]),
        draws=len(draws),
        sd_draws=float(values.std(ddof=1)) if len(values) > 1 and np.isfinite(values).all() else None,
        counts=(metric.at(statistics.k), statistics.M, statistics.m),
    )
    low, high = score.estimate().interval(confidence)
    return replace(score, low=low, high=high)
