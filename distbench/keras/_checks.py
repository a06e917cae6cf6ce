"""Checks of what models and losses are given."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from distbench._util.checks import whole_number
from distbench.errors import InputError
from distbench.keras._distances import batch_shape

__all__ = [
    "check_points",
    "check_scale",
    "check_seed",
    "check_shape",
    "check_targets",
    "check_weight",
    "is_between",
    "numbers",
]


def numbers(argument: str, given: Any) -> NDArray[Any]:
    """Return points or codes as an array; raise ``InputError`` unless they are a batch of numbers."""
    try:
        found = np.asarray(given)
        found = found.astype(np.float32) if found.dtype == object else found
    except (TypeError, ValueError):
        found = np.empty(0, str)
    if found.dtype.kind in "USmM" or not found.ndim:
        raise InputError(argument, f"found {type(given).__name__}", "pass an array of numbers, shape (n, ...)")
    return found


def check_points(points: Any) -> None:
    """Raise ``InputError`` for inputs of a model that are no batch of points of one known rank."""
    if points is None or isinstance(points, (list, tuple, dict)):
        raise InputError("inputs", f"found {type(points).__name__}", "pass one array of points, shape (n, ...)")
    try:
        rank = len(points.shape)
    except ValueError:  # TensorFlow's
        found = "found batches of different ranks, or of a rank that is not known"
        raise InputError("inputs", found, "pass points of one shape") from None
    if rank < 2:
        raise InputError("inputs", f"found shape {tuple(points.shape)}", "pass points, shape (n, ...)")


def check_shape(argument: str, given: Sequence[int], wanted: Sequence[int | None], exact: bool) -> None:
    """Raise ``InputError`` for points whose shape a network cannot take; axes of length 1 do not count.

    Of networks that are not ``exact``, such as convolutions, only the number of axes matters.
    """
    ours, theirs = ([size for size in shape if size != 1] for shape in (given[1:], wanted))
    differ = exact and any(None not in pair and pair[0] != pair[1] for pair in zip(ours, theirs, strict=False))
    if len(ours) != len(theirs) or differ:
        expected = ", ".join(map(str, ("n", *wanted)))
        raise InputError(argument, f"found shape {tuple(given)}", f"pass shape ({expected})")


def check_targets(targets: Any, output: Any, points: Any) -> None:
    """Raise ``InputError`` for targets that the squared error would repeat to the shape of the output.

    If the targets have the shape of the ``points``, the decoder is wrong.
    """
    given, wanted = (tuple(batch_shape(name, rows)[1:]) for name, rows in (("y", targets), ("output", output)))
    differ = any(None not in pair and pair[0] != pair[1] for pair in zip(given, wanted, strict=False))
    if len(given) != len(wanted) or differ:
        if points is not None and tuple(points.shape[1:]) == given:
            found = f"found outputs of shape {wanted} for points of {given}"
            raise InputError("decoder", found, "pass a decoder whose outputs have the shape of the points")
        found = f"found targets of shape {given} for outputs of {wanted}"
        raise InputError("y", found, "pass points, or nothing: then the inputs are the targets")


def is_between(value: Any, low: float, high: float = float("inf")) -> bool:
    """Return whether a value is a number above ``low`` and below ``high``."""
    try:
        return bool(low < value < high)
    except (TypeError, ValueError):
        return False


def check_weight(argument: str, value: Any) -> float:
    """Return ``value`` as float; raise ``InputError`` unless it is a finite number of at least 0."""
    if not is_between(value, 0) and not (np.ndim(value) == 0 and value == 0):
        raise InputError(f"{argument}: {value!r} is not a number of at least 0")
    return float(value)


def check_seed(value: Any) -> int | None:
    """Return a seed as int, or None; raise ``InputError`` unless it is a whole number of at least 0."""
    return None if value is None else whole_number(value, "seed", 0)


def check_scale(value: Any) -> float | None:
    """Return a mean distance as float, or None; raise ``InputError`` unless it is above 0."""
    if value is not None and not is_between(value, 0):
        raise InputError(f"scale: {value!r} is not a number above 0; pass the mean distance, or None")
    return None if value is None else float(value)
