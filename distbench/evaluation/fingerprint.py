"""A short hash of the points of an evaluation: equal for equal points."""

from __future__ import annotations

from hashlib import blake2b
from typing import Any

import numpy as np
from numpy.typing import NDArray

from distbench.inputs.blocks import release, row_blocks

__all__ = ["fingerprint"]

Array = NDArray[Any]

LARGE_BYTES = 2**28  # as float64; of larger arrays the hash takes a sample of rows and the sums of columns
SAMPLE_ROWS = 256


def fingerprint(X: Array, X_ref: Array | None = None, judged: NDArray[np.int64] | None = None) -> str:
    """Return a hash of the points and of the judged rows, the same for equal float32 and float64 values.

    It depends on all numbers; in arrays above `LARGE_BYTES`, as most memory maps are, on those of `SAMPLE_ROWS` rows
    and on the sum of each column. Other rows that change places, or changes that cancel in every column, keep it.
    """
    digest = blake2b(digest_size=16)
    for array in (X, X_ref):
        if array is not None:
            digest.update(repr(array.shape).encode())
            _hash_numbers(array, digest)
    if judged is not None:
        digest.update(judged.tobytes())
    return digest.hexdigest()


def _hash_numbers(array: Array, digest: blake2b) -> None:
    row_bytes = 8 * array.shape[1]  # not the array's own: blocks, and so sums, are the same for both types
    whole = len(array) * row_bytes <= LARGE_BYTES
    sums = np.zeros(array.shape[1])
    for rows in row_blocks(len(array), row_bytes):
        block = np.ascontiguousarray(array[rows], dtype=np.float64)
        if whole:
            digest.update(block.data)
        else:
            sums += block.sum(axis=0)
        release(array)
    if not whole:
        sample = np.unique(np.linspace(0, len(array) - 1, SAMPLE_ROWS).astype(np.int64))
        digest.update(np.ascontiguousarray(array[sample], dtype=np.float64).data)
        digest.update(sums.data)
