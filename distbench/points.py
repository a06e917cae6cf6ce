"""What comes in: every array is checked once, here, before anything is measured."""

from __future__ import annotations

import operator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from distbench.errors import InputError

__all__ = ["as_points", "check_candidates", "check_same_columns", "check_same_rows"]

Points = NDArray[np.float64]


def as_points(value: Any, name: str, notes: list[str] | None = None) -> Points:
    """Return `value` as a checked float64 matrix, one point a row.

    Parameters
    ----------
    value : array-like of shape (n, d) or (n, h, w[, c])
        Numbers of any real dtype: arrays, lists, pandas frames, tensors. Images are flattened.
    name : str
        The argument's name, for error messages.
    notes : list of str, optional
        Where to say that images were flattened.

    Returns
    -------
    ndarray of shape (n, d), float64, C-contiguous

    Raises
    ------
    InputError
        If the value is not a matrix of finite real numbers with at least one row and one column.
    """
    array = _as_array(value, name)
    if array.ndim < 2:
        raise InputError(
            f"{name}: found {array.ndim}-D data of shape {array.shape}; pass one point a row, "
            f"shape (n, d) (for a single column: {name}.reshape(-1, 1))"
        )
    if 0 in array.shape:
        raise InputError(f"{name}: found shape {array.shape}, which holds no numbers; pass at least one row")
    if array.ndim > 2:
        if notes is not None:
            notes.append(f"{name}: images of shape {array.shape[1:]} flattened to {array[0].size} columns")
        array = array.reshape(len(array), -1)
    if array.dtype.kind in "iu" and max(abs(int(array.min())), abs(int(array.max()))) > 2**53:
        raise InputError(f"{name}: found integers beyond 2**53, which float64 merges; subtract an offset first")
    points = np.ascontiguousarray(array, dtype=np.float64)
    _check_finite(points, name)
    return points


def _as_array(value: Any, name: str) -> NDArray[Any]:
    """Return `value` as a numeric array of any rank, or say why that cannot be."""
    if value is None:
        raise InputError(f"{name}: found None; pass an array of shape (n, d)")
    if isinstance(value, np.ma.MaskedArray):
        raise InputError(f"{name}: found a masked array; fill or drop the masked rows first")
    if hasattr(value, "tocsr"):
        raise InputError(f"{name}: found a sparse matrix; pass {name}.toarray()")
    if hasattr(value, "detach"):  # a torch tensor, perhaps on a device or with a gradient
        value = value.detach().cpu()
    if _is_numeric_frame(value, name):  # mixed and nullable columns would come out as objects
        value = value.to_numpy(dtype=np.float64, na_value=np.nan)
    try:
        array = np.asarray(value)
    except (ValueError, TypeError) as error:
        raise InputError(
            f"{name}: found {type(value).__name__} that is no array ({error}); give every row the same length"
        ) from None
    if array.dtype.kind == "c":
        raise InputError(f"{name}: found complex numbers; pass real ones (e.g. real and imaginary columns)")
    if array.dtype.kind not in "biuf":
        raise InputError(f"{name}: found dtype {array.dtype}; pass numbers, shape (n, d)")
    return array


def _is_numeric_frame(value: Any, name: str) -> bool:
    """Say whether this is a pandas frame; name its columns that are not numbers."""
    dtypes = getattr(value, "dtypes", None)
    if dtypes is None or not hasattr(value, "columns"):
        return False
    text = [str(column) for column, dtype in zip(value.columns, dtypes, strict=True) if dtype.kind not in "biuf"]
    if text:
        raise InputError(f"{name}: found columns that are not numbers: {', '.join(text)}; encode or drop them")
    return True


def _check_finite(points: Points, name: str) -> None:
    bad = np.flatnonzero(~np.isfinite(points).all(axis=1))
    if bad.size:
        kind = "NaN" if np.isnan(points[bad[0]]).any() else "an infinite value"
        more = f" ({bad.size} such rows in all)" if bad.size > 1 else ""
        raise InputError(f"{name}: found {kind} in row {bad[0]}{more}; drop or mend these rows")


def check_same_rows(X: Points, Z: Points, names: tuple[str, str]) -> None:
    """Raise InputError unless points and codes have equally many rows."""
    if len(X) != len(Z):
        raise InputError(f"{names[1]}: found {len(Z)} rows, but {names[0]} has {len(X)}; pass one code for each point")


def check_same_columns(X: Points, X_ref: Points, names: tuple[str, str]) -> None:
    """Raise InputError unless queries and references live in the same space."""
    if X.shape[1] != X_ref.shape[1]:
        raise InputError(
            f"{names[1]}: found {X_ref.shape[1]} columns, but {names[0]} has {X.shape[1]}; "
            "both must be points of one space"
        )


def check_candidates(k: Any, M: int) -> int:
    """Return `k` as an int, or raise InputError unless 1 <= k < M / 2.

    Parameters
    ----------
    k : int
        Number of nearest neighbours.
    M : int
        Number of candidates of each query.
    """
    try:
        if isinstance(k, bool | np.bool_):
            raise TypeError
        number = operator.index(k)
    except TypeError:
        raise InputError(f"k: found {k!r}; pass a whole number of neighbours, e.g. k=10") from None
    if M < 3:
        raise InputError(f"X_test, reference: found {M} candidates for each point; at least 3 are needed")
    if not 1 <= number < M / 2:
        raise InputError(
            f"k: found {number} with M = {M} candidates; pass 1 <= k <= {(M - 1) // 2} "
            "(k must be less than half the candidates) or more reference points"
        )
    return number
