"""Searches pairs along the directions that the encoder stretches most and least around points."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from distbench.hunting._directions import stretched_directions
from distbench.hunting._jacobians import Jacobians
from distbench.hunting._worst_pairs import KINDS, WorstPairs

__all__ = ["StretchedPairs"]

Array = NDArray[np.float64]
Rows = NDArray[np.int64]

STEPS = np.array([1.0, 0.3, 0.1, 0.03])  # shares of the plausible distance
PAIRS_PER_POINT = 2 * len(STEPS) * 3  # to both sides along three directions, one stretched most and two least
MIN_POINTS = 8  # if the budget does not pay for so many points, each gets fewer directions


@dataclass(frozen=True)
class StretchedPairs:
    """Searches pairs around test points that are not yet in `visited`, then around points near the worst pairs."""

    pairs: WorstPairs
    jacobians: Jacobians
    rng: np.random.Generator
    visited: set[int]

    def search(self, allowance: int) -> None:
        """Spend about `allowance` rows."""
        region, encoder = self.pairs.region, self.pairs.encoder
        rows = np.array([row for row in self.pairs.rows_worst_first(self.rng, 4) if row not in self.visited], dtype=int)
        rows = rows[: self._affordable_points(allowance // 2)]
        before = encoder.spent
        self._search_around(rows, region.rows[rows], self.pairs.codes[rows], 1.0, "slopes at test points")
        self.visited.update(rows.tolist())
        count = self._affordable_points(max(allowance - allowance // 2, allowance - encoder.spent + before))
        worst = [pair.origin for kind in KINDS for pair in self.pairs.worst(kind)[: max(1, count // 8)]]
        if not worst or not count:
            return
        origins = np.resize(np.array(worst), count)
        points = self._near_points(origins)
        plausible = region.contains(points)
        origins, points = origins[plausible], points[plausible]
        if len(points) and encoder.left >= len(points):
            self._search_around(origins, points, encoder.encode(points), 0.5, "slopes near test points")

    def _affordable_points(self, allowance: int) -> int:
        directions = self.jacobians.affordable_directions(allowance, MIN_POINTS)
        cost = self.jacobians.cost(directions) + PAIRS_PER_POINT + 1
        return max(1, allowance // cost) if self.pairs.encoder.left >= cost else 0

    def _near_points(self, origins: Rows) -> Array:
        """Return the rows, each moved in a random direction by up to half of its plausible distance."""
        region, directions = self.pairs.region, self.jacobians.directions
        points = region.rows[origins]
        bases = directions.bases(points, 64, self.rng)
        moves = np.einsum("mr,mrd->md", self.rng.normal(size=bases.shape[:2]), bases)
        lengths = np.linalg.norm(moves, axis=1, keepdims=True)
        sizes = region.radii[origins, None] / 2 * self.rng.uniform(0.1, 1, size=(len(points), 1))
        moved = points + moves / np.where(lengths > 0, lengths, 1) * sizes
        leaves = np.array([not len(directions.landing(point[None])) for point in moved])
        return region.clip(np.where(leaves[:, None], points, moved))

    def _search_around(self, origins: Rows, points: Array, codes: Array, share: float, how: str) -> None:
        """Try pairs around points within a share of the plausible distance."""
        if not len(points):
            return
        encoder = self.pairs.encoder
        count = self.jacobians.affordable_directions(encoder.left // max(2, len(points)), 1)
        step = self.jacobians.block_size()
        for start in range(0, len(points), step):
            block = slice(start, start + step)
            bases = self.jacobians.directions.bases(points[block], count, self.rng)
            if encoder.left < self.jacobians.cost(bases.shape[1]) * len(bases):
                return
            radii = share * self.pairs.region.radii[origins[block]]
            self._try_pairs(origins[block], points[block], codes[block], bases, radii, how)

    def _try_pairs(self, origins: Rows, points: Array, codes: Array, bases: Array, radii: Array, how: str) -> None:
        """Try inputs along the most and least stretched directions of each point, and mixtures of neighbors."""
        jacobians, preferred = self.jacobians.along(points, bases), self._preferred_directions(points)
        targets, owners, mixtures = [], [], []
        for p, (jacobian, basis) in enumerate(zip(jacobians, bases, strict=True)):
            if np.isfinite(jacobian).all() and basis.any():
                directions = stretched_directions(jacobian, basis, preferred[p])
                targets.append(self._targets(points[p], directions, radii[p]))
                owners.append(np.full(len(targets[-1]), p))
                if self.jacobians.directions.kind == "data":
                    mixtures += [
                        (origins[p], *self._mixtures(points[p], direction, radii[p])) for direction in directions
                    ]
        if targets:
            owner = np.concatenate(owners)
            self.pairs.encode_and_offer(origins[owner], points[owner], codes[owner], np.concatenate(targets), how)
        if mixtures and self.pairs.encoder.left >= 2 * len(mixtures):
            owner, x, y = (np.array(part) for part in zip(*mixtures, strict=True))
            plausible = self.pairs.region.contains(x)
            if plausible.any():
                x = x[plausible]
                z_x, how = self.pairs.encoder.encode(x), f"{how}, between neighbors"
                self.pairs.encode_and_offer(owner[plausible], x, z_x, y[plausible], how)

    def _preferred_directions(self, points: Array) -> Array:
        """Return the directions to prefer if codes ignore several: to the nearest row, and a random one."""
        to_nearest = self.jacobians.directions.to_nearest(points)
        random = np.zeros_like(to_nearest)
        varying = self.pairs.region.varying
        random[:, :, varying] = self.rng.normal(size=(len(points), 1, len(varying)))
        return np.concatenate([to_nearest, random], axis=1)

    def _targets(self, point: Array, directions: Array, radius: float) -> Array:
        """Return inputs at several distances from a point, to both sides along each direction."""
        region = self.pairs.region
        both = np.concatenate([directions, -directions])
        room = np.minimum(region.room(np.broadcast_to(point, both.shape), both), radius)
        smallest = 1.0 if region.is_integer else self.pairs.closest
        steps = np.where(room[:, None] >= smallest, room[:, None], radius) * STEPS  # without room, targets are clipped
        targets = (point + steps[:, :, None] * both[:, None]).reshape(-1, len(point))
        return self.jacobians.directions.landing(targets)

    def _mixtures(self, point: Array, direction: Array, radius: float) -> tuple[Array, Array]:
        """Return two mixtures of a point and its neighbors, which differ in `direction` and stay in range.

        The direction is a sum of differences to neighbors: one mixture gets its positive terms, the other its negative.
        """
        region = self.pairs.region
        near = np.argsort(np.linalg.norm(region.rows - point, axis=1), kind="stable")
        near = near[(region.rows[near] != point).any(axis=1)][: self.jacobians.directions.code_size]
        differences = region.rows[near] - point
        weights = np.linalg.lstsq(differences.T, direction, rcond=None)[0]
        parts = [np.maximum(sign * weights, 0) for sign in (1, -1)]
        size = max(max(float(part.sum()), float(np.linalg.norm(part @ differences)) / radius) for part in parts)
        x, y = region.clip(np.stack([point + part @ differences / (size or 1.0) for part in parts]))
        return x, y
