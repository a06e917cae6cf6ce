"""A short hash of the points of an evaluation: equal for equal points."""

from __future__ import annotations

from hashlib import blake2b
from typing import Any

import numpy as np
from numpy.typing import NDArray

from distbench.engine.canonical_order import HASHED_BYTES
from distbench.inputs.blocks import release, row_blocks

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
            _hash_numbers(array, digest)
    if judged is not None:
        digest.update(judged.tobytes())
    return digest.hexdigest()


def _hash_numbers(array: Array, digest: blake2b) -> None:
    row_bytes = 8 * array.shape[1]  # of float64 for both types, so that blocks and sums do not depend on the type
    all_rows = len(array) * row_bytes <= HASHED_BYTES
    sums = np.zeros(array.shape[1])
    for rows in row_blocks(len(array), row_bytes):
        block = np.ascontiguousarray(array[rows], dtype=np.float64)
        if all_rows:
            digest.update(block.data)
        else:
            sums += block.sum(axis=0)
        release(array)
    if not all_rows:
        sample = np.unique(np.linspace(0, len(array) - 1, SAMPLE_ROWS).astype(np.int64))
        digest.update(np.ascontiguousarray(array[sample], dtype=np.float64).data)
        digest.update(sums.data)
