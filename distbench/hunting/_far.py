"""Pairs that are far apart in the input: mirror images, strangers with like codes, and steps that make codes equal."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import zip_longest

import numpy as np
from numpy.typing import NDArray

from distbench.hunting._book import Candidate, WorstPairs, distances
from distbench.hunting._directions import Directions, bases_of, landed
from distbench.hunting._slopes import Jacobians
from distbench.hunting._tests import merged_strangers

__all__ = ["Far"]

Array = NDArray[np.float64]

ITERATIONS = 7  # of Gauss-Newton: it squares the distance of codes each time
LINE = np.array([1.0, 0.5, 0.2, 0.05])  # shares of a step that are tried
MOST = 12  # pairs that are brought nearer
STRANGERS = 512  # test pairs with like codes, of which restarts draw
TURNS = 4  # that the two inputs of such a pair take
APART = 0.5  # of their first distance that inputs keep
FULL = 1e-10  # singular values below this share of the largest are noise


@dataclass
class Far:
    """Looks for strangers that the encoder merges.

    Attributes
    ----------
    book : WorstPairs
        What is known.
    slopes : Jacobians
        The encoder's Jacobians.
    directions : {"any", "data"}
        In which inputs may be moved.
    rng : numpy.random.Generator
    """

    book: WorstPairs
    slopes: Jacobians
    directions: Directions
    rng: np.random.Generator
    _strangers: list[Candidate] | None = field(default=None, init=False)

    def mirror(self, allowance: int) -> None:
        """Compare points with their mirror images: through 0, through the middle, in one column, in two swapped."""
        region = self.book.region
        rows, free = region.rows, region.free
        middle = (region.low + region.high) / 2
        kinds = 5 if len(free) > 1 else 4
        count = max(1, min(len(rows), allowance // kinds))
        for kind in range(kinds):
            origins = np.sort(self.rng.choice(len(rows), count, replace=False))
            images = self._images(kind, rows[origins], middle)
            moved = region.clipped(images)
            true = (np.abs(moved - images) <= 1e-6 * region.unit).all(axis=1)  # else it is no mirror image
            origins, moved = origins[true], moved[true]
            self.book.ask(origins, rows[origins], self.book.codes[origins], moved, "mirror images")

    def _images(self, kind: int, points: Array, middle: Array) -> Array:
        if kind == 0:
            return -points
        if kind == 1:
            return 2 * middle - points
        images, free, every = points.copy(), self.book.region.free, np.arange(len(points))
        one = self.rng.choice(free, len(points))
        if kind in (2, 3):
            images[every, one] = (0 if kind == 2 else 2 * middle[one]) - points[every, one]
            return images
        other = self.rng.choice(free, len(points))
        images[every, one], images[every, other] = points[every, other], points[every, one]
        return images

    def close_in(self, allowance: int, strangers: bool = False) -> None:
        """Move the second inputs of the most merged pairs until the codes are equal, and keep inputs apart.

        Parameters
        ----------
        allowance : int
            Rows to spend.
        strangers : bool
            Draw other pairs of test points instead, and let both of their inputs move, by turns.
        """
        region = self.book.region
        columns = len(region.free) if self.directions == "any" else min(len(region.free), self.slopes.code_size)
        if not self.slopes.by_gradient:
            columns = max(1, min(columns, allowance // (2 * ITERATIONS)))
        step = self.slopes.cost(columns) + len(LINE)
        if not strangers:
            for pair in self.book.worst("merge")[: min(MOST, max(1, allowance // (ITERATIONS * step)))]:
                if self.book.asker.left < ITERATIONS * step:
                    return
                self._close(pair, columns)
            return
        end = self.book.asker.asked + allowance
        for pair in self._drawn():
            if self.book.asker.asked + step > end:
                return
            self._by_turns(pair, columns, end - ITERATIONS * step)

    def _drawn(self) -> Iterator[Candidate]:
        """Return pairs of test points with like codes and the worst pairs that are known, by turns, in random order."""
        if self._strangers is None:
            self._strangers = merged_strangers(self.book, STRANGERS)
        both = self.book.worst("merge"), self._strangers
        drawn = [[pairs[p] for p in self.rng.permutation(len(pairs))] for pairs in both]
        return (pair for pairs in zip_longest(*drawn) for pair in pairs if pair is not None)

    def _by_turns(self, pair: Candidate, columns: int, end: int) -> None:
        """Close a pair in from both of its sides, as long as that helps."""
        best = pair
        for turn in range(TURNS):
            found = self._close(best, columns)
            helped = found.d_z < 0.9 * best.d_z
            if found.d_z <= self.book.scale.noise or self.book.asker.asked > end or not (helped or turn == 0):
                return
            best = replace(found, x=found.y, y=found.x, z_x=found.z_y, z_y=found.z_x)

    def _close(self, pair: Candidate, columns: int) -> Candidate:
        region = self.book.region
        home = int(region.nearest(pair.y[None])[0][0])
        apart, best = APART * pair.d_x, pair
        for _ in range(ITERATIONS):
            if self.book.asker.left < self.slopes.cost(columns):
                return best
            targets = self._targets(best, home, columns)
            enough = distances(np.broadcast_to(pair.x, targets.shape), targets) >= apart
            targets = targets[enough & region.keeps(targets)][: self.book.asker.left]
            if not len(targets):
                return best
            codes = self.book.asker.codes(targets)
            count = len(targets)
            x, z = np.tile(pair.x, (count, 1)), np.tile(pair.z_x, (count, 1))
            how = pair.how if pair.how.endswith("closed in") else f"{pair.how}, closed in"
            self.book.offer(np.full(count, pair.origin), x, targets, z, codes, how)
            nearest = int(distances(codes, z).argmin())
            found = replace(best, y=targets[nearest], z_y=codes[nearest], how=how)
            if found.d_z >= best.d_z * 0.9 or found.d_z <= self.book.scale.noise:
                return min(best, found, key=lambda one: one.d_z)
            best = found
        return best

    def _targets(self, pair: Candidate, home: int, columns: int) -> Array:
        """Return the least step that makes the codes equal to first order, and parts of it, near a real point."""
        region = self.book.region
        basis = bases_of(region, pair.y[None], self.directions, self.slopes.code_size, columns, self.rng)
        jacobian = self.slopes.along(pair.y[None], basis)[0]
        if not np.isfinite(jacobian).all():
            return np.empty((0, len(pair.y)))
        step = np.linalg.lstsq(jacobian, pair.z_x - pair.z_y, rcond=FULL)[0] @ basis[0]
        targets = pair.y + LINE[:, None] * step
        away = targets - region.rows[home]
        lengths = np.linalg.norm(away, axis=1, keepdims=True)
        shares = np.minimum(1, region.reaches[home] / np.where(lengths > 0, lengths, 1))
        return landed(region, region.rows[home] + away * shares, self.directions)
