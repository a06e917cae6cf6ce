"""The matrices of ``.h5ad`` files, of which nothing else is read."""

from __future__ import annotations

import math
from collections.abc import Collection
from pathlib import Path
from typing import Any

from distbench._util.text import did_you_mean, join_names, short_repr
from distbench.errors import DatasetError, InputError, MissingDependencyError
from distbench.inputs.size_guards import refuse_unfolded

__all__ = ["dense", "key_hint", "read_h5ad"]

MOST_DENSE = 2 << 30  # bytes that a sparse matrix may have when it is made dense
SMALL = 64 << 20  # bytes up to which an array of a file is read at once; a larger one is read block by block
SPARSE = ("csr_matrix", "csc_matrix")


def key_hint(key: object, keys: Collection[str]) -> str:
    """Say that obsm has no such key, and which it has."""
    return f"no key of obsm is called that; {did_you_mean(str(key), keys)}" if keys else "obsm has no keys"


def dense(value: Any, name: str) -> Any:
    """Return a matrix as an array, unless it would be too large; all but sparse matrices as they are."""
    if hasattr(value, "to_memory") and hasattr(value, "shape"):  # sparse, and still in its file
        _refuse_large(value.shape, value.dtype, name)
        value = value.to_memory()
    if not hasattr(value, "tocsr"):
        return value
    _refuse_large(value.shape, value.dtype, name)
    if value.format in ("csr", "csc"):
        _check_indices(value, name)
    return value.toarray()


def _check_indices(matrix: Any, name: str) -> None:
    """Refuse indices that lead out of a matrix, as those of a damaged file may: toarray trusts them, and crashes.

    scipy's own check_format leaves out most where the last pointer is negative, and its differences overflow.
    """
    ends, indices = matrix.indptr, matrix.indices
    lines, width = matrix.shape if matrix.format == "csr" else matrix.shape[::-1]
    is_whole = ends.shape == (lines + 1,) and indices.shape == matrix.data.shape and indices.ndim == 1
    is_whole = is_whole and ends.dtype.kind in "iu" and indices.dtype.kind in "iu"
    if not (
        is_whole
        and ends[0] == 0
        and ends[-1] <= len(indices)
        and (ends[1:] >= ends[:-1]).all()
        and (not len(indices) or (indices.min() >= 0 and indices.max() < width))
    ):
        raise InputError(name, "found a damaged sparse matrix, whose indices lead out of it", "save it anew")


def _refuse_large(shape: Any, dtype: Any, name: str) -> None:
    shape = tuple(int(one) for one in shape)
    size = math.prod(shape) * max(4, dtype.itemsize)
    if size > MOST_DENSE:
        raise InputError(
            name,
            f"found a sparse matrix of shape {shape}, which takes {size / 1e9:.1f} GB "
            f"when dense, more than {MOST_DENSE / 1e9:.1f} GB",
            "take fewer rows, or a key of obsm such as X_pca",
        )


def read_h5ad(path: Path, key: str) -> Any:
    """Return the ``X`` of an ``.h5ad``, or what its ``obsm`` has under a key. Its errors do not name the file yet.

    Raises
    ------
    DatasetError
        There is no such part, or it says that it holds more than the file can.
    MissingDependencyError
        h5py is not installed.
    """
    try:
        import h5py
    except ImportError as error:
        raise MissingDependencyError("needs h5py, which is not installed; pip install h5py") from error
    file = h5py.File(path, "r")
    obsm = [] if _link(file, "obsm") is None else list(file["obsm"])
    if key and key not in obsm and key != "X":
        raise DatasetError(key_hint(key, obsm))
    told = key if key in obsm else "X"
    found = _link(file["obsm"] if key in obsm else file, told)
    if found is None:
        hint = f"; name a key of its obsm: {path.name}:{obsm[0]}" if obsm else ""
        raise DatasetError(f"has no {told} of its own{hint}")
    if isinstance(found, h5py.Dataset):
        return _array(found, told, path)
    kind = found.attrs.get("encoding-type", "a group")
    if kind not in SPARSE:
        raise DatasetError(
            f"{told} is {short_repr(kind)}; give an array of numbers ({join_names(obsm) or 'obsm has none'})"
        )
    return _sparse(found, kind, told, path)


def _link(group: Any, name: str) -> Any:
    """Return a part of a file that is in the file itself; None where there is none, or it is elsewhere."""
    import h5py

    link = group.get(name, getlink=True) if name in group else None
    return group[name] if isinstance(link, h5py.HardLink) else None


def _array(found: Any, told: str, path: Path) -> Any:
    """Return a data set of HDF5: read, or where it is large as it is, to be read block by block."""
    if found.external or found.is_virtual:
        raise DatasetError(f"{told} is in other files, which are not read; save it in this one")
    if found.dtype.kind not in "biuf" or found.shape is None:
        raise DatasetError(f"{told} holds {found.dtype}; give an array of numbers")
    held = max(found.size, math.prod(found.chunks or ()))  # a chunk is unfolded whole, however little of it is used
    refuse_unfolded(held * 8, path.stat().st_size, "compression=None")
    return found if found.size * found.dtype.itemsize > SMALL else found[()]


def _sparse(group: Any, kind: str, told: str, path: Path) -> Any:
    import numpy as np
    from scipy import sparse

    shape = tuple(int(one) for one in group.attrs["shape"])
    parts = [_link(group, name) for name in ("data", "indices", "indptr")]
    if len(shape) != 2 or any(part is None for part in parts):
        raise DatasetError(f"{told} is no whole {kind}; save it anew")
    arrays = tuple(np.asarray(_array(part, told, path)) for part in parts)
    matrix = sparse.csr_matrix if kind == SPARSE[0] else sparse.csc_matrix
    try:
        return dense(matrix(arrays, shape=shape), told)
    except InputError as error:
        raise DatasetError(str(error)) from None
