"""Points that are moved a little and stay plausible, and pairs of a point and a moved one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy
from numpy.typing import NDArray

from distbench._util.text import code_repr, short_repr
from distbench.errors import InputError
from distbench.hunting._region import PlausibleRegion, region_of
from distbench.hunting.strategies._checks import SEEDS

__all__ = ["Moves", "near_pairs", "perturbations"]

Array = NDArray[np.float64]
Move = tuple[int, str, float, int]
Pair = tuple[NDArray[Any], NDArray[Any]]

WAYS = ("column", "neighbour", "principal", "random")
SIZES = (1.0, 0.3, 0.1, 0.01)  # of the reach
NEIGHBOURS = 8


def perturbations(
    X: Any,
    *,
    reach: float = 1.0,
    bounds: Any = None,
    plausible: Callable[[Any], Any] | None = None,
) -> SearchStrategy[NDArray[Any]]:
    """Return a strategy for single points: rows of `X` that are moved a little and stay plausible.

    They are moved in one column, towards a near row, along the main axis of the rows around, or anywhere. They shrink
    to the first row moved by `reach` in its first column.

    Parameters
    ----------
    X : array of shape (n, ...)
        Points, of which at least two differ. Moved ones have their shape and type.
    reach : float, default 1.0
        How far they are moved at most, in distances of a row to its nearest other one.
    bounds : (low, high), optional
        Range, numbers or one number a column; the range of `X` in each column if not given.
    plausible : callable, optional
        Says more: takes points in the shape of `X` and returns one bool a point.

    Returns
    -------
    SearchStrategy
        Of arrays of the shape of a point.

    Raises
    ------
    InputError
        An argument cannot be used.
    """
    moves = Moves(X, reach=reach, bounds=bounds, plausible=plausible)
    return _drawn(moves).map(moves.point)


def near_pairs(
    X: Any,
    *,
    reach: float = 1.0,
    bounds: Any = None,
    plausible: Callable[[Any], Any] | None = None,
) -> SearchStrategy[tuple[NDArray[Any], NDArray[Any]]]:
    """Return a strategy for pairs of two distinct points: a row of `X`, and the same moved a little.

    Distances are 1, 0.3, 0.1 and 0.01 times `reach`, less where the range ends. What a failing test shows can be pasted
    where `X` is at hand: ``Moves(X).pair((0, 'column', 1.0, 0))``.

    Parameters
    ----------
    X, reach, bounds, plausible
        As for `perturbations`.

    Returns
    -------
    SearchStrategy
        Of pairs of arrays of the shape of a point.

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
    return _drawn(moves).map(moves.pair)


class Moves:
    """Moves of the rows of points; what a failing test shows of a drawn one can be pasted where `X` is at hand.

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
        self,
        X: Any,
        *,
        reach: float = 1.0,
        bounds: Any = None,
        plausible: Callable[[Any], Any] | None = None,
    ) -> None:
        self.region = region_of(X, reach=reach, bounds=bounds, plausible=plausible)
        given = (("reach", reach, 1.0), ("bounds", bounds, None), ("plausible", plausible, None))
        self._options = "".join(
            f", {name}={code_repr(name, value)}" for name, value, usual in given if value is not usual
        )

    def __repr__(self) -> str:
        return f"Moves(X{self._options})"

    def leads(self, move: Move) -> bool:
        """Return whether a move leads to another plausible point."""
        return _pair(self.region, *move) is not None

    def pair(self, move: Move) -> Pair:
        """Return a row and where it is moved.

        Parameters
        ----------
        move : (int, str, float, int)
            The row; the way: "column", "neighbour", "principal" or "random"; the size as a share of the reach; a seed.

        Raises
        ------
        InputError
            It is no move, or leads to no other plausible point.
        """
        try:
            row, way, size, seed = move
            moved = _pair(self.region, row, way, size, seed) if way in WAYS else None
        except (TypeError, ValueError, IndexError):
            moved = None
        if moved is None:
            raise InputError(
                "move", f"found {short_repr(move)}, which leads nowhere", "pass one that was drawn from the same X"
            )
        both = np.asarray(self.region.shaped(np.stack(moved)))
        return both[0], both[1]

    def point(self, move: Move) -> NDArray[Any]:
        """Return where a move, such as `pair` takes, leads its row to."""
        return self.pair(move)[1]


def _drawn(moves: Moves) -> SearchStrategy[Move]:
    drawn = st.tuples(
        st.integers(0, len(moves.region.rows) - 1),
        st.sampled_from(WAYS),
        st.sampled_from(SIZES),
        st.integers(0, SEEDS),
    )
    return drawn.filter(moves.leads)


def _pair(region: PlausibleRegion, row: int, way: str, size: float, seed: int) -> tuple[Array, Array] | None:
    """Return a row and where it is moved, or None where that leads nowhere or is not plausible."""
    point = region.rows[row]
    direction = _direction(region, point, way, seed)
    length = np.linalg.norm(direction)
    if not length:
        return None
    direction = direction / length * (1 if seed % 2 == 0 else -1)
    if region.room(point[None], direction[None])[0] == 0:
        direction = -direction
    moved = region.clipped((point + size * region.reaches[row] * direction)[None])
    if np.array_equal(moved[0], point) or not region.keeps(moved)[0]:
        return None
    return point, moved[0]


def _direction(region: PlausibleRegion, point: Array, way: str, seed: int) -> Array:
    free, d = region.free, len(point)
    direction = np.zeros(d)
    if way == "column":
        direction[free[seed // 2 % len(free)]] = 1.0
        return direction
    rng = np.random.default_rng(seed)
    if way == "random":
        direction[free] = rng.normal(size=len(free))
        return direction
    gaps = np.linalg.norm(region.rows - point, axis=1)
    near = [one for one in np.argsort(gaps, kind="stable") if gaps[one] > 0][:NEIGHBOURS]
    around = region.rows[near] - point
    if way == "neighbour":
        result: Array = around[int(rng.integers(len(around)))]
        return result
    main: Array = np.linalg.svd(around, full_matrices=False)[2][0]
    return main
