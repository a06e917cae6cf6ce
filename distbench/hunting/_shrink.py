"""Simplifies a pair: fewer of its numbers differ from those of test points, and these are rounded."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from distbench.hunting._directions import DirectionKind
from distbench.hunting._worst_pairs import Candidate, Kind, WorstPairs, distances

__all__ = ["home_rows", "shrink", "shrinking_cost"]

Array = NDArray[np.float64]

ENOUGH = 100.0  # a shrunk pair need not be worse than this many times the worst test pair
ROUNDS = 3
MAX_SINGLE = 256  # at most so many numbers are put back one by one
SHARES = np.array([1, 0.97, 0.9, 0.75, 0.5, 0.25, 0.1, 0.01])  # shares of the changed numbers that are put back at once
DECIMALS = range(-1, 8)  # to which numbers are rounded, counted from the first digit of the largest change
FINE_DECIMALS = range(7, 13)  # rounding to them changes less than a millionth


def shrink(pairs: WorstPairs, kind: Kind, pair: Candidate, worst_test: float, directions: DirectionKind) -> Candidate:
    """Return a pair that is nearer to test points and still bad.

    Its score stays at least a hundred times `worst_test`, the score of the worst pair of test points; or at least the
    geometric mean of `worst_test` and the score of `pair`, if that is less. With ``directions="data"`` numbers are only
    rounded finely, because larger changes would leave these directions.
    """
    halfway = math.sqrt(worst_test) * math.sqrt(pair.score)
    shrinker = _Shrinker(pairs, kind, min(halfway, ENOUGH * worst_test) if worst_test else pair.score / 2)
    pair = shrinker.start_at_row(pair)
    if directions == "data":
        return shrinker.round(shrinker.round(pair, "y", FINE_DECIMALS), "x", FINE_DECIMALS)
    for side in ("y", "x"):
        for _ in range(ROUNDS):
            before = pair
            pair = shrinker.put_back(pair, side)
            if pair is before:
                break
        pair = shrinker.round(pair, side, DECIMALS)
    return pair


def shrinking_cost(columns: int, directions: DirectionKind) -> int:
    """Return the largest number of rows that shrinking both findings can encode."""
    if directions == "data":
        return 2 * (3 + 2 * len(FINE_DECIMALS))
    return 2 * (3 + 2 * (ROUNDS * (min(columns, MAX_SINGLE) + 2 * len(SHARES)) + len(DECIMALS)))


def home_rows(pairs: WorstPairs, pair: Candidate) -> tuple[int, int]:
    """Return each input's nearest row; the second gets the row of the first if it shares more numbers with that."""
    rows = pairs.region.rows
    i, j = (int(row) for row in pairs.region.nearest_rows(np.stack([pair.x, pair.y]))[0])
    changes = [(int((pair.y != rows[row]).sum()), float(np.linalg.norm(pair.y - rows[row]))) for row in (i, j)]
    return i, i if changes[0] <= changes[1] else j


@dataclass(frozen=True)
class _Shrinker:
    """Changes one input ("x" or "y") of a pair; the score of the pair stays at least `goal`."""

    pairs: WorstPairs
    kind: Kind
    goal: float

    def start_at_row(self, pair: Candidate) -> Candidate:
        """Replace the first input by a test point if the pair stays bad enough."""
        region, encoder = self.pairs.region, self.pairs.encoder
        row = region.rows[home_rows(self.pairs, pair)[0]]
        if np.array_equal(row, pair.x) or encoder.left < 4:
            return pair
        moved = region.clip((pair.y + row - pair.x)[None])[0]
        start = replace(pair, x=row, z_x=encoder.encode(row[None])[0])
        return self._first_bad(start, "y", np.stack([moved, pair.y])) or pair

    def put_back(self, pair: Candidate, side: str) -> Candidate:
        """Set numbers back to those of a row: first the least changed ones all at once, then others one by one."""
        point, home = self._point_and_home(pair, side)
        changed = np.flatnonzero(point != home)
        if len(changed) < 2 and side == "y":
            return pair
        pair = self._put_back_first(pair, side, changed[np.argsort(np.abs(point - home)[changed], kind="stable")])
        point, _ = self._point_and_home(pair, side)
        rest = np.flatnonzero(point != home)[:MAX_SINGLE]
        if len(rest) < 2 or self.pairs.encoder.left < 2 * len(rest):
            return pair
        trials = np.tile(point, (len(rest), 1))
        trials[np.arange(len(rest)), rest] = home[rest]
        scores = self._scores(pair, side, trials)[0]
        bad_enough = rest[np.argsort(-scores, kind="stable")][: int((scores >= self.goal).sum())]
        return self._put_back_first(pair, side, bad_enough)

    def round(self, pair: Candidate, side: str, decimals: range) -> Candidate:
        """Round the changed numbers as coarsely as the pair allows."""
        point, home = self._point_and_home(pair, side)
        changed = point != home
        if self.pairs.region.is_integer or not changed.any():
            return pair
        magnitude = -math.floor(math.log10(float(np.abs(point - home).max())))
        trials = np.stack([np.where(changed, np.round(point, magnitude + more) + 0.0, point) for more in decimals])
        return self._first_bad(pair, side, trials) or pair

    def _point_and_home(self, pair: Candidate, side: str) -> tuple[Array, Array]:
        """Return one input of a pair, and the point from which its numbers are put back."""
        i, j = home_rows(self.pairs, pair)
        rows = self.pairs.region.rows
        if side == "x":
            return pair.x, rows[i]
        return pair.y, pair.x if i == j else rows[j]

    def _put_back_first(self, pair: Candidate, side: str, columns: NDArray[np.int64]) -> Candidate:
        """Set back as many of the first columns as the pair allows."""
        if not len(columns):
            return pair
        point, home = self._point_and_home(pair, side)
        counts = np.unique(np.ceil(len(columns) * SHARES)).astype(int)[::-1]
        trials = np.tile(point, (len(counts), 1))
        for trial, count in zip(trials, counts, strict=True):
            trial[columns[:count]] = home[columns[:count]]
        return self._first_bad(pair, side, trials) or pair

    def _first_bad(self, pair: Candidate, side: str, trials: Array) -> Candidate | None:
        """Return the pair with the first trial that is bad enough, or None."""
        trials = self.pairs.region.clip(trials)
        scores, codes = self._scores(pair, side, trials)
        bad_enough = np.flatnonzero(scores >= self.goal)
        if not len(bad_enough):
            return None
        point, code, score = trials[bad_enough[0]], codes[bad_enough[0]], float(scores[bad_enough[0]])
        if side == "y":
            return replace(pair, score=score, y=point, z_y=code)
        return replace(pair, score=score, x=point, z_x=code)

    def _scores(self, pair: Candidate, side: str, trials: Array) -> tuple[Array, Array]:
        """Return the scores and codes of trials; the score of a trial that is not encoded is 0."""
        other, z = (pair.x, pair.z_x) if side == "y" else (pair.y, pair.z_y)
        scores, codes = np.zeros(len(trials)), np.zeros((len(trials), len(z)))
        chosen = self.pairs.allowed(other, trials)
        if len(chosen):
            codes[chosen] = self.pairs.encoder.encode(trials[chosen])
            d_x, d_z = distances(trials[chosen], other), distances(codes[chosen], z)
            scores[chosen] = self.pairs.score(self.kind, d_x, d_z)
        return scores, codes
