r"""The area under one query's :math:`R_{NX}` curve, from its full ranks.

The area is linear in Q(K), and Q(K) counts the candidates with max(r, s) <= K. So a candidate adds ``phi(max(r, s))``,
where phi(t) sums the weight of a kept neighbor over all K >= t. A tied candidate adds the mean of phi over the places
of its two groups, computed from differences of running sums of phi(t) and t phi(t). Removing a candidate shifts or
shrinks the tie groups of the others. Its effect on another candidate is the sum of an effect in each space, added up by
running sums in the order of that space, and a joint effect, added up by a Fenwick tree.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from distbench._util.notes import Note
from distbench.engine._jit import kernel
from distbench.engine.counts import tree_add, tree_sum
from distbench.engine.partial_sums import OptionalStatistic, Part
from distbench.engine.problem import Problem

__all__ = ["MAX_RANKS", "OrderCurves", "OrderCurvesFamily"]

Array = NDArray[np.float64]
Indices = NDArray[np.int64]

MAX_RANKS = 20_000_000  # in each space; if there are more, a sample of queries is used


@dataclass(frozen=True)
class OrderCurves:
    """Areas under the curves of the queries."""

    rows: Array  # (len(places),)
    columns: Array  # (n_test,) change in the sum of all other rows when point p is removed
    places: Indices  # the queries of the rows
    notes: tuple[Note, ...]


@lru_cache(maxsize=8)
def sampled_queries(m: int, M: int) -> Indices:
    """Return the places in the canonical order of the queries whose ranks are sorted: all, or a seeded sample."""
    size = max(2, MAX_RANKS // M)
    if m <= size:
        return np.arange(m)
    return np.sort(np.random.default_rng(0).choice(m, size, replace=False))


@lru_cache(maxsize=8)
def _phi_sums(M: int) -> Array:
    """Return for t = 0..M + 1 the columns phi(t), the running sum of phi(t), and the running sum of t phi(t).

    Rank M + 1 is looked up when a candidate is removed; its values cancel.
    """
    sizes = np.arange(1, M, dtype=np.float64)
    phi = np.zeros(M + 2)
    phi[1:M] = np.cumsum((M / (sizes**2 * (M - sizes)))[::-1])[::-1] / np.sum(1 / sizes)
    return np.stack([phi, np.cumsum(phi), np.cumsum(np.arange(M + 2) * phi)], axis=1)


@kernel
def _expected(less_x: int, equal_x: int, less_z: int, equal_z: int, phi_sums: Array) -> float:
    """Return the mean of phi(max(r, s)) over the places of two tie groups."""
    upto_x, upto_z = less_x + equal_x, less_z + equal_z
    if equal_x == 1 and equal_z == 1:
        return float(phi_sums[max(upto_x, upto_z), 0])
    start, middle = max(less_x, less_z), min(upto_x, upto_z)
    total = 0.0
    if middle > start:  # both ranks can be the larger one
        total += 2.0 * (phi_sums[middle, 2] - phi_sums[start, 2])
        total -= (less_x + less_z + 1.0) * (phi_sums[middle, 1] - phi_sums[start, 1])
        start = middle
    stop = max(upto_x, upto_z)
    total += (phi_sums[stop, 1] - phi_sums[start, 1]) * (equal_z if upto_x > upto_z else equal_x)
    return float(total / equal_x / equal_z)


@kernel
def _effects(lx: int, ex: int, lz: int, ez: int, phi_sums: Array, out: Array) -> None:
    """Write what a candidate adds to the area, and how that changes when another candidate is removed.

    ``out[0]`` is what it adds. ``out[1]`` and ``out[2]`` are the changes if the other is tied or nearer in x,
    ``out[3]`` and ``out[4]`` if it is tied or nearer in z. ``out[5:9]`` are the joint effects, beyond the sum of these,
    if it is tied-tied, tied-nearer, nearer-tied or nearer-nearer in x and z. Impossible cases have no effect.
    """
    out[0] = _expected(lx, ex, lz, ez, phi_sums)
    out[1:] = 0.0
    for x in range(3):
        if (x == 1 and ex == 1) or (x == 2 and lx == 0):
            continue
        ax, bx = lx - (1 if x == 2 else 0), ex - (1 if x == 1 else 0)
        for z in range(3):
            if (z == 1 and ez == 1) or (z == 2 and lz == 0) or (x == 0 and z == 0):
                continue
            effect = _expected(ax, bx, lz - (1 if z == 2 else 0), ez - (1 if z == 1 else 0), phi_sums) - out[0]
            if z == 0:
                out[x] = effect
            elif x == 0:
                out[2 + z] = effect
            else:
                out[4 + 2 * (x - 1) + z] = effect
    for x in (1, 2):
        for z in (1, 2):
            if not ((x == 1 and ex == 1) or (x == 2 and lx == 0) or (z == 1 and ez == 1) or (z == 2 and lz == 0)):
                out[4 + 2 * (x - 1) + z] -= out[x] + out[2 + z]


@kernel
def _add_joint_effects(order: Indices, u: Indices, v: Indices, n_levels: int, effects: Array, without: Array) -> None:
    """Add the joint effects to `without`; `order` sorts by the levels u, then v, which are numbered from 0.

    The tree holds the levels in z in reverse, so that a prefix has the farther ones.
    """
    n = len(order)
    far = np.zeros((2, n_levels + 1))  # members farther in x: z farther (a tree), z tied (by level)
    stop = n
    while stop > 0:
        start = stop - 1
        while start > 0 and u[order[start - 1]] == u[order[stop - 1]]:
            start -= 1
        behind, p = 0.0, stop  # tied in x and farther in z
        while p > start:
            first = p - 1
            while first > start and v[order[first - 1]] == v[order[p - 1]]:
                first -= 1
            level, tied = v[order[first]], 0.0
            for place in range(first, p):
                tied += effects[order[place], 5]
            base = tied + behind + far[1, level] + tree_sum(far[0], n_levels - 1 - level)
            for place in range(first, p):
                without[order[place]] += base
                behind += effects[order[place], 6]
            p = first
        for place in range(start, stop):
            j = order[place]
            far[1, v[j]] += effects[j, 7]
            if effects[j, 8] != 0.0:
                tree_add(far[0], n_levels - v[j], effects[j, 8])
        stop = start


@kernel
def _add_single_effects(order: Indices, level: Indices, tied: Array, nearer: Array, without: Array) -> None:
    """Add to `without` the effects in one space: removing a candidate changes those tied with it and those farther."""
    stop, behind = len(order), 0.0
    while stop > 0:
        start, same = stop - 1, tied[order[stop - 1]]
        while start > 0 and level[order[start - 1]] == level[order[stop - 1]]:
            start -= 1
            same += tied[order[start]]
        after = behind
        for place in range(start, stop):
            without[order[place]] += same + behind
            after += nearer[order[place]]
        behind, stop = after, start


@kernel
def _area(
    order_x: Indices, order_z: Indices, u: Indices, v: Indices, phi_sums: Array, phi_sums_without: Array, without: Array
) -> float:
    """Return the sum of phi over all candidates; write the sums without each candidate."""
    n = len(u)
    size_x, size_z = np.zeros(n + 1, dtype=np.int64), np.zeros(n + 1, dtype=np.int64)
    for p in range(n):
        size_x[u[p] + 1] += 1
        size_z[v[p] + 1] += 1
    upto_x, upto_z = np.cumsum(size_x), np.cumsum(size_z)
    effects = np.empty((n, 9))
    total, unchanged = 0.0, 0.0
    for p in range(n):
        lx, lz = upto_x[u[p]], upto_z[v[p]]
        ex, ez = upto_x[u[p] + 1] - lx, upto_z[v[p] + 1] - lz
        total += _expected(lx, ex, lz, ez, phi_sums)
        if len(without):
            _effects(lx, ex, lz, ez, phi_sums_without, effects[p])
            unchanged += effects[p, 0]
    if len(without):
        without[:] = unchanged
        _add_single_effects(order_x, u, effects[:, 1], effects[:, 2], without)
        _add_single_effects(order_z, v, effects[:, 3], effects[:, 4], without)
        _add_joint_effects(order_x, u, v, int(v[order_z[n - 1]]) + 1, effects, without)
        for p in range(n):  # a candidate has no effect on itself
            effect = effects[p]
            without[p] -= effect[0] + effect[1] + effect[3] + effect[5]
    return total


def _levels(values: Array, order: Indices) -> Indices:
    """Return each value's place among the distinct values."""
    ordered = values[order]
    levels = np.empty(len(values), dtype=np.int64)
    levels[order] = np.cumsum(np.concatenate([[False], ordered[1:] != ordered[:-1]]))
    return levels


def area(a: Array, b: Array, with_effects: bool) -> tuple[float, Array]:
    """Return the area of a query with candidates at distances (a, b), and the areas without each candidate."""
    M = len(a)
    order_z = np.argsort(b, kind="stable")
    order_x = order_z[np.argsort(a[order_z], kind="stable")]  # by a, then b
    without = np.empty(M if with_effects else 0)
    phi_sums, phi_sums_without = _phi_sums(M), _phi_sums(M - 1) if with_effects else np.empty((0, 3))
    total = _area(order_x, order_z, _levels(a, order_x), _levels(b, order_z), phi_sums, phi_sums_without, without)
    return total - 1.0, without - 1.0  # shuffled codes have a sum of 1 and an area of 0


class OrderCurvesFamily(OptionalStatistic):
    """Areas under the curves of all queries, or of a sample if there are too many; then there is a note."""

    name = "order_curves"

    def part(self, problem: Problem, rows: range, state: Any, index: int) -> Part:
        """Return the queries' areas (nan outside the sample), and the changes of their sum without each test point."""
        n_test = problem.n_test
        areas, effects = np.full(len(rows), np.nan), np.zeros(n_test)
        sampled = np.sort(problem.canonical[sampled_queries(problem.m, problem.M)])
        for i in sampled[np.searchsorted(sampled, rows.start) : np.searchsorted(sampled, rows.stop)]:
            a, b = problem.x.exact_keys(int(i)), problem.z.exact_keys(int(i))
            if n_test:
                a, b = np.delete(a, i), np.delete(b, i)
            value, without = area(a, b, n_test > 0)
            areas[i - rows.start] = value
            if n_test:
                change = np.insert(without[: n_test - 1] - value, i, 0.0)
                change[problem.of_group(int(i))] = 0.0
                effects += change
        return Part(rows={"areas": areas}, columns={"areas": effects})

    def finish(self, problem: Problem, merged: Part, state: Any) -> OrderCurves:
        """Return the areas of the sampled queries, with a note if they are not all."""
        places = np.sort(problem.canonical[sampled_queries(problem.m, problem.M)])
        notes: tuple[Note, ...] = ()
        if len(places) < problem.m:
            text = f"rnx_auc: computed from {len(places):,} sampled queries of {problem.m:,}"
            notes = (Note("info", "rnx_auc", text),)
        return OrderCurves(merged.rows["areas"][places], merged.columns["areas"], places, notes)
