"""Forms of the loss on distances: one function for each. A new form needs only its function here.

A form is given the distances ``a`` of inputs and ``b`` of codes, ``keep`` (1 for a pair, 0 where there is none, and
then a = b = 0) and ``scale`` (a tensor, above 0), all float32; it returns the loss, a scalar.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from keras import ops

__all__ = ["FORMS"]

# A distance below this share of the scale counts as that share where a form divides by it or takes its logarithm.
NEAR = 1e-3
# Distances whose standard deviation is below this share of their mean differ by rounding alone.
ROUNDING = 1e-5


def _scaled(a: Any, b: Any, keep: Any, scale: Any) -> Any:
    return _mean(ops.square((a - b) / scale), keep)


def _stress(a: Any, b: Any, keep: Any, scale: Any) -> Any:
    misfit = _misfit(a, b, keep, 0.0, 0.0)
    return misfit * (2 - misfit)  # 1 - cos^2


def _sammon(a: Any, b: Any, keep: Any, scale: Any) -> Any:
    terms = ops.square(a - b) / ops.maximum(a, NEAR * scale)
    total = ops.sum(a)
    return ops.sum(terms) / ops.where(total > 0, total, float("inf"))


def _log_ratio(a: Any, b: Any, keep: Any, scale: Any) -> Any:
    near = NEAR * NEAR

    def log(distances: Any) -> Any:
        return ops.log(ops.square(distances / scale) + near) / 2

    return _mean(ops.square(log(b) - log(a)), keep)


def _correlation(a: Any, b: Any, keep: Any, scale: Any) -> Any:
    mean_a, mean_b = _mean(a, keep), _mean(b, keep)
    return _misfit((a - mean_a) * keep, (b - mean_b) * keep, keep, ROUNDING * mean_a, ROUNDING * mean_b)


def _mean(values: Any, keep: Any) -> Any:
    return ops.sum(values * keep) / ops.maximum(ops.sum(keep), 1.0)


def _misfit(a: Any, b: Any, keep: Any, least_a: Any, least_b: Any) -> Any:
    """Return 1 - cos(a, b); 0 where ``a`` has no size to compare with, else 1 where ``b`` has none."""
    size_a, size_b = _mean(ops.square(a), keep), _mean(ops.square(b), keep)
    none_a, none_b = size_a <= ops.square(least_a), size_b <= ops.square(least_b)  # false for NaN, which stays
    # Half the squared difference of unit vectors: 1 - cos itself would cancel where the fit is good.
    a, b = a / ops.sqrt(ops.where(none_a, 1.0, size_a)), b / ops.sqrt(ops.where(none_b, 1.0, size_b))
    misfit = _mean(ops.square(a - b), keep) / 2
    return ops.where(none_a, 0.0, ops.where(none_b, 1.0, misfit))


FORMS: dict[str, Callable[[Any, Any, Any, Any], Any]] = {
    "scaled": _scaled,
    "stress": _stress,
    "sammon": _sammon,
    "log_ratio": _log_ratio,
    "correlation": _correlation,
}
