"""Strategies for slightly moved, plausible points, and for pairs of a point and a moved point."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy
from numpy.typing import NDArray

from distbench._util.text import code_repr, short_repr
from distbench.errors import InputError
from distbench.hunting._region import plausible_region
from distbench.hunting.strategies._checks import MAX_SEED

__all__ = ["Moves", "near_pairs", "perturbations"]

Array = NDArray[np.float64]
Move = tuple[int, str, float, int]
Point = NDArray[Any]

DIRECTIONS = ("column", "neighbour", "principal", "random")
SIZES = (1.0, 0.3, 0.1, 0.01)  # shares of the reach
NEIGHBORS = 8


def perturbations(
    X: Any, *, reach: float = 1.0, bounds: Any = None, plausible: Callable[[Any], Any] | None = None
) -> SearchStrategy[Point]:
    """Return a strategy for single points: rows of `X` that are slightly moved and stay plausible.

    A row is moved in one column, towards a near row, along the principal axis of near rows, or in a random direction.
    Examples shrink to the first row, moved by `reach` in its first column.

    Parameters
    ----------
    X : array of shape (n, ...)
        Points; at least two must differ. Moved points have their shape and type.
    reach : float, default 1.0
        Largest distance of a move, in units of the row's distance to its nearest other row.
    bounds : (low, high), optional
        Range of plausible points; each is a number, or has one number for each column. Default: the range of
        `X` in each column.
    plausible : callable, optional
        A further condition: a function that takes points in the shape of `X` and returns one bool for each.

    Returns
    -------
    SearchStrategy
        Draws arrays of the shape of a point.

    Raises
    ------
    InputError
        An argument cannot be used.
    """
    moves = Moves(X, reach=reach, bounds=bounds, plausible=plausible)
    return moves._strategy().map(moves.point)


def near_pairs(
    X: Any, *, reach: float = 1.0, bounds: Any = None, plausible: Callable[[Any], Any] | None = None
) -> SearchStrategy[tuple[Point, Point]]:
    """Return a strategy for pairs of distinct points: a row of `X`, and the same row slightly moved.

    Distances are 1, 0.3, 0.1 and 0.01 times `reach`, or less at the edge of the range. A failing test shows code
    that makes the pair again from `X`: ``Moves(X).pair((0, 'column', 1.0, 0))``.

    Parameters
    ----------
    X, reach, bounds, plausible
        As for `perturbations`.

    Returns
    -------
    SearchStrategy
        Draws pairs of arrays of the shape of a point.

    Raises
    ------
    InputError
        An argument cannot be used.

    Examples
    --------
    >>> from hypothesis import given
    >>> from distbench.hunting.strategies import near_pairs
    >>> @given(near_pairs(X_test))
    ... def test_near_stays_near(pair):
    ...     x, y = pair
    ...     z_x, z_y = encode(np.stack(pair))
    ...     assert np.linalg.norm(z_x - z_y) <= 3 * np.linalg.norm(x - y)
    """
    moves = Moves(X, reach=reach, bounds=bounds, plausible=plausible)
    return moves._strategy().map(moves.pair)


class Moves:
    """Moves of the rows of `X`. A failing test shows them as code, which makes the moved points again from `X`.

    Parameters
    ----------
    X, reach, bounds, plausible
        As for `perturbations`.

    Examples
    --------
    >>> from distbench.hunting.strategies import Moves
    >>> x, y = Moves(X_test).pair((0, "column", 1.0, 0))
    """

    def __init__(
        self, X: Any, *, reach: float = 1.0, bounds: Any = None, plausible: Callable[[Any], Any] | None = None
    ) -> None:
        self.region = plausible_region(X, reach=reach, bounds=bounds, plausible=plausible)
        options = (("reach", reach, 1.0), ("bounds", bounds, None), ("plausible", plausible, None))
        changed = [f", {name}={code_repr(name, value)}" for name, value, default in options if value is not default]
        self._repr = f"Moves(X{''.join(changed)})"

    def __repr__(self) -> str:
        return self._repr

    def leads(self, move: Move) -> bool:
        """Return whether a move leads to another plausible point."""
        return self._moved(*move) is not None

    def pair(self, move: Move) -> tuple[Point, Point]:
        """Return a row, and the same row after a move.

        Parameters
        ----------
        move : (int, str, float, int)
            Row, direction ("column", "neighbour", "principal" or "random"), size as a share of the reach, and seed.

        Raises
        ------
        InputError
            `move` is no move, or leads to no other plausible point.
        """
        try:
            row, direction, size, seed = move
            moved = self._moved(row, direction, size, seed) if direction in DIRECTIONS else None
        except (TypeError, ValueError, IndexError):
            moved = None
        if moved is None:
            raise InputError(
                "move",
                f"found {short_repr(move)}, which leads to no other point",
                "pass a move that was drawn from the same X",
            )
        x, y = np.asarray(self.region.as_passed(np.stack([self.region.rows[row], moved])))
        return x, y

    def point(self, move: Move) -> Point:
        """Return the moved row; see `pair` for the parts of a move."""
        return self.pair(move)[1]

    def _strategy(self) -> SearchStrategy[Move]:
        moves = st.tuples(
            st.integers(0, len(self.region.rows) - 1),
            st.sampled_from(DIRECTIONS),
            st.sampled_from(SIZES),
            st.integers(0, MAX_SEED),
        )
        return moves.filter(self.leads)

    def _moved(self, row: int, name: str, size: float, seed: int) -> Array | None:
        """Return the moved row, or None if it is the same row or not plausible."""
        region, point = self.region, self.region.rows[row]
        direction = self._direction(point, name, seed)
        length = np.linalg.norm(direction)
        if not length:
            return None
        direction = direction / length * (1 if seed % 2 == 0 else -1)
        if region.room(point[None], direction[None])[0] == 0:
            direction = -direction
        moved = region.clip((point + size * region.radii[row] * direction)[None])
        return None if np.array_equal(moved[0], point) or not region.contains(moved)[0] else moved[0]

    def _direction(self, point: Array, name: str, seed: int) -> Array:
        varying, rows = self.region.varying, self.region.rows
        direction = np.zeros(len(point))
        if name == "column":
            direction[varying[seed // 2 % len(varying)]] = 1.0
            return direction
        rng = np.random.default_rng(seed)
        if name == "random":
            direction[varying] = rng.normal(size=len(varying))
            return direction
        gaps = np.linalg.norm(rows - point, axis=1)
        order = np.argsort(gaps, kind="stable")
        around = rows[order[gaps[order] > 0][:NEIGHBORS]] - point
        if name == "neighbour":
            return np.asarray(around[int(rng.integers(len(around)))])
        return np.asarray(np.linalg.svd(around, full_matrices=False)[2][0])
