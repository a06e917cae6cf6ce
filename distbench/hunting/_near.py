"""Around each point: the directions that the encoder stretches most and least, and pairs along them."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from distbench.hunting._book import KINDS, WorstPairs
from distbench.hunting._directions import Directions, bases_of, extremes, landed
from distbench.hunting._slopes import Jacobians

__all__ = ["Near"]

Array = NDArray[np.float64]
Rows = NDArray[np.int64]

STEPS = np.array([1.0, 0.3, 0.1, 0.03])  # of the reach
PAIRS_EACH = 2 * len(STEPS) * 3  # to both sides, along the most stretched direction and up to two of the least
FEWEST = 8  # points that a budget must be enough for, else each gets fewer directions


@dataclass
class Near:
    """Looks along the most and least stretched directions, first around test points, then around moved ones.

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
    _seen: set[int] = field(default_factory=set, init=False)  # rows that were looked around

    def look(self, allowance: int) -> None:
        """Spend about `allowance` rows; called again, begin with the test points that had no turn yet."""
        region = self.book.region
        first = self._order()[: self._affordable(allowance // 2)]
        before = self.book.asker.asked
        self._around(first, region.rows[first], self.book.codes[first], 1.0, "slopes at test points")
        self._seen.update(first.tolist())
        left = self._affordable(max(allowance - allowance // 2, allowance - self.book.asker.asked + before))
        origins = np.array(
            [one.origin for kind in KINDS for one in self.book.worst(kind)[: max(1, left // 8)]], dtype=int
        )
        if not len(origins) or not left:
            return
        origins = np.resize(origins, left)
        moved = self._moved(origins)
        kept = region.keeps(moved)
        origins, moved = origins[kept], moved[kept]
        if len(moved) and self.book.asker.left >= len(moved):
            self._around(origins, moved, self.book.asker.codes(moved), 0.5, "slopes near test points")

    def _order(self) -> Rows:
        """Return all rows that had no turn yet, those of the worst pairs first."""
        worst = [one.origin for kind in KINDS for one in self.book.worst(kind)[:4]]
        n = len(self.book.region.rows)
        order = np.array([*worst, *self.rng.permutation(n)], dtype=np.int64)
        _, first = np.unique(order, return_index=True)
        order = order[np.sort(first)]
        return order[[row not in self._seen for row in order.tolist()]]

    def columns(self, allowance: int) -> int:
        """Return how many directions of a point there is budget for."""
        free = len(self.book.region.free)
        if self.directions == "data":
            free = min(free, self.slopes.code_size)
        if self.slopes.by_gradient:
            return free
        return max(1, min(free, allowance // (2 * FEWEST)))

    def _affordable(self, allowance: int) -> int:
        columns = self.columns(allowance)
        cost = self.slopes.cost(columns) + PAIRS_EACH + 1
        return max(1, allowance // cost) if self.book.asker.left >= cost else 0

    def _moved(self, origins: Rows) -> Array:
        """Move points by up to half their reach, in random directions of those that are allowed."""
        points = self.book.region.rows[origins]
        bases = bases_of(self.book.region, points, self.directions, self.slopes.code_size, 64, self.rng)
        weights = self.rng.normal(size=bases.shape[:2])
        moves = np.einsum("mr,mrd->md", weights, bases)
        lengths = np.linalg.norm(moves, axis=1, keepdims=True)
        sizes = self.book.region.reaches[origins, None] / 2 * self.rng.uniform(0.1, 1, size=(len(points), 1))
        moved = points + moves / np.where(lengths > 0, lengths, 1) * sizes
        stays = np.array([not len(landed(self.book.region, one[None], self.directions)) for one in moved])
        return self.book.region.clipped(np.where(stays[:, None], points, moved))

    def _around(self, origins: Rows, points: Array, codes: Array, share: float, how: str) -> None:
        if not len(points):
            return
        most = self.columns(max(1, self.book.asker.left // max(2, len(points))) * FEWEST)
        step = self.slopes.together(len(self.book.region.free))
        for start in range(0, len(points), step):
            block = slice(start, start + step)
            bases = bases_of(self.book.region, points[block], self.directions, self.slopes.code_size, most, self.rng)
            if self.book.asker.left < self.slopes.cost(bases.shape[1]) * len(bases):
                return
            jacobians = self.slopes.along(points[block], bases)
            self._along(origins[block], points[block], codes[block], (jacobians, bases), share, how)

    def _along(
        self, origins: Rows, points: Array, codes: Array, slopes: tuple[Array, Array], share: float, how: str
    ) -> None:
        """Ask for points along the most and least stretched directions, for all in one call."""
        wishes, found, owners, between = self._wishes(points), [], [], []
        reaches = share * self.book.region.reaches[origins]
        for p, (jacobian, basis) in enumerate(zip(*slopes, strict=True)):
            if np.isfinite(jacobian).all() and basis.any():
                ways = np.concatenate(extremes(jacobian, basis, wishes[p]))
                targets = self._targets(points[p], ways, reaches[p])
                if self.directions == "data":
                    between += [(int(origins[p]), *self._between(points[p], way, reaches[p])) for way in ways]
                found.append(targets)
                owners.append(np.full(len(targets), p))
        if found:
            owner = np.concatenate(owners)
            self.book.ask(origins[owner], points[owner], codes[owner], np.concatenate(found), how)
        if between and self.book.asker.left >= 2 * len(between):
            whose, x, y = (np.array(part) for part in zip(*between, strict=True))
            kept = self.book.region.keeps(x)
            if kept.any():
                x = x[kept]
                self.book.ask(whose[kept], x, self.book.asker.codes(x), y[kept], f"{how}, between neighbours")

    def _between(self, point: Array, direction: Array, reach: float) -> tuple[Array, Array]:
        """Return two mixtures of a point and its neighbours that differ in a direction, so that they stay in range.

        What the direction adds of each neighbour goes to one of them, what it takes away is added to the other.
        """
        region = self.book.region
        near = np.argsort(np.linalg.norm(region.rows - point, axis=1), kind="stable")
        near = near[(region.rows[near] != point).any(axis=1)][: self.slopes.code_size]
        ways = region.rows[near] - point
        shares = np.linalg.lstsq(ways.T, direction, rcond=None)[0]
        parts = [np.maximum(sign * shares, 0) for sign in (1, -1)]
        most = max(max(float(part.sum()), float(np.linalg.norm(part @ ways)) / reach) for part in parts)
        x, y = (point + part @ ways / (most or 1.0) for part in parts)
        both = region.clipped(np.stack([x, y]))
        return both[0], both[1]

    def _wishes(self, points: Array) -> Array:
        """Return where to go if there is a choice: to the nearest row, and anywhere."""
        region = self.book.region
        to_nearest = bases_of(region, points, "data", 1, 1, self.rng)
        anywhere = np.zeros_like(to_nearest)
        anywhere[:, :, region.free] = self.rng.normal(size=(len(points), 1, len(region.free)))
        return np.concatenate([to_nearest, anywhere], axis=1)

    def _targets(self, point: Array, directions: Array, reach: float) -> Array:
        """Return where steps of some sizes lead, to both sides."""
        region = self.book.region
        both = np.concatenate([directions, -directions])
        room = np.minimum(region.room(np.broadcast_to(point, both.shape), both), reach)
        least = 1.0 if region.whole else self.book.scale.closest
        steps = np.where(room[:, None] >= least, room[:, None], reach) * STEPS  # where there is no room, it is clipped
        targets = (point + steps[:, :, None] * both[:, None]).reshape(-1, len(point))
        return landed(region, targets, self.directions)
