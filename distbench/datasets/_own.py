"""Checks points and classes that a user brings, and makes a data set of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from distbench._util.text import first_line
from distbench.datasets._dataset import Dataset, digest
from distbench.errors import DatasetError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["classes", "own_dataset"]


def own_dataset(name: str, parts: Mapping[str, Any], source: str, licence: str) -> Dataset:
    """Return a data set of points and classes, checked, frozen and hashed.

    Parameters
    ----------
    name, source, licence : str
        As in :class:`Dataset`.
    parts : mapping
        Arrays by name: ``train``, ``test``, and where there are classes ``labels_train`` and ``labels_test``.

    Raises
    ------
    DatasetError
        An array cannot be used: which, what was found and what to do.
    """
    import numpy as np

    train, test = (_points(parts[key], key) for key in ("train", "test"))
    if train.shape[1] != test.shape[1]:
        raise DatasetError("test", f"found {test.shape[1]} features, train has {train.shape[1]}", "give both the same")
    dtype = np.result_type(train, test)
    x_train, x_test = (np.array(points, dtype=dtype, order="C") for points in (train, test))
    labels = _labels(parts, {"labels_train": len(train), "labels_test": len(test)})
    arrays = [x_train, x_test, *(labels or ())]
    for array in arrays:
        array.flags.writeable = False
    y_train, y_test = labels or (None, None)
    return Dataset(name, x_train, x_test, y_train, y_test, source, licence, digest(arrays))


def classes(*labels: Any) -> list[NDArray[np.int64]]:
    """Return classes as whole numbers, which stand for the same in all arrays: texts are numbered in their order.

    Raises
    ------
    DatasetError
        They are neither whole numbers nor texts.
    """
    import numpy as np

    arrays = [np.asarray(one) for one in labels]
    kinds = {_kind(array) for array in arrays}
    if kinds == {"number"}:
        return [np.array(array, dtype=np.int64) for array in arrays]
    if kinds == {"text"}:
        _, numbers = np.unique(np.concatenate([array.astype(str) for array in arrays]), return_inverse=True)
        ends = np.cumsum([len(array) for array in arrays])[:-1]
        return [np.array(part, dtype=np.int64) for part in np.split(numbers, ends)]
    found = " and ".join(sorted({str(array.dtype) for array in arrays}))
    raise DatasetError("labels", f"found {found}", "give whole numbers or texts, the same in train and test")


def _array(value: Any, key: str) -> NDArray[Any]:
    import numpy as np

    try:
        return np.asarray(value)
    except (ValueError, TypeError) as error:
        raise DatasetError(key, f"no array ({first_line(error)})", "give rows of one length") from error


def _kind(array: NDArray[Any]) -> str:
    import numpy as np

    if array.dtype.kind in "iub":
        return "number"
    if array.dtype.kind == "f":
        return "number" if np.isfinite(array).all() and (array == np.rint(array)).all() else "other"
    is_text = array.dtype.kind == "U" or (array.dtype.kind in "OT" and all(isinstance(one, str) for one in array.flat))
    return "text" if is_text else "other"


def _points(value: Any, key: str) -> NDArray[np.floating]:
    import numpy as np

    points = _array(value, key)
    if points.dtype.kind not in "fiub":
        raise DatasetError(key, f"found values of dtype {points.dtype}", "give real numbers")
    if points.ndim != 2:
        raise DatasetError(key, f"found shape {points.shape}", "give (points, features), as X.reshape(len(X), -1) does")
    if not points.size:
        raise DatasetError(key, f"found shape {points.shape}, which is empty", "give at least one point and feature")
    small = points.dtype.kind == "f" and points.dtype.itemsize <= 4
    points = points.astype(np.float32 if small else np.float64)
    if not np.isfinite(points).all():
        bad = int((~np.isfinite(points)).any(axis=1).sum())
        raise DatasetError(key, f"{bad} points have values that are not finite", "leave them out or fill them")
    return points


def _labels(parts: Mapping[str, Any], lengths: Mapping[str, int]) -> tuple[NDArray[np.int64], NDArray[np.int64]] | None:
    given = [key for key in lengths if parts.get(key) is not None]
    if not given:
        return None
    if len(given) == 1:
        raise DatasetError(given[0], "found without its twin", f"give both of {', '.join(lengths)}, or none")
    for key, n in lengths.items():
        shape = _array(parts[key], key).shape
        if shape != (n,):
            raise DatasetError(key, f"found shape {shape} for {n} points", f"give one class a point, of shape ({n},)")
    train, test = classes(*(parts[key] for key in lengths))
    return train, test
