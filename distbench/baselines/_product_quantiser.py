"""Product quantization with faiss."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from distbench._util.imports import require
from distbench.baselines._quantised import QuantisedEncoder, first_columns
from distbench.errors import InputError

__all__ = ["product_quantiser"]

Array = NDArray[np.float64]

BITS = 8  # of the number of a centroid
ROTATIONS = 20  # steps in which the rotation is improved


def product_quantiser(name: str, X: Array, code_size: int, seed: int, unit: bool, optimized: bool) -> QuantisedEncoder:
    """Return the encoder that cuts rows into `code_size` parts, each coded as the nearest of at most 256 centroids.

    If `optimized`, rows are first multiplied by a rotation that makes this loss small.
    """
    require("faiss", name, '"distbench[search]"')
    import faiss

    d = X.shape[1]
    if code_size > d:
        raise InputError("code_size", f"found {code_size} for {d} columns", f"{name} takes at most one byte a column")
    rows = _padded(first_columns(name, X, d, code_size, unit), code_size)
    if optimized and len(rows) < rows.shape[1]:  # faiss would write beyond its memory
        found = f"found {len(rows)} points of {rows.shape[1]} columns"
        raise InputError("X", found, f"{name} needs at least as many points as columns")
    center = rows.mean(axis=0)
    scale = float(np.abs(rows - center).max())
    fitted = np.ascontiguousarray((rows - center) / scale, dtype=np.float32)
    bits = int(np.clip(np.log2(len(X)), 1, BITS))  # there are no more centroids than points
    turn: Any = None
    quantiser = _quantiser(faiss, fitted.shape[1], code_size, bits, seed)
    with threadpool_limits(1):  # threads of faiss wait for each other, and may change the last digits
        if optimized:
            turn = faiss.OPQMatrix(fitted.shape[1], code_size)
            within = _quantiser(faiss, fitted.shape[1], code_size, bits, seed)  # faiss does not keep it alive
            turn.niter, turn.pq = ROTATIONS, within
            turn.train(fitted)
            turn.pq = None
            fitted = turn.apply(fitted)
        quantiser.train(fitted)

    def decoded(points: Array) -> Array:
        prepared = np.ascontiguousarray((_padded(points, code_size) - center) / scale, dtype=np.float32)
        prepared = prepared if turn is None else turn.apply(prepared)
        found = quantiser.decode(quantiser.compute_codes(prepared))
        found = found if turn is None else turn.reverse_transform(found)
        return np.asarray(found.astype(np.float64) * scale + center)[:, :d]

    return QuantisedEncoder(name, d, code_size, decoded, unit)


def _quantiser(faiss: Any, d: int, parts: int, bits: int, seed: int) -> Any:
    quantiser = faiss.ProductQuantizer(d, parts, bits)
    quantiser.cp.seed = seed + 1  # 0 would mean another seed each time
    quantiser.cp.min_points_per_centroid = 1  # says nothing about few points
    return quantiser


def _padded(rows: Array, parts: int) -> Array:
    """Return rows with columns of zeros, so that all parts have equally many."""
    return np.pad(rows, ((0, 0), (0, -rows.shape[1] % parts)))
