"""The codes themselves, as far as a plane shows them, and where they break."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from distbench.render.diagrams._distances import sample
from distbench.results.pictures import Map, Torn, plain, short

if TYPE_CHECKING:
    from distbench.evaluation.report import Pair, Report

__all__ = ["map_of"]

MAPPED = 1_000  # test points on the map
MARKED = 10  # worst of them, or a tenth where they are few
CLASSES = 20  # beyond so many, their names would hide the points
METRIC = "continuity"
KEPT = 0.999  # from here on a point is not among the worst, whatever the others have

Array = NDArray[np.float64]
Indices = NDArray[np.int64]


def map_of(report: Report, labels: list[str] | None) -> Map:
    """Return a sample of test points as their codes place them, with all that are among the worst."""
    clouds, judged = report.clouds, report.rows_judged()
    assert clouds is not None
    scores = report[METRIC].points if METRIC in report else None
    most = min(MARKED, max(1, report.m // 10))
    worst = [] if scores is None else [row for row, score in report.worst_points(most, METRIC) if score < KEPT]
    pairs = report.worst_pairs(MARKED)
    rows = _rows(judged, worst, pairs)
    flat, places = _flat(clouds.Z, rows), {row: place for place, row in enumerate(rows.tolist())}
    own = {} if scores is None else dict(zip(judged.tolist(), plain(scores), strict=True))
    known = None if labels is None else [labels[row] for row in rows]
    return Map(
        points=[plain(point) for point in flat],
        rows=rows.tolist(),
        continuity=None if scores is None else [own.get(row) for row in rows.tolist()],
        labels=known,
        classes=_classes(flat, known),
        marked=[places[row] for row in worst],
        torn=[_torn(pair, report) for pair in pairs],
        columns=int(clouds.Z.shape[1]),
        of=len(clouds.X),
    )


def _rows(judged: Indices, worst: list[int], pairs: list[Pair]) -> Indices:
    """Return which test points are shown: a sample in which those that are marked push others out."""
    partners = [pair.partner for pair in pairs if pair.partner_set == "test"]
    wanted = np.unique(np.array([*worst, *(pair.query for pair in pairs), *partners], dtype=np.int64))
    others = np.setdiff1d(judged, wanted)
    return np.sort(np.concatenate([wanted, sample(others, max(0, MAPPED - len(wanted)))]))


def _flat(codes: Any, rows: Indices) -> Array:
    """Return the first two columns of some codes; one column alone is spread out by row, evenly."""
    if codes.shape[1] > 1:
        return np.asarray(codes[rows, :2], dtype=np.float64)
    spread = rows * ((np.sqrt(5) - 1) / 2) % 1
    return np.stack([np.asarray(codes[rows, 0], dtype=np.float64), spread], axis=1)


def _torn(pair: Pair, report: Report) -> Torn:
    clouds = report.clouds
    assert clouds is not None
    others = clouds.Z if pair.partner_set == "test" else clouds.Z_ref
    ends = [_flat(codes, np.array([row]))[0] for codes, row in ((clouds.Z, pair.query), (others, pair.partner))]
    return Torn(
        line=plain(np.concatenate(ends)),
        query=int(pair.query),
        partner=int(pair.partner),
        partner_set=pair.partner_set,
        input_distance=short(pair.input_distance),
        code_distance=short(pair.code_distance),
        rank_input=float(pair.rank_input),
        rank_code=float(pair.rank_code),
        labels=None if pair.labels is None else list(pair.labels),
    )


def _classes(points: Array, labels: list[str] | None) -> list[tuple[str, float, float]]:
    names = sorted(set(labels or ()))
    if len(names) > CLASSES:
        return []
    places = np.array(labels)
    medians = [(name, np.median(points[places == name], axis=0)) for name in names]
    return [(name, short(float(x)), short(float(y))) for name, (x, y) in medians]
