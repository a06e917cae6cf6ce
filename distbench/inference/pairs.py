"""Which of many estimates differ: all pairs at once, by products of matrices."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from scipy.special import stdtrit

from distbench.inference.estimate import Estimate
from distbench.inference.jackknife import LEAST_SHARE, freedom

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

__all__ = ["clear_differences"]

BLOCK = 256
LARGE = 1e50
MARGIN = 1e-6  # relative: half widths this near to a difference decide nothing
CANCELLED = 1e-5  # sums of squares of a difference that are a smaller share of those of its parts have too few digits


def clear_differences(
    estimates: Sequence[Estimate | None], groups: Sequence[Hashable], confidence: float
) -> NDArray[np.int8]:
    """Return whether intervals of differences exclude 0, for pairs in which rounding cannot change the answer.

    Parameters
    ----------
    estimates : sequence of Estimate
        n estimates. Only those with leave-one-out values are looked at.
    groups : sequence
        What two estimates must share to be paired, besides the shapes of their arrays.
    confidence : float
        The confidence of the intervals of ``a - b``.

    Returns
    -------
    ndarray of shape (n, n)
        1 if the interval excludes 0, -1 if it contains 0, and 0 where only the interval itself tells.
    """
    clear = np.zeros((len(estimates), len(estimates)), np.int8)
    alike: dict[Hashable, list[tuple[int, Estimate]]] = {}
    for place, (estimate, group) in enumerate(zip(estimates, groups, strict=True)):
        if estimate is not None and estimate.leave_one_out is not None and _is_plain(estimate):
            twice = None if estimate.interaction is None else estimate.interaction.shape
            alike.setdefault((group, len(estimate.leave_one_out), twice), []).append((place, estimate))
    for members in alike.values():
        places = [place for place, _ in members]
        clear[np.ix_(places, places)] = _among([estimate for _, estimate in members], confidence)
    return clear


def _is_plain(estimate: Estimate) -> bool:
    """Return whether no numbers are infinite, nan, or so large that the sum of their powers would be."""
    arrays = [array for array in (estimate.leave_one_out, estimate.interaction) if array is not None]
    largest = [abs(estimate.value), *(float(np.abs(array).max(initial=0)) for array in arrays)]
    return all(number < LARGE for number in largest)


class _Parts(NamedTuple):
    """What intervals of differences are made of; a row for each estimate."""

    values: Array
    without: tuple[Array, Array, Array]  # leave-one-out values about their means: their powers 1 to 3
    twice: Array  # what they count twice; its squares sum to the variance
    failures: Array
    counts: Array
    others: Array  # squared half widths over replicates


def _among(estimates: Sequence[Estimate], confidence: float) -> NDArray[np.int8]:
    """Return the answers for estimates whose arrays have the same shapes."""
    tail = (1 + confidence) / 2
    without = np.array([estimate.leave_one_out for estimate in estimates])
    without -= without.mean(axis=1, keepdims=True)
    twice = np.array([np.zeros(1) if e.interaction is None else np.ravel(e.interaction) for e in estimates])
    parts = _Parts(
        np.array([estimate.value for estimate in estimates]),
        (without, without**2, without**3),
        twice * np.sqrt(without.shape[1] / twice.shape[1]),  # means over the sketches of each point
        np.array([estimate.failure for estimate in estimates]),
        np.array([estimate.rows or np.inf for estimate in estimates]),
        np.array([sum((stdtrit(n - 1, tail) * sd) ** 2 / n for sd, n in e.replicates) for e in estimates]),
    )
    blocks = []
    for start in range(0, len(estimates), BLOCK):
        apart = _apart(_Parts(*(_rows(part, start) for part in parts)), parts, tail)
        blocks.append(np.where(apart > 1 + MARGIN, 1, np.where(apart < 1 - MARGIN, -1, 0)))
    return np.concatenate(blocks)


def _rows(part: Any, start: int) -> Any:
    return tuple(_rows(array, start) for array in part) if isinstance(part, tuple) else part[start : start + BLOCK]


def _apart(some: _Parts, each: _Parts, tail: float) -> Array:
    """Return the distance of each two values in half widths of their difference's interval, nan if digits are lost."""

    def sums(first: Array, second: Array) -> Array:
        total: Array = (first**2).sum(axis=1)[:, None] + (second**2).sum(axis=1)
        return total

    (a, a2, a3), (b, b2, b3) = some.without, each.without
    m, squares, fourths, counted = a.shape[1], sums(a, b), sums(a2, b2), sums(some.twice, each.twice)
    total = squares - 2 * a @ b.T
    fourth = fourths - 4 * (a3 @ b.T + a @ b3.T) + 6 * a2 @ b2.T
    with np.errstate(all="ignore"):
        variance = (m - 1) / m * total
        variance = np.maximum(variance - (counted - 2 * some.twice @ each.twice.T), LEAST_SHARE * variance)
        half = stdtrit(freedom(m, m * fourth / total**2), tail) * np.sqrt(variance)
        share = np.where(some.counts[:, None] == each.counts, 1 - (1 - tail) ** (1 / each.counts), 0)
        half = np.maximum(half, share * np.maximum(some.failures[:, None], each.failures))
        half = np.sqrt(half**2 + some.others[:, None] + each.others)
        apart: Array = np.abs(some.values[:, None] - each.values) / half
    is_sure = (total > CANCELLED * np.maximum(squares, counted)) & (fourth > CANCELLED * fourths)
    return np.where(is_sure, apart, np.nan)
