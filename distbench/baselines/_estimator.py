"""Encoders that wrap a fitted estimator with a ``transform``."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from distbench._util.checks import whole_number
from distbench.baselines._points import Units, as_rows
from distbench.baselines._recipe import Transformer
from distbench.errors import InputError

__all__ = [
    "EstimatorEncoder",
    "PlacedEncoder",
    "at_most",
    "few_enough",
    "few_wanted",
    "numpy_seeded",
    "points_in",
    "quiet",
]


def points_in(units: Units, X: ArrayLike) -> NDArray[np.float64]:
    """Return points (m, ...) centered and within [-1, 1], in float64, shape (m, d)."""
    rows: NDArray[np.float64] = (as_rows(X, len(units.center)) - units.center) / units.scale
    return rows


@contextmanager
def quiet() -> Iterator[None]:
    """Silence a library's warnings about its own workings, about which the user can do nothing."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


@contextmanager
def numpy_seeded(seed: int) -> Iterator[None]:
    """Seed numpy's global state for a library that draws from it, and restore the caller's state."""
    before = np.random.get_state()  # noqa: NPY002 - the library draws from this state
    np.random.seed(seed)  # noqa: NPY002
    try:
        yield
    finally:
        np.random.set_state(before)  # noqa: NPY002


def few_wanted(code_size: int, n: int) -> bool:
    """Return whether an iterative search is the faster way to the first eigenvectors of an n x n matrix."""
    return n > 1000 and code_size * 20 <= n


def few_enough(n: int, most: int, name: str) -> None:
    """Raise ``InputError`` if there are more points than a recipe of quadratic cost is meant for."""
    whole_number(most, "max_points", 1)
    if n > most:
        raise InputError(
            f"X: {n} points are more than max_points={most} of {name}, whose time and memory grow with the square of "
            "their number; fit on a sample, or raise max_points"
        )


def at_most(code_size: int, most: int, name: str, why: str) -> None:
    """Raise ``InputError`` if ``code_size`` is above ``most``."""
    if code_size > most:
        raise InputError(f"code_size: {code_size}; {name} takes at most {most} ({why})")


@dataclass(frozen=True, eq=False)
class EstimatorEncoder(Transformer):
    """An encoder whose codes are ``factor`` times what a fitted estimator returns for points in ``units``.

    Attributes
    ----------
    name : str
        The name of the recipe.
    estimator : object
        Has ``transform``.
    units : Units
        Converts between the user's points and the estimator's.
    factor : float
        Brings codes back to the units of the inputs; 1 if codes have no units.
    note : str
        What a reader of results should know; may be empty.
    """

    name: str
    estimator: Any
    units: Units
    factor: float = 1.0
    note: str = ""

    def encode(self, X: ArrayLike) -> NDArray[np.float64]:
        """Return the codes of points ``X`` (m, ...) as an array (m, code_size)."""
        points = points_in(self.units, X)
        with quiet():
            codes = self.estimator.transform(points)
        return np.asarray(codes, dtype=np.float64) * self.factor


@dataclass(frozen=True, eq=False, kw_only=True)
class PlacedEncoder(EstimatorEncoder):
    """An estimator that also has codes of the points it was fitted on.

    Attributes
    ----------
    codes_ : numpy.ndarray, shape (n, code_size)
        Codes of the points fitted on.
    note_out_of_sample : str
        How new points get their codes.
    """

    codes_: NDArray[np.float64] = field(repr=False)
    note_out_of_sample: str = "out of sample: added to the layout of the train points"
