"""What every job reads: both spaces, what is asked, and what a first look fixed."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from distbench.engine import rank_correlation, triplets
from distbench.engine.point_space import Space

__all__ = ["FAMILIES", "EngineRequest", "Problem"]

Array = NDArray[np.float64]
Indices = NDArray[np.int64]

FAMILIES = frozenset({"ranks", "moments", "shepard", "triplets"})
SEED = 0  # of samples: of pairs for the first look, of candidates for triplets
BLOCK = 1 << 20  # keys of one space in a block of queries


@dataclass(frozen=True)
class EngineRequest:
    """What is asked about two spaces."""

    k: int
    families: frozenset[str]
    sigma: float = 0.1
    labels_queries: Indices | None = None
    labels_candidates: Indices | None = None


@dataclass
class Problem:
    """Queries and candidates in both spaces.

    Columns of candidates are the test points (judged ones first) and then the references, or the references alone.
    """

    x: Space
    z: Space
    m: int  # judged queries
    n_test: int  # test points among the candidates
    asked: EngineRequest
    first_look: rank_correlation.Pilot | None = None

    @property
    def k(self) -> int:
        """Number of neighbours."""
        return self.asked.k

    @property
    def n(self) -> int:
        """Number of columns: candidates, and the query itself where it is one of them."""
        return self.x.n

    @property
    def M(self) -> int:  # noqa: N802 - the name of the definitions
        """Number of candidates of each query."""
        return self.n - 1 if self.n_test else self.n

    @property
    def pairs(self) -> int:
        """Number of pairs; one of two judged queries counts once."""
        return self.m * self.M - (self.m * (self.m - 1) // 2 if self.n_test else 0)

    @property
    def sigma(self) -> float:
        """Of the density's kernel."""
        return self.asked.sigma

    @property
    def labels_queries(self) -> Indices | None:
        """Labels of the judged queries."""
        return self.asked.labels_queries

    @property
    def labels_candidates(self) -> Indices | None:
        """Labels of the candidates."""
        return self.asked.labels_candidates

    @property
    def unit(self) -> float:
        """Unit of code distances over unit of input distances."""
        return float(np.ldexp(1.0, int(np.clip(self.z.exponent - self.x.exponent, -1000, 1000))))

    @property
    def block(self) -> int:
        """Queries that are looked at together."""
        return int(np.clip(BLOCK // self.n, 4, 128))

    @cached_property
    def order(self) -> Indices:
        """A random order of the candidates, from which triplets are sampled."""
        return np.random.default_rng(SEED).permutation(self.n)

    @property
    def triplet_candidates(self) -> int:
        """On how many candidates the triplets of a query are judged."""
        return triplets.candidates_per_query(self.m, self.M)

    def look(self) -> None:
        """Take the first look that pair statistics need."""
        _, _, a, b = self.pairs_sample(rank_correlation.SAMPLE, SEED)
        # A longer tail costs nothing where there are few pairs.
        reach = 4 if self.pairs <= rank_correlation.SAMPLE else 1
        share = reach * rank_correlation.TAIL + self.M / self.pairs  # with a query, all of its pairs can leave a tail
        self.first_look = rank_correlation.pilot(a, b, share, self.pairs <= rank_correlation.SAMPLE)

    def pairs_sample(self, size: int, seed: int) -> tuple[Indices, Indices, Array, Array]:
        """Return pairs (i, j, a, b): a judged query, a column, their distances; all pairs, or a sample with repeats."""
        later = self.n - 1 - np.arange(self.m) if self.n_test else np.full(self.m, self.n)
        starts = np.concatenate([[0], np.cumsum(later)])
        sampled = self.pairs > size
        flat = np.random.default_rng(seed).integers(0, self.pairs, size) if sampled else np.arange(self.pairs)
        i = np.searchsorted(starts, flat, side="right") - 1
        j = flat - starts[i] + (i + 1 if self.n_test else 0)
        a, b = self.x.to_distance(self.x.pair_keys(i, j)), self.z.to_distance(self.z.pair_keys(i, j))
        return i, j, a, b

    def order_x(self, i: int) -> Array:
        """Return exact keys of query i in input space: what orders candidates, with the same ties in all families."""
        return self.x.exact_keys(i)

    def order_z(self, i: int) -> Array:
        """Return exact keys of query i in code space."""
        return self.z.exact_keys(i)

    def distances_x(self, i: int) -> Array:
        """Return the exact input distances of query i to all columns."""
        return self.x.to_distance(self.x.exact_keys(i))

    def distances_z(self, i: int) -> Array:
        """Return the exact code distances of query i to all columns."""
        return self.z.to_distance(self.z.exact_keys(i))

    def __getstate__(self) -> dict[str, Any]:
        """Leave out what is quickly made again."""
        state = self.__dict__.copy()
        state.pop("order", None)
        return state
