"""Notes on facts that scores hide: equal codes, test points seen in training, columns that dominate distances."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np

from distbench._util.notes import Note
from distbench.evaluation.points import EncodedPoints, InputPoints

__all__ = ["coincidence_notes", "range_notes", "reference_notes", "report_warnings", "size_notes", "unit_notes"]

UNIT_DISTANCES = ("euclidean", "cityblock")  # columns in larger units add more to them

MAX_REFERENCES = 100_000  # beyond, no search for test points among the references
MAX_ROWS = 4096  # from which the variance of columns is estimated
DECIDING_SHARE = 0.95  # columns with this share of the variance decide the distances
FEW_COLUMNS = 10  # a tenth of all columns, or one, are few
RANGE_RATIO = 5.0  # of spreads, and of the distance of means to the wider spread; from here on ranges differ
MIN_ROWS = 5  # test points whose range is compared
DISTINCT_SHARE = 0.5  # of codes; below, most of a neighbourhood is ties


def report_warnings(points: InputPoints, draws: Sequence[EncodedPoints], distance_x: str) -> list[Note]:
    """Return the notes that a reader of the scores must know, on points and their codes (from one draw or several)."""
    notes: list[Note] = []
    if not points.space:
        notes += size_notes(points.X, draws[0].Z)
        notes += unit_notes(points.X) if distance_x in UNIT_DISTANCES else []
    notes += _over_draws([coincidence_notes(draw.X, draw.Z) for draw in draws])
    if points.X_ref is not None:
        notes += [*reference_notes(points.X, points.X_ref), *range_notes(points.X, points.X_ref)]
    if len(draws) > 1:
        alike = all(_same_codes(draws[0], draw) for draw in draws[1:])
        all_alike = (
            f"{len(draws)} draws of the encoder are all alike: it is deterministic, and stochastic=True is not needed"
        )
        several = f"scores: mean of {len(draws)} draws of a stochastic encoder; pairs are those of the first"
        notes.append(Note("info", "draws_alike", all_alike) if alike else Note("warning", "draws", several))
    return notes


def _over_draws(notes: Sequence[Sequence[Note]]) -> list[Note]:
    """Return the first note of each kind over all draws, with the number of draws that it holds for."""
    by_code: dict[str, list[Note]] = {}
    for of_draw in notes:
        for note in of_draw:
            by_code.setdefault(note.code, []).append(note)
    return [
        same[0]
        if len(same) == len(notes)
        else Note(same[0].level, same[0].code, f"in {len(same)} of {len(notes)} draws: {same[0]}")
        for same in by_code.values()
    ]


def _same_codes(a: EncodedPoints, b: EncodedPoints) -> bool:
    return np.array_equal(a.Z, b.Z) and (a.Z_ref is None or b.Z_ref is None or np.array_equal(a.Z_ref, b.Z_ref))


def coincidence_notes(X: Any, Z: Any) -> list[Note]:
    """Return notes on test points that share codes though they differ."""
    codes = _row_counts(Z)
    if len(codes) == len(Z):
        return []
    inputs = _row_counts(X)
    if len(codes) >= len(inputs):
        return []
    shared = sum(count for count in codes.values() if count > 1)
    text = (
        f"{len(inputs)} distinct test points share {len(codes)} distinct codes ({shared} points share theirs with "
        "another): scores of ranks flatter such an encoder"
    )
    notes = [Note("warning", "all_codes_equal" if len(codes) == 1 else "shared_codes", text)]
    share = (_equal_pairs(codes) - _equal_pairs(inputs)) / max(1, len(X) * (len(X) - 1) // 2)
    if share >= 0.001 or len(codes) < DISTINCT_SHARE * len(inputs):
        text = f"{share:.1%} of the pairs have code distance 0 though they differ: their scale is lost"
        notes.append(Note("warning", "lost_scale", text))
    return notes


def size_notes(X: Any, Z: Any) -> list[Note]:
    """Return a note if codes have as many columns as the points: they may be an autoencoder's reconstructions.

    Codes of bits are smaller than points of numbers, whatever their columns.
    """
    if X.shape[1] == 1 or Z.shape[1] != X.shape[1] or (_are_bits(Z) and not _are_bits(X)):
        return []
    text = "codes have as many columns as the points; of a whole autoencoder, pass the encoder alone"
    return [Note("warning", "code_size", text)]


def unit_notes(X: Any) -> list[Note]:
    """Return a note if few columns make up the distances of points, mostly because they have larger units."""
    d = X.shape[1]
    with np.errstate(over="ignore", invalid="ignore"):  # huge numbers get no note
        variances = np.sort(_sample(X).var(axis=0))[::-1]
        share = np.cumsum(variances) / variances.sum()
    if d < 3 or not share[max(1, d // FEW_COLUMNS) - 1] >= DECIDING_SHARE:
        return []
    count = int(np.searchsorted(share, DECIDING_SHARE)) + 1
    columns = "1 column makes" if count == 1 else f"{count} columns make"
    text = (
        f"{columns} {100 * share[count - 1]:.0f}% of the variance of all {d}, and so the distances of points: if "
        "others are to count, pass a fitted scaler as input_space=, or judge an encoder of scaled points on these"
    )
    return [Note("warning", "few_columns", text)]


def range_notes(X: Any, X_ref: Any) -> list[Note]:
    """Return a note if test and reference points lie in different ranges, as when only one of them was scaled."""
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):  # huge numbers get no note
        rows, references = _sample(X), _sample(X_ref)
        spreads = [float(np.sqrt(part.var(axis=0).sum())) for part in (rows, references)]
        apart = float(np.linalg.norm(rows.mean(axis=0) - references.mean(axis=0)))
        ratio = spreads[0] / spreads[1]
    if len(rows) < MIN_ROWS or not np.isfinite([*spreads, apart]).all() or min(spreads) == 0:
        return []
    if 1 / RANGE_RATIO < ratio < RANGE_RATIO and apart < RANGE_RATIO * max(spreads):
        return []
    ranges = f"spread {spreads[0]:.3g} against {spreads[1]:.3g}, means {apart:.3g} apart"
    text = f"test and reference points lie in different ranges ({ranges}): were both scaled alike?"
    return [Note("warning", "ranges", text)]


def reference_notes(X: Any, X_ref: Any) -> list[Note]:
    """Return a note on test points that are reference points, too, and so their own nearest neighbors."""
    if len(X_ref) > MAX_REFERENCES:
        return []
    references = _row_counts(X_ref)
    both = sum(count for row, count in _row_counts(X).items() if row in references)
    if not both:
        return []
    text = f"{both} of the {len(X)} test points equal a reference point: a point seen in training flatters an encoder"
    return [Note("warning", "seen_points", text)]


def _are_bits(points: Any) -> bool:
    return bool(((points == 0) | (points == 1)).all())


def _sample(points: Any) -> Any:
    return np.asarray(points[:: -(-len(points) // MAX_ROWS)], dtype=np.float64)


def _row_counts(points: Any) -> Counter[int]:
    """Return how often each distinct row occurs, by a hash of its bytes: long rows are not sorted."""
    return Counter(hash((row + np.float64(0)).tobytes()) for row in points)  # adding 0 makes -0 and 0 the same bytes


def _equal_pairs(counts: Counter[int]) -> int:
    sizes = np.fromiter(counts.values(), dtype=np.int64)
    return int(np.sum(sizes * (sizes - 1) // 2))
