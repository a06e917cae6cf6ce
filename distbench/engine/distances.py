"""Kernels of distances. A key orders candidates as the distance does: it is the squared distance, or the distance.

With direct differences, equal rows tie exactly. Products of matrices are faster, but cancel: |x|^2 + |y|^2 - 2xy loses
digits of near points, and its rounding depends on the place of a row. So keys from products are only exact to a
`tolerance`, and keys that are closer to each other are computed again by direct differences.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from distbench.engine._jit import inner, kernel

__all__ = [
    "NEAR_SHARE",
    "as_bytes",
    "bit_keys",
    "bit_words",
    "direct_keys",
    "few_keys",
    "keys_from_products",
    "pair_keys",
    "pair_products",
    "summed_keys",
    "tolerance",
    "unlike_bits",
]

Array = NDArray[np.float64]
Indices = NDArray[np.int64]
Words = NDArray[np.uint64]

NEAR_SHARE = 1e-3  # keys below this share of |x|^2 + |y|^2 are computed directly
UNDERFLOW = 1e-300  # so are keys below this: the products in them may have lost digits
CHUNK_CANDIDATES = 1024  # so few that their partial sums stay in the first-level cache


def tolerance(d: int) -> float:
    """Return a bound on the relative error of keys from products in d columns, beyond `NEAR_SHARE`."""
    return 8 * (d + 2) * 2.0**-53 / NEAR_SHARE


@kernel
def direct_keys(queries: Array, columns: Array, place: int, out: Array) -> None:
    """Write squared Euclidean distances of queries (B, d) to candidates (d, n) to `out`, from column `place` on."""
    d, n = columns.shape
    for start in range(0, n, CHUNK_CANDIDATES):
        stop = min(start + CHUNK_CANDIDATES, n)
        for q in range(len(queries)):
            keys = out[q]
            for p in range(start, stop):
                keys[np.uint64(place + p)] = 0.0
            for c in range(0, d - 1, 2):
                x0, x1, y0, y1 = queries[q, c], queries[q, c + 1], columns[c], columns[c + 1]
                for p in range(start, stop):
                    d0, d1 = x0 - y0[np.uint64(p)], x1 - y1[np.uint64(p)]
                    keys[np.uint64(place + p)] = (keys[np.uint64(place + p)] + d0 * d0) + d1 * d1
            if d % 2:
                x0, y0 = queries[q, d - 1], columns[d - 1]
                for p in range(start, stop):
                    d0 = x0 - y0[np.uint64(p)]
                    keys[np.uint64(place + p)] += d0 * d0


@kernel
def summed_keys(queries: Array, columns: Array, counts: bool, place: int, out: Array) -> None:
    """Write sums of absolute differences, or the numbers of unequal columns if `counts`, as `direct_keys` does."""
    n = columns.shape[1]
    for start in range(0, n, CHUNK_CANDIDATES):
        stop = min(start + CHUNK_CANDIDATES, n)
        for q in range(len(queries)):
            acc = out[q][place + start : place + stop]
            for p in range(stop - start):
                acc[p] = 0.0
            for c in range(len(columns)):
                x, y = queries[q, c], columns[c][start:stop]
                if counts:
                    for p in range(stop - start):
                        acc[p] += 1.0 if x != y[p] else 0.0
                else:
                    for p in range(stop - start):
                        acc[p] += abs(x - y[p])


def as_bytes(points: NDArray[Any]) -> NDArray[np.uint8]:
    """Return bytes given as whole numbers; those of -128 to 127 have the same bits as 256 more."""
    return np.asarray(points).astype(np.int64).astype(np.uint8)


def bit_words(points: NDArray[Any]) -> Array:
    """Return rows of bytes as rows of 64 bits each, in the form of floats."""
    rows = as_bytes(points)
    padded = np.zeros((len(rows), -(-rows.shape[1] // 8) * 8), dtype=np.uint8)
    padded[:, : rows.shape[1]] = rows
    return padded.view(np.float64)


@inner
def _bits(word: np.uint64) -> np.uint64:
    """Return the number of bits that are 1, by sums of neighbors in parallel; compilers know this form."""
    word = word - ((word >> np.uint64(1)) & np.uint64(0x5555555555555555))
    word = (word & np.uint64(0x3333333333333333)) + ((word >> np.uint64(2)) & np.uint64(0x3333333333333333))
    word = (word + (word >> np.uint64(4))) & np.uint64(0x0F0F0F0F0F0F0F0F)
    return (word * np.uint64(0x0101010101010101)) >> np.uint64(56)


@kernel
def bit_keys(queries: Words, columns: Words, place: int, out: Array) -> None:
    """Write the numbers of unequal bits, as `direct_keys` does; queries (B, w) and candidates (w, n) are words."""
    n = columns.shape[1]
    for start in range(0, n, CHUNK_CANDIDATES):
        stop = min(start + CHUNK_CANDIDATES, n)
        for q in range(len(queries)):
            acc = out[q][place + start : place + stop]
            for p in range(stop - start):
                acc[p] = 0.0
            for c in range(len(columns)):
                x, y = queries[q, c], columns[c][start:stop]
                for p in range(stop - start):
                    acc[p] += np.float64(_bits(x ^ y[p]))


@kernel
def unlike_bits(x: Words, y: Words) -> Array:
    """Return the number of unequal bits of each pair of rows (x[p], y[p])."""
    out = np.zeros(len(x))
    for p in range(len(x)):
        for c in range(x.shape[1]):
            out[p] += np.float64(_bits(x[p, c] ^ y[p, c]))
    return out


def few_keys(x: Array, rows: Array) -> Array:
    """Return the squared distances of the point `x` to some rows (n, d)."""
    return pair_keys(x[None], rows, np.zeros(len(rows), dtype=np.int64), np.arange(len(rows)))


def pair_keys(x: Array, y: Array, i: Indices, j: Indices) -> Array:
    """Return the squared distances of pairs of rows (x[i], y[j]), summed in the order of `direct_keys`."""
    out = np.empty(len(i))
    _pair_keys(x, y, i, j, out)
    return out


@kernel
def _pair_keys(x: Array, y: Array, i: Indices, j: Indices, out: Array) -> None:
    for p in range(len(i)):
        a, b, total = x[i[p]], y[j[p]], 0.0
        for c in range(len(a)):
            difference = a[c] - b[c]
            total += difference * difference
        out[p] = total


@kernel
def pair_products(x: Array, y: Array, i: Indices, j: Indices) -> Array:
    """Return the inner products of pairs of rows (x[i], y[j]), summed column by column."""
    out = np.empty(len(i))
    for p in range(len(i)):
        total = 0.0
        for c in range(x.shape[1]):
            total += x[i[p], c] * y[j[p], c]
        out[p] = total
    return out


@kernel
def keys_from_products(queries: Array, x2: Array, rows: Array, y2: Array, shift: int, out: Array) -> None:
    """Turn products of queries and rows, in columns of `out` from `shift` on, into keys; near points get exact keys.

    queries : (B, d). rows : (c, d) candidates. x2, y2 : their squared lengths after the origin was subtracted. out :
    (B, n), of which c columns are changed. The keys of near points are replaced by sums of squared differences.
    """
    for q in range(len(queries)):
        point, keys, near, square = queries[q], out[q], 0, x2[q]
        for p in range(len(rows)):
            both = square + y2[p]
            key = both - 2.0 * keys[np.uint64(shift + p)]
            keys[np.uint64(shift + p)] = key
            near += 1 if key <= NEAR_SHARE * both + UNDERFLOW else 0
        for p in range(len(rows) if near else 0):
            if keys[shift + p] <= NEAR_SHARE * (square + y2[p]) + UNDERFLOW:
                row, total = rows[p], 0.0
                for c in range(len(point)):
                    difference = point[c] - row[c]
                    total += difference * difference
                keys[shift + p] = total
