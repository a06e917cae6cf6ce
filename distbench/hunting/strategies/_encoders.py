"""Strategies for encoders with known faults, to try tests and metrics on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy
from numpy.typing import NDArray

from distbench.errors import InputError
from distbench.hunting.strategies._checks import MAX_SEED, checked_kinds, checked_sizes

__all__ = ["ENCODER_KINDS", "DrawnEncoder", "encoders"]

Array = NDArray[np.float64]

ENCODER_KINDS = ("orthogonal", "permuted", "linear", "collapsed", "tanh", "quantised", "constant")


@dataclass(frozen=True)
class DrawnEncoder:
    """An encoder that is fully described by its arguments; its ``repr`` is code that makes it again.

    Call it, or pass it wherever distbench takes an encoder: ``encoder(X)`` and ``encoder.transform(X)`` are the codes.

    Parameters
    ----------
    kind : str
        "orthogonal" (a rotation; smaller codes lack its last columns), "permuted" (the columns in another order;
        smaller codes lack the last), "linear" (a random matrix), "collapsed" (an orthogonal map that also loses the
        direction `collapsed`), "tanh" (of a linear map), "quantised" (an orthogonal map, rounded to halves) or
        "constant".
    columns, code_size : int
        Sizes of an input and of a code; a code is not larger than an input.
    seed : int
        Seed of the matrix.
    """

    kind: str
    columns: int
    code_size: int
    seed: int = 0

    def __post_init__(self) -> None:
        checked_kinds((self.kind,), ENCODER_KINDS)
        if not 1 <= self.code_size <= self.columns:
            raise InputError(
                "code_size", f"found {self.code_size} for {self.columns} columns", f"pass 1 to {self.columns}"
            )

    @property
    def name(self) -> str:
        """Its name in reports."""
        return self.kind

    @property
    def matrix(self) -> Array:
        """The matrix that inputs are multiplied by, shape (columns, code_size)."""
        rng = np.random.default_rng(self.seed)
        if self.kind == "permuted":
            return np.eye(self.columns)[:, rng.permutation(self.columns)[: self.code_size]]
        square = rng.normal(size=(self.columns, self.columns))
        if self.kind in ("linear", "tanh"):
            narrow: Array = square[:, : self.code_size] / np.sqrt(self.columns)
            return narrow
        if self.kind == "constant":
            return np.zeros((self.columns, self.code_size))
        rotation: Array = np.linalg.qr(square)[0][:, : self.code_size]
        if self.kind == "collapsed":
            rotation = rotation - np.outer(self.collapsed, self.collapsed @ rotation)
        return rotation

    @property
    def collapsed(self) -> Array:
        """The unit direction that the kind "collapsed" loses."""
        direction: Array = np.random.default_rng((self.seed, 1)).normal(size=self.columns)
        direction /= np.linalg.norm(direction)
        return direction

    def __call__(self, X: Any) -> Array:
        """Return the codes of points of shape (n, ...)."""
        points = np.asarray(X, dtype=np.float64).reshape(len(X), -1)
        codes = points @ self.matrix
        if self.kind == "tanh":
            return np.tanh(codes)
        return np.round(2 * codes) / 2 if self.kind == "quantised" else codes

    def transform(self, X: Any) -> Array:
        """Return the codes (n, code_size) of points ``X`` of shape (n, ...), the same as ``encoder(X)``."""
        return self(X)


def encoders(
    columns: int, code_size: int | tuple[int, int] | None = None, *, kinds: Sequence[str] | None = None
) -> SearchStrategy[DrawnEncoder]:
    """Return a strategy for encoders of points with this number of columns.

    Examples shrink to a rotation. A failing test shows code that makes the encoder again:
    ``DrawnEncoder(kind='tanh', ...)``.

    Parameters
    ----------
    columns : int
        Size of an input.
    code_size : int or (int, int), optional
        Size of a code, or its smallest and largest value. Default: 1 to `columns`.
    kinds : sequence of str, optional
        Some of `ENCODER_KINDS`. Default: all.

    Returns
    -------
    SearchStrategy
        Draws `DrawnEncoder`.

    Raises
    ------
    InputError
        An argument cannot be used.
    """
    width = checked_sizes(columns, "columns")[1]
    smallest, largest = (1, width) if code_size is None else checked_sizes(code_size, "code_size")
    if largest > width:
        raise InputError("code_size", f"found {largest} for {width} columns", f"pass at most {width}")
    return st.builds(
        DrawnEncoder,
        st.sampled_from(checked_kinds(kinds, ENCODER_KINDS)),
        st.just(width),
        st.integers(smallest, largest),
        st.integers(0, MAX_SEED),
    )
