"""The angle between two linear subspaces."""

from __future__ import annotations

from typing import TYPE_CHECKING

from distbench.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

__all__ = ["largest_principal_angle"]


def largest_principal_angle(A: ArrayLike, B: ArrayLike) -> float:
    """Largest angle between the subspaces that the rows of two matrices span (Bjorck & Golub 1973).

    Codes of a linear autoencoder and of PCA differ by an invertible map, so their codes cannot be compared, but the
    subspaces of their ``components_`` can.

    Parameters
    ----------
    A, B : array_like, shape (code_size, d)
        Linearly independent rows; they need not be orthonormal.

    Returns
    -------
    float
        Degrees in [0, 90]: 0 where the subspaces are equal, 90 where one holds a direction at right angles
        to the other.

    Raises
    ------
    distbench.errors.InputError
        The shapes differ, or rows are dependent and so span less than they should.
    """
    import numpy as np
    from scipy.linalg import subspace_angles

    first, second = np.asarray(A, dtype=np.float64), np.asarray(B, dtype=np.float64)
    if first.ndim != 2 or first.shape != second.shape:
        raise InputError(f"A, B: shapes {first.shape} and {second.shape}; pass two matrices of one shape")
    for name, matrix in (("A", first), ("B", second)):
        # This also refuses NaN and infinity, for which no rank can be computed.
        if not np.isfinite(matrix).all() or np.linalg.matrix_rank(matrix) < len(matrix):
            raise InputError(f"{name}: its {len(matrix)} rows are not finite and linearly independent")
    return float(np.degrees(subspace_angles(first.T, second.T).max()))
