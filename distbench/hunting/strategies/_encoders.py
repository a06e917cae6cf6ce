"""Encoders whose faults are known, to try out tests and metrics on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy
from numpy.typing import NDArray

from distbench.errors import InputError
from distbench.hunting.strategies._checks import SEEDS, checked_kinds, checked_sizes

__all__ = ["ENCODER_KINDS", "DrawnEncoder", "encoders"]

Array = NDArray[np.float64]

ENCODER_KINDS = ("orthogonal", "permuted", "linear", "collapsed", "tanh", "quantised", "constant")


@dataclass(frozen=True)
class DrawnEncoder:
    """An encoder that its arguments say all about; its ``repr`` makes it again.

    Call it, or pass it wherever an encoder goes: ``encoder(X)`` and ``encoder.transform(X)`` are the codes.

    Parameters
    ----------
    kind : str
        "orthogonal" (a rotation, without its last columns where codes are smaller), "permuted" (columns in another
        order, the last left out), "linear" (a random matrix), "collapsed" (an orthogonal one that loses one more
        direction, `collapsed`), "tanh" (of a linear one), "quantised" (an orthogonal one, rounded to halves) or
        "constant".
    columns, code_size : int
        Numbers of an input and of a code; codes are no larger than inputs.
    seed : int
        Of the matrix.
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
        """What reports call it."""
        return self.kind

    @property
    def matrix(self) -> Array:
        """What inputs are multiplied with, shape (columns, code_size)."""
        rng = np.random.default_rng(self.seed)
        if self.kind == "permuted":
            chosen: Array = np.eye(self.columns)[:, rng.permutation(self.columns)[: self.code_size]]
            return chosen
        square = rng.normal(size=(self.columns, self.columns))
        if self.kind in ("linear", "tanh"):
            narrow: Array = square[:, : self.code_size] / np.sqrt(self.columns)
            return narrow
        if self.kind == "constant":
            return np.zeros((self.columns, self.code_size))
        rotation: Array = np.linalg.qr(square)[0][:, : self.code_size]
        if self.kind == "collapsed":
            lost = self.collapsed
            rotation = rotation - np.outer(lost, lost @ rotation)
        return rotation

    @property
    def collapsed(self) -> Array:
        """The unit direction that the kind "collapsed" loses."""
        rng = np.random.default_rng((self.seed, 1))
        direction = rng.normal(size=self.columns)
        result: Array = direction / np.linalg.norm(direction)
        return result

    def __call__(self, X: Any) -> Array:
        """Return the codes of points of shape (n, ...)."""
        points = np.asarray(X, dtype=np.float64).reshape(len(X), -1)
        codes = points @ self.matrix
        if self.kind == "tanh":
            return np.tanh(codes)
        return np.round(2 * codes) / 2 if self.kind == "quantised" else codes

    def transform(self, X: Any) -> Array:
        """Return the codes (n, code_size) of points ``X`` of shape (n, ...), as calling it does."""
        return self(X)


def encoders(
    columns: int,
    code_size: int | tuple[int, int] | None = None,
    *,
    kinds: Sequence[str] | None = None,
) -> SearchStrategy[DrawnEncoder]:
    """Return a strategy for encoders of points with so many columns.

    They shrink to a rotation. What a failing test shows can be pasted: ``DrawnEncoder(kind='tanh', columns=3, ...)``.

    Parameters
    ----------
    columns : int
        Numbers of an input.
    code_size : int or (int, int), optional
        Numbers of a code, or the least and the largest; 1 to `columns` if not given.
    kinds : sequence of str, optional
        Some of `ENCODER_KINDS`; all if not given.

    Returns
    -------
    SearchStrategy
        Of `DrawnEncoder`.

    Raises
    ------
    InputError
        An argument cannot be used.
    """
    width = checked_sizes(columns, "columns", 1)[1]
    least, most = (1, width) if code_size is None else checked_sizes(code_size, "code_size", 1)
    if most > width:
        raise InputError("code_size", f"found {most} for {width} columns", f"pass at most {width}")
    chosen = checked_kinds(kinds, ENCODER_KINDS)
    return st.builds(
        DrawnEncoder,
        st.sampled_from(chosen),
        st.just(width),
        st.integers(least, most),
        st.integers(0, SEEDS),
    )
