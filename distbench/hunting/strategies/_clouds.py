"""Strategies for clouds of points that break metrics and encoders."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy
from numpy.typing import NDArray

from distbench._util.text import short_repr
from distbench.errors import InputError
from distbench.hunting.strategies._checks import MAX_SEED, checked_kinds, checked_sizes

__all__ = ["CLOUD_KINDS", "cloud", "point_clouds"]

Array = NDArray[np.float64]


def _lattice(rng: np.random.Generator, n: int, d: int) -> Array:
    return rng.integers(0, 3, size=(n, d)).astype(np.float64)


def _gaussian(rng: np.random.Generator, n: int, d: int) -> Array:
    return np.round(rng.normal(size=(n, d)), 3)


def _clusters(rng: np.random.Generator, n: int, d: int) -> Array:
    centers = np.round(rng.normal(scale=10, size=(3, d)))
    points: Array = centers[rng.integers(0, 3, n)] + np.round(rng.normal(size=(n, d)), 2)
    return points


def _manifold(rng: np.random.Generator, n: int, d: int) -> Array:
    """Return points on a curve that is bent in all columns."""
    positions = rng.uniform(0, 2 * np.pi, n)
    points: Array = np.cos(np.outer(positions, 1 + np.arange(d) // 2) - np.pi / 2 * (np.arange(d) % 2))
    return points


def _duplicates(rng: np.random.Generator, n: int, d: int) -> Array:
    distinct = _gaussian(rng, max(2, n // 3), d)
    points: Array = distinct[rng.integers(0, len(distinct), n)]
    return points


def _offset(rng: np.random.Generator, n: int, d: int) -> Array:
    """Return points far from 0, where squared distances lose their digits."""
    return 1e4 + _gaussian(rng, n, d)


def _degenerate(rng: np.random.Generator, n: int, d: int) -> Array:
    """Return points on a line through all columns except the last, which is constant."""
    points = np.outer(np.round(rng.normal(size=n), 3), np.ones(d))
    if d > 1:
        points[:, -1] = 1.0
    return points


_MAKERS = {
    "lattice": _lattice,
    "gaussian": _gaussian,
    "clusters": _clusters,
    "manifold": _manifold,
    "duplicates": _duplicates,
    "offset": _offset,
    "degenerate": _degenerate,
}
CLOUD_KINDS = tuple(_MAKERS)


def point_clouds(
    rows: int | tuple[int, int] = (4, 60),
    columns: int | tuple[int, int] = (1, 8),
    *,
    dtypes: Sequence[Any] = (np.float64, np.float32),
    kinds: Sequence[str] | None = None,
) -> SearchStrategy[NDArray[Any]]:
    """Return a strategy for matrices of points, shape (rows, columns).

    Examples shrink to few rows and columns of small whole numbers. A failing test shows code that makes the points
    again: ``cloud('lattice', 4, 1, 'float64', 0)``.

    Parameters
    ----------
    rows, columns : int or (int, int)
        The number, or the smallest and the largest number.
    dtypes : sequence of dtype
        Floating-point types to draw from; draws shrink towards the first.
    kinds : sequence of str, optional
        Some of `CLOUD_KINDS`: "lattice" (many ties), "gaussian", "clusters", "manifold" (a bent curve), "duplicates",
        "offset" (far from 0), "degenerate" (on a line, the last column constant). Default: all.

    Returns
    -------
    SearchStrategy
        Draws arrays of shape (rows, columns).

    Raises
    ------
    InputError
        An argument cannot be used.

    Examples
    --------
    >>> from hypothesis import given
    >>> from distbench.hunting.strategies import point_clouds
    >>> @given(point_clouds(rows=(10, 40), columns=5))
    ... def test_my_encoder(X):
    ...     assert encode(X).shape == (len(X), 2)
    """
    row_range, column_range = checked_sizes(rows, "rows"), checked_sizes(columns, "columns")
    return st.builds(
        cloud,
        st.sampled_from(checked_kinds(kinds, CLOUD_KINDS)),
        st.integers(*row_range),
        st.integers(*column_range),
        st.sampled_from([dtype.name for dtype in _floats(dtypes)]),
        st.integers(0, MAX_SEED),
    )


def _floats(dtypes: Sequence[Any]) -> list[np.dtype[Any]]:
    try:
        types = [np.dtype(dtype) for dtype in dtypes]
    except TypeError:
        types = []
    if not types or any(dtype.kind != "f" for dtype in types):
        raise InputError(
            "dtypes", f"found {short_repr(dtypes)}", "pass floating-point types, e.g. ('float64', 'float32')"
        )
    return types


def cloud(kind: str, rows: int, columns: int, dtype: Any = "float64", seed: int = 0) -> NDArray[Any]:
    """Return a cloud of the kind that `point_clouds` draws.

    Parameters
    ----------
    kind : str
        One of `CLOUD_KINDS`.
    rows, columns : int
        Numbers of rows and columns.
    dtype : dtype, default "float64"
        A floating-point type.
    seed : int, default 0
        The same seed makes the same cloud.

    Returns
    -------
    ndarray of shape (rows, columns)
        Finite values of type `dtype`.

    Raises
    ------
    InputError
        An argument cannot be used.
    """
    checked_kinds((kind,), CLOUD_KINDS)
    n, d = checked_sizes(rows, "rows")[1], checked_sizes(columns, "columns")[1]
    return _MAKERS[kind](np.random.default_rng(seed), n, d).astype(_floats((dtype,))[0])
