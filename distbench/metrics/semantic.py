"""Meaning: whether neighbours by code share the label."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from distbench.engine import Statistics
from distbench.engine.labels import Labels
from distbench.errors import InputError
from distbench.metrics._jackknife import leave_one_out_mean
from distbench.metrics._metric import Measured, Metric
from distbench.metrics.functions import measure_one

__all__ = ["METRICS", "label_agreement", "label_codes"]

Codes = NDArray[np.int64]


def label_codes(labels: Any, reference_labels: Any = None) -> tuple[Codes, Codes | None]:
    """Return labels of any kind as whole numbers, equal where the labels are.

    Raises InputError unless both are one label a point.
    """
    own = _as_labels(labels, "labels")
    if reference_labels is None:
        return np.unique(own, return_inverse=True)[1].astype(np.int64), None
    others = _as_labels(reference_labels, "reference_labels")
    if (own.dtype.kind in "US") != (others.dtype.kind in "US"):
        raise InputError(
            "reference_labels", f"found {others.dtype}, but labels are {own.dtype}", "pass labels of one kind"
        )
    codes = np.unique(np.concatenate([own, others]), return_inverse=True)[1].astype(np.int64)
    return codes[: len(own)], codes[len(own) :]


def _as_labels(value: Any, name: str) -> NDArray[Any]:
    array = np.asarray(value)
    if array.dtype == object:  # mixed kinds do not sort: compare what they print
        array = array.astype(str)
    if array.ndim != 1:
        raise InputError(name, f"found shape {array.shape}", "pass one label a point, shape (n,)")
    if array.dtype.kind == "f" and np.isnan(array).any():
        raise InputError(name, f"found NaN at place {int(np.flatnonzero(np.isnan(array))[0])}", "drop these points")
    return array


def _measure_agreement(gathered: Statistics) -> Measured:
    labels: Labels = gathered.extras["labels"]
    rows = labels.rows / gathered.k
    return Measured(
        value=float(rows.mean()),
        leave_one_out=leave_one_out_mean(gathered, rows, labels.columns / gathered.k),
        points=rows,
        chance=labels.chance / gathered.k,
    )


_LABEL_AGREEMENT = Metric(
    "label_agreement", "semantic", "up", (0, 1), True, frozenset({"labels"}), _measure_agreement, default=False
)
METRICS = (_LABEL_AGREEMENT,)


def label_agreement(
    X: Any,
    Z: Any,
    labels: Any,
    *,
    k: int = 10,
    reference: tuple[Any, Any] | None = None,
    reference_labels: Any = None,
) -> float:
    r"""Return the share of the k nearest by code that have the point's label.

    .. math:: \frac{1}{m k} \sum_i |\{j \in kNN_Z(i) : y_j = y_i\}|

    Tied candidates share places.

    Parameters
    ----------
    X : array-like of shape (m, d)
        Input points.
    Z : array-like of shape (m, dim)
        Their codes.
    labels : array-like of shape (m,)
        Their labels, of any kind that can be compared.
    k : int
        Number of neighbours, 1 <= k < M / 2.
    reference : tuple of array-likes (X_ref, Z_ref) of shapes (n, d) and (n, dim), optional
        Points that neighbours are looked up in, and their codes. Default: the other points themselves.
    reference_labels : array-like of shape (n,), optional
        Labels of the reference points; needed with `reference`.

    Returns
    -------
    float
        In [0, 1]; larger is better.

    Raises
    ------
    InputError
        If an array or k cannot be used, or labels are missing.

    References
    ----------
    .. [1] T. M. Cover and P. E. Hart (1967), Nearest neighbor pattern classification.
    """
    if reference is not None and reference_labels is None:
        raise InputError("reference_labels", "found None", "pass one label for each reference point")
    codes, codes_ref = label_codes(labels, None if reference is None else reference_labels)
    pairs = [("labels", codes, X), ("reference_labels", codes_ref, None if reference is None else reference[0])]
    for name, found, points in pairs:
        if found is not None and len(found) != len(points):
            raise InputError(name, f"found {len(found)} labels for {len(points)} points", "pass one label a point")
    return measure_one(_LABEL_AGREEMENT, X, Z, reference, k, labels=codes, labels_ref=codes_ref)
