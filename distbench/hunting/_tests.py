"""The worst pairs of test points: where hunts begin, and what they are held against."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from distbench.hunting._book import KINDS, Candidate, Kind, WorstPairs

__all__ = ["merged_strangers", "worst_test_pairs"]

Array = NDArray[np.float64]

START = 16  # pairs of each kind that a hunt begins with


def worst_test_pairs(book: WorstPairs) -> dict[Kind, Candidate]:
    """Offer the worst pairs of test points, and return the worst of each kind; its score is the plain ratio.

    Parameters
    ----------
    book : WorstPairs
        With the codes of all rows.
    """
    from scipy.spatial.distance import pdist

    rows, codes = book.region.rows, book.codes
    d_x, d_z = pdist(rows), pdist(codes)
    first, second = np.triu_indices(len(rows), 1)
    worst: dict[Kind, Candidate] = {}
    for kind in KINDS:
        with np.errstate(divide="ignore", invalid="ignore"):
            plain = np.where(d_x > 0, d_x / d_z if kind == "merge" else d_z / d_x, 0.0)
        p = int(np.argmax(plain))
        i, j = int(first[p]), int(second[p])
        worst[kind] = Candidate(float(plain[p]), i, rows[i], rows[j], codes[i], codes[j], "test pair")
        scores = book.scale.score(kind, d_x, d_z)
        best = np.argpartition(-scores, min(START, len(scores)) - 1)[:START]
        i_best, j_best = first[best], second[best]
        book.offer(i_best, rows[i_best], rows[j_best], codes[i_best], codes[j_best], "test pair")
    return worst


def merged_strangers(book: WorstPairs, most: int) -> list[Candidate]:
    """Return the test pairs with the most like codes for inputs that are farther apart than most neighbours are."""
    from scipy.spatial.distance import pdist

    rows, codes = book.region.rows, book.codes
    d_x, d_z = pdist(rows), pdist(codes)
    scores = np.where(d_x > book.region.unit, book.scale.score("merge", d_x, d_z), 0.0)
    chosen = np.argsort(-scores, kind="stable")[:most]
    first, second = np.triu_indices(len(rows), 1)
    return [
        Candidate(float(scores[p]), int(i), rows[i], rows[j], codes[i], codes[j], "test pair")
        for p, i, j in zip(chosen, first[chosen], second[chosen], strict=True)
        if scores[p] > 0
    ]
