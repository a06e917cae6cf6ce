"""Agreement of labels: whether neighbors by code have the same label."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from distbench._util.checks import check_reference_pair
from distbench.engine import Statistics
from distbench.engine.labels import Labels
from distbench.errors import InputError
from distbench.inputs.arrays import as_points
from distbench.inputs.labels import as_labels, numbered
from distbench.inputs.table_names import check_row_names
from distbench.metrics._leave_one_out import leave_one_out_mean
from distbench.metrics._metric import Measured, Metric
from distbench.metrics.functions import NEIGHBORS, MetricDoc, documented, measure_one
from distbench.metrics.neighbor_counts import all_but_one

__all__ = ["METRICS", "label_agreement", "label_codes"]

Codes = NDArray[np.int64]


def label_codes(labels: NDArray[Any], reference_labels: NDArray[Any] | None = None) -> tuple[Codes, Codes | None]:
    """Return labels as whole numbers, equal for equal labels. Raises InputError for texts beside numbers."""
    arrays = [labels] if reference_labels is None else [labels, reference_labels]
    if len(arrays) == 2 and _are_texts(arrays[0]).isdisjoint(_are_texts(arrays[1])):
        found = f"found {arrays[1].dtype}, but labels are {arrays[0].dtype}"
        raise InputError("reference_labels", found, "pass labels of one kind")
    if any(array.dtype == object for array in arrays):  # mixed types cannot be sorted
        codes = numbered([label for array in arrays for label in array.tolist()], "labels")[1]
    else:
        codes = np.unique(np.concatenate(arrays), return_inverse=True)[1].astype(np.int64)
    return codes[: len(labels)], codes[len(labels) :] if len(arrays) == 2 else None


def _are_texts(labels: NDArray[Any]) -> set[bool]:
    """Return whether the labels are texts, both for a mixture."""
    return {isinstance(label, str | bytes) for label in labels.tolist()}


def _measure_agreement(statistics: Statistics) -> Measured:
    labels: Labels = statistics.extras["labels"]
    rows = labels.rows / statistics.k
    return Measured(
        value=float(rows.mean()),
        leave_one_out=leave_one_out_mean(statistics, rows, labels.columns / statistics.k),
        points=rows,
        chance=labels.chance / statistics.k,
    )


_LABEL_AGREEMENT = Metric(
    "label_agreement",
    "semantic",
    "up",
    (0, 1),
    True,
    frozenset({"labels"}),
    _measure_agreement,
    default=False,
    least_failure=lambda k, M, m: 1 / k,
    largest_k=all_but_one,
)
METRICS = (_LABEL_AGREEMENT,)


_DOC = MetricDoc(
    "the share of a point's k nearest by code that have its label",
    r"\frac{1}{m k} \sum_i |\{j \in kNN_Z(i) : y_j = y_i\}|",
    "T. M. Cover and P. E. Hart (1967), Nearest neighbor pattern classification.",
    "Tied candidates share places.",
)
_LABELS = "array-like of shape (m,)\n    Labels of the points, of any kind that can be compared."
_REFERENCE_LABELS = "array-like of shape (n,), optional\n    Labels of the reference points; needed with `reference`."


@documented(_LABEL_AGREEMENT, _DOC, use=NEIGHBORS, labels=_LABELS, reference_labels=_REFERENCE_LABELS)
def label_agreement(  # noqa: D103
    X: Any,
    Z: Any,
    labels: Any,
    *,
    k: int = 10,
    reference: tuple[Any, Any] | None = None,
    reference_labels: Any = None,
) -> float:
    check_reference_pair(reference)
    if reference is not None and reference_labels is None:
        raise InputError("reference_labels", "found None", "pass one label for each reference point")
    check_row_names([(X, "X"), (labels, "labels")])
    if reference is not None:
        check_row_names([(reference[0], "reference[0]"), (reference_labels, "reference_labels")])
    of_points = as_labels(labels, len(as_points(X, "X")), "labels")
    of_reference = None
    if reference is not None:
        of_reference = as_labels(reference_labels, len(as_points(reference[0], "reference[0]")), "reference_labels")
    codes, codes_ref = label_codes(of_points, of_reference)
    return measure_one(_LABEL_AGREEMENT, X, Z, reference, k, labels=codes, labels_ref=codes_ref)
