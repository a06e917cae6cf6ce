"""Clouds of points of the kinds that break metrics and encoders."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy
from numpy.typing import NDArray

from distbench._util.text import short_repr
from distbench.errors import InputError
from distbench.hunting.strategies._checks import SEEDS, checked_kinds, checked_sizes

__all__ = ["CLOUD_KINDS", "cloud", "point_clouds"]

Array = NDArray[np.float64]
Make = Callable[[np.random.Generator, int, int], Array]


def _lattice(rng: np.random.Generator, n: int, d: int) -> Array:
    return rng.integers(0, 3, size=(n, d)).astype(np.float64)


def _gaussian(rng: np.random.Generator, n: int, d: int) -> Array:
    return np.round(rng.normal(size=(n, d)), 3)


def _clusters(rng: np.random.Generator, n: int, d: int) -> Array:
    centres = np.round(rng.normal(scale=10, size=(3, d)))
    result: Array = centres[rng.integers(0, 3, n)] + np.round(rng.normal(size=(n, d)), 2)
    return result


def _manifold(rng: np.random.Generator, n: int, d: int) -> Array:
    """Return points of a curve that is bent in all columns."""
    along = rng.uniform(0, 2 * np.pi, n)
    result: Array = np.cos(np.outer(along, 1 + np.arange(d) // 2) - np.pi / 2 * (np.arange(d) % 2))
    return result


def _duplicates(rng: np.random.Generator, n: int, d: int) -> Array:
    distinct = _gaussian(rng, max(2, n // 3), d)
    result: Array = distinct[rng.integers(0, len(distinct), n)]
    return result


def _offset(rng: np.random.Generator, n: int, d: int) -> Array:
    """Return points far from 0, where squares of distances lose all their digits."""
    return 1e4 + _gaussian(rng, n, d)


def _degenerate(rng: np.random.Generator, n: int, d: int) -> Array:
    """Return points of a line through all columns but the last, which is the same number everywhere."""
    points = np.outer(np.round(rng.normal(size=n), 3), np.ones(d))
    if d > 1:
        points[:, -1] = 1.0
    return points


_MAKERS: dict[str, Make] = {
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

    They shrink to few rows and columns of small whole numbers. What a failing test shows can be pasted:
    ``cloud('lattice', 4, 1, 'float64', 0)``.

    Parameters
    ----------
    rows, columns : int or (int, int)
        The number of them, or the least and the largest.
    dtypes : sequence of dtype
        Floating-point types to draw from; what is drawn shrinks towards the first.
    kinds : sequence of str, optional
        Some of `CLOUD_KINDS`: "lattice" (many ties), "gaussian", "clusters", "manifold" (a bent curve), "duplicates",
        "offset" (far from 0), "degenerate" (on a line, the last column constant). All if not given.

    Returns
    -------
    SearchStrategy
        Of arrays of shape (rows, columns).

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
    few, many = checked_sizes(rows, "rows", 1)
    narrow, wide = checked_sizes(columns, "columns", 1)
    chosen = checked_kinds(kinds, CLOUD_KINDS)
    types = _floats(dtypes)
    return st.builds(
        cloud,
        st.sampled_from(chosen),
        st.integers(few, many),
        st.integers(narrow, wide),
        st.sampled_from([one.name for one in types]),
        st.integers(0, SEEDS),
    )


def _floats(dtypes: Sequence[Any]) -> list[np.dtype[Any]]:
    try:
        types = [np.dtype(one) for one in dtypes]
    except TypeError:
        types = []
    if not types or any(one.kind != "f" for one in types):
        raise InputError(
            "dtypes", f"found {short_repr(dtypes)}", "pass floating-point types, e.g. ('float64', 'float32')"
        )
    return types


def cloud(kind: str, rows: int, columns: int, dtype: Any = "float64", seed: int = 0) -> NDArray[Any]:
    """Return a cloud that `point_clouds` draws.

    Parameters
    ----------
    kind : str
        One of `CLOUD_KINDS`.
    rows, columns : int
        How many.
    dtype : dtype, default "float64"
        A floating-point type.
    seed : int, default 0
        The same seed makes the same cloud.

    Returns
    -------
    ndarray of shape (rows, columns)
        Finite, of that type.

    Raises
    ------
    InputError
        An argument cannot be used.
    """
    checked_kinds((kind,), CLOUD_KINDS)
    n, d = checked_sizes(rows, "rows", 1)[1], checked_sizes(columns, "columns", 1)[1]
    return _MAKERS[kind](np.random.default_rng(seed), n, d).astype(_floats((dtype,))[0])
