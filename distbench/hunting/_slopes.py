"""Jacobians of an encoder: exact where a framework has gradients, else by small steps."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from distbench.hunting._asker import BudgetedEncoder

__all__ = ["MOST_COLUMNS", "Jacobians"]

Array = NDArray[np.float64]
Exact = Callable[[Array], Array]  # flat points (m, d) -> (m, c, d)

MOST_COLUMNS = 512  # directions that a Jacobian is taken along
MOST_NUMBERS = 1 << 24  # of the Jacobians that are held together


class Jacobians:
    """Jacobians along chosen directions, with what they cost.

    Parameters
    ----------
    asker : BudgetedEncoder
        The encoder.
    code_size : int
        Of its codes.
    step : float
        Of finite differences.
    exact : callable, optional
        Jacobians by gradients; one backward pass a column of the codes.
    """

    def __init__(self, asker: BudgetedEncoder, code_size: int, step: float, exact: Exact | None = None) -> None:
        self._asker = asker
        self._step = 1.0 if asker.region.whole else step
        self._exact = exact
        self.code_size = code_size

    @property
    def by_gradient(self) -> bool:
        """Whether Jacobians are exact."""
        return self._exact is not None

    def cost(self, columns: int) -> int:
        """Return how many rows the Jacobian of one point costs."""
        return self.code_size + 1 if self._exact is not None else 2 * columns

    def together(self, columns: int) -> int:
        """Return how many points' Jacobians are taken together."""
        return max(1, MOST_NUMBERS // (self.code_size * max(columns, 1)))

    def along(self, points: Array, bases: Array) -> Array:
        """Return the Jacobians of points, each along its own directions.

        Parameters
        ----------
        points : ndarray of shape (m, d)
            Flat points.
        bases : ndarray of shape (m, r, d)
            Unit directions of each, mutually orthogonal.

        Returns
        -------
        ndarray of shape (m, code_size, r)
        """
        if self._exact is not None:
            self._asker.spend(len(points) * (self.code_size + 1))
            exact: Array = np.einsum("mcd,mrd->mcr", self._exact(points), bases)
            return exact
        m, r, d = bases.shape
        region = self._asker.region
        moves = self._step * bases
        up = region.clipped((points[:, None] + moves).reshape(m * r, d))
        down = region.clipped((points[:, None] - moves).reshape(m * r, d))
        moved = np.einsum("nd,nd->n", up - down, bases.reshape(m * r, d))  # at an edge, and as rounded
        change = self._asker.codes(up) - self._asker.codes(down)
        with np.errstate(divide="ignore", invalid="ignore"):
            slopes = np.where(moved[:, None] > 0, change / moved[:, None], 0.0)
        return slopes.reshape(m, r, -1).transpose(0, 2, 1)
