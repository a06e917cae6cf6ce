r"""Two far points with the same code: they exist for every continuous map to fewer numbers, and are found by searching.

Borsuk (1933): every continuous map of the sphere S^k into k numbers sends some two opposite points to the same code.
So in any k + 1 directions through any point, at any radius, an encoder with codes of k numbers has such a pair.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from distbench.encoders.encoder import as_encoder
from distbench.errors import InputError

__all__ = ["Collapse", "find_collapse"]

Array = NDArray[np.float64]
Encode = Callable[[Array], Array]

SAMPLE = 1_000  # points whose pairs say what is far
STEP = 1e-3  # of differences, in radii: well above what float32 resolves, well below what bends an encoder
LOOKED_AT = 256  # directions tried at each centre; the best of them is where a search starts
STARTS = 32


@dataclass(frozen=True)
class Collapse:
    """Two points, far apart for the data, and how near to each other their codes are.

    Attributes
    ----------
    first, second : numpy.ndarray, shape (d,)
        The points.
    input_distance, code_distance : float
        Between them and between their codes.
    median_input, median_code : float
        The same of the median pair of data points.
    starts : int
        Searches that it took.
    """

    first: Array = field(repr=False)
    second: Array = field(repr=False)
    input_distance: float
    code_distance: float
    median_input: float
    median_code: float
    starts: int

    @property
    def ratio(self) -> float:
        """Code distance of the pair, in units of the median pair's; 0 where the codes are equal."""
        return 0.0 if self.code_distance == 0 else self.code_distance / self.median_code if self.median_code else np.inf

    def __str__(self) -> str:
        times = "1 start" if self.starts == 1 else f"{self.starts} starts"
        return (
            f"two points {self.input_distance:.4g} apart in input (the median of pairs is {self.median_input:.4g}) "
            f"whose codes are {self.code_distance:.2g} apart (the median of pairs is {self.median_code:.4g}), "
            f"found in {times}"
        )


def find_collapse(encoder: Any, points: Any, *, goal: float = 1e-4, starts: int = STARTS, seed: int = 0) -> Collapse:
    r"""Look for two points, as far apart as the median pair of the data, with the same code.

    With V an orthonormal basis of the first dim + 1 principal directions of the data, r half the median distance of
    pairs, and c the data's mean (first start) or one of its points, a zero of the odd map

    .. math:: g(u) = f(c + r V u) - f(c - r V u), \qquad |u| = 1, u \in R^{dim + 1}

    is looked for by nonlinear least squares. A continuous f has one (Borsuk 1933); of other maps a small g is a
    witness all the same.

    Parameters
    ----------
    encoder : object
        Fitted; whatever :func:`distbench.evaluate` takes.
    points : array_like, shape (n, d)
        The data; at most 1,000 of them say what is far.
    goal : float
        The ratio at which the search ends, in units of the median code distance.
    starts : int
        Most searches.
    seed : int
        Of points, centres and directions.

    Returns
    -------
    Collapse
        The best pair found.

    Raises
    ------
    distbench.errors.InputError
        The codes have as many numbers as the points, so that no two need be equal; all points are equal; or the
        codes are not finite.

    References
    ----------
    .. [1] K. Borsuk (1933), Drei Saetze ueber die n-dimensionale euklidische Sphaere.
    """
    draw = np.random.default_rng(seed)
    X = np.asarray(points, dtype=np.float64).reshape(len(points), -1)
    X = X[draw.permutation(len(X))[:SAMPLE]]
    search = _search_over(X, _checked(encoder))
    best, found, tried = np.inf, (X[0], X[0]), 0
    for tried in range(1, starts + 1):
        pair, gap = search.start(X.mean(axis=0) if tried == 1 else X[draw.integers(len(X))], draw)
        if gap < best:
            best, found = gap, pair
        if best <= goal * search.unit:
            break
    distance = float(np.linalg.norm(found[0] - found[1]))
    return Collapse(*found, distance, best, 2 * search.radius, search.unit, tried)


def _checked(encoder: Any) -> Encode:
    """Return the encoder as a function that gives finite codes in float64."""
    adapter = as_encoder(encoder)

    def encode(X: Array) -> Array:
        codes = np.asarray(adapter.encode(X), dtype=np.float64).reshape(len(X), -1)
        if not np.isfinite(codes).all():
            raise InputError("codes", "found NaN or infinity, between which no pair can be looked for")
        return codes

    return encode


@dataclass(frozen=True)
class _Search:
    encode: Encode
    directions: Array
    radius: float
    unit: float  # median code distance of data pairs: what residuals are measured in

    def start(self, centre: Array, draw: np.random.Generator) -> tuple[tuple[Array, Array], float]:
        """Search once about a centre; return the pair and the distance of its codes."""
        from scipy.optimize import least_squares

        looked_at = draw.normal(size=(LOOKED_AT, len(self.directions)))
        gaps = np.linalg.norm(self._gaps(looked_at, centre), axis=1)
        guess = looked_at[np.argmin(gaps)]
        found = least_squares(
            lambda w: self._residuals(w[None], centre)[0],
            guess / np.linalg.norm(guess),
            lambda w: self._jacobian(w, centre),
            xtol=1e-12,
            ftol=1e-12,
            gtol=1e-12,
            max_nfev=100,
        )
        pair = self._pairs(found.x[None], centre)
        gap = np.subtract(*self.encode(np.concatenate(pair)))
        return (pair[0][0], pair[1][0]), float(np.linalg.norm(gap))

    def _pairs(self, w: Array, centre: Array) -> tuple[Array, Array]:
        away = self.radius * (w / np.linalg.norm(w, axis=1, keepdims=True)) @ self.directions
        return centre + away, centre - away

    def _gaps(self, w: Array, centre: Array) -> Array:
        """Return g of each row, in units of the median code distance."""
        codes = self.encode(np.concatenate(self._pairs(w, centre)))
        return np.asarray((codes[: len(w)] - codes[len(w) :]) / (self.unit or 1.0))

    def _residuals(self, w: Array, centre: Array) -> Array:
        """Return g and what keeps w on the sphere, so that there are as many equations as unknowns."""
        return np.column_stack([self._gaps(w, centre), np.einsum("ij,ij->i", w, w) - 1])

    def _jacobian(self, w: Array, centre: Array) -> Array:
        """Return central differences, all from one call of the encoder."""
        steps = STEP * np.eye(len(w))
        both = self._residuals(np.concatenate([w + steps, w - steps]), centre)
        return np.asarray((both[: len(w)] - both[len(w) :]).T / (2 * STEP))


def _search_over(X: Array, encode: Encode) -> _Search:
    """Return where to search, and in which units. Raises InputError where there may be nothing to find."""
    from scipy.spatial.distance import pdist

    codes = encode(X)
    dim, d = codes.shape[1], X.shape[1]
    if dim >= d:
        raise InputError(
            f"codes of {dim} numbers for points of {d}: no two points need share a code; pass an encoder whose codes "
            "have fewer numbers than its points"
        )
    median = float(np.median(pdist(X)))
    if median == 0:
        raise InputError("points", "found most of them equal, which says nothing of what is far", "pass others")
    return _Search(encode, _directions(X, dim + 1), median / 2, float(np.median(pdist(codes))))


def _directions(X: Array, count: int) -> Array:
    """Return the leading principal directions, orthonormal also where the data do not reach, shape (count, d)."""
    centred = X - X.mean(axis=0)
    return np.asarray(np.linalg.eigh(centred.T @ centred)[1][:, ::-1][:, :count].T)
