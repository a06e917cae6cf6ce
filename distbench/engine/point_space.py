"""The points of one space, input or code, prepared for exact and for fast distances.

Very large or small points are scaled by a power of two, which is exact and keeps squares in range. Before products of
matrices, points far from 0 are moved near 0; direct differences use them unmoved.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from distbench.engine import directions, distances

__all__ = ["BLOCK_COLUMNS", "FEW_COLUMNS", "PLAIN_EXPONENT", "Space"]

Array = NDArray[np.float64]
Indices = NDArray[np.int64]

FEW_COLUMNS = 16  # with at most so many, direct differences cost no more than a product of matrices
PREPARED_BYTES = 1 << 27  # prepared points up to this size stay in memory; larger sets are prepared block by block
MOVED_BYTES = 1 << 26  # moved points up to this size stay in memory, beside the prepared ones
PLAIN_EXPONENT = 30  # points and spreads up to 2**30 are not scaled: their squares fit single precision
FAR_RATIO = 4.0  # points are moved if the square of their mean is more than this many times their variance
BLOCK_PAIRS = 1 << 14  # pairs whose keys are computed at once
BLOCK_NUMBERS = 1 << 20  # numbers of their points on one side, which limits the memory for points of many columns
BLOCK_COLUMNS = 512  # candidates in one product of matrices


def _scaled(points: NDArray[Any], exponents: tuple[int, int]) -> Array:
    """Return points / 2**(sum of exponents), an exact copy."""
    out = np.array(points, dtype=np.float64, order="C")
    if max(abs(exponent) for exponent in exponents) < 500:
        return np.multiply(out, np.ldexp(1.0, -sum(exponents)), out=out)
    for exponent in exponents:  # the power itself may be out of range
        half = exponent // 2
        out *= np.ldexp(1.0, -half)
        out *= np.ldexp(1.0, half - exponent)
    return out


def _exponent(rows: Array) -> int:
    """Return the least power of two above all sizes."""
    return int(np.frexp(np.abs(rows).max())[1])


@dataclass
class Space:
    """The points of one space in this order: queries, other test points, references."""

    sources: list[NDArray[Any]]  # test points and perhaps references; of any real dtype, in memory or memory maps
    order: Indices | None  # the row of each test point in its source; None if they are in order
    first: int  # the first row that is a candidate: 0, or the number of test points if they are no candidates
    distance: str = "euclidean"  # one of `CODE_DISTANCES`
    exponent: int = 0
    tolerance: float = 0.0  # relative error of keys
    _scale: tuple[int, int] | None = field(default=None, repr=False)  # two exponents of 2, which points are divided by
    _larger: Array | None = field(default=None, repr=False)  # for hamming, the larger value of columns of two values
    origin: Array | None = field(default=None, repr=False)  # subtracted before products
    _rows: Array | None = field(default=None, repr=False)
    _moved: Array | None = field(default=None, repr=False)
    _columns: Array | None = field(default=None, repr=False)
    squares: Array | None = field(default=None, repr=False)  # of the lengths of moved points
    _marks: Array | None = field(default=None, repr=False)  # of `distbench.engine.directions`

    def __post_init__(self) -> None:
        if self.distance in ("euclidean", "cityblock"):
            self._find_scale()
        if self.distance == "hamming":
            self._find_bits()
        if self.distance == "cosine" and self._is_small:
            self._rows, self._marks = directions.prepared(self.raw(0, self.n_rows))
            directions.join_same(self._rows, self._marks)
        elif self.distance == "cosine":
            self._marks = np.concatenate([directions.prepared(self.raw(*block))[1] for block in self._cuts()])
        else:
            self._keep_rows()
        if self.by_products:
            self._find_origin()
            self.squares = np.concatenate([np.einsum("ij,ij->i", rows, rows) for rows in self._blocks()])
            if self.origin is not None and self.n_rows * self.d * 8 <= MOVED_BYTES:
                self._moved = self.moved(0, self.n_rows)
            is_exact = self._on_grid() if self._marks is None else bool((self._marks >= 0).all())
            self.tolerance = 0.0 if is_exact else distances.tolerance(self.d)
        elif self._rows is not None:
            self._columns = np.ascontiguousarray(self._rows[self.first :].T)

    @property
    def _is_small(self) -> bool:
        n_bytes = self.d if self._larger is None else -(-self.d // 8)
        return self.n_rows * (-(-n_bytes // 8) if self.is_packed else self.d) * 8 <= PREPARED_BYTES

    def _keep_rows(self) -> None:
        if self._is_small and self.is_packed:  # words take an eighth of the numbers
            self._rows = np.concatenate([self._prepare(*cut) for cut in self._cuts()])
        elif self._is_small:
            self._rows = self._prepare(0, self.n_rows)

    def _cuts(self) -> Iterator[tuple[int, int]]:
        return ((start, min(start + BLOCK_COLUMNS, self.n_rows)) for start in range(0, self.n_rows, BLOCK_COLUMNS))

    def _blocks(self) -> Iterator[Array]:
        return (self.moved(*block) for block in self._cuts())

    @property
    def d(self) -> int:
        """Number of columns."""
        return int(self.sources[0].shape[1])

    @property
    def n_rows(self) -> int:
        """Number of points: queries and candidates."""
        return sum(len(source) for source in self.sources)

    @property
    def n(self) -> int:
        """Number of candidates, including the query itself if queries are candidates."""
        return self.n_rows - self.first

    @property
    def is_plain(self) -> bool:
        """Whether prepared points are the given numbers."""
        return self._scale is None and self.distance != "cosine" and not self.is_packed

    @property
    def is_kept(self) -> bool:
        """Whether prepared points stay in memory."""
        return self._rows is not None

    def are_zeros(self) -> NDArray[np.bool_]:
        """Return which points have no direction; the distance must be cosine."""
        return np.asarray(self._marks == 0, dtype=np.bool_)

    @property
    def by_products(self) -> bool:
        """Whether keys are computed by products of matrices; keys of near points always are direct differences."""
        return self.d > FEW_COLUMNS and self.distance in ("euclidean", "cosine")

    @property
    def is_packed(self) -> bool:
        """Whether points are bits, given in bytes or as two values of each column, and prepared as words of 64."""
        return self.distance == "packed_hamming" or self._larger is not None

    @property
    def root(self) -> bool:
        """Whether a distance is the root of its key."""
        return self.distance == "euclidean"

    @property
    def factor(self) -> float:
        """The factor that turns a key (or its root) into a distance."""
        return {"cosine": 0.5, "hamming": 1 / self.d, "packed_hamming": 1 / (8 * self.d)}.get(self.distance, 1.0)

    def to_distance(self, keys: Array) -> Array:
        """Return distances, in units of ``2**exponent``."""
        return np.sqrt(keys) if self.root else keys * self.factor

    def rows(self, start: int, stop: int) -> Array:
        """Return prepared points start..stop - 1."""
        return self._prepare(start, stop) if self._rows is None else self._rows[start:stop]

    def moved(self, start: int, stop: int) -> Array:
        """Return points start..stop - 1 minus the origin, for products of matrices."""
        if self._moved is not None:
            return self._moved[start:stop]
        rows = self.rows(start, stop)
        return rows if self.origin is None else rows - self.origin

    def take(self, places: Indices) -> Array:
        """Return the prepared points at `places`."""
        return self._prepared(self._raw(places)) if self._rows is None else self._rows[places]

    def keys(self, start: int, stop: int, out: Array) -> Array:
        """Write the keys of queries start..stop - 1 to all candidates to `out` (stop - start, n)."""
        self._rounded_keys(start, stop, out)
        self._settle(out, slice(start, stop))
        return out

    def _rounded_keys(self, start: int, stop: int, out: Array) -> None:
        queries = self.rows(start, stop)
        squares = self.squares
        if squares is None:
            self._direct(queries, out)
            return
        moved = self.moved(start, stop)
        for c in range(0, self.n, BLOCK_COLUMNS):
            end = min(c + BLOCK_COLUMNS, self.n)
            place, last = self.first + c, self.first + end
            rows = self.rows(place, last)
            np.matmul(moved, (rows if self.origin is None else self.moved(place, last)).T, out=out[:, c:end])
            distances.keys_from_products(queries, squares[start:stop], rows, squares[place:last], c, out)

    def exact_keys(self, i: int) -> Array:
        """Return the keys of query i to all candidates, by direct differences."""
        out = np.empty(self.n)
        if self.squares is None:
            self.keys(i, i + 1, out[None])
            return out
        query = self.rows(i, i + 1)
        for c in range(0, self.n, BLOCK_COLUMNS):
            end = min(c + BLOCK_COLUMNS, self.n)
            out[c:end] = distances.few_keys(query[0], self.rows(self.first + c, self.first + end))
        self._settle(out[None], slice(i, i + 1))
        return out

    def _settle(self, keys: Array, queries: slice) -> None:
        """Remove from the keys of queries to all candidates the rounding that would decide ties of cosines."""
        if self._marks is not None:
            directions.settle(keys, self._marks[queries], self._marks[self.first :], directions.key_error(self.d))

    def from_zero(self, keys: Array, queries: Indices) -> Array:
        """Return keys of queries as multiples of a unit, without a constant that was added."""
        return keys

    def exact_distances(self, i: int) -> Array:
        """Return the distances of query i to all candidates, from `exact_keys`."""
        return self.to_distance(self.exact_keys(i))

    def pair_keys(self, i: Indices, j: Indices) -> Array:
        """Return the keys of pairs of query i and candidate column j."""
        step = max(1, min(BLOCK_PAIRS, BLOCK_NUMBERS // self.d))
        cuts = range(0, len(i), step)
        with ThreadPoolExecutor(min(os.cpu_count() or 1, max(1, len(cuts)))) as pool:
            slices = (slice(start, start + step) for start in cuts)
            parts = pool.map(lambda pairs: self._some_pair_keys(i[pairs], j[pairs] + self.first), slices)
            return np.concatenate([np.empty(0), *parts])

    def _some_pair_keys(self, i: Indices, j: Indices) -> Array:
        if self.distance in ("euclidean", "cosine"):
            if self._rows is not None:
                keys = distances.pair_keys(self._rows, self._rows, i, j)
            else:
                in_order = np.arange(len(i))
                keys = distances.pair_keys(self.take(i), self.take(j), in_order, in_order)
            if self._marks is not None:
                directions.settle_pairs(keys, self._marks[i], self._marks[j], directions.key_error(self.d))
            return keys
        x, y = self.take(i), self.take(j)
        if self.is_packed:
            return distances.unlike_bits(x.view(np.uint64), y.view(np.uint64))
        unlike = np.abs(x - y) if self.distance == "cityblock" else (x != y).astype(np.float64)
        sums = np.cumsum(unlike, axis=1)[:, -1]  # in the order in which the kernels sum
        return np.array(sums)  # a copy, since the view keeps all partial sums in memory

    def candidate_keys(self, queries: Indices, start: int, stop: int) -> Array:
        """Return the keys of candidates start..stop - 1 (rows) to queries (columns), by direct differences."""
        out = np.empty((stop - start, len(queries)))
        rows = slice(self.first + start, self.first + stop)
        columns = np.ascontiguousarray(self.take(queries).T)
        self._differences(self.rows(rows.start, rows.stop), columns, 0, out)
        if self._marks is not None:
            directions.settle(out, self._marks[rows], self._marks[queries], directions.key_error(self.d))
        return out

    def _direct(self, queries: Array, out: Array) -> None:
        """Write the keys of queries to all candidates, by direct differences."""
        if self._columns is not None:
            self._differences(queries, self._columns, 0, out)
            return
        for start in range(0, self.n, BLOCK_COLUMNS):
            end = min(start + BLOCK_COLUMNS, self.n)
            columns = np.ascontiguousarray(self.rows(self.first + start, self.first + end).T)
            self._differences(queries, columns, start, out)

    def _differences(self, rows: Array, columns: Array, place: int, out: Array) -> None:
        if self.is_packed:
            distances.bit_keys(rows.view(np.uint64), columns.view(np.uint64), place, out)
        elif self.distance in ("cityblock", "hamming"):
            distances.summed_keys(rows, columns, self.distance == "hamming", place, out)
        else:
            distances.direct_keys(rows, columns, place, out)

    def _raw(self, places: Indices) -> NDArray[Any]:
        """Return the unprepared points at `places`."""
        if len(self.sources) == 1:
            return self.sources[0][places if self.order is None else self.order[places]]
        m = len(self.sources[0])
        out = np.empty((len(places), self.d), dtype=np.result_type(*self.sources))
        test = places < m
        rows = places[test]
        out[test] = self.sources[0][rows if self.order is None else self.order[rows]]
        out[~test] = self.sources[1][places[~test] - m]
        return out

    def raw(self, start: int, stop: int) -> NDArray[Any]:
        """Return the unprepared points start..stop - 1."""
        m = len(self.sources[0])
        if start >= m:  # plain slices of what may be a memory map
            return np.asanyarray(self.sources[1][start - m : stop - m])
        test = slice(start, min(stop, m)) if self.order is None else self.order[start : min(stop, m)]
        points = np.asanyarray(self.sources[0][test])
        return points if stop <= m else np.concatenate([points, self.sources[1][: stop - m]])

    def _prepare(self, start: int, stop: int) -> Array:
        return self._prepared(self.raw(start, stop))

    def _prepared(self, raw: NDArray[Any]) -> Array:
        if self._scale is not None:
            return _scaled(raw, self._scale)
        if self.distance == "cosine":
            return directions.prepared(raw)[0]
        if self.is_packed:
            return distances.bit_words(raw if self._larger is None else np.packbits(raw == self._larger, axis=1))
        return np.ascontiguousarray(raw, dtype=np.float64)

    def _find_scale(self) -> None:
        """Choose a power of two near the largest spread of a column, if points are too large or small to square."""
        low, high = self._extremes()
        _, size = np.frexp(max(np.abs(low).max(), np.abs(high).max()))
        _, spread = np.frexp((_scaled(high, (int(size), 0)) - _scaled(low, (int(size), 0))).max())
        if abs(int(size)) > PLAIN_EXPONENT or abs(int(size) + int(spread)) > PLAIN_EXPONENT:
            self._scale = int(size), int(spread)
            self.exponent = int(size) + int(spread)

    def _find_bits(self) -> None:
        low, high = self._extremes()
        if all(((rows == low) | (rows == high)).all() for rows in (self.raw(*cut) for cut in self._cuts())):
            self._larger = high

    def _find_origin(self) -> None:
        """If points are far from 0, choose in each column a value near the mean as origin; so a grid stays a grid."""
        sample = self.take(np.unique(np.linspace(0, self.n_rows - 1, 512).astype(np.int64)))
        mean = sample.mean(axis=0)
        if mean @ mean > FAR_RATIO * sample.var(axis=0).sum():
            self.origin = sample[np.abs(sample - mean).argmin(axis=0), np.arange(self.d)]

    def _extremes(self) -> tuple[Array, Array]:
        """Return the least and the largest value of each column, read block by block."""
        low, high = np.full(self.d, np.inf), np.full(self.d, -np.inf)
        step = max(1, (1 << 21) // self.d)
        for source in self.sources:
            for start in range(0, len(source), step):
                block = source[start : start + step]
                low = np.minimum(low, block.min(axis=0))
                high = np.maximum(high, block.max(axis=0))
        return low, high

    def _on_grid(self, product_bits: int = 51) -> bool:
        """Return whether all coordinates are multiples of a coarse step, so that products and sums are exact."""
        bits = (product_bits - int(np.ceil(np.log2(self.d)))) // 2

        def are_steps(rows: Array, largest: int) -> bool:
            steps = np.ldexp(rows, bits - largest)
            return bool((np.rint(steps) == steps).all())

        first = next(self._blocks())
        if not are_steps(first, _exponent(first)):  # most points are told by a few
            return False
        largest = max(_exponent(rows) for rows in self._blocks())
        return all(are_steps(rows, largest) for rows in self._blocks())
