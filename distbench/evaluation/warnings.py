"""What scores hide: codes that coincide, points seen before, and columns that alone make up the distances."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np

from distbench._util.notes import Caution

__all__ = ["coincidence_notes", "range_notes", "reference_notes", "size_notes", "unit_notes"]

MOST_REFERENCES = 100_000  # that are looked through for test points
MOST_ROWS = 4096  # of which the variance of columns is taken
DECIDING = 0.95  # share of the variance that few columns make up
FEW_COLUMNS = 10  # a tenth of all, or one, are few
ELSEWHERE = 5.0  # times as wide, or as far apart as the wider of both, from which points lie elsewhere
FEW_ROWS = 5  # test points, of which that says nothing
FEW = 0.5  # share of distinct codes below which most of a neighbourhood is ties


def coincidence_notes(X: Any, Z: Any) -> list[str]:
    """Return notes on test points that share codes though they differ.

    Parameters
    ----------
    X, Z : ndarray of shape (m, d) and (m, dim)
        Test points and their codes.
    """
    codes = _groups(Z)
    if len(codes) == len(Z):
        return []
    inputs = _groups(X)
    if len(codes) >= len(inputs):
        return []
    shared = sum(size for size in codes.values() if size > 1)
    notes: list[str] = [
        Caution(
            f"{len(inputs)} distinct test points share {len(codes)} distinct codes ({shared} points share theirs with "
            "another): scores of ranks flatter such an encoder"
        )
    ]
    merged = _pairs(codes) - _pairs(inputs)
    share = merged / max(1, len(X) * (len(X) - 1) // 2)
    if share >= 0.001 or len(codes) < FEW * len(inputs):
        notes.append(Caution(f"{share:.1%} of the pairs have code distance 0 though they differ: their scale is lost"))
    return notes


def size_notes(X: Any, Z: Any) -> list[str]:
    """Return a note where codes are as large as the points: of an autoencoder, they may be its reconstructions.

    Parameters
    ----------
    X, Z : ndarray of shape (m, d) and (m, dim)
        Test points and their codes; bits are smaller than the numbers they stand for.
    """
    if X.shape[1] == 1 or Z.shape[1] != X.shape[1] or (_are_bits(Z) and not _are_bits(X)):
        return []
    return [Caution("codes have as many columns as the points; of a whole autoencoder, pass the encoder alone")]


def unit_notes(X: Any) -> list[str]:
    """Return a note where few columns make up the distances of points, mostly for being in larger units.

    Parameters
    ----------
    X : ndarray of shape (m, d)
        Test points.
    """
    d = X.shape[1]
    rows = np.asarray(X[:: -(-len(X) // MOST_ROWS)], dtype=np.float64)
    with np.errstate(over="ignore", invalid="ignore"):  # of huge numbers nothing is said
        variances = np.sort(rows.var(axis=0))[::-1]
        share = np.cumsum(variances) / variances.sum()
    most = max(1, d // FEW_COLUMNS)
    if d < 3 or not share[most - 1] >= DECIDING:
        return []
    count = int(np.searchsorted(share, DECIDING)) + 1
    columns = "1 column makes" if count == 1 else f"{count} columns make"
    return [
        Caution(
            f"{columns} {100 * share[count - 1]:.0f}% of the variance of all {d}, and so the distances of points: if "
            "others are to count, pass a fitted scaler as input_space=, or judge an encoder of scaled points on these"
        )
    ]


def range_notes(X: Any, X_ref: Any) -> list[str]:
    """Return a note where test points lie elsewhere than reference points, as they do where one of them was not scaled.

    Parameters
    ----------
    X, X_ref : ndarray of shape (m, d) and (n, d)
        Test and reference points.
    """
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):  # of huge numbers nothing is said
        rows, others = (np.asarray(points[:: -(-len(points) // MOST_ROWS)], dtype=np.float64) for points in (X, X_ref))
        spreads = [float(np.sqrt(part.var(axis=0).sum())) for part in (rows, others)]
        apart = float(np.linalg.norm(rows.mean(axis=0) - others.mean(axis=0)))
        ratio = spreads[0] / spreads[1]
    if len(rows) < FEW_ROWS or not np.isfinite([*spreads, apart]).all() or min(spreads) == 0:
        return []
    if 1 / ELSEWHERE < ratio < ELSEWHERE and apart < ELSEWHERE * max(spreads):
        return []
    found = f"spread {spreads[0]:.3g} against {spreads[1]:.3g}, means {apart:.3g} apart"
    return [Caution(f"test and reference points lie in different ranges ({found}): were both scaled alike?")]


def reference_notes(X: Any, X_ref: Any) -> list[str]:
    """Return a note on test points that are reference points, too: they are their own nearest neighbours.

    Parameters
    ----------
    X, X_ref : ndarray of shape (m, d) and (n, d)
        Test and reference points; more than 100,000 of the latter are not looked through.
    """
    if len(X_ref) > MOST_REFERENCES:
        return []
    references, tests = _groups(X_ref), _groups(X)
    both = sum(size for row, size in tests.items() if row in references)
    if not both:
        return []
    told = f"{both} of the {len(X)} test points equal a reference point"
    return [Caution(f"{told}: a point seen in training flatters an encoder")]


def _are_bits(points: Any) -> bool:
    return bool(((points == 0) | (points == 1)).all())


def _groups(points: Any) -> Counter[int]:
    """Return how many rows are equal, for each distinct row, by a hash of its bytes: no sorting of long rows."""
    return Counter(hash((row + np.float64(0)).tobytes()) for row in points)  # adding 0 makes -0 and 0 the same bytes


def _pairs(groups: Counter[int]) -> int:
    sizes = np.fromiter(groups.values(), dtype=np.int64)
    return int(np.sum(sizes * (sizes - 1) // 2))
