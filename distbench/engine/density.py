"""Densities of the queries in both spaces: sums of a Gaussian kernel over the candidates.

The kernel's width is a share of the largest distance, so three passes compute the largest distances, the sums, and the
changes when each point is removed. If all pairs with the largest distance share a point, its removal changes the width.
Then the second pass also computes the sums with that width, so leave-one-out values are exact.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from distbench.engine._jit import kernel
from distbench.engine.partial_sums import OptionalStatistic, Part
from distbench.engine.problem import Problem

__all__ = ["Density", "DensityFamily"]

Array = NDArray[np.float64]
Indices = NDArray[np.int64]


@dataclass(frozen=True)
class Density:
    """Kullback-Leibler divergence between the queries' densities, with all points and without each test point."""

    value: float
    leave_one_out: Array  # (n_test,), or (m,) if the queries are no candidates


@dataclass(frozen=True)
class Widths:
    """Coefficients of d^2 in the exponent of both kernels."""

    whole: tuple[float, float]  # with all points
    ends: tuple[tuple[int, float, float], ...]  # a point at the largest distance, and the coefficients without it


@dataclass(frozen=True)
class Sums:
    """Kernel sums of all queries, and the widths."""

    widths: Widths
    x: Array  # (m, 1 + ends)
    z: Array


@kernel
def _kernel_sum(distances: Array, rate: float, skip: int) -> float:
    """Return the sum of exp(-rate d^2), without the distance at `skip`."""
    total = 0.0
    for p in range(len(distances)):
        if p != skip:
            total += np.exp(-rate * distances[p] * distances[p])
    return total


@kernel
def _add_changes(a: Array, b: Array, rates: tuple[float, float], f: float, g: float, i: int, columns: Array) -> None:
    """Add how much the sums of f log(f / g), f and g fall when each test candidate is removed."""
    whole = f * np.log(f / g)
    for p in range(columns.shape[1]):
        if p != i:
            u, v = np.exp(-rates[0] * a[p] * a[p]), np.exp(-rates[1] * b[p] * b[p])
            rest = f - u
            columns[0, p] += whole - rest * np.log(rest / (g - v))
            columns[1, p] += u
            columns[2, p] += v


def _divergence(cross: Any, f: Any, g: Any) -> Any:
    """Return the divergence from the sums of f log(f / g), f and g; densities are f and g divided by their sums."""
    return np.maximum(cross / f - np.log(f / g), 0.0)


def _rate(largest: float, sigma: float) -> float:
    return 1 / (sigma * largest * largest) if largest > 0 else 0.0  # all points coincide: the kernel is 1


def _largest_without(problem: Problem, tops: Array) -> dict[int, float]:
    """Return, for each of the two points at the largest distance, the largest distance without it, if that is smaller.

    A query's row of `tops` has its largest distance, the candidate at that distance, and its second largest distance.
    """
    largest, partner, second_largest = tops.T
    row = int(np.argmax(largest))
    largest_without = {}
    for p in {row, int(partner[row])} if problem.n_test else {row}:
        if p < (problem.n_test or problem.m):
            rest = np.where(partner == p, second_largest, largest) if problem.n_test else largest.copy()
            if p < problem.m:
                rest[p] = 0.0
            if rest.max() < largest[row]:
                largest_without[p] = float(rest.max())
    return largest_without


class DensityFamily(OptionalStatistic):
    """Kernel densities in three passes, which return largest distances, sums and changes."""

    name = "density"
    passes = 3

    def part(self, problem: Problem, rows: range, state: Any, index: int) -> Part:
        """Return largest distances, kernel sums, or changes when each test point is removed."""
        return (self._largest, self._sums, self._changes)[index](problem, rows, state)

    def _largest(self, problem: Problem, rows: range, state: None) -> Part:
        tops = np.zeros((2, len(rows), 3))  # largest distance, the candidate at it, second largest distance
        for place, i in enumerate(rows):
            for side, d in enumerate((problem.x.exact_distances(i), problem.z.exact_distances(i))):
                if problem.n_test:
                    d[i] = 0.0
                far = int(np.argmax(d))
                tops[side, place, :2] = d[far], far
                d[far] = 0.0
                tops[side, place, 2] = d.max()
        return Part(rows={"x": tops[0], "z": tops[1]})

    def _sums(self, problem: Problem, rows: range, widths: Widths) -> Part:
        """Return each query's kernel sums: with all points, and without each point of ``widths.ends``."""
        sums = np.empty((2, len(rows), 1 + len(widths.ends)))
        for place, i in enumerate(rows):
            for side, d in enumerate((problem.x.exact_distances(i), problem.z.exact_distances(i))):
                if problem.n_test:
                    d[i] = 0.0  # the point itself counts 1
                whole, rate = _kernel_sum(d, widths.whole[side], -1), widths.whole[side]
                sums[side, place] = whole
                for end, (p, *rates) in enumerate(widths.ends):
                    if rates[side] != rate:
                        sums[side, place, 1 + end] = _kernel_sum(d, rates[side], p if problem.n_test else -1)
                    elif problem.n_test:
                        sums[side, place, 1 + end] = whole - np.exp(-rate * d[p] ** 2)
        return Part(rows={"x": sums[0], "z": sums[1]})

    def _changes(self, problem: Problem, rows: range, sums: Sums) -> Part:
        columns = np.zeros((3, problem.n_test))
        if problem.n_test:
            for i in rows:
                a, b = problem.x.exact_distances(i), problem.z.exact_distances(i)
                _add_changes(a, b, sums.widths.whole, float(sums.x[i, 0]), float(sums.z[i, 0]), i, columns)
        return Part(columns={"lost": columns.T})

    def between(self, problem: Problem, merged: Part, state: Any, index: int) -> Any:
        """Return the widths after the first pass, the sums after the second."""
        if index == 1:
            return Sums(state, merged.rows["x"], merged.rows["z"])
        tops = merged.rows["x"], merged.rows["z"]
        whole = [float(top[:, 0].max()) for top in tops]
        without = [_largest_without(problem, top) for top in tops]

        def rate(p: int, side: int) -> float:
            return _rate(without[side].get(p, whole[side]), problem.sigma)

        ends = tuple((p, rate(p, 0), rate(p, 1)) for p in sorted(without[0].keys() | without[1].keys()))
        return Widths((_rate(whole[0], problem.sigma), _rate(whole[1], problem.sigma)), ends)

    def finish(self, problem: Problem, merged: Part, state: Sums) -> Density:
        """Return the divergence with all points, and without each point."""
        f, g = state.x[:, 0], state.z[:, 0]
        totals = np.stack([f * np.log(f / g), f, g], axis=1)
        whole = totals.sum(axis=0)
        totals_without = np.tile(whole, (problem.n_test or problem.m, 1))
        if problem.n_test:
            totals_without -= merged.columns["lost"]
        totals_without[: problem.m] -= totals
        without = np.full(len(totals_without), np.nan)
        if problem.m > 1:
            without = _divergence(*totals_without.T)
            for end, (p, *_) in enumerate(state.widths.ends):
                f, g = (np.delete(sums[:, 1 + end], p if p < problem.m else []) for sums in (state.x, state.z))
                without[p] = _divergence(np.sum(f * np.log(f / g)), f.sum(), g.sum())
        return Density(float(_divergence(*whole)), without)
