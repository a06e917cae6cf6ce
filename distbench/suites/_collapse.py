"""Searches for two points far apart with the same code; such points exist for every continuous map to fewer numbers.

Every continuous map from the sphere S^k to k numbers maps some two opposite points to the same code (K. Borsuk, 1933,
Drei Saetze ueber die n-dimensionale euklidische Sphaere). So an encoder with codes of k numbers has such a pair on
every sphere of k dimensions, whatever its center and radius.

``distbench.hunting`` searches near the test points, where inputs are plausible; this search need not stay there.
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

MAX_POINTS = 1_000  # sampled for median distances
MAX_STARTS = 32
FIRST_GUESSES = 256  # random directions about each center; a search starts at the best of them
STEP = 1e-3  # of finite differences, in radii: large against the rounding of float32, small for a smooth encoder


@dataclass(frozen=True)
class Collapse:
    """Two points far apart and the distance of their codes, with the median distances between data points and codes.

    ``starts`` is the number of searches that were made.
    """

    first: Array = field(repr=False)
    second: Array = field(repr=False)
    code_distance: float
    median_input: float
    median_code: float
    starts: int

    @property
    def input_distance(self) -> float:
        """Distance between the points."""
        return float(np.linalg.norm(self.first - self.second))

    @property
    def ratio(self) -> float:
        """Code distance of the pair in units of the median; 0 if the codes are equal."""
        return 0.0 if self.code_distance == 0 else self.code_distance / self.median_code if self.median_code else np.inf

    def __str__(self) -> str:
        starts = "1 start" if self.starts == 1 else f"{self.starts} starts"
        return (
            f"two points {self.input_distance:.4g} apart in input (the median of pairs is {self.median_input:.4g}) "
            f"whose codes are {self.code_distance:.2g} apart (the median of pairs is {self.median_code:.4g}), "
            f"found in {starts}"
        )


def find_collapse(encoder: Any, points: Any, *, goal: float = 1e-4) -> Collapse:
    r"""Search for two points with the same code that are as far apart as the median pair of data points.

    Let V be an orthonormal basis of the first dim + 1 principal directions of the data, r half the median distance of
    pairs, and c the data's mean (first search) or one of its points. The search looks for a zero of the odd map

    .. math:: g(u) = f(c + r V u) - f(c - r V u), \qquad |u| = 1, u \in R^{dim + 1}

    by nonlinear least squares, f being the encoder. If f is continuous, there is a zero (Borsuk 1933). If it is not,
    a small g still shows two distant points with nearly the same code.

    Parameters
    ----------
    encoder : encoder
        As for :func:`distbench.evaluate`.
    points : array_like, shape (n, d)
        The data.
    goal : float
        The search ends at this code distance, in units of the median distance of codes.

    Raises
    ------
    InputError
        The codes have as many numbers as the points, most points are equal, or codes are not finite.
    """
    from scipy.spatial.distance import pdist

    random = np.random.default_rng(0)
    X = np.asarray(points, dtype=np.float64).reshape(len(points), -1)
    X = X[random.permutation(len(X))[:MAX_POINTS]]
    encode = _finite_codes(encoder)
    codes = encode(X)
    dim, d = codes.shape[1], X.shape[1]
    if dim >= d:
        raise InputError(
            "encoder",
            f"codes of {dim} numbers for points of {d}, so different points need not share a code",
            "pass an encoder whose codes have fewer numbers than its points",
        )
    median_input, median_code = float(np.median(pdist(X))), float(np.median(pdist(codes)))
    if median_input == 0:
        raise InputError("points", "found most of them equal, so that none are far apart", "pass more distinct points")
    centered = X - X.mean(axis=0)
    # The leading principal directions; eigh makes them orthonormal even if the data span fewer dimensions.
    V = np.linalg.eigh(centered.T @ centered)[1][:, ::-1][:, : dim + 1].T
    best, pair, start = np.inf, (X[0], X[0]), 0
    for start in range(1, MAX_STARTS + 1):
        center = X.mean(axis=0) if start == 1 else X[random.integers(len(X))]
        candidate, distance = _search(encode, center, V, median_input / 2, median_code or 1.0, random)
        if distance < best:
            best, pair = distance, candidate
        if best <= goal * median_code:
            break
    return Collapse(*pair, best, median_input, median_code, start)


def _finite_codes(encoder: Any) -> Callable[[Array], Array]:
    """Return the encoder as a function that returns finite codes in float64."""
    adapter = as_encoder(encoder)

    def encode(X: Array) -> Array:
        codes = np.asarray(adapter.encode(X), dtype=np.float64).reshape(len(X), -1)
        if not np.isfinite(codes).all():
            raise InputError("codes", "found NaN or infinity, so that distances are undefined")
        return codes

    return encode


def _search(
    encode: Callable[[Array], Array], center: Array, V: Array, radius: float, unit: float, random: np.random.Generator
) -> tuple[tuple[Array, Array], float]:
    """Search once about a center; return the pair and the distance of its codes. `unit` scales code differences."""
    from scipy.optimize import least_squares

    def opposite(w: Array) -> tuple[Array, Array]:
        away = radius * (w / np.linalg.norm(w, axis=1, keepdims=True)) @ V
        return center + away, center - away

    def gaps(w: Array) -> Array:
        codes = encode(np.concatenate(opposite(w)))
        return np.asarray((codes[: len(w)] - codes[len(w) :]) / unit)

    def residuals(w: Array) -> Array:  # the last one is 0 on the sphere, so there are as many equations as unknowns
        return np.column_stack([gaps(w), np.einsum("ij,ij->i", w, w) - 1])

    def jacobian(w: Array) -> Array:  # central differences, from one call of the encoder
        steps = STEP * np.eye(len(w))
        both = residuals(np.concatenate([w + steps, w - steps]))
        return np.asarray((both[: len(w)] - both[len(w) :]).T / (2 * STEP))

    guesses = random.normal(size=(FIRST_GUESSES, len(V)))
    guess = guesses[np.argmin(np.linalg.norm(gaps(guesses), axis=1))]
    tolerances = dict.fromkeys(("xtol", "ftol", "gtol"), 1e-12)
    solution = least_squares(
        lambda w: residuals(w[None])[0], guess / np.linalg.norm(guess), jacobian, max_nfev=100, **tolerances
    )
    first, second = opposite(solution.x[None])
    gap = np.subtract(*encode(np.concatenate([first, second])))
    return (first[0], second[0]), float(np.linalg.norm(gap))
