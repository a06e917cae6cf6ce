"""Notes on facts that scores hide: equal codes, test points seen in training, columns that dominate distances."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import chain
from typing import Any

import numpy as np

from distbench._util.distances import EUCLIDEAN, PACKED_HAMMING, PRECOMPUTED
from distbench._util.notes import Note
from distbench.engine.canonical_order import row_hashes
from distbench.engine.directions import same_directions
from distbench.evaluation.code_distances import symbol_code_notes
from distbench.evaluation.point_kinds import matrix_notes
from distbench.evaluation.points import EncodedPoints, InputPoints
from distbench.inputs.arrays import zero_rows

__all__ = [
    "coincidence_notes",
    "few_groups_note",
    "range_notes",
    "reference_notes",
    "report_warnings",
    "size_notes",
    "unit_notes",
]

UNIT_DISTANCES = ("euclidean", "cityblock")  # distances to which columns with larger numbers contribute more

COMPARED_COLUMNS = 8  # in which most rows differ
MAX_REFERENCES = 100_000  # among more references, test points are not searched for
MAX_ROWS = 4096  # the variance of columns is estimated from at most this many rows
DECIDING_SHARE = 0.95  # columns with this share of the variance decide the distances
FEW_COLUMNS = 10  # at most one column in this many (but always one) counts as few
RANGE_RATIO = 5.0  # ranges differ if the wider spread is 5 times the other, or means are 5 times the wider spread apart
MIN_ROWS = 5  # with fewer test points, ranges are not compared
DISTINCT_SHARE = 0.5  # if fewer codes are distinct, most neighbors are tied


def report_warnings(
    points: InputPoints, draws: Sequence[EncodedPoints], distances: tuple[str, str], may_reconstruct: bool
) -> list[Note]:
    """Return notes on the points, and on their codes from one draw or several, for readers of the scores.

    `distances` are those of points and of codes; `may_reconstruct` is whether the encoder may be an autoencoder.
    """
    notes: list[Note] = []
    are_points, are_codes = (distance != PRECOMPUTED for distance in distances)
    if not points.space and are_points and are_codes:
        size, columns = draws[0].code_bytes, draws[0].Z.shape[1]
        is_quantized = distances[1] == PACKED_HAMMING or (size is not None and size <= columns)
        if may_reconstruct and not is_quantized:
            queries, others = size_notes(points.X, draws[0].Z), draws[0].reference
            notes += queries if others is None or size_notes(*others) else []  # documents may have codes of their own
        notes += unit_notes(points.X) if distances[0] in UNIT_DISTANCES else []
    notes += _over_draws([_code_notes(draw, distances) for draw in draws]) if are_points and are_codes else []
    spaces = [(points.X, points.names[0]), (points.X_ref, points.names[1])] if are_points else []
    spaces += [(draws[0].Z, "codes of test points")] if are_codes else []
    notes += chain.from_iterable(matrix_notes(matrix, name) for matrix, name in spaces if matrix is not None)
    if points.X_ref is not None and are_points:
        if len(points.X) + len(points.X_ref) == points.X.shape[1] and not points.space:
            for both in ([points.X, points.X_ref], [points.X_ref, points.X]):
                notes += matrix_notes(np.concatenate(both), " and ".join(points.names))
        notes += [*reference_notes(points.X, points.X_ref), *range_notes(points.X, points.X_ref)]
    if len(draws) > 1:
        alike = all(_same_codes(draws[0], draw) for draw in draws[1:])
        all_alike = (
            f"{len(draws)} draws of the encoder gave the same codes: it is deterministic, and needs no stochastic=True"
        )
        several = f"scores are means over {len(draws)} draws of a stochastic encoder; worst pairs are of the first draw"
        notes.append(Note("info", "draws_alike", all_alike) if alike else Note("warning", "draws", several))
    return notes


def _over_draws(notes: Sequence[Sequence[Note]]) -> list[Note]:
    """Return the first note of each kind; its text says how many of the draws have it, unless all of them do."""
    by_code: dict[str, list[Note]] = {}
    for note in chain.from_iterable(notes):
        by_code.setdefault(note.code, []).append(note)
    return [
        same[0]
        if len(same) == len(notes)
        else Note(same[0].level, same[0].code, f"in {len(same)} of {len(notes)} draws: {same[0]}")
        for same in by_code.values()
    ]


def _same_codes(a: EncodedPoints, b: EncodedPoints) -> bool:
    return np.array_equal(a.Z, b.Z) and (a.Z_ref is None or b.Z_ref is None or np.array_equal(a.Z_ref, b.Z_ref))


def _code_notes(draw: EncodedPoints, distances: tuple[str, str]) -> list[Note]:
    notes = [*symbol_code_notes(draw.X, draw.Z, distances), *coincidence_notes(draw.X, draw.Z, distances)]
    if distances[1] == "cosine":
        zeros = sum(len(zero_rows(codes)) for codes in (draw.Z, draw.Z_ref) if codes is not None)
        text = (
            f"{zeros} codes are all zeros and have no direction: their cosine distance is taken as 0 to each other and "
            "1 to all other codes"
        )
        notes += [Note("warning", "zero_codes", text)] if zeros else []
    return notes


def coincidence_notes(X: Any, Z: Any, distances: tuple[str, str] = (EUCLIDEAN, EUCLIDEAN)) -> list[Note]:
    """Return notes on different test points that have the same code: a code at distance 0."""
    codes = _distinct_counts(Z, distances[1])
    if len(codes) == len(Z):
        return []
    inputs = _distinct_counts(X, distances[0])
    if len(codes) >= len(inputs):
        return []
    shared = sum(count for count in codes.values() if count > 1)
    kind = "directions of codes" if distances[1] == "cosine" else "codes"
    text = (
        f"{len(inputs)} distinct test points have only {len(codes)} distinct {kind} ({shared} points share their "
        "code): metrics of ranks flatter such an encoder"
    )
    notes = [Note("warning", "all_codes_equal" if len(codes) == 1 else "shared_codes", text)]
    share = (_equal_pairs(codes) - _equal_pairs(inputs)) / max(1, len(X) * (len(X) - 1) // 2)
    if share >= 0.001 or len(codes) < DISTINCT_SHARE * len(inputs):
        text = f"{share:.1%} of the pairs are different points with code distance 0: their input distance is lost"
        notes.append(Note("warning", "lost_scale", text))
    return notes


def size_notes(X: Any, Z: Any) -> list[Note]:
    """Return a note if codes may be an autoencoder's reconstructions.

    Reconstructions have as many columns as the points, are nearer to them than their mean is, and have about as many
    distinct numbers, unlike bits and other quantized codes.
    """
    if X.shape[1] == 1 or Z.shape[1] != X.shape[1]:
        return []
    rows, codes = _sample(X), _sample(Z)
    with np.errstate(over="ignore", invalid="ignore"):  # huge numbers get no note
        is_near = np.square(codes - rows).sum() < np.square(rows - rows.mean(axis=0)).sum()
    if not is_near or len(np.unique(codes)) < DISTINCT_SHARE * len(np.unique(rows)):
        return []
    text = "codes have as many columns as the points; if this is a whole autoencoder, pass only its encoder"
    return [Note("warning", "code_size", text)]


def unit_notes(X: Any) -> list[Note]:
    """Return a note if few columns make up the distances of points, usually because their numbers are larger."""
    d = X.shape[1]
    with np.errstate(over="ignore", invalid="ignore"):  # huge numbers get no note
        variances = np.sort(_sample(X).var(axis=0))[::-1]
        share = np.cumsum(variances) / variances.sum()
    if d < 3 or not share[max(1, d // FEW_COLUMNS) - 1] >= DECIDING_SHARE:
        return []
    count = int(np.searchsorted(share, DECIDING_SHARE)) + 1
    columns = "1 column makes" if count == 1 else f"{count} columns make"
    text = (
        f"{columns} up {100 * share[count - 1]:.0f}% of the variance of all {d}, so others hardly affect distances; "
        "if they should, pass a fitted scaler as input_space=, or scale the points before encoding"
    )
    return [Note("warning", "few_columns", text)]


def few_groups_note(groups: int) -> Note:
    """Return the note that intervals come from few groups."""
    if groups == 1:
        return Note("warning", "few_groups", "all test points are of one group: no interval follows from it")
    text = f"intervals come from only {groups} groups of test points: they are wide, and may still be too narrow"
    return Note("warning", "few_groups", text)


def range_notes(X: Any, X_ref: Any) -> list[Note]:
    """Return a note if test and reference points lie in different ranges, as when only one of them was scaled."""
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):  # huge numbers get no note
        rows, references = _sample(X), _sample(X_ref)
        spreads = [float(np.sqrt(part.var(axis=0).sum())) for part in (rows, references)]
        apart = float(np.linalg.norm(rows.mean(axis=0) - references.mean(axis=0)))
    if len(rows) < MIN_ROWS or not np.isfinite([*spreads, apart]).all() or min(spreads) == 0:
        return []
    if max(spreads) < RANGE_RATIO * min(spreads) and apart < RANGE_RATIO * max(spreads):
        return []
    ranges = f"spread {spreads[0]:.3g} against {spreads[1]:.3g}, means {apart:.3g} apart"
    text = f"test and reference points lie in different ranges ({ranges}): were both scaled alike?"
    return [Note("warning", "ranges", text)]


def reference_notes(X: Any, X_ref: Any, effect: str = "points seen in training make scores too good") -> list[Note]:
    """Return a note on test points that are also reference points, and so are their own nearest neighbors."""
    if len(X_ref) > MAX_REFERENCES:
        return []
    few = slice(None, None, -(-X.shape[1] // COMPARED_COLUMNS))
    is_near = np.isin(row_hashes(X_ref, few), row_hashes(X, few))  # most rows differ in a few columns
    references = set(row_hashes(X_ref)[is_near].tolist()) if is_near.any() else set()
    both = sum(count for row, count in _row_counts(X).items() if row in references)
    if not both:
        return []
    text = f"{both} of the {len(X)} test points equal a reference point: {effect}"
    return [Note("warning", "seen_points", text)]


def _sample(points: Any) -> Any:
    return np.asarray(points[:: -(-len(points) // MAX_ROWS)], dtype=np.float64)


def _row_counts(points: Any) -> Counter[int]:
    """Return how often each distinct row occurs, by its hash, since sorting long rows is slow."""
    return Counter(row_hashes(points).tolist())


def _distinct_counts(points: Any, distance: str) -> Counter[int]:
    """Return how often each distinct point occurs; points at distance 0 count as the same."""
    return Counter(same_directions(points).tolist()) if distance == "cosine" else _row_counts(points)


def _equal_pairs(counts: Counter[int]) -> int:
    sizes = np.fromiter(counts.values(), dtype=np.int64)
    return int(np.sum(sizes * (sizes - 1) // 2))
