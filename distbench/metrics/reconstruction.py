"""Reconstruction error: how far a decoder's points are from the points that were encoded."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from distbench._util.float_errors import with_default_float_errors
from distbench.engine import Statistics
from distbench.errors import InputError
from distbench.inputs.arrays import as_points, check_same_shape
from distbench.inputs.blocks import matrix_blocks
from distbench.inputs.table_names import check_column_names, check_row_names
from distbench.metrics._metric import Measured, Metric
from distbench.metrics.functions import MetricDoc, documented

__all__ = ["METRICS", "SQUARED_ERRORS", "measure_reconstruction", "reconstruction_mse", "squared_errors"]

Array = NDArray[np.float64]

SQUARED_ERRORS = "squared_errors"  # in Statistics.extras


def squared_errors(X: Array, reconstructed: Array, names: tuple[str, str]) -> Array:
    """Return the mean squared error of each point's reconstruction.

    Raises InputError unless both have one shape, and squares that neither overflow nor all underflow in float64.
    """
    check_same_shape(X, reconstructed, names)
    errors, differ = np.empty(len(X)), False
    with np.errstate(over="ignore"):
        for rows, block in matrix_blocks(X):
            differences = np.subtract(block, reconstructed[rows], dtype=np.float64)
            errors[rows], differ = np.mean(differences**2, axis=1), differ or bool(differences.any())
        total = errors.sum()
    if not np.isfinite(total) or (differ and total == 0):
        kind = "underflow" if total == 0 else "overflow"
        found = f"found numbers whose squared differences from {names[0]} {kind} in float64"
        raise InputError(names[1], found, "divide both by the same number, e.g. the largest of all")
    return errors


def measure_reconstruction(rows: Array) -> Measured:
    """Return the mean of the points' squared errors, which are independent of each other."""
    total, m = rows.sum(), len(rows)
    without = (total - rows) / (m - 1) if m > 1 else None
    return Measured(value=float(total / m), leave_one_out=without, points=rows)


def _measure(statistics: Statistics) -> Measured:
    rows = statistics.extras.get(SQUARED_ERRORS)
    if rows is None:
        raise InputError("metrics", "found 'reconstruction_mse', but no decoder is known", "leave it out")
    return measure_reconstruction(rows)


_RECONSTRUCTION_MSE = Metric(
    "reconstruction_mse", "model", "down", (0, np.inf), False, frozenset(), _measure, default=False
)
METRICS = (_RECONSTRUCTION_MSE,)


_DOC = MetricDoc(
    "the mean squared error of reconstructions",
    r"\frac{1}{m d} \sum_i \lVert x_i - \hat x_i \rVert^2",
    "G. E. Hinton and R. R. Salakhutdinov (2006), Reducing the dimensionality of data with neural networks.",
    brackets="[)",
)
_RECONSTRUCTED = "array-like of shape (m, d)\n    The points decoded from their codes."


@documented(_RECONSTRUCTION_MSE, _DOC, X_reconstructed=_RECONSTRUCTED)
@with_default_float_errors
def reconstruction_mse(X: Any, X_reconstructed: Any) -> float:  # noqa: D103
    names = "X", "X_reconstructed"
    check_row_names([(X, names[0]), (X_reconstructed, names[1])])
    check_column_names((X, names[0]), (X_reconstructed, names[1]))
    points, reconstructed = as_points(X, names[0]), as_points(X_reconstructed, names[1])
    return measure_reconstruction(squared_errors(points, reconstructed, names)).value
