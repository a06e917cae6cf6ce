"""Checks labels of points: each point has one."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from distbench._util.text import short_repr
from distbench.errors import InputError

__all__ = ["as_labels", "first_missing", "is_missing"]


def as_labels(labels: Any, n_points: int, name: str) -> NDArray[Any]:
    """Return labels of any kind as an array of shape (n_points,). Raises InputError unless each point has one."""
    try:
        array = np.asarray(labels)
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
