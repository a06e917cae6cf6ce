"""Keeps the worst pairs of both kinds."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from distbench.hunting._budget import BudgetedEncoder

__all__ = ["KINDS", "MIN_RATIO", "Candidate", "Kind", "WorstPairs", "distances", "plain_ratio"]

Array = NDArray[np.float64]
Rows = NDArray[np.int64]
Kind = Literal["merge", "tear"]
KINDS: tuple[Kind, Kind] = ("merge", "tear")

MIN_RATIO = 1.01  # a finding is worse than the worst test pair by this factor
MAX_PAIRS = 24  # of each kind, each found around another row
MAX_TEST_PAIRS = 16  # of each kind, at the start of a hunt
MAX_DISTANT_PAIRS = 512  # pairs of test points with similar codes
ROUNDINGS = 8  # error of a code, in units in the last place
SLACK = 1e-9  # by this share, inputs may be closer than the smallest distance


@dataclass(frozen=True, eq=False)
class Candidate:
    """A pair of inputs and its codes; `origin` is the row around which it was found."""

    score: float
    origin: int
    x: Array
    y: Array
    z_x: Array
    z_y: Array
    how: str

    @property
    def d_x(self) -> float:
        """Distance of the inputs."""
        return float(np.linalg.norm(self.x - self.y))

    @property
    def d_z(self) -> float:
        """Distance of the codes."""
        return float(np.linalg.norm(self.z_x - self.z_y))


class WorstPairs:
    """The worst pairs of each kind, at most one for each row of the region.

    `codes` are the codes of the rows. `closest` is the smallest distance of the two inputs of a pair, in units of the
    median distance of a row to its nearest other row; the attribute `closest` is in the units of the points.
    """

    def __init__(self, encoder: BudgetedEncoder, codes: Array, closest: float) -> None:
        from sklearn.neighbors import NearestNeighbors

        self.encoder = encoder
        self.region = encoder.region
        self.codes = codes
        rows = self.region.rows
        nearest = NearestNeighbors(n_neighbors=1).fit(rows).kneighbors(return_distance=False)[:, 0]
        d_x, d_z = distances(rows, rows[nearest]), distances(codes, codes[nearest])
        distinct = d_x > 0
        # The median ratio of distances of codes and inputs, and the distance that rounding alone explains.
        self.typical_ratio = float(np.median(d_z[distinct] / d_x[distinct])) if distinct.any() else 0.0
        largest = np.linalg.norm(codes, axis=1).max() + self.typical_ratio * np.linalg.norm(rows, axis=1).max()
        self.noise = float(ROUNDINGS * _epsilon(codes) * largest)
        self.closest = closest * self.region.median_gap
        self._kept: dict[Kind, dict[int, Candidate]] = {kind: {} for kind in KINDS}

    def score(self, kind: Kind, d_x: Array, d_z: Array) -> Array:
        """Return scores of pairs, where larger is worse; they assume the largest rounding error of the codes."""
        with np.errstate(divide="ignore", invalid="ignore"):
            score = d_x / (d_z + self.noise) if kind == "merge" else np.maximum(d_z - self.noise, 0) / d_x
        result: Array = np.where(d_x > 0, np.nan_to_num(score, nan=0.0, posinf=np.inf), 0.0)
        return result

    def worst(self, kind: Kind) -> list[Candidate]:
        """Return the pairs of a kind, worst first."""
        return list(self._kept[kind].values())

    def rows_worst_first(self, rng: np.random.Generator, count: int = MAX_PAIRS) -> list[int]:
        """Return all rows: those of the `count` worst pairs of each kind, then the others in random order."""
        worst = [pair.origin for kind in KINDS for pair in self.worst(kind)[:count]]
        return list(dict.fromkeys([*worst, *rng.permutation(len(self.codes)).tolist()]))

    def offer(self, origins: Rows, x: Array, y: Array, z_x: Array, z_y: Array, how: str) -> None:
        """Keep the pairs that are worse than the kept pairs of the same rows `origins`."""
        d_x, d_z = distances(x, y), distances(z_x, z_y)
        apart = d_x >= self.closest * (1 - SLACK)
        for kind in KINDS:
            scores = np.where(apart, self.score(kind, d_x, d_z), 0.0)
            kept = self._kept[kind]
            for p in np.argsort(-scores, kind="stable")[:MAX_PAIRS]:
                origin, score = int(origins[p]), float(scores[p])
                if score > (kept[origin].score if origin in kept else 0.0):
                    kept[origin] = Candidate(score, origin, x[p].copy(), y[p].copy(), z_x[p], z_y[p], how)
            self._kept[kind] = dict(sorted(kept.items(), key=lambda item: -item[1].score)[:MAX_PAIRS])

    def allowed(self, x: Array, y: Array) -> Rows:
        """Return which inputs `y` are plausible and far enough from `x`, as many as the budget allows."""
        allowed = np.flatnonzero(distances(x, y) >= self.closest * (1 - SLACK))
        return allowed[self.region.contains(y[allowed])][: self.encoder.left]

    def encode_and_offer(self, origins: Rows, x: Array, z_x: Array, y: Array, how: str) -> tuple[Rows, Array]:
        """Encode the allowed inputs among `y` and offer the pairs; return which were allowed, and their codes."""
        chosen = self.allowed(x, y)
        if not len(chosen):
            return chosen, np.empty((0, self.codes.shape[1]))
        codes = self.encoder.encode(y[chosen])
        self.offer(origins[chosen], x[chosen], y[chosen], z_x[chosen], codes, how)
        return chosen, codes

    def offer_test_pairs(self) -> dict[Kind, Candidate]:
        """Offer the worst pairs of test points; return for each kind the pair with the largest ratio, as its score."""
        d_x, d_z, first, second = self._test_pairs()
        worst: dict[Kind, Candidate] = {}
        for kind in KINDS:
            with np.errstate(divide="ignore", invalid="ignore"):
                ratios = np.where(d_x > 0, d_x / d_z if kind == "merge" else d_z / d_x, 0.0)
            largest = int(np.argmax(ratios))
            worst[kind] = self._test_pair(float(ratios[largest]), first[largest], second[largest])
            scores = self.score(kind, d_x, d_z)
            chosen = np.argpartition(-scores, min(MAX_TEST_PAIRS, len(scores)) - 1)[:MAX_TEST_PAIRS]
            i, j = first[chosen], second[chosen]
            self.offer(i, self.region.rows[i], self.region.rows[j], self.codes[i], self.codes[j], "test pair")
        return worst

    @cached_property
    def distant_pairs(self) -> list[Candidate]:
        """The test pairs with the most similar codes, among those farther apart than most nearest neighbors."""
        d_x, d_z, first, second = self._test_pairs()
        scores = np.where(d_x > self.region.median_gap, self.score("merge", d_x, d_z), 0.0)
        chosen = np.argsort(-scores, kind="stable")[:MAX_DISTANT_PAIRS]
        return [self._test_pair(float(scores[p]), first[p], second[p]) for p in chosen if scores[p] > 0]

    def _test_pairs(self) -> tuple[Array, Array, Rows, Rows]:
        """Return the input and code distances of all test pairs, and the rows of both points."""
        from scipy.spatial.distance import pdist

        return pdist(self.region.rows), pdist(self.codes), *np.triu_indices(len(self.codes), 1)

    def _test_pair(self, score: float, i: int, j: int) -> Candidate:
        rows, codes = self.region.rows, self.codes
        return Candidate(score, int(i), rows[i], rows[j], codes[i], codes[j], "test pair")


def distances(points: Array, others: Array) -> Array:
    """Return the distance from each row of one array to the same row of the other."""
    result: Array = np.linalg.norm(points - others, axis=1)
    return result


def plain_ratio(kind: Kind, d_x: float, d_z: float) -> float:
    """Return the contraction of a merged pair, or the expansion of a torn one."""
    numerator, denominator = (d_x, d_z) if kind == "merge" else (d_z, d_x)
    return numerator / denominator if denominator else (math.inf if numerator else 0.0)


def _epsilon(codes: Array) -> float:
    """Return the relative rounding error of the shortest type that holds the codes exactly."""
    for dtype in (np.float16, np.float32):
        with np.errstate(over="ignore"):
            if np.array_equal(codes.astype(dtype), codes) and not np.array_equal(np.rint(codes), codes):
                return float(np.finfo(dtype).eps)
    return float(np.finfo(np.float64).eps)
