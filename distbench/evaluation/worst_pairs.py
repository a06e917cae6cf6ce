"""The worst pairs of a report: neighbors with distant codes, and distant points with near codes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from distbench._util.distances import EUCLIDEAN, PRECOMPUTED
from distbench._util.text import plain_text
from distbench.engine import Statistics, directions
from distbench.engine.distances import as_bytes, products
from distbench.engine.statistics import Moments, RankSide
from distbench.evaluation.points import EncodedPoints
from distbench.evaluation.scores import Pair, PairKind
from distbench.inputs.blocks import release

__all__ = ["worst_pairs"]

Array = NDArray[np.float64]
Points = NDArray[Any]  # of float32 or float64, perhaps a memory map
Labels = tuple[NDArray[Any] | None, NDArray[Any] | None]  # of test and of reference points

MAX_PAIRS = 10  # for each kind
BLOCK_NUMBERS = 1 << 16  # a block of so many numbers fits into the processor's cache


def worst_pairs(
    statistics: Statistics,
    points: EncodedPoints,
    distances: tuple[str, str] = (EUCLIDEAN, EUCLIDEAN),
    labels: Labels = (None, None),
) -> dict[PairKind, tuple[Pair, ...]]:
    """Return the worst pairs by continuity and by trustworthiness, and the two pairs that determine the distortion.

    Memory maps are read block by block. `statistics` must include the ranks of these points; `distances` are those of
    points and of codes.
    """
    ranks = statistics.ranks
    assert ranks is not None
    assert ranks.trust is not None
    assert ranks.continuity is not None
    chosen: dict[PairKind, list[_Place]] = {
        "torn": _worst(statistics, ranks.continuity, side=1),
        "merged": _worst(statistics, ranks.trust, side=0),
    }
    if statistics.moments is not None:
        chosen["extreme"] = _extremes(statistics.moments)
    n_test = len(points.X) if statistics.queries_are_candidates else 0
    places = [place for pairs in chosen.values() for place in pairs]
    in_x = _Space(points.X, points.X_ref, n_test, distances[0]).look_up(places, 0)
    in_z = _Space(points.Z, points.Z_ref, n_test, distances[1]).look_up(places, 1)
    looked_up = (
        _pair(place, n_test, x, z, statistics.M, labels) for place, x, z in zip(places, in_x, in_z, strict=True)
    )
    pairs = {kind: [next(looked_up) for _ in places] for kind, places in chosen.items()}
    return {kind: tuple(pair for pair in of_kind if _is_changed(pair, kind)) for kind, of_kind in pairs.items()}


def _pair(
    place: _Place, n_test: int, in_x: tuple[float, float], in_z: tuple[float, float], M: int, labels: Labels
) -> Pair:
    """Return a pair with its distance and rank in both spaces, and with labels if both points have one."""
    in_test = place.column < n_test
    partner = place.column if in_test else place.column - n_test
    of_query, of_partner = labels[0], labels[0 if in_test else 1]
    named = None
    if of_query is not None and of_partner is not None:
        named = plain_text(of_query[place.query]), plain_text(of_partner[partner])
    return Pair(
        place.query,
        partner,
        "test" if in_test else "reference",
        *(in_x[0], in_z[0], in_x[1], in_z[1]),
        M,
        named,
    )


def _is_changed(pair: Pair, kind: PairKind) -> bool:
    """Return whether the rank changed in the direction of the kind; with ties at place k, some pairs keep theirs."""
    increase = pair.rank_code - pair.rank_input
    return kind == "extreme" or (increase > 0 if kind == "torn" else increase < 0)


@dataclass(frozen=True)
class _Place:
    """A query, one of its candidates, and the candidate's ranks by input and by code (None: not known yet)."""

    query: int
    column: int
    ranks: tuple[float | None, float | None] = (None, None)


def _worst(statistics: Statistics, ranks: RankSide, side: int) -> list[_Place]:
    """Return the neighbors in one space with the largest ranks in the other space (`side`: 0 = input, 1 = code)."""
    order = np.argsort(-ranks.worst_rank, kind="stable")[:MAX_PAIRS]
    return [
        _Place(int(statistics.judged[i]), int(ranks.worst[i]), (None, rank) if side else (rank, None))
        for i, rank in zip(order, ranks.worst_rank[order].tolist(), strict=True)
        if rank > statistics.k
    ]


def _extremes(moments: Moments) -> list[_Place]:
    """Return the pairs with the largest and the least ratio of code to input distance."""
    return [_Place(*moments.partners[name]) for name in ("largest", "least") if name in moments.partners]


@dataclass(frozen=True)
class _Pair:
    """A pair in one space: the query's row and vector, and the pair's distance divided by 2**exponent."""

    row: int
    query: Array
    exponent: int
    distance: float


@dataclass(frozen=True)
class _Space:
    """The candidates of the queries in input or code space."""

    test: Points
    reference: Points | None
    n_test: int  # test points among the candidates
    metric: str

    def look_up(self, places: list[_Place], side: int) -> list[tuple[float, float]]:
        """Return distance and rank of each candidate; ranks that are known are kept, and ties share their mean rank."""
        pairs = [self._pair(place) for place in places]
        unknown = [p for p, place in enumerate(places) if place.ranks[side] is None]
        ranks = np.array([place.ranks[side] or 0.0 for place in places])
        ranks[unknown] = (self._given_ranks if self.metric == PRECOMPUTED else self._ranks)([pairs[p] for p in unknown])
        distances = [float(np.ldexp(pair.distance, pair.exponent)) for pair in pairs]
        return list(zip(distances, ranks.tolist(), strict=True))

    def _pair(self, place: _Place) -> _Pair:
        if self.metric == PRECOMPUTED:
            return _Pair(place.query, np.empty(0), 0, float(self.test[place.query, place.column]))
        query, other = self._vectors(self.test[place.query : place.query + 1]), self._candidate(place.column)
        exponent = _exponent(query, other) if self.metric in ("euclidean", "cityblock") else 0
        return _Pair(place.query, query, exponent, float(DISTANCES[self.metric](other, query, exponent)[0]))

    def _given_ranks(self, pairs: list[_Pair]) -> Array:
        ranks = np.empty(len(pairs))
        for p, pair in enumerate(pairs):
            others = np.asarray(self.test[pair.row], dtype=np.float64)
            others = np.delete(others, pair.row) if self.n_test else others
            ranks[p] = (np.count_nonzero(others < pair.distance) + 1 + np.count_nonzero(others <= pair.distance)) / 2
        return ranks

    def _ranks(self, pairs: list[_Pair]) -> Array:
        nearer, up_to = np.zeros(len(pairs)), np.zeros(len(pairs))
        measure = DISTANCES[self.metric]
        with np.errstate(over="ignore"):  # a distance that overflows here is larger than the pair's, as inf is
            for start, block in self._blocks():
                for p, pair in enumerate(pairs):
                    others = measure(block, pair.query, pair.exponent)
                    if start <= pair.row < min(start + len(block), self.n_test):  # no point is its own neighbor
                        others[pair.row - start] = np.inf
                    nearer[p] += np.count_nonzero(others < pair.distance)
                    up_to[p] += np.count_nonzero(others <= pair.distance)
        return (nearer + 1 + up_to) / 2

    def _candidate(self, column: int) -> Array:
        points, row = (self.test, column) if column < self.n_test else (self.reference, column - self.n_test)
        assert points is not None
        return self._vectors(points[row : row + 1])

    def _blocks(self) -> Iterator[tuple[int, Array]]:
        """Yield candidates in blocks, each with the column of its first."""
        size, first = max(1, BLOCK_NUMBERS // self.test.shape[1]), 0
        for points in (self.test[: self.n_test], self.reference):
            for start in range(0, 0 if points is None else len(points), size):
                assert points is not None
                yield first + start, self._vectors(points[start : start + size])
            if points is not None:
                first += len(points)
                release(points)

    def _vectors(self, rows: Points) -> Array:
        """Return rows as float64: unit vectors with their marks in the last column for the cosine, bits for bytes."""
        if self.metric == "packed_hamming":
            return np.unpackbits(as_bytes(rows), axis=1).astype(np.float64)
        if self.metric == "cosine":
            return np.column_stack(directions.prepared(rows))
        return np.asarray(rows, dtype=np.float64)


def _exponent(query: Array, other: Array) -> int:
    """Return the exponent e, usually 0, so that differences divided by 2**e stay in range when they are squared."""
    with np.errstate(over="ignore"):
        largest = float(np.abs(other - query).max())
    if largest == 0:
        return -1000  # equal rows: no difference to another row, however small, may become 0
    exponent = int(np.frexp(largest)[1])
    return 0 if abs(exponent) < 300 else max(exponent, -1000)


def _euclidean(block: Array, query: Array, exponent: int) -> Array:
    difference = _difference(block, query, exponent)
    return np.asarray(np.sqrt(np.einsum("ij,ij->i", difference, difference)))


def _cosine(block: Array, query: Array, exponent: int) -> Array:
    difference = (block - query)[:, :-1]  # of unit vectors: 1 - cos = |u - v|^2 / 2
    keys = np.einsum("ij,ij->i", difference, difference)
    directions.settle(keys[None], query[:, -1], block[:, -1], directions.key_error(difference.shape[1]))
    return np.asarray(keys / 2)


def _cityblock(block: Array, query: Array, exponent: int) -> Array:
    return np.asarray(np.abs(_difference(block, query, exponent)).sum(axis=1))


def _inner_product(block: Array, query: Array, exponent: int) -> Array:
    return -products(query[0], block)


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
    "packed_hamming": _hamming,
    "inner_product": _inner_product,
}
