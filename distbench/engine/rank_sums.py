"""Sums over a query's candidates of a number that depends on both ranks, and the sums when each candidate is removed.

A tied candidate adds its mean over the places of its two groups. Removing a candidate shifts or shrinks the groups of
the others. Its effect on another one is the sum of an effect in each space, added up by running sums in the order of
that space, and of a joint effect, added up by a Fenwick tree. So leave-one-out values are exact, even with ties.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from distbench.engine._jit import inner, kernel
from distbench.engine.fenwick_tree import tree_add, tree_sum

__all__ = ["scratch", "sum_rows"]

Array = NDArray[np.float64]
Indices = NDArray[np.int64]
Places = NDArray[np.int32]
Flags = NDArray[np.uint8]

# What a candidate adds; its changes if another is tied or nearer in x, tied or nearer in z; the joint effects, beyond
# the sum of these, if it is tied-tied, tied-nearer, nearer-tied or nearer-nearer in x and z.
EFFECTS, TIED_X, TIED_Z, NEARER_Z, JOINT = 9, 1, 3, 4, 5
FEW = 64  # members that are sorted by insertion


@inner
def _expected(less_x: int, equal_x: int, less_z: int, equal_z: int, k: int, table: Array) -> float:
    """Return the mean over the places r and s of two tie groups: of |r - s| / r, or 0 if r > k; if k is 0, of phi.

    phi is a function of the larger rank. table : sums of 1 / r; or, if k is 0, the columns phi(t), the running sum of
    phi(t), and the running sum of t phi(t).
    """
    upto_x, upto_z, total = less_x + equal_x, less_z + equal_z, 0.0
    if k == 0 and equal_x == 1 and equal_z == 1:
        return float(table[max(upto_x, upto_z), 0])
    if k == 0:
        start, middle, stop = max(less_x, less_z), min(upto_x, upto_z), max(upto_x, upto_z)
        if middle > start:  # both ranks can be the larger one
            total += 2.0 * (table[middle, 2] - table[start, 2])
            total -= (less_x + less_z + 1.0) * (table[middle, 1] - table[start, 1])
            start = middle
        total += (table[stop, 1] - table[start, 1]) * (equal_z if upto_x > upto_z else equal_x)
        return float(total / equal_x / equal_z)
    last, mean = min(upto_x, k), less_z + (equal_z + 1) / 2.0
    if last <= less_x:
        return 0.0
    if last <= less_z:  # the usual case: s is larger than any r that counts
        return float(mean * (table[last, 0] - table[less_x, 0]) - (last - less_x)) / equal_x
    for r in range(less_x + 1, last + 1):
        if r <= less_z or r > upto_z:
            total += abs(mean - r) / r
        else:
            below, above = r - 1 - less_z, upto_z - r
            total += (below * (below + 1) + above * (above + 1)) / 2.0 / equal_z / r
    return total / equal_x


@inner
def _write_effects(m: int, cases: int, bounds: Indices, k: int, table: Array, effects: Array) -> None:
    """Write what each member adds and, if `cases` is 3 and not 1, its effects; impossible cases have none."""
    for j in range(m):
        lx, ex, lz, ez = bounds[0, j], bounds[1, j], bounds[2, j], bounds[3, j]
        for x in range(cases):
            for z in range(cases):
                at = x if z == 0 else (2 + z if x == 0 else 2 + 2 * x + z)
                impossible = (
                    (x == 1 and ex == 1) or (x == 2 and lx == 0) or (z == 1 and ez == 1) or (z == 2 and lz == 0)
                )
                effect = 0.0
                if not impossible:
                    less_x, less_z = lx - (1 if x == 2 else 0), lz - (1 if z == 2 else 0)
                    effect = _expected(less_x, ex - (1 if x == 1 else 0), less_z, ez - (1 if z == 1 else 0), k, table)
                    if at > 0:
                        effect -= effects[j, 0]
                    if at >= JOINT:  # both effects alone were computed before
                        effect -= effects[j, x] + effects[j, 2 + z]
                effects[j, at] = effect


@inner
def _add_effects(m: int, bounds: Indices, rooms: Indices, effects: Array, far: Array, without: Array) -> None:
    """Write the sums without each member, from their effects.

    bounds : (4, n) of members in the order of x: how many candidates are nearer, and how many tied, in x and in z.
    rooms : (5, n) the second row has the members in the order of z, the last three are scratch.
    """
    by_z, level, by_x, following, total, levels = rooms[1], rooms[2], rooms[3], rooms[4], 0.0, 0
    for j in range(m):
        total += effects[j, 0]
        following[j] = bounds[0, j]
    for place in range(m):
        j = by_z[place]
        levels += 1 if place > 0 and bounds[2, j] != bounds[2, by_z[place - 1]] else 0
        level[j] = levels
        by_x[following[bounds[0, j]]] = j  # members of a group, in the order of z
        following[bounds[0, j]] += 1
    for j in range(m):  # a candidate has no effect on itself
        without[j] = total - effects[j, 0] - effects[j, TIED_X] - effects[j, TIED_Z] - effects[j, JOINT]
    for side in range(2):  # removing a candidate changes those tied with it and those farther
        order = by_x if side == 0 else by_z
        stop, behind = m, 0.0
        while stop > 0:
            start, same = stop - 1, effects[order[stop - 1], TIED_X + 2 * side]
            while start > 0 and bounds[2 * side, order[start - 1]] == bounds[2 * side, order[stop - 1]]:
                start -= 1
                same += effects[order[start], TIED_X + 2 * side]
            after = behind
            for place in range(start, stop):
                without[order[place]] += same + behind
                after += effects[order[place], TIED_X + 2 * side + 1]
            behind, stop = after, start
    _add_joint_effects(m, by_x, bounds, level, levels + 1, effects, far, without)


@inner
def _add_joint_effects(
    m: int, order: Indices, bounds: Indices, level: Indices, levels: int, effects: Array, far: Array, without: Array
) -> None:
    """Add the joint effects; `order` sorts by x, then z.

    far : (2, n + 1) members farther in x: z farther (a tree), z tied (by level). The tree holds the levels in z in
    reverse, so that a prefix has the farther ones.
    """
    for place in range(levels + 1):
        far[0, place] = far[1, place] = 0.0
    tree = far[0][: levels + 1]
    stop, size = m, 0.0
    while stop > 0:
        start = stop - 1
        while start > 0 and bounds[0, order[start - 1]] == bounds[0, order[stop - 1]]:
            start -= 1
        behind, end = 0.0, stop  # tied in x and farther in z
        while end > start:
            first, here = end - 1, level[order[end - 1]]
            while first > start and level[order[first - 1]] == here:
                first -= 1
            base = behind + far[1, here]
            for place in range(first, end):
                base += effects[order[place], JOINT]
            if size > 0.0:
                base += tree_sum(tree, levels - 1 - here)
            for place in range(first, end):
                without[order[place]] += base
                behind += effects[order[place], JOINT + 1]
            end = first
        for place in range(start, stop):
            j = order[place]
            far[1, level[j]] += effects[j, JOINT + 2]
            if effects[j, JOINT + 3] != 0.0:
                size += 1.0
                tree_add(tree, levels - level[j], effects[j, JOINT + 3])
        stop = start


def scratch(n: int) -> tuple[NDArray[Any], ...]:
    """Return what `sum_rows` needs for n candidates."""
    integers = np.empty((4, n), dtype=np.int64), np.empty((5, n), dtype=np.int64)
    return *integers, np.empty((n, EFFECTS)), np.empty((2, n + 1)), np.empty(n)


@kernel
def sum_rows(
    query: int,
    candidates: int,
    ks: Indices,
    is_wanted: Flags,
    table: Array,
    table_without: Array,
    order: Places,
    less: Places,
    upto: Places,
    state: Flags,
    order_there: Places,
    less_there: Places,
    upto_there: Places,
    state_there: Flags,
    groups: Indices,
    columns: Array,
    out: Array,
    bounds: Indices,
    rooms: Indices,
    effects: Array,
    far: Array,
    without: Array,
) -> None:
    """Write the sums of wanted queries from `query` on to `out` (B, K), over the k nearest; all candidates if k is 0.

    Adds to `columns` (n_test, K) their changes when each test point is removed. table, table_without : see `_expected`,
    with all candidates and with one less. bounds and the arrays after it : `scratch`.
    """
    n_test, n_k = columns.shape
    slot, by_z = rooms[0], rooms[1]
    for row in range(len(order)):
        if not is_wanted[row]:
            continue
        own_group = groups[query + row] if n_test else -1
        for index in range(n_k):
            k, m, total, found = ks[index], candidates, 0.0, 0
            if k > 0:  # with those that may become neighbors
                m = upto[row, order[row, k - 1]]
                m = upto[row, order[row, k]] if m == k and k < candidates else m
            for j in range(m):
                p = order[row, j]
                slot[p] = j
                bounds[0, j], bounds[1, j] = less[row, p], upto[row, p] - less[row, p]
                bounds[2, j], bounds[3, j] = less_there[row, p], upto_there[row, p] - less_there[row, p]
            for cases in range(1, 4 if n_test else 2, 2):  # first with all candidates, then with one less
                _write_effects(m, cases, bounds, k, table if cases == 1 else table_without, effects)
                for j in range(m if cases == 1 else 0):
                    total += effects[j, 0]
            out[row, index] = total
            if n_test == 0:
                continue
            if m > FEW:
                for place in range(candidates):
                    if less[row, order_there[row, place]] < m:
                        by_z[found] = slot[order_there[row, place]]
                        found += 1
            for j in range(m if m <= FEW else 0):
                place = j
                while place > 0 and bounds[2, by_z[place - 1]] > bounds[2, j]:
                    by_z[place] = by_z[place - 1]
                    place -= 1
                by_z[place] = j
            _add_effects(m, bounds, rooms, effects, far, without)
            change, stop = 0.0, candidates  # if a candidate is removed that is no member and nearer than all so far
            while stop > 0:
                p, tied, nearer = order_there[row, stop - 1], 0.0, 0.0
                start = less_there[row, p]
                if start == stop - 1 and less[row, p] >= m:  # the usual case
                    if p < n_test and groups[p] != own_group:
                        columns[p, index] += change
                    stop = start
                    continue
                for place in range(start, stop):
                    p = order_there[row, place]
                    if less[row, p] < m:
                        tied += effects[slot[p], TIED_Z]
                        nearer += effects[slot[p], NEARER_Z]
                for place in range(start, stop):
                    p = order_there[row, place]
                    if p < n_test and groups[p] != own_group:
                        is_member = less[row, p] < m
                        columns[p, index] += without[slot[p]] - total if is_member else change + tied
                change += nearer
                stop = start
