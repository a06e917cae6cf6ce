"""Reads a single matrix of an ``.h5ad`` file, and the names of its rows and columns."""

from __future__ import annotations

import math
from collections.abc import Collection
from pathlib import Path
from typing import Any

from distbench._util.text import did_you_mean, join_names, short_repr
from distbench.errors import DatasetError, InputError, MissingDependencyError
from distbench.inputs.size_guards import IN_MEMORY_BYTES, refuse_unfolded
from distbench.inputs.sparse import as_csr, is_sparse

__all__ = ["checked_sparse", "key_hint", "read_h5ad", "table_names"]

MAX_DENSE_BYTES = 2 << 30
SPARSE = ("csr_matrix", "csc_matrix")


def key_hint(key: object, keys: Collection[str]) -> str:
    """Return the text of an error: the key is not in obsm."""
    return f"obsm has no such key; {did_you_mean(str(key), keys)}" if keys else "obsm has no keys"


def checked_sparse(value: Any, name: str) -> Any:
    """Return a sparse matrix in memory, as an array if it is small; return others unchanged.

    Raises InputError if it is too large or damaged.
    """
    if hasattr(value, "to_memory") and hasattr(value, "shape"):  # a sparse matrix that is still in its file
        _refuse_large(value.shape, value.dtype, name)
        value = value.to_memory()
    if not is_sparse(value):
        return value
    _refuse_large(value.shape, value.dtype, name)
    matrix = as_csr(value, name)
    return matrix.toarray() if math.prod(matrix.shape) * 8 <= IN_MEMORY_BYTES else matrix


def _refuse_large(shape: Any, dtype: Any, name: str) -> None:
    shape = tuple(int(length) for length in shape)
    size = math.prod(shape) * max(4, dtype.itemsize)
    if size > MAX_DENSE_BYTES:
        raise InputError(
            name,
            f"found a sparse matrix of shape {shape}, which takes {size / 1e9:.1f} GB when dense, more than "
            f"{MAX_DENSE_BYTES / 1e9:.1f} GB",
            "take fewer rows, or a key of obsm such as X_pca",
        )


def read_h5ad(path: Path, key: str) -> Any:
    """Return the ``X`` of an ``.h5ad``, or the array under a key of its ``obsm``. Errors do not name the file."""
    file = _opened(path)
    import h5py

    keys = [] if _own_part(file, "obsm") is None else list(file["obsm"])
    if key and key not in keys and key != "X":
        raise DatasetError(key_hint(key, keys))
    name = key if key in keys else "X"
    part = _own_part(file["obsm"] if key in keys else file, name)
    if part is None:
        hint = f"; name a key of its obsm: {path}:{keys[0]}" if keys else ""
        raise DatasetError(f"does not itself contain {name}{hint}")
    if isinstance(part, h5py.Dataset):
        return _array(part, name, path)
    kind = part.attrs.get("encoding-type", "a group")
    if kind not in SPARSE:
        hint = join_names(keys) or "obsm has none"
        raise DatasetError(f"{name} is {short_repr(kind)}; give an array of numbers ({hint})")
    return _from_sparse(part, kind, name, path)


def table_names(path: Path) -> tuple[list[str] | None, list[str] | None]:
    """Return the names of the rows and of the columns of ``X``; None without any."""
    with _opened(path) as file:
        return _index(file, "obs", path), _index(file, "var", path)


def _index(file: Any, axis: str, path: Path) -> list[str] | None:
    """Return the texts in the index of a frame: a data set, or a group that has them as values."""
    import h5py

    frame = _own_part(file, axis)
    index: Any = None if frame is None else _own_part(frame, str(frame.attrs.get("_index", "_index")))
    index = _own_part(index, "values") if isinstance(index, h5py.Group) else index
    is_own = isinstance(index, h5py.Dataset) and not index.external and not index.is_virtual
    if not is_own or not h5py.check_string_dtype(index.dtype):
        return None
    refuse_unfolded(index.nbytes, path.stat().st_size, "compression=None")
    return [str(name) for name in index.asstr(errors="replace")[()]]


def _opened(path: Path) -> Any:
    try:
        import h5py
    except ImportError as error:
        raise MissingDependencyError("needs h5py, which is not installed; pip install h5py") from error
    return h5py.File(path, "r")


def _own_part(group: Any, name: str) -> Any:
    """Return a part of a file, or None if it is missing or in another file."""
    import h5py

    link = group.get(name, getlink=True) if isinstance(group, h5py.Group) and name in group else None
    return group[name] if isinstance(link, h5py.HardLink) else None


def _array(dataset: Any, name: str, path: Path) -> Any:
    """Return a data set of HDF5 as an array; if it is large, return it unchanged, to be read block by block."""
    if dataset.external or dataset.is_virtual:
        raise DatasetError(f"{name} is in other files, which are not read; save it in this one")
    if dataset.dtype.kind not in "biuf" or dataset.shape is None:
        raise DatasetError(f"{name} holds {dataset.dtype}; give an array of numbers")
    numbers = max(dataset.size, math.prod(dataset.chunks or ()))  # a chunk is always unfolded as a whole
    refuse_unfolded(numbers * 8, path.stat().st_size, "compression=None")
    return dataset if dataset.size * dataset.dtype.itemsize > IN_MEMORY_BYTES else dataset[()]


def _from_sparse(group: Any, kind: str, name: str, path: Path) -> Any:
    import numpy as np
    from scipy import sparse

    shape = tuple(int(length) for length in group.attrs["shape"])
    parts = [_own_part(group, part) for part in ("data", "indices", "indptr")]
    if len(shape) != 2 or any(part is None for part in parts):
        raise DatasetError(f"{name} is an incomplete {kind}; save it again")
    arrays = tuple(np.asarray(_array(part, name, path)) for part in parts)
    matrix = sparse.csr_matrix if kind == SPARSE[0] else sparse.csc_matrix
    try:
        return checked_sparse(matrix(arrays, shape=shape), name)
    except InputError as error:
        raise DatasetError(error.argument, error.found, error.advice) from None
