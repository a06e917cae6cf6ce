"""Checks labels of points: each point has one."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from distbench._util.text import short_repr
from distbench.errors import InputError

__all__ = ["as_labels", "first_missing", "is_missing", "numbered", "unmixed"]


def as_labels(labels: Any, n_points: int, name: str) -> NDArray[Any]:
    """Return labels of any kind as an array of shape (n_points,). Raises InputError unless each point has one."""
    try:
        array = unmixed(labels)
    except ValueError:
        raise InputError(name, "found lists of different lengths", "pass one label for each point") from None
    if array.ndim != 1:
        shape = f"shape {array.shape}" if array.ndim else short_repr(labels)
        raise InputError(name, f"found {shape}", "pass one label for each point, shape (n,)")
    if len(array) != n_points:
        raise InputError(name, f"found {len(array)} labels for {n_points} points", "pass one label for each point")
    if (missing := first_missing(labels)) is not None:
        found = f"found {missing[1]} at place {missing[0]}"
        raise InputError(name, found, "drop these points, or give them a label")
    return array


def unmixed(labels: Any) -> NDArray[Any]:
    """Return labels or ids as an array, of objects if they are a list with texts: numbers beside these stay numbers."""
    array = np.asarray(labels)
    is_list = array.dtype.kind in "US" and isinstance(labels, list | tuple)
    return np.asarray(labels, dtype=object) if is_list else array


def numbered(labels: Iterable[Any], name: str) -> tuple[list[Any], NDArray[np.int64]]:
    """Return the different labels in the order in which they occur, and the place of each label among them.

    Raises InputError for labels that cannot be compared, such as lists.
    """
    places: dict[Any, int] = {}
    try:
        codes = [places.setdefault(label, len(places)) for label in labels]
    except TypeError:
        found = next(short_repr(label) for label in labels if not isinstance(label, Hashable))
        raise InputError(name, f"found labels like {found}", "pass numbers or texts") from None
    return list(places), np.array(codes, dtype=np.int64)


def first_missing(labels: Any) -> tuple[int, str] | None:
    """Return the place of the first label that is missing, and what is there; None if all are known.

    Missing are None, NaN, NaT, `pandas.NA` and masked labels, also beside texts, which numpy would make texts.
    """
    if np.ma.is_masked(labels):
        return int(np.ma.getmaskarray(labels).argmax()), "a masked label"
    array = labels if isinstance(labels, np.ndarray) else np.asarray(labels, dtype=object)
    if array.dtype.kind in "fmM":
        places = np.flatnonzero(np.isnan(array))
        return (int(places[0]), str(array[places[0]]).replace("nan", "NaN")) if len(places) else None
    if array.dtype != object:
        return None
    found = next(((place, label) for place, label in enumerate(array.tolist()) if is_missing(label)), None)
    return found and (found[0], short_repr(found[1]).replace("nan", "NaN"))


def is_missing(label: Any) -> bool:
    """Return whether a label, or a cell of a table, is None, NaN, NaT or `pandas.NA`."""
    if getattr(label, "shape", ()):  # a row
        return False
    try:
        return label is None or bool(label != label)
    except TypeError:  # pandas.NA
        return True
