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

from distbench.engine._jit import inner, kernel
from distbench.engine.job import key_blocks
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


@kernel
def _largest_keys(keys: Array, first_query: int, n_test: int, out: Array) -> None:
    """Write each query's largest key, the candidate that has it, and the second largest key to `out` (B, 3)."""
    for row in range(len(keys)):
        first, second, far = 0.0, 0.0, 0
        for p in range(keys.shape[1]):
            key = keys[row, p]
            if key > second and not (n_test and p == first_query + row):
                if key > first:
                    first, second, far = key, first, p
                else:
                    second = key
        out[row, 0], out[row, 1], out[row, 2] = first, far, second


@inner
def _kernels(keys: Array, root: bool, rate: float, out: Array) -> float:
    """Write exp(-rate d^2) of each candidate's distance d, and return their sum."""
    total = 0.0
    for p in range(len(keys)):
        out[p] = np.exp(-rate * (keys[p] if root else keys[p] * keys[p]))
        total += out[p]
    return total


@kernel
def _density_rows(
    keys_x: Array,
    keys_z: Array,
    first_query: int,
    root: tuple[bool, bool],
    rates: Array,
    ends: Indices,
    scratch: Array,
    columns: Array,
    out: Array,
) -> None:
    """Write the kernel sums of queries to `out` (2, B, 1 + ends): with all points, and without each of the `ends`.

    Adds to `columns` (3, n_test) how much the sums of f log(f / g), f and g fall when each test candidate is removed.
    rates : (2, 1 + ends) factors of squared keys, or of keys that are squares already. scratch : (3, n).
    """
    n_test = columns.shape[1]
    for row in range(len(keys_x)):
        i = first_query + row
        for side in range(2):
            keys = keys_x[row] if side == 0 else keys_z[row]
            if n_test:
                keys[i] = 0.0  # the point itself counts 1
            whole = _kernels(keys, root[side], rates[side, 0], scratch[side])
            out[side, row, 0] = whole
            for end in range(len(ends)):
                p, changed = ends[end], rates[side, 1 + end] != rates[side, 0]
                total = _kernels(keys, root[side], rates[side, 1 + end], scratch[2]) if changed else whole
                if n_test:
                    total -= scratch[2, p] if changed else scratch[side, p]
                out[side, row, 1 + end] = total
        f, g = out[0, row, 0], out[1, row, 0]
        whole = f * np.log(f / g)
        for p in range(n_test):
            if p != i:
                rest = f - scratch[0, p]
                columns[0, p] += whole - rest * np.log(rest / (g - scratch[1, p]))
                columns[1, p] += scratch[0, p]
                columns[2, p] += scratch[1, p]


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
                out = tops[side, i - rows.start :]
                _largest_keys(keys[side], i, problem.n_test, out)
                out[: len(keys[side]), ::2] = space.to_distance(out[: len(keys[side]), ::2])
        return Part(rows={"x": tops[0], "z": tops[1]})

    def _sums(self, problem: Problem, rows: range, widths: Widths) -> Part:
        spaces = problem.x, problem.z
        rates = np.array([widths.whole, *(end[1:] for end in widths.ends)]).T
        rates *= [[1.0 if space.root else space.factor**2] for space in spaces]
        ends = np.array([end[0] for end in widths.ends], dtype=np.int64)
        fixed = (problem.x.root, problem.z.root), rates, ends, np.empty((3, problem.n))
        sums, columns = np.empty((2, len(rows), len(rates.T))), np.zeros((3, problem.n_test))
        for i, x, z in key_blocks(problem, rows):
            _density_rows(x, z, i, *fixed, columns, sums[:, i - rows.start :])
        return Part(rows={"x": sums[0], "z": sums[1]}, columns={"lost": columns.T})

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
