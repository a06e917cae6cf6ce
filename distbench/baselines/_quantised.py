"""Encoders whose stored codes take few bytes. They return decoded codes, between which distances are measured."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from distbench.baselines._points import Units, as_rows
from distbench.baselines._recipe import Transformer
from distbench.errors import InputError

__all__ = ["Levels", "QuantisedEncoder", "first_columns", "unit_rows"]

Array = NDArray[np.float64]

LEVELS = 255  # steps of a byte


@dataclass(frozen=True, eq=False)
class QuantisedEncoder(Transformer):
    """Codes are points that were compressed and decoded again.

    Attributes
    ----------
    name : str
        The name of the recipe.
    features : int
        Number of columns of the points.
    code_bytes : int
        Number of bytes of a stored code.
    decoded : callable
        Returns the decoded codes of rows.
    unit : bool
        Whether rows are divided by their lengths first.
    """

    name: str
    features: int
    code_bytes: int
    decoded: Callable[[Array], Array]
    unit: bool = False

    def encode(self, X: ArrayLike) -> Array:
        """Return the decoded codes of points ``X`` (m, ...) as an array (m, columns)."""
        rows = as_rows(X, self.features)
        return np.asarray(self.decoded(unit_rows(rows) if self.unit else rows), dtype=np.float64)


def unit_rows(rows: Array) -> Array:
    """Return rows divided by their lengths; rows of zeros stay as they are."""
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    return rows / np.where(lengths > 0, lengths, 1.0)


def first_columns(name: str, X: Array, columns: int, code_size: int, unit: bool) -> Array:
    """Return the first columns of the points to fit on. Raises InputError if there are not so many columns."""
    if columns > X.shape[1]:
        found = f"{code_size} bytes are {columns} columns"
        raise InputError("code_size", found, f"{name} takes no more than the {X.shape[1]} of X")
    Units.of(X)  # refuses points that are all equal
    rows: Array = (unit_rows(X) if unit else X)[:, :columns]
    return rows


@dataclass(frozen=True, eq=False)
class Levels:
    """Numbers of each column as one of 256 levels between the least and the largest that were fitted."""

    low: Array
    step: Array

    @classmethod
    def of(cls, rows: Array) -> Levels:
        """Return the levels of the columns of rows."""
        low, high = rows.min(axis=0), rows.max(axis=0)
        return cls(low, np.where(high > low, (high - low) / LEVELS, 1.0))

    def nearest(self, rows: Array) -> Array:
        """Return the numbers at the nearest levels."""
        return self.low + np.clip(np.rint((rows - self.low) / self.step), 0, LEVELS) * self.step
