"""Merges pairs that are far apart: a Gauss-Newton method moves an input until the two codes are equal."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import zip_longest

import numpy as np
from numpy.typing import NDArray

from distbench.hunting._jacobians import Jacobians
from distbench.hunting._worst_pairs import Candidate, WorstPairs, distances

__all__ = ["MergedPairs"]

Array = NDArray[np.float64]

ITERATIONS = 7  # of Gauss-Newton, which converges quadratically
STEP_SHARES = np.array([1.0, 0.5, 0.2, 0.05])
MAX_PAIRS = 12
TURNS = 4  # how often an input of a distant pair is moved, first one and then the other
MIN_SHARE = 0.5  # inputs stay apart by at least this share of their first distance
PROGRESS = 0.9  # an iteration helped if it left less than this share of the distance of the codes
RCOND = 1e-10  # singular values below this share of the largest are noise


@dataclass(frozen=True)
class MergedPairs:
    """Moves inputs of pairs with similar codes until their codes are equal, and keeps the inputs apart."""

    pairs: WorstPairs
    jacobians: Jacobians
    rng: np.random.Generator

    def search(self, allowance: int, *, distant_pairs: bool) -> None:
        """Spend about `allowance` rows.

        Moves the second inputs of the most merged pairs. With `distant_pairs`, also takes distant test points with
        similar codes, and moves both inputs in turn.
        """
        encoder = self.pairs.encoder
        columns = self.jacobians.affordable_directions(allowance, ITERATIONS)
        step = self.jacobians.cost(columns) + len(STEP_SHARES)
        if not distant_pairs:
            for pair in self.pairs.worst("merge")[: min(MAX_PAIRS, max(1, allowance // (ITERATIONS * step)))]:
                if encoder.left < ITERATIONS * step:
                    return
                self._merge(pair, columns)
            return
        end = encoder.spent + allowance
        for pair in self._shuffled():
            if encoder.spent + step > end:
                return
            self._merge_in_turns(pair, columns, end - ITERATIONS * step)

    def _shuffled(self) -> Iterator[Candidate]:
        """Return the most merged pairs and the distant pairs alternately, each in random order."""
        both = self.pairs.worst("merge"), self.pairs.distant_pairs
        shuffled = [[pairs[p] for p in self.rng.permutation(len(pairs))] for pairs in both]
        return (pair for pairs in zip_longest(*shuffled) for pair in pairs if pair is not None)

    def _merge_in_turns(self, pair: Candidate, columns: int, end: int) -> None:
        """Move both inputs in turn, as long as that helps."""
        for turn in range(TURNS):
            moved = self._merge(pair, columns)
            helped = moved.d_z < PROGRESS * pair.d_z
            if moved.d_z <= self.pairs.noise or self.pairs.encoder.spent > end or not (helped or turn == 0):
                return
            pair = replace(moved, x=moved.y, y=moved.x, z_x=moved.z_y, z_y=moved.z_x)

    def _merge(self, pair: Candidate, columns: int) -> Candidate:
        """Return the pair with its second input moved so that the codes approach each other."""
        region, encoder = self.pairs.region, self.pairs.encoder
        home = int(region.nearest_rows(pair.y[None])[0][0])
        min_distance = MIN_SHARE * pair.d_x
        how = pair.how if pair.how.endswith("closed in") else f"{pair.how}, closed in"
        for _ in range(ITERATIONS):
            if encoder.left < self.jacobians.cost(columns):
                return pair
            targets = self._targets(pair, home, columns)
            apart = distances(np.broadcast_to(pair.x, targets.shape), targets) >= min_distance
            targets = targets[apart & region.contains(targets)][: encoder.left]
            if not len(targets):
                return pair
            codes, count = encoder.encode(targets), len(targets)
            x, z = np.tile(pair.x, (count, 1)), np.tile(pair.z_x, (count, 1))
            self.pairs.offer(np.full(count, pair.origin), x, targets, z, codes, how)
            nearest = int(distances(codes, z).argmin())
            moved = replace(pair, y=targets[nearest], z_y=codes[nearest], how=how)
            if moved.d_z >= pair.d_z * PROGRESS or moved.d_z <= self.pairs.noise:
                return min(pair, moved, key=lambda candidate: candidate.d_z)
            pair = moved
        return pair

    def _targets(self, pair: Candidate, home: int, columns: int) -> Array:
        """Return places near the row `home` to which the second input may move.

        They are reached by the smallest step that makes the codes equal to first order, and by parts of this step.
        """
        region, directions = self.pairs.region, self.jacobians.directions
        basis = directions.bases(pair.y[None], columns, self.rng)
        jacobian = self.jacobians.along(pair.y[None], basis)[0]
        if not np.isfinite(jacobian).all():
            return np.empty((0, len(pair.y)))
        step = np.linalg.lstsq(jacobian, pair.z_x - pair.z_y, rcond=RCOND)[0] @ basis[0]
        offsets = pair.y + STEP_SHARES[:, None] * step - region.rows[home]
        lengths = np.linalg.norm(offsets, axis=1, keepdims=True)
        shares = np.minimum(1, region.radii[home] / np.where(lengths > 0, lengths, 1))
        return directions.landing(region.rows[home] + offsets * shares)
