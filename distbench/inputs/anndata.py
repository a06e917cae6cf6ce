"""Reads points and codes from AnnData objects and from files."""

from __future__ import annotations

import sys
from os import PathLike
from typing import Any

from distbench._util.text import short_repr
from distbench.errors import InputError
from distbench.inputs.files import is_file_name, read_points
from distbench.inputs.h5ad import checked_sparse, key_hint

__all__ = ["anndata_of", "points_and_codes"]


def points_and_codes(X: Any, Z: Any, names: tuple[str, str]) -> tuple[Any, Any]:
    """Return points and codes as arrays if they are files or parts of an AnnData object; return others unchanged.

    ``X`` may be an array, a file, AnnData (which means its ``X``), or (AnnData, key of its ``obsm``). If ``X`` is
    AnnData, ``Z`` may be a key alone. `names` are the arguments' names in errors. Raises InputError if a file cannot be
    read, the object has no such part, or the part is sparse and too large to be made dense.
    """
    adata = anndata_of(X)
    if adata is not None and isinstance(Z, str) and (Z in adata.obsm or not is_file_name(Z)):
        Z = (adata, Z)
    return _read(X, names[0]), _read(Z, names[1])


def anndata_of(value: Any) -> Any:
    """Return the AnnData object that is meant by itself or with a key of its ``obsm``; None for anything else."""
    adata = value[0] if _is_pair(value) else value
    return adata if _is_anndata(adata) else None


def _is_pair(value: Any) -> bool:
    return isinstance(value, tuple | list) and len(value) == 2 and _is_anndata(value[0])


def _is_anndata(value: Any) -> bool:
    kind = getattr(sys.modules.get("anndata"), "AnnData", None)
    return isinstance(kind, type) and isinstance(value, kind)


def _read(value: Any, name: str) -> Any:
    if isinstance(value, str | PathLike):
        return read_points(value, name)
    adata, key = value if _is_pair(value) else (value, "")
    if not _is_anndata(adata):
        return value
    if key == "":
        if adata.X is None:
            example = next(iter(adata.obsm), "X_pca")
            raise InputError(name, "found AnnData without X", f"name a key of its obsm: (adata, {example!r})")
        return checked_sparse(adata.X, name)
    if not isinstance(key, str) or key not in adata.obsm:
        raise InputError(name, f"found {short_repr(key)}", key_hint(key, list(adata.obsm)))
    return checked_sparse(adata.obsm[key], name)
