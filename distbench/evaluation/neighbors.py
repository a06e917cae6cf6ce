"""Evaluates neighbors that a search returned: an index, or the ids that any database found."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from distbench._util.distances import EUCLIDEAN, PRECOMPUTED
from distbench._util.float_errors import with_default_float_errors
from distbench._util.notes import Note
from distbench._util.numbers import number
from distbench._util.text import join_names, plain_name
from distbench.encoders.indexes import Index, index_of
from distbench.engine import Statistics
from distbench.engine.found import found_counts
from distbench.engine.searches import Found
from distbench.engine.spaces import space_of
from distbench.errors import InputError
from distbench.evaluation.encode import with_codes
from distbench.evaluation.fingerprint import fingerprint
from distbench.evaluation.found_ids import found_places
from distbench.evaluation.limits import with_known_options
from distbench.evaluation.measure import score_of
from distbench.evaluation.notes import reference_notes
from distbench.evaluation.points import REFERENCE, TEST, InputPoints, check_names, checked_points
from distbench.evaluation.report import Report
from distbench.evaluation.settings import Settings, chosen_metrics
from distbench.inputs.table_names import column_notes
from distbench.metrics import Metric, default_metrics
from distbench.metrics.each_k import gather_each_k, measured
from distbench.metrics.table import base_name

__all__ = ["evaluate_neighbors", "evaluated_index"]

Places = NDArray[np.int64]

FOUND = ("knn_recall", "lcmc", "near_recall")
RECALL = "knn_recall"
OF_UNITS = "cosine", "euclidean", "inner_product"  # distances by which vectors of length 1 have one order
BY_LUCK = 0.05  # a search of a part of the codes may find a little more than a search of all of them
LOOKED_AT = 1000  # rows, for their lengths
EXAMPLE = "recall@10_in_100"
THEMSELVES = "each counts as a neighbor of itself"
NO_CANDIDATES: NDArray[np.float64] = np.empty(0)  # what test points change as candidates


@with_known_options
@with_default_float_errors
def evaluate_neighbors(
    ids: Any,
    X_test: Any,
    reference: Any,
    *,
    ids_of: Any = None,
    codes: tuple[Any, Any] | None = None,
    k: int | Iterable[int] = 10,
    metrics: str | Iterable[str] = "default",
    confidence: float = 0.95,
    name: str | None = None,
    distance_x: str = EUCLIDEAN,
    distance_z: str = EUCLIDEAN,
    groups: Any = None,
) -> Report:
    """Measure how many of the true neighbors a search found.

    Parameters
    ----------
    ids : array-like of shape (m, R), or index
        The ids of the points that the search found for each test point, nearest first: rows of `reference`, or the
        labels in `ids_of`; -1 (or None) where it found none. Or an index of faiss, hnswlib, usearch or scikit-learn
        (``NearestNeighbors``), which is searched.
    X_test : array-like of shape (m, d)
        The queries.
    reference : array-like of shape (n, d)
        The points that were searched, in the order in which the index got them.
    ids_of : array-like of shape (n,), optional
        The id of each reference point, if it is not its row.
    codes : tuple (Z_test, Z_ref), optional
        The codes between which the index measures distances: for instance full queries and decoded documents. A note
        then says how much of the recall is lost by the codes, and how much by the search among them.
    k, metrics, confidence, name
        As in `evaluate`. Ids answer `knn_recall`, `near_recall`, `lcmc` and ``recall@10_in_100``, which needs 100 ids.
    distance_x : str
        The distance by which true neighbors are nearest, as in `evaluate`. With "precomputed" `X_test` has the
        distances (m, n), and `reference` is None.
    distance_z : str
        The distance of `codes`.
    groups : array-like of shape (m,), optional
        As in `evaluate`.

    Returns
    -------
    Report
        As from `evaluate`, without pairs and pictures.

    Raises
    ------
    InputError
        If an argument cannot be used, or a metric needs more than ids.
    EncoderError
        If the index raises an error.

    Examples
    --------
    >>> import distbench
    >>> from sklearn.neighbors import NearestNeighbors
    >>> data = distbench.load_dataset("digits")
    >>> index = NearestNeighbors().fit(data.train[:, 16:48])
    >>> ids = index.kneighbors(data.test[:, 16:48], n_neighbors=10, return_distance=False)
    >>> report = distbench.evaluate_neighbors(ids, data.test, data.train, k=(1, 10))
    >>> print(f"{report['knn_recall@1'].value:.2f}, {report['knn_recall@10'].value:.2f}")
    0.37, 0.57
    """
    settings = Settings(
        _answered(metrics),
        k=k,
        include_queries=False,
        confidence=confidence,
        distance_x=distance_x,
        distance_z=distance_z,
        groups=groups,
    )
    index, notes = index_of(ids), list[str]()
    if distance_x == PRECOMPUTED and reference is not None:
        raise InputError(REFERENCE, "found points beside given distances", "pass None: X_test has their distances")
    parts = (X_test,) if distance_x == PRECOMPUTED else (X_test, reference)
    Z_test, Z_ref = (None, None) if codes is None else _pair(codes)
    points = checked_points(parts, (TEST, REFERENCE), settings, notes, references=None)
    test = [(X_test, TEST), (Z_test, "codes[0]"), (ids if index is None else None, "ids")]
    others = [(reference, REFERENCE), (Z_ref, "codes[1]"), (ids_of, "ids_of")]
    check_names(test, others, settings, notes, test[: distance_x == PRECOMPUTED])
    notes += column_notes([test[0], others[0]])
    notes += [] if points.X_ref is None else reference_notes(points.X, points.X_ref, THEMSELVES)
    notes += (
        [] if index is None else [*_distance_notes(index, distance_x, points), *_count_notes(index, _count(points))]
    )
    needed = {metric.name: metric.within or metric.at(points.k) for metric in settings.metrics}
    found = ids if index is None else index.ids(points.X, max(needed.values()))
    places = found_places(found, ids_of, len(points.X), _count(points), needed, notes)
    report = _report(points, settings, places, index, name)
    losses = [] if codes is None else _loss_notes(points, settings, (Z_test, Z_ref), report)
    return replace(report, notes=(*notes, *_random_notes(report, settings), *losses))


def evaluated_index(index: Any, X_test: Any, reference: Any, options: Mapping[str, Any]) -> Report:
    """Return the report on an index that was passed to `evaluate` with these options."""
    if reference is None:
        raise InputError("reference", "found None", "pass the points in the index")
    known = inspect.signature(evaluate_neighbors).parameters
    for name in options:
        if name not in known:
            raise InputError(name, "given for a search index", "leave it out")
    return evaluate_neighbors(index, X_test, reference, **options)


def _answered(metrics: str | Iterable[str]) -> tuple[Metric, ...]:
    """Return the metrics that ids can answer; raise InputError for a named one that they cannot."""
    groups = {"default": [name for name in default_metrics() if name in FOUND], "all": FOUND}
    names = [metrics] if isinstance(metrics, str) else list(metrics)
    wanted = [one for name in names for one in (groups.get(name, [name]) if isinstance(name, str) else [name])]
    for metric in chosen_metrics(wanted):
        if base_name(metric.name) not in FOUND and metric.within is None:
            found = f"found {metric.name!r}, which the ids of neighbors cannot answer"
            raise InputError("metrics", found, f"they answer {join_names([*FOUND, EXAMPLE])}; for others pass codes")
    return chosen_metrics(wanted)


def _distance_notes(index: Index, distance: str, points: InputPoints) -> list[Note]:
    """Return a note if the index searches by another distance, which finds others unless vectors have length 1."""
    are_alike = {index.distance, distance} <= set(OF_UNITS)
    if index.distance in ("", distance) or (are_alike and distance == "cosine" and _have_length_one(points)):
        return []
    text = f"the index searches by {index.distance}, but true neighbors are nearest by {distance}; "
    if are_alike and distance == "cosine":
        text += "both find the same only if the vectors in the index have length 1, which those of reference have not"
    else:
        also = ", or 'cosine' if all points have length 1" if are_alike and index.distance != "cosine" else ""
        text += f"pass distance_x={index.distance!r} for the same{also}"
    return [Note("warning", "index_distance", text)]


def _count_notes(index: Index | None, references: int) -> list[Note]:
    """Return a note if the index has more or fewer points than the reference."""
    if index is None or index.count in (None, references):
        return []
    effect = "those that it lacks count as not found" if index.count < references else "pass all of its points"
    return [Note("warning", "found_ids", f"the index has {index.count} points, but reference {references}: {effect}")]


def _random_notes(report: Report, settings: Settings) -> list[Note]:
    """Return a note if ids are about as right as random ones: they are likely to be those of other rows."""
    for metric in settings.metrics:
        score, chance = report[metric.name], metric.at(report.k) / report.M
        if base_name(metric.name) == RECALL and score.low is not None and score.low <= chance and score.value < 0.5:
            text = (
                f"{metric.name} is no better than that of random ids ({number(chance)}): ids must be rows of "
                "reference, counted from 0, or those in ids_of"
            )
            return [Note("warning", "found_ids", text)]
    return []


def _have_length_one(points: InputPoints) -> bool:
    rows = np.asarray(points.X if points.X_ref is None else points.X_ref[:LOOKED_AT], dtype=np.float64)
    return bool(np.allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-2))


def _count(points: InputPoints) -> int:
    """Return the number of points that were searched."""
    return int(points.X.shape[1] if points.X_ref is None else len(points.X_ref))


def _statistics(points: InputPoints, settings: Settings, places: Places) -> Statistics:
    """Return how many of the true neighbors are found for each test point, at the k of each metric."""
    m = len(points.X)
    sources = [points.X] if points.X_ref is None else [points.X, points.X_ref]
    ks = [metric.at(points.k) for metric in settings.metrics]
    wanted = (metric.search(k) for metric, k in zip(settings.metrics, ks, strict=True) if metric.search)
    searches = list(dict.fromkeys(wanted))
    counts = found_counts(space_of(sources, None, m, settings.distance_x), places, searches).transpose(1, 2, 0)
    found = {
        search: Found(of[0], NO_CANDIDATES, NO_CANDIDATES, of[1]) for search, of in zip(searches, counts, strict=True)
    }
    return Statistics(
        m=m,
        M=_count(points),
        k=points.k,
        n_test=m,
        judged=np.arange(m),
        queries_are_candidates=False,
        places=np.arange(m),
        groups=None if points.groups is None else points.groups.codes,
        extras={"found": found},
    )


def _report(points: InputPoints, settings: Settings, places: Places, index: Index | None, name: str | None) -> Report:
    statistics = _statistics(points, settings, places)
    values = {metric: measured(metric, statistics) for metric in settings.metrics}
    scores = {metric.name: score_of(metric, [own], statistics, settings.confidence) for metric, own in values.items()}
    size = None if index is None else index.code_bytes
    return Report(
        encoder=plain_name(name or ("neighbors" if index is None else index.name)),
        scores=scores,
        k=points.k,
        m=statistics.m,
        M=statistics.M,
        code_size=size or points.X.shape[1],
        code_bytes=size,
        point_bytes=points.point_bytes,
        confidence=settings.confidence,
        distance_x=settings.distance_x,
        distance_z=settings.distance_z,
        n_reference=statistics.M,
        fingerprint=fingerprint(points.X, points.X_ref),
        groups=points.groups,
        is_search=True,
        searches_all=index is not None and index.searches_all,
    )


def _pair(codes: Any) -> tuple[Any, Any]:
    if not isinstance(codes, tuple | list) or len(codes) != 2:
        raise InputError("codes", f"found {type(codes).__name__}", "pass a pair (Z_test, Z_ref)")
    return codes[0], codes[1]


def _loss_notes(points: InputPoints, settings: Settings, codes: tuple[Any, Any], report: Report) -> list[Note]:
    """Return how much of the recall is lost by the codes, and how much by the search among them."""
    encoded = with_codes(points, codes, ("codes[0]", "codes[1]"), settings, [])
    options = settings.engine_options() | {"distance_z": encoded.distance_z}
    arrays = points.X, encoded.Z, points.X_ref, encoded.Z_ref
    recalls = [metric for metric in settings.metrics if base_name(metric.name) == RECALL]
    statistics = gather_each_k(recalls, points.k, *arrays, **options)
    text = "{}: an exact search among the codes finds {}: {} are lost by the codes, {} by the search"
    notes = []
    for metric in recalls:
        exact, own = measured(metric, statistics).value, report[metric.name].value
        if own - exact > BY_LUCK:
            lost = f"{metric.name}: an exact search among the codes finds only {number(exact)}: check that codes= and "
            notes.append(Note("warning", "index_distance", f"{lost}distance_z= are what the search compares"))
            continue
        lost = text.format(metric.name, *map(number, (exact, 1 - exact, max(0.0, exact - own))))
        notes.append(Note("info", "code_loss" if 1 - exact > exact - own else "search_loss", lost))
    return notes
