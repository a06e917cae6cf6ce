"""The map: test points at the first two columns of their codes, with the worst points and pairs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypedDict

import numpy as np
from numpy.typing import NDArray

from distbench.results._diagram_distances import rounded, sample
from distbench.results._thumbnails import thumbnail

if TYPE_CHECKING:
    from distbench.evaluation.points import EncodedPoints
    from distbench.evaluation.report import Pair, Report

__all__ = ["Map", "PairOnMap", "map_of"]

MAX_POINTS = 1_000
MAX_WORST = 10  # points, and pairs; at most a tenth of the points
MAX_CLASSES = 20  # more names would hide the points
METRIC = "continuity"
MAX_SCORE = 0.999  # a point with a better score is not among the worst

Array = NDArray[np.float64]
Indices = NDArray[np.int64]


class PairOnMap(TypedDict):
    """A pair of points; ``line`` is [x, y, x, y], the positions of both on the map.

    ``images`` are both points as PNG in base64, if points are images.
    """

    line: list[float]
    query: int
    partner: int
    partner_set: str
    input_distance: float
    code_distance: float
    rank_input: float
    rank_code: float
    labels: list[str] | None
    images: list[str] | None


class Map(TypedDict):
    """A sample of ``of`` test points at the first two columns of their codes.

    Codes of one column (``columns`` = 1) are spread out in the second direction, which then has no meaning.
    ``continuity`` has one value for each point, or is None if it was not measured. ``marked`` are the indices of the
    worst points in these lists. ``classes`` are labels, each with the median x and y of its points. ``torn`` are pairs
    that are near in input and far in the codes, ``merged`` the reverse.
    """

    points: list[list[float]]
    rows: list[int]
    continuity: list[float | None] | None
    labels: list[str] | None
    classes: list[tuple[str, float, float]]
    marked: list[int]
    torn: list[PairOnMap]
    merged: list[PairOnMap]
    columns: int
    of: int


def map_of(report: Report, labels: list[str] | None, image_shape: tuple[int, ...] = ()) -> Map:
    """Return the map of a sample of test points that includes the worst points and pairs.

    `image_shape` is the shape of points that are images.
    """
    arrays, judged = report.clouds, report.rows_judged()
    assert arrays is not None
    scores = report[METRIC].points if METRIC in report else None
    count = min(MAX_WORST, max(1, report.m // 10))
    worst = [] if scores is None else [row for row, score in report.worst_points(count, METRIC) if score < MAX_SCORE]
    pairs = report.worst_pairs(MAX_WORST)
    rows = _rows(judged, worst, pairs)
    points, place_of = _positions(arrays.Z, rows), {row: place for place, row in enumerate(rows.tolist())}
    score_of = {} if scores is None else dict(zip(judged.tolist(), rounded(scores), strict=True))
    shown_labels = None if labels is None else [labels[row] for row in rows]
    return Map(
        points=rounded(points),
        rows=rows.tolist(),
        continuity=None if scores is None else [score_of.get(row) for row in rows.tolist()],
        labels=shown_labels,
        classes=_classes(points, shown_labels),
        marked=[place_of[row] for row in worst],
        torn=[_on_map(pair, report, image_shape) for pair in pairs],
        merged=[_on_map(pair, report, image_shape) for pair in report.worst_pairs(MAX_WORST, kind="merged")],
        columns=int(arrays.Z.shape[1]),
        of=len(arrays.X),
    )


def _rows(judged: Indices, worst: list[int], pairs: list[Pair]) -> Indices:
    """Return the rows of the worst test points and of a sample of the others."""
    partners = [pair.partner for pair in pairs if pair.partner_set == "test"]
    wanted = np.unique(np.array([*worst, *(pair.query for pair in pairs), *partners], dtype=np.int64))
    others = np.setdiff1d(judged, wanted)
    return np.sort(np.concatenate([wanted, sample(others, max(0, MAX_POINTS - len(wanted)))]))


def _positions(codes: Any, rows: Indices) -> Array:
    """Return the first two columns of some codes; codes of one column are spread out evenly by row."""
    if codes.shape[1] > 1:
        return np.asarray(codes[rows, :2], dtype=np.float64)
    spread = rows * ((np.sqrt(5) - 1) / 2) % 1
    return np.stack([np.asarray(codes[rows, 0], dtype=np.float64), spread], axis=1)


def _on_map(pair: Pair, report: Report, image_shape: tuple[int, ...]) -> PairOnMap:
    arrays = report.clouds
    assert arrays is not None
    others = arrays.Z if pair.partner_set == "test" else arrays.Z_ref
    ends = [_positions(codes, np.array([row]))[0] for codes, row in ((arrays.Z, pair.query), (others, pair.partner))]
    return PairOnMap(
        line=rounded(np.concatenate(ends)),
        query=int(pair.query),
        partner=int(pair.partner),
        partner_set=pair.partner_set,
        input_distance=rounded(pair.input_distance),
        code_distance=rounded(pair.code_distance),
        rank_input=float(pair.rank_input),
        rank_code=float(pair.rank_code),
        labels=None if pair.labels is None else list(pair.labels),
        images=_images(pair, arrays, image_shape) if image_shape else None,
    )


def _images(pair: Pair, arrays: EncodedPoints, shape: tuple[int, ...]) -> list[str]:
    others = arrays.X if pair.partner_set == "test" or arrays.X_ref is None else arrays.X_ref
    points = np.stack([arrays.X[pair.query], others[pair.partner]])
    return [thumbnail(point, shape, float(points.min()), float(points.max())) for point in points]


def _classes(points: Array, labels: list[str] | None) -> list[tuple[str, float, float]]:
    names = sorted(set(labels or ()))
    if len(names) > MAX_CLASSES:
        return []
    label_of_point = np.array(labels)
    medians = [(name, np.median(points[label_of_point == name], axis=0)) for name in names]
    return [(name, rounded(x), rounded(y)) for name, (x, y) in medians]
