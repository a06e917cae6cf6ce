"""From two arrays to one number: what the public function of each metric does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from distbench.engine import Statistics, gather
from distbench.errors import InputError
from distbench.inputs.arrays import as_points, check_candidates, check_same_columns, check_same_rows
from distbench.metrics.user_metrics import with_cases

if TYPE_CHECKING:
    from distbench.metrics._metric import Metric

__all__ = ["gather_checked", "measure_one"]

Array = NDArray[np.float64]


def measure_one(metric: Metric, X: Any, Z: Any, reference: tuple[Any, Any] | None, k: int = 1, **options: Any) -> float:
    """Return one metric of codes Z of points X: in sample, or against exactly the reference points.

    `options` go to the engine.
    """
    gathered = gather_checked(X, Z, reference, k=k, include_queries=False, families=metric.families, **options)
    return metric.measure(gathered).value


def gather_checked(
    X: Any,
    Z: Any,
    reference: tuple[Any, Any] | None,
    *,
    k: int,
    include_queries: bool,
    families: frozenset[str],
    names: tuple[str, str, str, str] = ("X", "Z", "reference[0]", "reference[1]"),
    notes: list[str] | None = None,
    **options: Any,
) -> Statistics:
    """Check points and codes and gather their statistics. Raises InputError where they cannot be used."""
    points, codes = as_points(X, names[0], notes), as_points(Z, names[1], notes)
    check_same_rows(points, codes, (names[0], names[1]))
    if reference is not None and not (isinstance(reference, tuple | list) and len(reference) == 2):
        raise InputError("reference", f"found {type(reference).__name__}", "pass a pair (X_ref, Z_ref)")
    if reference is None:
        _check_spread(points, points, names[0])
        gathered = gather(points, codes, k=check_candidates(k, len(points) - 1), families=families, **options)
        return with_cases(gathered, (points, codes), None, include_queries)
    X_ref, Z_ref = as_points(reference[0], names[2], notes), as_points(reference[1], names[3], notes)
    check_same_rows(X_ref, Z_ref, (names[2], names[3]))
    check_same_columns(points, X_ref, (names[0], names[2]))
    check_same_columns(codes, Z_ref, (names[1], names[3]))
    _check_spread(points, X_ref, names[0])
    M = len(X_ref) + (len(points) - 1 if include_queries else 0)
    gathered = gather(
        points,
        codes,
        X_ref,
        Z_ref,
        k=check_candidates(k, M),
        include_queries=include_queries,
        families=families,
        **options,
    )
    return with_cases(gathered, (points, codes), (X_ref, Z_ref), include_queries)


def _check_spread(points: Array, others: Array, name: str) -> None:
    """Refuse points that all coincide: no distance could be kept or lost."""
    if (points == others[0]).all() and (others == others[0]).all():
        raise InputError(name, "found points that all coincide", "nothing can be measured on them")
