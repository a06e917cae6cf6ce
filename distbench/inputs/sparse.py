"""Sparse matrices as points: columns without any number are left out, and rows become dense block by block."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from distbench.errors import InputError
from distbench.inputs.size_guards import IN_MEMORY_BYTES

__all__ = ["DenseRows", "as_csr", "is_sparse", "row_count", "sketch", "stacked_rows", "without_empty_columns"]


def is_sparse(value: Any) -> bool:
    """Return whether `value` is a sparse matrix or array of scipy."""
    return hasattr(value, "tocsr")


def row_count(points: Any) -> int:
    """Return the number of points; sparse matrices have no `len`."""
    return int(points.shape[0] if is_sparse(points) else len(points))


def as_csr(value: Any, name: str) -> Any:
    """Return a sparse matrix by rows; raise InputError for the argument `name` if it is damaged or no matrix."""
    if value.ndim > 2:
        raise InputError(name, f"found a sparse array of shape {value.shape}", "pass one row for each point, (n, d)")
    if value.format in ("csr", "csc") and not _has_valid_indices(value):
        raise InputError(name, "found a damaged sparse matrix, whose indices are out of range", "save it again")
    return value.tocsr()


def _has_valid_indices(matrix: Any) -> bool:
    """Return whether the indices of a sparse matrix are in range; otherwise scipy crashes.

    scipy's check_format misses most errors if the last pointer is negative, and computes differences that overflow.
    """
    ends, indices = matrix.indptr, matrix.indices
    lines, width = matrix.shape if matrix.format == "csr" else matrix.shape[::-1]
    return bool(
        ends.shape == (lines + 1,)
        and indices.shape == matrix.data.shape
        and indices.ndim == 1
        and ends.dtype.kind in "iu"
        and indices.dtype.kind in "iu"
        and ends[0] == 0
        and ends[-1] <= len(indices)
        and (ends[1:] >= ends[:-1]).all()
        and (not len(indices) or (indices.min() >= 0 and indices.max() < width))
    )


def without_empty_columns(parts: Sequence[Any], names: Sequence[str]) -> list[Any]:
    """Return sparse matrices of the same columns without those that are empty in all of them.

    No Euclidean, cosine or city block distance changes. Anything else is returned unchanged, and so are matrices that
    are small when dense: they are then measured as the same dense points, to the last bit.
    """
    widths = {part.shape[1] if is_sparse(part) and part.ndim == 2 else -1 for part in parts}
    if len(widths) > 1 or -1 in widths or sum(map(_dense_bytes, parts)) <= IN_MEMORY_BYTES:
        return list(parts)
    from scipy.sparse import csr_array

    matrices = [as_csr(part, name) for part, name in zip(parts, names, strict=False)]
    used = np.unique(np.concatenate([np.unique(matrix.indices) for matrix in matrices]))
    used = used if len(used) else np.zeros(1, dtype=np.int64)
    # scipy's choice of columns would need memory for all of them
    return [
        csr_array(
            (matrix.data, np.searchsorted(used, matrix.indices), matrix.indptr), shape=(matrix.shape[0], len(used))
        )
        for matrix in matrices
    ]


def stacked_rows(parts: Sequence[Any]) -> Any:
    """Return matrices below each other: a sparse matrix if all of them are sparse, else an array."""
    if all(map(is_sparse, parts)):
        from scipy.sparse import vstack

        return vstack(parts, format="csr")
    return np.concatenate([part.toarray() if is_sparse(part) else part for part in parts])


def sketch(matrix: Any, columns: int = 64) -> NDArray[np.float64]:
    """Return random sums of a sparse matrix's columns, the same each time: rows that differ mostly have other sums."""
    from scipy.sparse import csr_array

    rng = np.random.default_rng(0)
    places, signs = rng.integers(columns, size=matrix.shape[1]), rng.choice([-1.0, 1.0], size=matrix.shape[1])
    sums = csr_array((signs, (np.arange(matrix.shape[1]), places)), shape=(matrix.shape[1], columns))
    return np.asarray((matrix @ sums).toarray(), dtype=np.float64)


def _dense_bytes(matrix: Any) -> int:
    return 8 * math.prod(int(size) for size in matrix.shape)


class DenseRows:
    """A sparse matrix in the form of an array in chunks, whose rows are dense when read."""

    chunks = None

    def __init__(self, matrix: Any) -> None:
        self._matrix = matrix

    @property
    def shape(self) -> tuple[int, ...]:
        """Numbers of rows and columns."""
        return tuple(int(size) for size in self._matrix.shape)

    @property
    def dtype(self) -> Any:
        """Type of the numbers."""
        return self._matrix.dtype

    def __getitem__(self, rows: slice) -> NDArray[Any]:
        dense: NDArray[Any] = self._matrix[rows].toarray()
        return dense
