"""Keys in single precision: they order candidates as a space's keys do, but for a bound on their rounding."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from distbench._util.distances import INNER_PRODUCT
from distbench.engine.point_space import Space

__all__ = ["SingleKeys"]

Array = NDArray[np.float64]
Singles = NDArray[np.float32]
Indices = NDArray[np.int64]

BLOCK_CANDIDATES = 4096  # of one product of matrices
KEPT_BYTES = 1 << 26  # points in single precision up to this size stay in memory
ROUNDING = 2.0**-24  # of single precision
UNDERFLOW = 2.0**-140  # more than the rounding of its least numbers
SAFE_LENGTHS = 1e-15, 1e15  # rows of such lengths can be divided by them in single precision


class SingleKeys:
    """Keys of the queries and candidates of a space, in single precision.

    Keys from products lack a number that is the same for all candidates of a query.
    """

    def __init__(self, space: Space) -> None:
        self.space = space
        self.is_product = space.by_products or space.distance == INNER_PRODUCT
        n = space.n_rows
        self.margins, self.zeros = np.zeros(n), np.zeros(n)  # bounds on twice the rounding; keys of a distance of 0
        self.growth, self.spreads = 0.0, np.zeros(n)  # a share that margins of near keys add; how much more keys may be
        self.kept: Singles | None = None
        if self.is_product:
            assert space.squares is not None
            self._prepare(space.squares)

    def _prepare(self, squares: Array) -> None:
        space = self.space
        self.empty, self.inverse = np.zeros(len(squares), dtype=np.bool_), None
        if space.distance == "cosine":
            self.empty, squares = space.are_zeros(), np.ones_like(squares)
            self.inverse = self._inverse_lengths()
        lengths = np.sqrt(squares)
        longest = lengths[space.first :].max()
        self.margins += UNDERFLOW * space.d * (1 + longest)
        if space.distance == INNER_PRODUCT:
            self.margins += ROUNDING * 4 * (space.d + 11) * lengths * longest
        else:
            # Twice the rounding of a key is at most this share of both squares. Keys lack that of the candidate, so one
            # long candidate does not blur the others; a near candidate is no longer than the query and the distance.
            share = ROUNDING * (2 * space.d + 22)
            self.growth, self.spreads = 1 / max(1 - 2 * share, 0.01) - 1, share * squares
            self.zeros, squares = -squares, squares - self.spreads / 2
            self.margins += 3 * self.spreads
        self.squares = squares.astype(np.float32)
        if space.n_rows * space.d * 4 <= KEPT_BYTES:
            self.kept = np.concatenate([self._rows(*cut) for cut in _cuts(space.n_rows)])

    def _inverse_lengths(self) -> Singles | None:
        """Return what the rows of many points of single precision are multiplied by, if that is safe."""
        if self.space.is_kept or self.space.raw(0, 1).dtype != np.float32:
            return None
        cuts = (self.space.raw(*cut) for cut in _cuts(self.space.n_rows))
        lengths = np.sqrt(np.concatenate([np.einsum("ij,ij->i", rows, rows, dtype=np.float64) for rows in cuts]))
        lengths[self.empty] = 1.0
        if lengths.min() < SAFE_LENGTHS[0] or lengths.max() > SAFE_LENGTHS[1]:
            return None
        return np.asarray(1 / lengths, dtype=np.float32)

    def _rows(self, start: int, stop: int) -> Singles:
        """Return points start..stop - 1 for products of matrices."""
        if self.kept is not None:
            return self.kept[start:stop]
        space, raw = self.space, self.space.raw(start, stop)
        if self.inverse is not None:
            return np.asarray(raw * self.inverse[start:stop, None])
        if space.is_plain and raw.dtype == np.float32:  # the origin is one of its numbers in each column
            return raw if space.origin is None else raw - space.origin.astype(np.float32)
        made = space.rows(start, stop) if space.distance == "cosine" else space.moved(start, stop)
        return made.astype(np.float32)

    def blocks(self, queries: Indices) -> Iterator[tuple[int, Singles]]:
        """Yield the first of some candidates (rows), and their keys to queries (columns), until more are asked for."""
        space, columns = self.space, self._columns_of(queries) if self.is_product else None
        room = np.empty((min(space.n, BLOCK_CANDIDATES), len(queries)), dtype=np.float32)
        for start, stop in _cuts(space.n):
            if columns is None:
                yield start, space.candidate_keys(queries, start, stop).astype(np.float32)
                continue
            candidates = slice(space.first + start, space.first + stop)
            keys = room[: stop - start]  # new memory is slow
            np.matmul(self._rows(candidates.start, candidates.stop), columns, out=keys)
            if space.distance != INNER_PRODUCT:
                keys += self.squares[candidates, None]
            if self.empty[queries].any():  # rows of zeros are at distance 0 from each other
                keys[np.ix_(self.empty[candidates], self.empty[queries])] = -1.0
            yield start, keys

    def _columns_of(self, queries: Indices) -> Singles:
        """Return the queries times the factor of products in keys, which is a power of two, as columns."""
        rows = np.concatenate([self._rows(0, 0), *(self._rows(query, query + 1) for query in queries.tolist())])
        return (rows * np.float32(-1 if self.space.distance == INNER_PRODUCT else -2)).T


def _cuts(n: int) -> Iterator[tuple[int, int]]:
    return ((start, min(start + BLOCK_CANDIDATES, n)) for start in range(0, n, BLOCK_CANDIDATES))
