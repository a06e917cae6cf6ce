"""The problem that every job reads: both spaces, the statistics to gather, and a first look at the pairs."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from distbench.engine import rank_correlation, triplets
from distbench.engine.canonical_order import inverse
from distbench.engine.point_space import Space
from distbench.engine.random_signs import Signs, signs_of
from distbench.engine.single_keys import SingleKeys

__all__ = ["FAMILIES", "Problem"]

Array = NDArray[np.float64]
Indices = NDArray[np.int64]

FAMILIES = frozenset({"ranks", "moments", "shepard", "triplets"})
SEED = 0  # for sampling the pairs of the first look, and the candidates of triplets
BLOCK_KEYS = 1 << 20  # keys of one space in a block of queries
MANY_KEYS = 1 << 22  # in blocks for each of which all points are prepared again


@dataclass
class Problem:
    """Queries and candidates in both spaces.

    The candidates, in the order of columns, are test points (queries first) and references, or references alone.
    """

    x: Space
    z: Space
    m: int  # queries
    n_test: int  # test points among the candidates; 0 if queries are no candidates
    ks: tuple[int, ...]  # numbers of neighbors
    families: frozenset[str]
    canonical: Indices  # rows of the spaces: queries, other test points, references, each in their canonical order
    sigma: float = 0.1  # width of the density's kernel
    searches: tuple[tuple[int, int, float], ...] = ()  # what the family "found" looks up
    labels_queries: Indices | None = None
    labels_candidates: Indices | None = None
    groups: Indices = field(default_factory=lambda: np.empty(0, dtype=np.int64))  # of the n_test points
    first_look: rank_correlation.Pilot | None = None

    @property
    def n(self) -> int:
        """Number of columns: the candidates, including the query itself if queries are candidates."""
        return self.x.n

    @property
    def M(self) -> int:  # noqa: N802 - the name of the definitions
        """Number of candidates of each query."""
        return self.n - 1 if self.n_test else self.n

    @property
    def pairs(self) -> int:
        """Number of pairs; a pair of two queries counts once."""
        return self.m * self.M - (self.m * (self.m - 1) // 2 if self.n_test else 0)

    @property
    def unit(self) -> float:
        """The unit of code distances divided by the unit of input distances."""
        return float(np.ldexp(1.0, int(np.clip(self.z.exponent - self.x.exponent, -1000, 1000))))

    @property
    def block(self) -> int:
        """Number of queries in a block."""
        are_kept = all(space.is_kept for space in (self.x, self.z) if space.by_products)
        return int(np.clip((BLOCK_KEYS if are_kept else MANY_KEYS) // self.n, 4, 128))

    @property
    def canonical_columns(self) -> Indices:
        """The columns of the candidates, in the order of `canonical`."""
        return self.canonical[self.x.first :] - self.x.first

    @cached_property
    def places(self) -> Indices:
        """The place of each row of the spaces in the canonical order."""
        return inverse(self.canonical)

    @cached_property
    def signs(self) -> Signs:
        """The random signs of each test point that is a candidate."""
        return signs_of(self.places[: self.n_test])

    @cached_property
    def order(self) -> Indices:
        """A random order of the candidates, in which triplets are sampled."""
        return self.canonical_columns[np.random.default_rng(SEED).permutation(self.n)]

    @cached_property
    def singles(self) -> tuple[SingleKeys, SingleKeys]:
        """The keys of both spaces in single precision."""
        return SingleKeys(self.x), SingleKeys(self.z)

    @property
    def triplet_candidates(self) -> int:
        """Number of candidates in a query's triplets."""
        return triplets.candidates_per_query(self.m, self.M)

    def look(self) -> None:
        """Set `first_look` from a sample of pairs; pair statistics need it."""
        _, _, a, b = self.pairs_sample(rank_correlation.SAMPLE_PAIRS, SEED)
        is_complete = self.pairs <= rank_correlation.SAMPLE_PAIRS
        # Longer tails cost nothing if there are few pairs. Removing a query can remove all of its pairs from a tail.
        share = (4 if is_complete else 1) * rank_correlation.TAIL_SHARE + self.M / self.pairs
        self.first_look = rank_correlation.pilot(a, b, share, is_complete, max(self.x.tolerance, self.z.tolerance))

    def pairs_sample(self, size: int, seed: int) -> tuple[Indices, Indices, Array, Array]:
        """Return queries i, columns j and distances a, b of all pairs, or of `size` pairs drawn with replacement."""
        later = self.n - 1 - np.arange(self.m) if self.n_test else np.full(self.m, self.n)
        starts = np.concatenate([[0], np.cumsum(later)])
        sampled = self.pairs > size
        flat = np.random.default_rng(seed).integers(0, self.pairs, size) if sampled else np.arange(self.pairs)
        i = np.searchsorted(starts, flat, side="right") - 1
        j = flat - starts[i] + (i + 1 if self.n_test else 0)
        i, j = self.canonical[i], self.canonical_columns[j]
        a, b = self.x.to_distance(self.x.pair_keys(i, j)), self.z.to_distance(self.z.pair_keys(i, j))
        return i, j, a, b

    def __getstate__(self) -> dict[str, Any]:
        """Return the state without what other processes compute again."""
        computed = {"places", "signs", "order", "singles"}
        return {name: value for name, value in self.__dict__.items() if name not in computed}
