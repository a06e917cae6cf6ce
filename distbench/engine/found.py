"""How many of the candidates that a search found count as near, without ranks of the others.

Keys in single precision find the candidates that may be among the nearest; exact keys of these alone decide. That takes
about as long as an exact search in single precision. What counts is said in `distbench.engine.searches`.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray

from distbench._util.distances import INNER_PRODUCT
from distbench.engine._jit import kernel
from distbench.engine.neighbors import any_upto
from distbench.engine.overlap import reach
from distbench.engine.parallel.blas import one_blas_thread
from distbench.engine.point_space import Space
from distbench.engine.searches import Search, growths_of

__all__ = ["found_counts"]

Array = NDArray[np.float64]
Singles = NDArray[np.float32]
Indices = NDArray[np.int64]

BLOCK_QUERIES, BLOCK_CANDIDATES = 128, 4096  # of one product of matrices
STEP = 32  # keys that are compared with the edge at once
ROOM, WIDE_ROOM = 64, 1024  # places for candidates beside twice the number of neighbors, without and with a slack
ROUNDING = 2.0**-24  # of single precision


def found_counts(space: Space, found: Indices, searches: Sequence[Search]) -> Array:
    """Return what counts for each query and search, as an array (m, S, 2): of the found ones, and of all candidates.

    space : the queries, which are no candidates, and the candidates. found : (m, R) candidates, each at most once in a
    row; -1 for none. Of tied candidates the expected number counts.
    """
    out = np.empty((len(found), len(searches), 2))
    sizes, growths = np.array([search[:2] for search in searches]), growths_of(searches, space)
    candidates = _Candidates(space, max(0.0, growths.max() - 1))

    def job(start: int) -> None:
        stop = min(start + BLOCK_QUERIES, len(found))
        for i, places, keys in candidates.near(start, stop, sizes[:, 0].max()):
            _count(found[i], places, space.from_zero(keys[None], i)[0], sizes, growths, out[i])

    with one_blas_thread(), ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        list(pool.map(job, range(0, len(found), BLOCK_QUERIES)))
    return out


class _Candidates:
    """The candidates of a space, in single precision; also those are near whose keys exceed the k-th by a `slack`."""

    def __init__(self, space: Space, slack: float) -> None:
        self.space, self.slack, self.is_product = space, slack, space.by_products
        if not self.is_product:
            return
        self.singles = np.concatenate(
            [space.moved(b, min(b + BLOCK_CANDIDATES, space.n_rows)).astype(np.float32) for b in _starts(space.n_rows)]
        )
        self.squares = np.einsum("ij,ij->i", self.singles, self.singles, dtype=np.float64)
        lengths, d = np.sqrt(self.squares), space.d
        longest = lengths[space.first :].max()
        self.margins = ROUNDING * (4 * (d + 4) * lengths * longest + 6 * (self.squares + longest**2))
        self.is_inner = space.distance == INNER_PRODUCT

    def near(self, start: int, stop: int, k: int) -> Iterator[tuple[int, Indices, Array]]:
        """Yield queries, each with the places and exact keys of all candidates that may be near."""
        size = stop - start
        room = min(2 * k + (WIDE_ROOM if self.slack else ROOM), self.space.n + 1)
        places, keys = np.empty((size, room), dtype=np.int64), np.empty((size, room), dtype=np.float32)
        counts, edges = np.zeros(size, dtype=np.int64), np.full(size, np.inf, dtype=np.float32)
        margins, zeros = np.empty(size, dtype=np.float32), np.empty(size)
        for shift, block in self._blocks(start, stop, margins, zeros):
            _collect(block, shift, k, self.slack, margins, zeros, counts, edges, places, keys)
        _close(k, self.slack, margins, zeros, counts, edges, places, keys)
        rows = np.repeat(np.arange(start, stop), np.maximum(counts, 0))
        columns = np.concatenate([np.empty(0, np.int64), *(places[q, : max(counts[q], 0)] for q in range(size))])
        exact, used = self.space.pair_keys(rows, columns), 0
        for q in range(size):
            if counts[q] < 0:  # too many are about as near as the k-th
                yield start + q, np.arange(self.space.n), self.space.exact_keys(start + q)
                continue
            own = slice(used, used + counts[q])
            used = own.stop
            yield start + q, columns[own], exact[own]

    def _blocks(self, start: int, stop: int, margins: Singles, zeros: Array) -> Iterator[tuple[int, Singles]]:
        """Yield keys in single precision of queries to blocks of candidates, which may lack a constant.

        Write their rounding to `margins`, and the key of a distance of 0 to `zeros`.
        """
        space = self.space
        if not self.is_product:
            keys = space.keys(start, stop, np.empty((stop - start, space.n)))
            margins[:] = 4 * ROUNDING * np.abs(keys).max(axis=1)
            zeros[:] = -space.from_zero(np.zeros((stop - start, 1)), start)[:, 0]
            yield 0, keys.astype(np.float32)
            return
        margins[:] = self.margins[start:stop]
        zeros[:] = 0.0 if self.is_inner else -self.squares[start:stop]
        queries, first = self.singles[start:stop], space.first
        squares = self.squares.astype(np.float32)
        for c in _starts(space.n):
            end = min(c + BLOCK_CANDIDATES, space.n)
            keys = queries @ self.singles[first + c : first + end].T
            if self.is_inner:
                np.negative(keys, out=keys)
            else:
                keys *= -2
                keys += squares[first + c : first + end]
            yield c, keys


def _starts(n: int) -> range:
    return range(0, n, BLOCK_CANDIDATES)


@kernel
def _shrink(
    k: int, slack: float, margin: np.float32, zero: float, count: int, places: Indices, keys: Singles
) -> tuple[int, np.float32]:
    """Keep the candidates that may be near; return their number and the largest key of such a one."""
    if count <= k:
        return count, np.float32(np.inf)
    kth = np.partition(keys[:count], k - 1)[k - 1]
    edge = np.float32(kth + margin + slack * (abs(kth - zero) + margin))
    kept = 0
    for p in range(count):
        if keys[p] <= edge:
            places[kept], keys[kept] = places[p], keys[p]
            kept += 1
    return kept, edge


@kernel
def _collect(
    block: Singles,
    shift: int,
    k: int,
    slack: float,
    margins: Singles,
    zeros: Array,
    counts: Indices,
    edges: Singles,
    places: Indices,
    keys: Singles,
) -> None:
    """Add the candidates of a block that may be near; a count of -1 means that there is no room."""
    room = keys.shape[1]
    for q in range(len(block)):
        count, edge = counts[q], edges[q]
        for start in range(0, block.shape[1], STEP):
            stop = min(start + STEP, block.shape[1])
            if count < 0 or not any_upto(block[q, start:stop], edge):
                continue
            for p in range(start, stop):
                if count >= 0 and block[q, p] <= edge:
                    places[q, count], keys[q, count] = shift + p, block[q, p]
                    count += 1
                    if count == room:
                        count, edge = _shrink(k, slack, margins[q], zeros[q], count, places[q], keys[q])
                        count = -1 if count == room else count
        counts[q], edges[q] = count, edge


@kernel
def _close(
    k: int,
    slack: float,
    margins: Singles,
    zeros: Array,
    counts: Indices,
    edges: Singles,
    places: Indices,
    keys: Singles,
) -> None:
    for q in range(len(counts)):
        if counts[q] > 0:
            counts[q], edges[q] = _shrink(k, slack, margins[q], zeros[q], counts[q], places[q], keys[q])


@kernel
def _count(found: Indices, places: Indices, keys: Array, sizes: Indices, growths: Array, out: Array) -> None:
    """Write to `out` (S, 2) how many of the first sizes[:, 1] found ones count, and how many of all candidates."""
    n = len(sizes)
    edges, shares = np.empty(n), np.ones(n)  # the largest key that counts, and the share of one with this key
    for j in range(n):
        k = sizes[j, 0]
        edges[j] = np.partition(keys, k - 1)[k - 1]
        if growths[j] >= 0.0:
            edges[j] = reach(edges[j], growths[j])
        less, tied = 0, 0
        for key in keys:
            less += 1 if key < edges[j] else 0
            tied += 1 if key == edges[j] else 0
        if growths[j] < 0.0:
            shares[j] = (k - less) / tied
        out[j, 0], out[j, 1] = 0.0, less + shares[j] * tied
    for r in range(len(found)):
        for p in range(len(places)):
            if places[p] == found[r]:
                for j in range(n):
                    if r < sizes[j, 1]:
                        out[j, 0] += 1.0 if keys[p] < edges[j] else (shares[j] if keys[p] == edges[j] else 0.0)
