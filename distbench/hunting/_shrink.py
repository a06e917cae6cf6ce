"""The same counterexample with fewer changed numbers, and rounder ones."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from distbench.hunting._book import Candidate, Kind, WorstPairs
from distbench.hunting._directions import Directions

__all__ = ["home_rows", "shrinking_cost", "shrunk"]

Array = NDArray[np.float64]

ENOUGH = 100.0  # times worse than the worst test pair
ROUNDS = 3
MOST_SINGLE = 256  # numbers that are put back one by one
DECIMALS = range(-1, 8)
FINE = range(7, 13)  # where directions are kept: what rounding adds is below a millionth of the change


def shrunk(book: WorstPairs, kind: Kind, pair: Candidate, worst_test: float, directions: Directions) -> Candidate:
    """Return a pair that is closer to test points and still bad.

    Still bad is: a hundred times worse than the worst test pair, or halfway from there to what was found, as ratios go.

    Parameters
    ----------
    book : WorstPairs
        What is known; its budget is spent.
    kind : {"merge", "tear"}
        Of the pair.
    pair : Candidate
        What was found.
    worst_test : float
        Ratio of the worst pair of test points.
    directions : {"any", "data"}
        With "data" numbers are rounded finely alone: changing them more would leave these directions.
    """
    halfway = math.sqrt(worst_test) * math.sqrt(pair.score)
    search = _Search(book, kind, min(halfway, ENOUGH * worst_test) if worst_test else pair.score / 2)
    pair = search.on_row(pair)
    if directions == "data":
        return search.rounder(search.rounder(pair, "y", FINE), "x", FINE)
    for side in ("y", "x"):
        for _ in range(ROUNDS):
            before = pair
            pair = search.with_more_put_back(pair, side)
            if pair is before:
                break
        pair = search.rounder(pair, side, DECIMALS)
    return pair


def shrinking_cost(columns: int, directions: Directions) -> int:
    """Return how many rows shrinking the pairs of both kinds takes at most."""
    if directions == "data":
        return 2 * (3 + 2 * len(FINE))
    return 2 * (3 + 2 * (ROUNDS * (min(columns, MOST_SINGLE) + 16) + len(DECIMALS)))


def home_rows(book: WorstPairs, pair: Candidate) -> tuple[int, int]:
    """Return the rows that the two inputs are told by: the nearest ones, or that of the first where it tells more."""
    rows = book.region.rows
    i, j = (int(row) for row in book.region.nearest(np.stack([pair.x, pair.y]))[0])
    gaps = [(int((pair.y != rows[row]).sum()), float(np.linalg.norm(pair.y - rows[row]))) for row in (i, j)]
    return i, i if gaps[0] <= gaps[1] else j


class _Search:
    def __init__(self, book: WorstPairs, kind: Kind, goal: float) -> None:
        self._book = book
        self._kind = kind
        self._goal = goal

    def on_row(self, pair: Candidate) -> Candidate:
        """Let the first input be a test point, if it is not and the pair allows it."""
        rows = self._book.region.rows
        row = rows[home_rows(self._book, pair)[0]]
        if np.array_equal(row, pair.x) or self._book.asker.left < 4:
            return pair
        moved = self._book.region.clipped((pair.y + row - pair.x)[None])[0]
        code = self._book.asker.codes(row[None])[0]
        start = replace(pair, x=row, z_x=code)
        return self._best(start, "y", np.stack([moved, pair.y])) or pair

    def with_more_put_back(self, pair: Candidate, side: str) -> Candidate:
        """Put numbers back to those of the row: many of the least changed, then single ones."""
        point, home = self._side(pair, side)
        changed = np.flatnonzero(point != home)
        if len(changed) < 2 and side == "y":
            return pair
        order = changed[np.argsort(np.abs(point - home)[changed], kind="stable")]
        pair = self._prefixes(pair, side, order)
        point, _ = self._side(pair, side)
        rest = np.flatnonzero(point != home)[:MOST_SINGLE]
        if len(rest) < 2 or self._book.asker.left < 2 * len(rest):
            return pair
        trials = np.tile(point, (len(rest), 1))
        trials[np.arange(len(rest)), rest] = home[rest]
        scores = self._scores(pair, side, trials)[0]
        passing = rest[np.argsort(-scores, kind="stable")][: int((scores >= self._goal).sum())]
        return self._prefixes(pair, side, passing)

    def rounder(self, pair: Candidate, side: str, decimals: range) -> Candidate:
        """Round the changed numbers as coarsely as the pair allows."""
        point, home = self._side(pair, side)
        changed = point != home
        if self._book.region.whole or not changed.any():
            return pair
        size = float(np.abs(point - home).max())
        magnitude = -math.floor(math.log10(size))
        trials = np.stack([np.where(changed, np.round(point, magnitude + more) + 0.0, point) for more in decimals])
        return self._best(pair, side, trials) or pair

    def _side(self, pair: Candidate, side: str) -> tuple[Array, Array]:
        """Return an input, and what its numbers are put back to."""
        i, j = home_rows(self._book, pair)
        rows = self._book.region.rows
        if side == "x":
            return pair.x, rows[i]
        return pair.y, pair.x if i == j else rows[j]

    def _prefixes(self, pair: Candidate, side: str, order: NDArray[np.int64]) -> Candidate:
        """Put back the first of an order, as many as the pair allows."""
        if not len(order):
            return pair
        point, home = self._side(pair, side)
        counts = np.unique(np.ceil(len(order) * np.array([1, 0.97, 0.9, 0.75, 0.5, 0.25, 0.1, 0.01]))).astype(int)[::-1]
        trials = np.tile(point, (len(counts), 1))
        for trial, count in zip(trials, counts, strict=True):
            trial[order[:count]] = home[order[:count]]
        return self._best(pair, side, trials) or pair

    def _best(self, pair: Candidate, side: str, trials: Array) -> Candidate | None:
        """Return the pair with the first trial that is bad enough, or None."""
        trials = self._book.region.clipped(trials)
        scores, codes = self._scores(pair, side, trials)
        passing = np.flatnonzero(scores >= self._goal)
        if not len(passing):
            return None
        p = int(passing[0])
        if side == "y":
            return replace(pair, score=float(scores[p]), y=trials[p], z_y=codes[p])
        return replace(pair, score=float(scores[p]), x=trials[p], z_x=codes[p])

    def _scores(self, pair: Candidate, side: str, trials: Array) -> tuple[Array, Array]:
        """Return scores of trials, 0 for those that are not plausible or not asked for, and codes."""
        other, z = (pair.x, pair.z_x) if side == "y" else (pair.y, pair.z_y)
        d_x = np.linalg.norm(trials - other, axis=1)
        scores, codes = np.zeros(len(trials)), np.zeros((len(trials), len(z)))
        chosen = np.flatnonzero(d_x >= self._book.scale.closest)
        chosen = chosen[self._book.region.keeps(trials[chosen])][: self._book.asker.left]
        if len(chosen):
            codes[chosen] = self._book.asker.codes(trials[chosen])
            d_z = np.linalg.norm(codes[chosen] - z, axis=1)
            scores[chosen] = self._book.scale.score(self._kind, d_x[chosen], d_z)
        return scores, codes
