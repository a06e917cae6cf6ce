"""Tears by halving: of the two halves of a torn pair, one is torn at least as much."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from distbench.hunting._book import Candidate, WorstPairs, distances

__all__ = ["bisect_pairs"]

Array = NDArray[np.float64]

MOST = 16  # pairs


def bisect_pairs(book: WorstPairs, allowance: int) -> None:
    """Halve the most torn pairs again and again, as long as the halves are plausible and far enough apart.

    By the triangle inequality the better half is torn at least as much as the whole; where the encoder jumps, the half
    that holds the jump is torn twice as much.

    Parameters
    ----------
    book : WorstPairs
        What is known.
    allowance : int
        Rows to spend.
    """
    pairs = book.worst("tear")[:MOST]
    while pairs and allowance >= len(pairs) and book.asker.left >= len(pairs):
        allowance -= len(pairs)
        pairs = _halved(book, pairs)


def _halved(book: WorstPairs, pairs: list[Candidate]) -> list[Candidate]:
    region = book.region
    x, y = np.stack([one.x for one in pairs]), np.stack([one.y for one in pairs])
    middle = region.clipped((x + y) / 2)
    long = np.minimum(distances(x, middle), distances(middle, y)) >= book.scale.closest
    kept = np.flatnonzero(long)
    kept = kept[region.keeps(middle[kept])]
    if not len(kept):
        return []
    halves = [_better(book, pairs[p], middle[p], z) for p, z in zip(kept, book.asker.codes(middle[kept]), strict=True)]
    for half in halves:
        book.offer(np.array([half.origin]), half.x[None], half.y[None], half.z_x[None], half.z_y[None], half.how)
    return halves


def _better(book: WorstPairs, pair: Candidate, middle: Array, code: Array) -> Candidate:
    """Return the half that is torn more."""
    how = pair.how if pair.how.endswith("halved") else f"{pair.how}, halved"
    halves = []
    for point, z in ((pair.x, pair.z_x), (pair.y, pair.z_y)):
        d_x, d_z = np.array([np.linalg.norm(point - middle)]), np.array([np.linalg.norm(z - code)])
        score = float(book.scale.score("tear", d_x, d_z)[0])
        halves.append(Candidate(score, pair.origin, point, middle, z, code, how))
    return max(halves, key=lambda half: half.score)
