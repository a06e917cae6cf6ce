"""What is looked for in which order, how the budget is shared, and when nothing more can be found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from distbench.hunting._book import KINDS, WORSE, Candidate, Kind, WorstPairs
from distbench.hunting._directions import Directions
from distbench.hunting._drawn import draw, in_other_test
from distbench.hunting._far import Far
from distbench.hunting._halves import bisect_pairs
from distbench.hunting._near import Near
from distbench.hunting._shrink import shrinking_cost
from distbench.hunting._slopes import Jacobians

__all__ = ["search"]

FIRST = {"mirror": 0.06, "near": 0.42, "drawn": 0.12, "far": 0.2, "halves": 0.03}  # of the budget
KEPT = 0.12  # of it, at most, for shrinking
AGAIN = {"near": 0.3, "drawn": 0.1, "far": 0.5, "halves": 0.1}  # of what a restart may spend
RESTARTS = 4  # a restart may spend this part of what is there after the first round
LEAST = 40  # rows: with fewer no restart begins
MOST_CHORDS = 256


@dataclass(frozen=True)
class _Round:
    """The stages of one round, with its own random numbers."""

    book: WorstPairs
    near: Near
    far: Far
    slopes: Jacobians
    directions: Directions
    seed: int

    def look(self, allowed: Mapping[str, int], again: bool) -> None:
        if self.directions == "any" and not again:
            self.far.mirror(allowed["mirror"])
        self.near.look(allowed["near"])
        if not self.slopes.by_gradient and not in_other_test():
            draw(self.book, self.directions, self.slopes.code_size, self.seed, allowed["drawn"])
        self.far.close_in(allowed["far"], strangers=again)
        bisect_pairs(self.book, allowed["halves"])


def search(
    book: WorstPairs, slopes: Jacobians, directions: Directions, worst_tests: Mapping[Kind, Candidate], seed: int
) -> None:
    """Spend the budget but for what shrinking needs: all stages once, then again and again with other random numbers.

    Parameters
    ----------
    book : WorstPairs
        With the worst pairs of test points.
    slopes : Jacobians
        The encoder's Jacobians.
    directions : {"any", "data"}
        In which inputs may be moved.
    worst_tests : mapping of str to Candidate
        The worst test pair of each kind.
    seed : int
        Of the hunt.
    """
    begin = book.asker.left
    kept = min(int(KEPT * begin), shrinking_cost(book.region.rows.shape[1], directions))
    rng = np.random.default_rng(seed)
    near, far = Near(book, slopes, directions, rng), Far(book, slopes, directions, rng)
    first = {stage: int(share * begin) for stage, share in FIRST.items()}
    _Round(book, near, far, slopes, directions, seed).look(first, again=False)
    if _affine(book, np.random.default_rng((seed, 0))):
        return  # the same slopes everywhere: those directions are the worst there are
    part = max(LEAST, (book.asker.left - kept) // RESTARTS)
    restart = 0
    while (left := book.asker.left - kept) >= LEAST and not _nothing_worse(book, worst_tests):
        restart, before = restart + 1, book.asker.asked
        rng = np.random.default_rng((seed, restart))
        near.rng = far.rng = rng
        allowed = {stage: int(share * min(left, part)) for stage, share in AGAIN.items()}
        _Round(book, near, far, slopes, directions, int(rng.integers(2**31))).look(allowed, again=True)
        if book.asker.asked - before < min(LEAST, part // 10):
            return  # nowhere to go


def _nothing_worse(book: WorstPairs, worst_tests: Mapping[Kind, Candidate]) -> bool:
    """Say whether inputs are merged to rounding, and a torn pair is known beside that."""
    worst = {kind: book.worst(kind)[:1] for kind in KINDS}
    merged = any(one.d_z <= book.scale.noise for one in worst["merge"])
    return merged and any(one.score > WORSE * worst_tests["tear"].score for one in worst["tear"])


def _affine(book: WorstPairs, rng: np.random.Generator) -> bool:
    """Say whether codes of points between test points are what an affine map of the two has.

    The points lie on the way from a test point to another, anywhere, but as near to the first as is plausible.
    """
    region, n = book.region, len(book.region.rows)
    if region.whole or book.asker.left < LEAST:
        return False
    ones = np.sort(rng.permutation(n)[: min(MOST_CHORDS, book.asker.left // 8)])
    others = (ones + rng.integers(1, n, len(ones))) % n
    ways = region.rows[others] - region.rows[ones]
    lengths = np.linalg.norm(ways, axis=1)
    shares = np.minimum(0.5, 0.5 * region.reaches[ones] / np.where(lengths > 0, lengths, np.inf))
    between = region.clipped(region.rows[ones] + shares[:, None] * ways)
    kept = region.keeps(between) & (shares > 0)
    if 2 * kept.sum() < len(ones):
        return False
    codes, shares = book.codes, shares[kept, None]
    expected = (1 - shares) * codes[ones[kept]] + shares * codes[others[kept]]
    off = np.linalg.norm(book.asker.codes(between[kept]) - expected, axis=1)
    return bool((off <= book.scale.noise).all())
