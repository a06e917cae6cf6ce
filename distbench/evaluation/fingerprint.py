"""A short hash of the points of an evaluation: equal for equal points."""

from __future__ import annotations

from hashlib import blake2b
from typing import Any

import numpy as np
from numpy.typing import NDArray

from distbench.engine.canonical_order import HASHED_BYTES
from distbench.inputs.blocks import matrix_blocks

__all__ = ["fingerprint"]

Array = NDArray[Any]

SAMPLE_ROWS = 256


def fingerprint(X: Array, X_ref: Array | None = None, judged: NDArray[np.int64] | None = None) -> str:
    """Return a hash of the points and of the rows that are evaluated; equal float32 and float64 values hash alike.

    It depends on all numbers of the points. In arrays above `HASHED_BYTES`, as most memory maps are, it depends only on
    `SAMPLE_ROWS` rows and on the sum of each column, so it misses other rows that swap places, and changes that cancel
    out in every column.
    """
    digest = blake2b(digest_size=16)
    for array in (X, X_ref):
        if array is not None:
            digest.update(repr(array.shape).encode())
            if array.size:  # given distances have no points of the reference
                _hash_numbers(array, digest)
    if judged is not None:
        digest.update(judged.tobytes())
    return digest.hexdigest()


def _hash_numbers(array: Array, digest: blake2b) -> None:
    all_rows = 8 * array.size <= HASHED_BYTES
    sums = np.zeros(array.shape[1])
    for _, block in matrix_blocks(array):
        numbers = np.ascontiguousarray(block, dtype=np.float64)
        if all_rows:
            digest.update(numbers.data)
        else:
            sums += numbers.sum(axis=0)
    if not all_rows:
        sample = np.unique(np.linspace(0, len(array) - 1, SAMPLE_ROWS).astype(np.int64))
        digest.update(np.ascontiguousarray(array[sample], dtype=np.float64).data)
        digest.update(sums.data)
