"""Which of many estimates differ, found for all pairs at once where rounding cannot decide."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

from distbench.inference.jackknife import degrees_of_freedom, jackknife_standard_error

if TYPE_CHECKING:
    from distbench.inference.estimate import Estimate

__all__ = ["kind_of", "sure_differences"]

MARGIN = 1e-6  # relative: an interval whose end is nearer to 0 is not sure
BLOCK = 2**18  # numbers held at once
LEAST, MOST = 1e-80, 1e80  # half widths; beyond, squares may leave the range of numbers


def kind_of(estimate: Estimate | None) -> tuple[object, ...] | None:
    """Return what estimates must share to be compared by :func:`sure_differences`; None if this one cannot be."""
    if estimate is None or estimate.leave_one_out is None or len(estimate.leave_one_out) < 2:
        return None
    interaction = estimate.interaction
    is_finite = np.isfinite(estimate.value) and np.isfinite(estimate.leave_one_out).all()
    return (len(estimate.leave_one_out), None if interaction is None else interaction.shape) if is_finite else None


def sure_differences(estimates: Sequence[Estimate], confidence: float) -> Iterator[NDArray[np.int8]]:
    """Yield for each estimate how each earlier one compares: 1 if it differs, -1 if not, 0 if that is not sure.

    They are of one kind and on the same points. Two differ if the interval of their difference, as
    ``(a - b).interval(confidence)``, excludes 0.
    """
    if not estimates:
        return
    level = (1 + confidence) / 2
    values = np.array([estimate.value for estimate in estimates])
    without = np.array([estimate.leave_one_out for estimate in estimates])
    has_interaction = estimates[0].interaction is not None
    interaction = np.array([estimate.interaction for estimate in estimates]) if has_interaction else None
    reach = np.array([e.failure * (1 - (1 - level) ** (1 / e.rows)) if e.rows else 0.0 for e in estimates])
    noise = np.array([sum((stdtrit(n - 1, level) * sd) ** 2 / n for sd, n in e.replicates) for e in estimates])
    step = max(1, BLOCK // (without[0].size if interaction is None else interaction[0].size))
    for i in range(len(estimates)):
        half = np.empty(i)
        with np.errstate(all="ignore"):
            for start in range(0, i, step):
                part = slice(start, min(i, start + step))
                change = without[part] - without[i]
                twice = None if interaction is None else interaction[part] - interaction[i]
                half[part] = stdtrit(degrees_of_freedom(change), level) * jackknife_standard_error(change, twice)
            gap, training = abs(values[:i] - values[i]), noise[:i] + noise[i]
            least = np.sqrt(half**2 + training)
            most = np.sqrt(np.maximum(half, np.maximum(reach[:i], reach[i])) ** 2 + training)
            signs = (gap > most * (1 + MARGIN)).astype(np.int8) - (gap < least * (1 - MARGIN)).astype(np.int8)
        yield np.where((half > LEAST) & (half < MOST), signs, np.int8(0))
