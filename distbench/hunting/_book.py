"""The worst pairs so far, of both kinds, and how bad they are beside test pairs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from distbench.hunting._asker import ROUNDINGS, BudgetedEncoder
from distbench.hunting._region import PlausibleRegion

__all__ = ["KINDS", "WORSE", "Candidate", "Kind", "Scale", "WorstPairs", "distances"]

Array = NDArray[np.float64]
Kind = Literal["merge", "tear"]
KINDS: tuple[Kind, Kind] = ("merge", "tear")

WORSE = 1.01  # times the worst test pair: below, a pair is no finding
KEPT = 24  # pairs of a kind, each from another row


@dataclass(frozen=True)
class Scale:
    """What is usual for an encoder.

    Attributes
    ----------
    typical : float
        Median ratio of code to input distance over test points and their nearest others.
    noise : float
        Distance of codes that rounding alone can make.
    closest : float
        Least distance of two inputs of a pair.
    """

    typical: float
    noise: float
    closest: float

    def score(self, kind: Kind, d_x: Array, d_z: Array) -> Array:
        """Return how bad pairs are, with rounding given the benefit of the doubt; larger is worse."""
        with np.errstate(divide="ignore", invalid="ignore"):
            score = d_x / (d_z + self.noise) if kind == "merge" else np.maximum(d_z - self.noise, 0) / d_x
        result: Array = np.where(d_x > 0, np.nan_to_num(score, nan=0.0, posinf=np.inf), 0.0)
        return result


@dataclass(frozen=True, eq=False)
class Candidate:
    """A pair of inputs and its codes."""

    score: float
    origin: int  # the row that it was found around
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
    """Keeps the worst pairs of each kind, one for each row that they were found around."""

    def __init__(self, asker: BudgetedEncoder, codes: Array, closest: float) -> None:
        self.asker = asker
        self.region: PlausibleRegion = asker.region
        self.codes = codes
        self.scale = _scale(asker, codes, closest)
        self._kept: dict[Kind, dict[int, Candidate]] = {kind: {} for kind in KINDS}

    def offer(self, origins: NDArray[np.int64], x: Array, y: Array, z_x: Array, z_y: Array, how: str) -> None:
        """Take note of pairs that are worse than what is known of their rows."""
        d_x, d_z = distances(x, y), distances(z_x, z_y)
        far = d_x >= self.scale.closest * (1 - 1e-9)
        for kind in KINDS:
            scores = np.where(far, self.scale.score(kind, d_x, d_z), 0.0)
            kept = self._kept[kind]
            for p in np.argsort(-scores, kind="stable")[:KEPT]:
                origin = int(origins[p])
                if scores[p] > (kept[origin].score if origin in kept else 0.0):
                    score = float(scores[p])
                    kept[origin] = Candidate(score, origin, x[p].copy(), y[p].copy(), z_x[p], z_y[p], how)
            self._kept[kind] = dict(sorted(kept.items(), key=lambda item: -item[1].score)[:KEPT])

    def ask(self, origins: NDArray[np.int64], x: Array, z_x: Array, y: Array, how: str) -> None:
        """Have the plausible ones of inputs `y` encoded, as far as the budget goes, and offer the pairs."""
        moved = distances(x, y) >= self.scale.closest * (1 - 1e-9)
        chosen = np.flatnonzero(moved)
        chosen = chosen[self.region.keeps(y[chosen])][: self.asker.left]
        if len(chosen):
            self.offer(origins[chosen], x[chosen], y[chosen], z_x[chosen], self.asker.codes(y[chosen]), how)

    def worst(self, kind: Kind) -> list[Candidate]:
        """Return pairs of a kind, worst first."""
        return list(self._kept[kind].values())


def distances(one: Array, other: Array) -> Array:
    """Return the distance of each row of one array to that of the other."""
    result: Array = np.linalg.norm(one - other, axis=1)
    return result


def _scale(asker: BudgetedEncoder, codes: Array, closest: float) -> Scale:
    from sklearn.neighbors import NearestNeighbors

    rows = asker.region.rows
    nearest = NearestNeighbors(n_neighbors=1).fit(rows).kneighbors(return_distance=False)[:, 0]
    d_x, d_z = distances(rows, rows[nearest]), distances(codes, codes[nearest])
    apart = d_x > 0
    typical = float(np.median(d_z[apart] / d_x[apart])) if apart.any() else 0.0
    largest = np.linalg.norm(codes, axis=1).max() + typical * np.linalg.norm(rows, axis=1).max()
    return Scale(typical, float(ROUNDINGS * asker.epsilon * largest), closest * asker.region.unit)
