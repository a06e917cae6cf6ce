"""From checked points and settings to a report: gather, measure, put intervals on it."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from hashlib import blake2b
from typing import Any

import numpy as np
from numpy.typing import NDArray

from distbench.engine import Statistics, gather
from distbench.engine.moments import MOMENTS
from distbench.errors import InputError
from distbench.evaluation.draws import mean_measured, note_on_draws, notes_of_draws, spread_of
from distbench.evaluation.report import Report, Score
from distbench.evaluation.sampling import judged_rows, unreached_notes, until_precise
from distbench.evaluation.scores import EvaluatedArrays
from distbench.evaluation.settings import DECODER, Labels, Settings
from distbench.evaluation.warnings import coincidence_notes, range_notes, reference_notes, size_notes, unit_notes
from distbench.evaluation.worst_pairs import worst_pairs
from distbench.inference.estimate import Estimate
from distbench.inputs.blocks import release, row_blocks
from distbench.metrics import Measured, Metric
from distbench.metrics.reconstruction import measure_reconstruction
from distbench.metrics.user_metrics import with_metric_inputs

__all__ = ["EncodedPoints", "judge_points"]

Array = NDArray[Any]
Rows = NDArray[np.int64]

LARGE = 2**28  # bytes as float64, above which a fingerprint takes a sample of the rows and the sums of all
SAMPLE = 256  # rows of it
BY_UNITS = ("euclidean", "cityblock")  # distances to which columns in larger units add more


@dataclass(frozen=True)
class EncodedPoints:
    """Everything that is judged, checked."""

    X: Array
    Z: Array
    X_ref: Array | None
    Z_ref: Array | None
    labels: Labels | None
    reconstructed: Array | None
    notes: list[str] = field(default_factory=list)
    space: str = ""  # what X are, where they are not the points that the encoder was asked about

    @property
    def reference(self) -> tuple[Array, Array] | None:
        """The reference points and their codes, if there are any."""
        return None if self.X_ref is None or self.Z_ref is None else (self.X_ref, self.Z_ref)


def judge_points(draws: Sequence[EncodedPoints], settings: Settings, name: str) -> Report:
    """Return the report of an encoder of that name on checked points: of one draw of its codes, or the mean of many."""
    points = draws[0]
    total, seed = len(points.X), settings.seed
    notes = [*points.notes, *(() if points.space else size_notes(points.X, points.Z))]
    if not points.space and settings.distance_x in BY_UNITS:
        notes += unit_notes(points.X)
    notes += notes_of_draws([coincidence_notes(draw.X, draw.Z) for draw in draws])
    if points.X_ref is not None:
        notes += [*reference_notes(points.X, points.X_ref), *range_notes(points.X, points.X_ref)]
    notes += note_on_draws(len(draws), alike=all(_same_codes(points, other) for other in draws[1:]))

    def judge(judged: Rows | None) -> Report:
        return _judged(draws, settings, name, notes, judged)

    if settings.queries is not None and settings.queries > total:
        notes.append(f"queries: {settings.queries:,} asked for; all {total:,} test points there are were judged")
    if settings.precision is None:
        return judge(judged_rows(settings.queries, total, seed))

    def half_widths(report: Report) -> dict[str, float]:
        return {metric: report[metric].half_width for metric in settings.precision or ()}

    report = until_precise(judge, half_widths, settings.precision, total, settings.queries, seed)
    return replace(report, notes=(*report.notes, *unreached_notes(settings.precision, half_widths(report), total)))


def _same_codes(one: EncodedPoints, other: EncodedPoints) -> bool:
    return np.array_equal(one.Z, other.Z) and (
        one.Z_ref is None or other.Z_ref is None or np.array_equal(one.Z_ref, other.Z_ref)
    )


def _judged(
    draws: Sequence[EncodedPoints], settings: Settings, name: str, notes: list[str], judged: Rows | None
) -> Report:
    points, gathered = draws[0], _gather(draws[0], settings, judged)
    if gathered.moments is not None and not gathered.moments.total[MOMENTS.index("aa")] > 0:
        raise InputError(
            "X_test", f"found points without any {settings.distance_x} distance between them", "nothing to measure"
        )
    told = () if judged is None else (f"{len(judged):,} of {len(points.X):,} test points judged, against all",)
    measured = [_measure_all(gathered, points, settings, judged)]
    measured += [_measure_all(_gather(draw, settings, judged), draw, settings, judged) for draw in draws[1:]]
    return Report(
        encoder=name,
        scores={
            metric.name: _score(metric, [one[metric.name] for one in measured], settings) for metric in settings.chosen
        },
        k=gathered.k,
        m=gathered.m,
        M=gathered.M,
        code_size=points.Z.shape[1],
        confidence=settings.confidence,
        notes=(*notes, *told, *gathered.notes),
        pairs=worst_pairs(gathered, (points.X, points.Z), points.reference, settings.distance_x, settings.distance_z),
        judged=judged,
        distance_x=settings.distance_x,
        distance_z=settings.distance_z,
        space=points.space,
        n_reference=0 if points.X_ref is None else len(points.X_ref),
        fingerprint=_fingerprint(points, judged),
        clouds=EvaluatedArrays(points.X, points.Z, points.X_ref, points.Z_ref),
    )


def _fingerprint(points: EncodedPoints, judged: Rows | None) -> str:
    """Return a short hash of the points and of which were judged, the same for float32 and float64 of equal values.

    All numbers count. Of arrays above `LARGE`, as memory maps mostly are, those of `SAMPLE` rows do, and the sum of
    each column over all rows: rows outside the sample that changed places, or changes that cancel in every column,
    are not seen there.
    """
    digest = blake2b(digest_size=16)
    for array in (points.X, points.X_ref):
        if array is not None:
            digest.update(repr(array.shape).encode())
            _hash_numbers(array, digest)
    if judged is not None:
        digest.update(judged.tobytes())
    return digest.hexdigest()


def _hash_numbers(array: Array, digest: blake2b) -> None:
    row_bytes = 8 * array.shape[1]  # not the array's own: blocks, and so sums, are the same for both types
    whole = len(array) * row_bytes <= LARGE
    sums = np.zeros(array.shape[1])
    for rows in row_blocks(len(array), row_bytes):
        block = np.ascontiguousarray(array[rows], dtype=np.float64)
        if whole:
            digest.update(block.data)
        else:
            sums += block.sum(axis=0)
        release(array)
    if not whole:
        sample = np.unique(np.linspace(0, len(array) - 1, SAMPLE).astype(np.int64))
        digest.update(np.ascontiguousarray(array[sample], dtype=np.float64).data)
        digest.update(sums.data)


def _gather(points: EncodedPoints, settings: Settings, judged: Rows | None) -> Statistics:
    families = frozenset({"ranks"}).union(*(metric.families for metric in settings.chosen))
    options = settings.engine_options()
    if judged is not None:
        options["judged"] = judged
    if points.labels is not None and "labels" in families:
        options["labels"], options["labels_ref"] = points.labels
    gathered = gather(
        points.X,
        points.Z,
        points.X_ref,
        points.Z_ref,
        k=operator.index(settings.k),
        include_queries=settings.include_queries,
        families=families,
        **options,
    )
    distances = settings.distance_x, settings.distance_z
    return with_metric_inputs(gathered, (points.X, points.Z), points.reference, settings.include_queries, distances)


def _measure_all(
    gathered: Statistics, points: EncodedPoints, settings: Settings, judged: Rows | None
) -> dict[str, Measured]:
    """Return each metric of one draw of codes, by name."""
    found = {}
    for metric in settings.chosen:
        if metric.name == DECODER and points.reconstructed is not None:
            rows = slice(None) if judged is None else judged
            found[metric.name] = measure_reconstruction(points.X[rows], points.reconstructed[rows])
        else:
            found[metric.name] = metric.measure(gathered)
    return found


def _score(metric: Metric, draws: Sequence[Measured], settings: Settings) -> Score:
    measured, sd = mean_measured(draws), spread_of(draws)
    estimate = Estimate.of_metric(
        metric.name,
        measured.value,
        measured.leave_one_out,
        measured.interaction,
        rows=None if measured.points is None else len(measured.points),
        draws=() if sd is None else ((sd, len(draws)),),
    )
    low, high = estimate.interval(settings.confidence)
    return Score(
        metric=metric.name,
        value=measured.value,
        low=low,
        high=high,
        direction=metric.direction,
        chance=measured.chance,
        points=measured.points,
        leave_one_out=measured.leave_one_out,
        interaction=measured.interaction,
        draws=len(draws),
        sd_draws=sd,
    )
