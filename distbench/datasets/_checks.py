"""Checks the points and classes in data sets of users and of other packages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from distbench._util.text import first_line
from distbench.errors import DatasetError, InputError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["checked_classes", "checked_groups", "checked_labels", "checked_points"]


def checked_points(value: Any, name: str) -> NDArray[np.floating]:
    """Return points as a new matrix: float32 for floats of at most 32 bits, else float64."""
    import numpy as np

    from distbench.inputs.arrays import as_points

    try:
        points = as_points(value, name)
    except InputError as error:
        raise DatasetError(error.argument, error.found, error.advice) from error.__cause__
    dtype = np.asarray(value).dtype
    return np.array(points, dtype=np.float32 if dtype.kind == "f" and dtype.itemsize <= 4 else np.float64, order="C")


def checked_labels(value: Any, name: str, n: int) -> NDArray[Any]:
    """Return labels as an array; raise DatasetError unless there is one label for each of the `n` points."""
    import numpy as np

    try:
        labels = np.asarray(value)
    except (ValueError, TypeError) as error:
        raise DatasetError(name, f"cannot be an array ({first_line(error)})", "give rows of equal length") from error
    if labels.shape != (n,):
        advice = f"give one class for each point, shape ({n},)"
        raise DatasetError(name, f"found shape {labels.shape} for {n} points", advice)
    return labels


def checked_groups(value: Any, name: str, n: int) -> NDArray[np.int64]:
    """Return the groups of `n` points as whole numbers; raise DatasetError if there is not one label for each."""
    from distbench.inference.groups import Groups

    try:
        return Groups.of(value, n).codes
    except InputError as error:
        raise DatasetError(name, error.found, error.advice) from None


def checked_classes(*labels: NDArray[Any]) -> list[NDArray[np.int64]]:
    """Return labels as whole numbers; texts are numbered alphabetically over all arrays.

    Raises DatasetError if they are neither whole numbers nor texts.
    """
    import numpy as np

    kinds = {_kind(array) for array in labels}
    if kinds == {"number"}:
        return [np.array(array, dtype=np.int64) for array in labels]
    if kinds == {"text"}:
        _, numbers = np.unique(np.concatenate([array.astype(str) for array in labels]), return_inverse=True)
        ends = np.cumsum([len(array) for array in labels])[:-1]
        return [np.array(part, dtype=np.int64) for part in np.split(numbers, ends)]
    dtypes = " and ".join(sorted({str(array.dtype) for array in labels}))
    raise DatasetError("labels", f"found {dtypes}", "give whole numbers or texts, the same in train and test")


def _kind(array: NDArray[Any]) -> str:
    import numpy as np

    if array.dtype.kind == "f":
        return "number" if np.isfinite(array).all() and (array == np.rint(array)).all() else "other"
    is_text = array.dtype.kind == "U" or (array.dtype.kind in "OT" and all(isinstance(item, str) for item in array))
    return "number" if array.dtype.kind in "iub" else "text" if is_text else "other"
