"""Densities of the queries in both spaces: sums of a Gaussian kernel over the candidates.

The kernel's width is a share of the largest distance, so one pass finds that, and another the sums and their changes
when each point is removed. If all pairs with the largest distance share a point, its removal changes the width.
Then the second pass also computes the sums with that width, so leave-one-out values are exact.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from distbench.engine.job import key_blocks
from distbench.engine.partial_sums import OptionalStatistic, Part
from distbench.engine.problem import Problem

__all__ = ["Density", "DensityFamily"]

Array = NDArray[np.float64]
Indices = NDArray[np.int64]

SMALLEST_WIDTH = float(np.finfo(np.float64).tiny)  # of points that all coincide, so that their kernel is 1, not nan


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


def _largest_keys(keys: Array) -> Array:
    """Return each query's largest key, the candidate that has it, and the second largest key, as an array (B, 3)."""
    rows, far = np.arange(len(keys)), keys.argmax(axis=1)
    first = keys[rows, far]
    keys[rows, far] = 0.0
    return np.stack([first, far, keys.max(axis=1)], axis=1)


def _kernels(keys: Array, rate: float) -> Array:
    with np.errstate(over="ignore", under="ignore"):
        out = -rate * keys
        return np.asarray(np.exp(out, out=out))


def _kernel_sums(keys: Array, rates: Array, ends: Indices, are_candidates: bool) -> tuple[Array, Array]:
    """Return exp(-rate key) of the first rate, and its sums with all points and without each of the `ends`.

    rates : (1 + ends,) factors of squared distances, of which that of an end holds without it. are_candidates : whether
    `ends` are candidates and not only queries.
    """
    near = _kernels(keys, rates[0])
    sums = [near.sum(axis=1)]
    for p, rate in zip(ends, rates[1:], strict=True):
        other = near if rate == rates[0] else _kernels(keys, rate)
        total = sums[0] if rate == rates[0] else other.sum(axis=1)
        sums.append(total - other[:, p] if are_candidates else total)
    return near, np.stack(sums, axis=1)


def _lost(near: list[Array], totals: Array, own: Indices) -> Array:
    """Return how much the sums of f log(f / g), f and g fall when each test candidate is removed (3, n_test)."""
    for kernels in near:
        kernels[np.arange(len(own)), own] = 0.0  # a query is not removed from its own sum
    (f, g), (rest_f, rest_g) = totals, (total - kernels for total, kernels in zip(totals, near, strict=True))
    cross = f * np.log(f / g) - rest_f * np.log(rest_f / rest_g)
    return np.stack([each.sum(axis=0) for each in (cross, *near)])


def _divergence(cross: Any, f: Any, g: Any) -> Any:
    """Return the divergence from the sums of f log(f / g), f and g; densities are f and g divided by their sums."""
    return np.maximum(cross / f - np.log(f / g), 0.0)


def _rate(largest: float, sigma: float) -> float:
    return 1 / max(sigma * largest * largest, SMALLEST_WIDTH)


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
    """Kernel densities in two passes, which return largest distances, then sums and changes."""

    name = "density"
    passes = 2

    def part(self, problem: Problem, rows: range, state: Any, index: int) -> Part:
        """Return largest distances, or kernel sums and their changes when each test point is removed."""
        return self._largest(problem, rows) if index == 0 else self._sums(problem, rows, state)

    def _largest(self, problem: Problem, rows: range) -> Part:
        tops = np.zeros((2, len(rows), 3))  # largest distance, the candidate at it, second largest distance
        for i, *keys in key_blocks(problem, rows):
            for side, space in enumerate((problem.x, problem.z)):
                queries = np.arange(len(keys[side]))
                if problem.n_test:
                    keys[side][queries, i + queries] = 0.0
                top = _largest_keys(keys[side])
                top[:, ::2] = space.to_distance(top[:, ::2])
                tops[side, i - rows.start + queries] = top
        return Part(rows={"x": tops[0], "z": tops[1]})

    def _sums(self, problem: Problem, rows: range, widths: Widths) -> Part:
        spaces = problem.x, problem.z
        rates = np.array([widths.whole, *(end[1:] for end in widths.ends)]).T
        rates *= [[1.0 if space.root else space.factor**2] for space in spaces]
        ends = np.array([end[0] for end in widths.ends], dtype=np.int64)
        sums, lost = np.empty((2, len(rows), len(rates.T))), np.zeros((3, problem.n_test))
        for i, *keys in key_blocks(problem, rows):
            queries, near = np.arange(len(keys[0])), []
            for side, space in enumerate(spaces):
                squares = keys[side] if space.root else np.square(keys[side], out=keys[side])
                if problem.n_test:
                    squares[queries, i + queries] = 0.0  # the point itself counts 1
                kernels, totals = _kernel_sums(squares, rates[side], ends, problem.n_test > 0)
                sums[side, i - rows.start + queries] = totals
                near.append(kernels[:, : problem.n_test])
            if problem.n_test:
                lost += _lost(near, sums[:, i - rows.start + queries, :1], i + queries)
        return Part(rows={"x": sums[0], "z": sums[1]}, columns={"lost": lost.T})

    def between(self, problem: Problem, merged: Part, state: Any, index: int) -> Any:
        """Return the widths."""
        tops = merged.rows["x"], merged.rows["z"]
        whole = [float(top[:, 0].max()) for top in tops]
        without = [_largest_without(problem, top) for top in tops]

        def rate(p: int, side: int) -> float:
            return _rate(without[side].get(p, whole[side]), problem.sigma)

        ends = tuple((p, rate(p, 0), rate(p, 1)) for p in sorted(without[0].keys() | without[1].keys()))
        return Widths((_rate(whole[0], problem.sigma), _rate(whole[1], problem.sigma)), ends)

    def finish(self, problem: Problem, merged: Part, state: Widths) -> Density:
        """Return the divergence with all points, and without each point."""
        x, z = merged.rows["x"], merged.rows["z"]
        f, g = x[:, 0], z[:, 0]
        totals = np.stack([f * np.log(f / g), f, g], axis=1)
        whole = totals.sum(axis=0)
        totals_without = np.tile(whole, (problem.n_test or problem.m, 1))
        if problem.n_test:
            totals_without -= merged.columns["lost"]
        totals_without[: problem.m] -= totals
        without = np.full(len(totals_without), np.nan)
        if problem.m > 1:
            without = _divergence(*totals_without.T)
            for end, (p, *_) in enumerate(state.ends):
                f, g = (np.delete(sums[:, 1 + end], p if p < problem.m else []) for sums in (x, z))
                without[p] = _divergence(np.sum(f * np.log(f / g)), f.sum(), g.sum())
        return Density(float(_divergence(*whole)), without)
