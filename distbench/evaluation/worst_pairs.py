"""The pairs behind the scores of ranks: neighbours torn apart, strangers brought near."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from distbench.engine import Statistics
from distbench.engine.statistics import Moments, RankSide
from distbench.evaluation.report import Pair, PairKind
from distbench.inputs.blocks import release

__all__ = ["worst_pairs"]

Array = NDArray[np.float64]
Points = NDArray[Any]  # of float32 or float64, perhaps a memory map

KEPT = 10  # pairs of a kind
BLOCK = 1 << 16  # numbers that are looked at together: what a processor's cache holds


def worst_pairs(
    gathered: Statistics,
    test: tuple[Points, Points],
    reference: tuple[Points, Points] | None,
    distance_x: str = "euclidean",
    distance_z: str = "euclidean",
) -> dict[PairKind, tuple[Pair, ...]]:
    """Return the worst pairs by continuity and by trustworthiness, and the two that distortion rests on.

    Parameters
    ----------
    gathered : Statistics
        Of these points, with the family of ranks.
    test, reference : tuple of ndarray
        Points and codes, checked. Memory maps are read block by block.
    distance_x, distance_z : {"euclidean", "cosine", "cityblock", "hamming"}
        Distances of points and of codes.
    """
    assert gathered.ranks is not None
    chosen: dict[PairKind, list[_Place]] = {
        "torn": _worst(gathered, gathered.ranks.continuity, side=1),
        "merged": _worst(gathered, gathered.ranks.trust, side=0),
    }
    if gathered.moments is not None:
        chosen["extreme"] = _extremes(gathered.moments)
    own = len(test[0]) if gathered.queries_are_candidates else 0
    places = [place for pairs in chosen.values() for place in pairs]
    in_x, in_z = (
        _Space(test[side], None if reference is None else reference[side], own, metric).look_up(places, side)
        for side, metric in enumerate((distance_x, distance_z))
    )
    found = iter(
        Pair(
            place.query,
            place.column if place.column < own else place.column - own,
            "test" if place.column < own else "reference",
            *(a, b, rank_a, rank_b),
            gathered.M,
        )
        for place, (a, rank_a), (b, rank_b) in zip(places, in_x, in_z, strict=True)
    )
    pairs = {kind: [next(found) for _ in places] for kind, places in chosen.items()}
    return {kind: tuple(pair for pair in of_kind if _is_changed(pair, kind)) for kind, of_kind in pairs.items()}


def _is_changed(pair: Pair, kind: PairKind) -> bool:
    """Say whether a pair's ranks differ the way its kind says; where ties end at k, equal ones are among the worst."""
    torn = pair.rank_code - pair.rank_input
    return kind == "extreme" or (torn > 0 if kind == "torn" else torn < 0)


@dataclass(frozen=True)
class _Place:
    """A query and a candidate, and what is known of its rank: (input, code)."""

    query: int
    column: int
    ranks: tuple[float | None, float | None] = (None, None)


def _worst(gathered: Statistics, side_of: RankSide, side: int) -> list[_Place]:
    """Return the neighbours in one space with the largest ranks in the other (`side`)."""
    order = np.argsort(-side_of.worst_rank, kind="stable")[:KEPT]
    return [
        _Place(int(gathered.judged[i]), int(side_of.worst[i]), (None, rank) if side else (rank, None))
        for i, rank in zip(order, side_of.worst_rank[order].tolist(), strict=True)
        if rank > gathered.k
    ]


def _extremes(moments: Moments) -> list[_Place]:
    """Return the pairs with the largest and the least ratio of code to input distance."""
    return [_Place(*moments.partners[name]) for name in ("largest", "least") if name in moments.partners]


@dataclass(frozen=True)
class _Pair:
    """A pair as one space sees it: the query, and the distance in units of a power of two."""

    query: Array
    exponent: int
    distance: float


@dataclass(frozen=True)
class _Space:
    """Input or code space: where the candidates of queries are."""

    test: Points
    reference: Points | None
    own: int  # test points among the candidates
    metric: str

    def look_up(self, places: list[_Place], side: int) -> list[tuple[float, float]]:
        """Return each candidate's distance and rank (ties share their mean rank); one that is known stands."""
        pairs = [self._pair(place) for place in places]
        asked = [p for p, place in enumerate(places) if place.ranks[side] is None]
        ranks = np.array([place.ranks[side] or 0.0 for place in places])
        ranks[asked] = self._ranks([pairs[p] for p in asked])
        distances = [float(np.ldexp(pair.distance, pair.exponent)) for pair in pairs]
        return list(zip(distances, ranks.tolist(), strict=True))

    def _pair(self, place: _Place) -> _Pair:
        query, other = self._vectors(self.test[place.query : place.query + 1]), self._candidate(place.column)
        exponent = _exponent(query, other) if self.metric in ("euclidean", "cityblock") else 0
        return _Pair(query, exponent, float(DISTANCES[self.metric](other, query, exponent)[0]))

    def _ranks(self, pairs: list[_Pair]) -> Array:
        less, upto = np.zeros(len(pairs)), np.zeros(len(pairs))
        measure = DISTANCES[self.metric]
        with np.errstate(over="ignore"):  # what overflows in units of the pair's own distance is farther anyway
            for block in self._blocks():
                for p, pair in enumerate(pairs):
                    others = measure(block, pair.query, pair.exponent)
                    less[p] += np.count_nonzero(others < pair.distance)
                    upto[p] += np.count_nonzero(others <= pair.distance)
        if self.own:  # the query was met among the candidates, at distance 0
            less -= np.array([pair.distance > 0 for pair in pairs], dtype=float)
            upto -= 1
        return (less + 1 + upto) / 2

    def _candidate(self, column: int) -> Array:
        points, row = (self.test, column) if column < self.own else (self.reference, column - self.own)
        assert points is not None
        return self._vectors(points[row : row + 1])

    def _blocks(self) -> Iterator[Array]:
        size = max(1, BLOCK // self.test.shape[1])
        for points in (self.test[: self.own], self.reference):
            for start in range(0, 0 if points is None else len(points), size):
                assert points is not None
                yield self._vectors(points[start : start + size])
            if points is not None:
                release(points)

    def _vectors(self, rows: Points) -> Array:
        """Return rows as the distance sees them: of cosine, their directions."""
        rows = np.asarray(rows, dtype=np.float64)
        return _directions(rows) if self.metric == "cosine" else rows


def _directions(rows: Array) -> Array:
    largest = np.abs(rows).max(axis=1, keepdims=True)
    units = rows / np.where(largest > 0, largest, 1.0)
    lengths = np.sqrt(np.einsum("ij,ij->i", units, units))[:, None]
    return np.asarray(units / np.where(lengths > 0, lengths, 1.0))


def _exponent(query: Array, other: Array) -> int:
    """Return the power of two that a pair's distance is measured in, so that squares stay in range: mostly 0."""
    with np.errstate(over="ignore"):
        largest = float(np.abs(other - query).max())
    if largest == 0:
        return -1000  # equal rows: whatever else differs at all must not vanish
    exponent = int(np.frexp(largest)[1])
    return 0 if abs(exponent) < 300 else max(exponent, -1000)


def _euclidean(block: Array, query: Array, exponent: int) -> Array:
    difference = _difference(block, query, exponent)
    return np.asarray(np.sqrt(np.einsum("ij,ij->i", difference, difference)))


def _cosine(block: Array, query: Array, exponent: int) -> Array:
    difference = block - query  # of directions: 1 - cos = |u - v|^2 / 2
    return np.asarray(np.einsum("ij,ij->i", difference, difference) / 2)


def _cityblock(block: Array, query: Array, exponent: int) -> Array:
    return np.asarray(np.abs(_difference(block, query, exponent)).sum(axis=1))


def _hamming(block: Array, query: Array, exponent: int) -> Array:
    return np.asarray((block != query).mean(axis=1))


def _difference(block: Array, query: Array, exponent: int) -> Array:
    difference = block - query
    return np.ldexp(difference, -exponent) if exponent else difference


DISTANCES: dict[str, Callable[[Array, Array, int], Array]] = {
    "euclidean": _euclidean,
    "cosine": _cosine,
    "cityblock": _cityblock,
    "hamming": _hamming,
}
