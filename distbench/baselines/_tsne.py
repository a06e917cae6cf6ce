"""Codes of t-SNE, which exist for the fitted points alone."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike, NDArray
from threadpoolctl import threadpool_limits

from distbench.baselines._estimator import points_in, quiet
from distbench.baselines._points import Units, as_rows
from distbench.baselines._recipe import Transformer
from distbench.errors import InputError, TrainingError

__all__ = ["TsneEncoder", "fit_tsne"]


@dataclass(frozen=True, eq=False)
class TsneEncoder(Transformer):
    """A table of points and their codes.

    Attributes
    ----------
    points : numpy.ndarray, shape (n, d)
        The points fitted on.
    codes_ : numpy.ndarray, shape (n, code_size)
        Their codes.
    note : str
        Says that no other point has a code.
    """

    points: NDArray[np.float64] = field(repr=False)
    codes_: NDArray[np.float64] = field(repr=False)
    name: str = "tsne"
    note: str = "in sample only: no code for new points"

    def encode(self, X: ArrayLike) -> NDArray[np.float64]:
        """Return the codes of fitted points ``X`` (m, ...) as an array (m, code_size).

        Raises
        ------
        distbench.errors.InputError
            A row of ``X`` is not one of the points fitted on.
        """
        rows = as_rows(X, self.points.shape[1])
        if np.array_equal(rows, self.points):
            return self.codes_.copy()
        known = {key: row for row, key in reversed(list(enumerate(_keys(self.points))))}
        found = [known.get(key, -1) for key in _keys(rows)]
        if -1 in found:
            raise InputError(
                f"X: row {found.index(-1)} is not a point that tsne was fitted on, and t-SNE places no others; fit "
                "on these points too and take codes_ (in_sample = true in a suite), or use an encoder that is a map, "
                "such as pca or parametric_umap"
            )
        return self.codes_[found]


def _keys(rows: NDArray[np.float64]) -> list[bytes]:
    """One value a row, equal for equal rows; adding 0 makes -0 and 0 the same."""
    return [row.tobytes() for row in rows + 0.0]


def fit_tsne(X: NDArray[np.float64], code_size: int, perplexity: float) -> TsneEncoder:
    """Place points (n, d)."""
    from sklearn.manifold import TSNE

    points = points_in(Units.of(X), X)
    estimator = TSNE(
        code_size,
        perplexity=max(1.0, min(perplexity, (len(X) - 1) / 3)),
        init=_start(points, code_size),
        random_state=0,
    )
    # Threads would add the forces in the order in which they end. This changes last bits, and later all of them.
    with quiet(), threadpool_limits(1, "openmp"):
        codes = np.asarray(estimator.fit_transform(points), dtype=np.float64)
    if not np.isfinite(codes).all():
        raise TrainingError("tsne: codes are not finite; check X for outliers")
    return TsneEncoder(X.copy(), codes)


def _start(points: NDArray[np.float64], code_size: int) -> NDArray[np.float32]:
    """Principal components, the first with a standard deviation of 1e-4; noise where there are too few."""
    left, scales, _ = np.linalg.svd(points - points.mean(axis=0), full_matrices=False)
    width = min(code_size, len(scales))
    start = np.random.default_rng(0).normal(size=(len(points), code_size))
    components = left[:, :width] * scales[:width]
    start[:, :width] = components / components[:, 0].std()
    return (start * 1e-4).astype(np.float32)
