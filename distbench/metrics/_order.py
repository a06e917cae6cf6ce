"""The order of distances from one point: which of two is nearer."""

from __future__ import annotations

from typing import Any

from distbench.engine import Statistics
from distbench.metrics._jackknife import leave_one_out_mean
from distbench.metrics._metric import Measured, Metric
from distbench.metrics.functions import measure_one

__all__ = ["METRICS", "triplet_accuracy"]


def _measure_triplets(gathered: Statistics) -> Measured:
    assert gathered.triplets is not None
    rows = gathered.triplets.rows
    return Measured(
        value=float(rows.mean()),
        leave_one_out=leave_one_out_mean(gathered, rows, gathered.triplets.columns),
        points=rows,
        chance=0.5,
    )


_TRIPLET_ACCURACY = Metric("triplet_accuracy", "order", "up", (0, 1), True, frozenset({"triplets"}), _measure_triplets)
METRICS = (_TRIPLET_ACCURACY,)


def triplet_accuracy(X: Any, Z: Any, *, reference: tuple[Any, Any] | None = None) -> float:
    r"""Return the share of triplets whose order is kept: whether j or l is nearer to i.

    .. math:: P(\operatorname{sign}(a_{ij} - a_{il}) = \operatorname{sign}(b_{ij} - b_{il}))

    over all queries i and candidates j, l; ties count 1/2. Each query is judged on a seeded sample of its M candidates
    where there are more than :math:`\min(1024, \max(128, \sqrt{3 \cdot 10^8 / m}))`.

    Parameters
    ----------
    X : array-like of shape (m, d)
        Input points.
    Z : array-like of shape (m, dim)
        Their codes.
    reference : tuple of array-likes (X_ref, Z_ref) of shapes (n, d) and (n, dim), optional
        Points that pairs are formed with, and their codes. Default: the other points themselves.

    Returns
    -------
    float
        In [0, 1]; larger is better; chance is 1/2.

    Raises
    ------
    InputError
        If an array cannot be used.

    References
    ----------
    .. [1] Y. Wang, H. Huang, C. Rudin and Y. Shaposhnik (2021), Understanding how dimension reduction tools work.

    Examples
    --------
    >>> from distbench.metrics import triplet_accuracy
    >>> X = [[1.0], [2.0], [4.0], [8.0], [16.0], [32.0], [64.0]]  # each twice as far out as the last
    >>> round(triplet_accuracy(X, [[0.0], [1.0], [2.0], [3.0], [4.0], [5.0], [6.0]]), 4)
    0.8333
    """
    return measure_one(_TRIPLET_ACCURACY, X, Z, reference)
