"""Makes the space of a distance; inner products and given distances have spaces of their own."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from distbench._util.distances import INNER_PRODUCT, PRECOMPUTED
from distbench.engine import distances
from distbench.engine.point_space import BLOCK_COLUMNS, FEW_COLUMNS, PLAIN_EXPONENT, Space

__all__ = ["distance_table", "space_of"]

Array = NDArray[np.float64]
Indices = NDArray[np.int64]

GRID_BITS = 48  # of products of points on a grid, so that a key, up to 5 times the largest product, is exact


def space_of(sources: list[NDArray[Any]], order: Indices | None, first: int, distance: str) -> Space:
    """Return the space of points in the order of `Space`, with distances of this kind."""
    kinds: dict[str, type[Space]] = {INNER_PRODUCT: InnerProductSpace, PRECOMPUTED: PrecomputedSpace}
    return kinds.get(distance, Space)(sources, order, first, distance)


class InnerProductSpace(Space):
    """Points that are the nearer, the larger their inner product is.

    The kernels that compare keys need positive ones, so the key of a query and a candidate is a power of two, at least
    twice the product of their largest lengths, minus the inner product. It is the same for all candidates of a query.
    """

    _shifts: Array

    def __post_init__(self) -> None:
        """Prepare the points."""
        largest = max(float(np.abs(side).max()) for side in self._extremes())
        exponent = int(np.frexp(largest)[1])
        if abs(exponent) > PLAIN_EXPONENT:
            self._scale, self.exponent = (exponent, 0), 2 * exponent
        self._keep_rows()
        self.squares = np.concatenate([np.einsum("ij,ij->i", rows, rows) for rows in self._blocks()])
        longest = np.sqrt(self.squares[self.first :].max())
        bounds = np.sqrt(self.squares) * longest
        self._shifts = np.ldexp(1.0, np.frexp(bounds)[1] + 1)
        if self.by_products and not self._on_grid(GRID_BITS):
            self.tolerance = 8 * (self.d + 2) * 2.0**-53

    @property
    def by_products(self) -> bool:
        """Whether keys are computed by products of matrices."""
        return self.d > FEW_COLUMNS

    def keys(self, start: int, stop: int, out: Array) -> Array:
        """Write the keys of queries start..stop - 1 to all candidates to `out` (stop - start, n)."""
        if not self.by_products:
            for place in range(start, stop):
                out[place - start] = self.exact_keys(place)
            return out
        queries = self.rows(start, stop)
        for c in range(0, self.n, BLOCK_COLUMNS):
            end = min(c + BLOCK_COLUMNS, self.n)
            np.matmul(queries, self.rows(self.first + c, self.first + end).T, out=out[:, c:end])
        return np.subtract(self._shifts[start:stop, None], out, out=out)

    def exact_keys(self, i: int) -> Array:
        """Return the keys of query i to all candidates, from products that are summed in one order."""
        return np.asarray(self._shifts[i] - self._products(i))

    def _some_pair_keys(self, i: Indices, j: Indices) -> Array:
        in_order = np.arange(len(i))
        given = self.take(i), self.take(j), in_order, in_order
        return np.asarray(self._shifts[i] - distances.pair_products(*given))

    def from_zero(self, keys: Array, queries: Indices) -> Array:
        """Return keys of queries as inner products with the other sign."""
        return np.asarray(keys - self._shifts[queries, None])

    def exact_distances(self, i: int) -> Array:
        """Return the inner products of query i with all candidates, with the other sign."""
        return -self._products(i)

    def _products(self, i: int) -> Array:
        cuts = range(self.first, self.n_rows, BLOCK_COLUMNS)
        blocks = (self.rows(start, min(start + BLOCK_COLUMNS, self.n_rows)) for start in cuts)
        query, place = self.rows(i, i + 1), np.zeros(BLOCK_COLUMNS, dtype=np.int64)
        return np.concatenate([distances.pair_products(rows, query, np.arange(len(rows)), place) for rows in blocks])


class PrecomputedSpace(Space):
    """Given distances: the first source has a row for each test point and a column for each candidate.

    Columns are the test points, if these are candidates, and then the references, of which the second source only has
    the number of rows.
    """

    _of_columns: Indices

    def __post_init__(self) -> None:
        """Choose the unit of distances."""
        del self.sources[1:]
        self._find_scale()
        self._of_columns = np.arange(self.n)
        if self.order is not None and self.first == 0:
            self._of_columns[: len(self.order)] = self.order

    @property
    def n_rows(self) -> int:
        """Number of points: queries and candidates."""
        return self.first + self.d

    def keys(self, start: int, stop: int, out: Array) -> Array:
        """Write the distances of queries start..stop - 1 to all candidates to `out` (stop - start, n)."""
        rows = slice(start, stop) if self.order is None else self.order[start:stop]
        given = np.asarray(self.sources[0][rows], dtype=np.float64)
        np.take(given, self._of_columns, axis=1, out=out) if self.order is not None else np.copyto(out, given)
        if self._scale is not None:
            out[...] = self._prepared(out)
        return out

    def exact_keys(self, i: int) -> Array:
        """Return the distances of query i to all candidates."""
        return self.keys(i, i + 1, np.empty((1, self.n))).reshape(-1)

    def candidate_keys(self, queries: Indices, start: int, stop: int) -> Array:
        """Return the distances of candidates start..stop - 1 (rows) to queries (columns)."""
        rows, columns = np.tile(queries, stop - start), np.repeat(np.arange(start, stop), len(queries))
        return self.pair_keys(rows, columns).reshape(stop - start, len(queries))

    def pair_keys(self, i: Indices, j: Indices) -> Array:
        """Return the distances of pairs of query i and candidate column j."""
        rows = i if self.order is None else self.order[i]
        given: Array = self._prepared(self.sources[0][rows, self._of_columns[j]])
        return given


def distance_table(points: NDArray[Any], others: NDArray[Any], distance: str) -> Array:
    """Return the distances of some points (m, d) to others (n, d), as an array (m, n)."""
    if not len(points) or not len(others):
        return np.empty((len(points), len(others)))
    space = space_of([points, others], None, len(points), distance)
    return np.ldexp(np.stack([space.exact_distances(i) for i in range(len(points))]), space.exponent)
