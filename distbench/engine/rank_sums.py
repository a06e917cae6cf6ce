"""Sums over a query's candidates of a number that depends on both ranks, and the sums when each candidate is removed.

A tied candidate adds its mean over the places of its two groups. Removing a candidate shifts or shrinks the groups of
the others. Its effect on another one is the sum of an effect in each space, added up by running sums in the order of
that space, and of a joint effect, added up by a Fenwick tree. So leave-one-out values are exact, even with ties.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from distbench.engine._jit import kernel
from distbench.engine.counts import tree_add, tree_sum

__all__ = ["EFFECTS", "NEARER_Z", "TIED_Z", "expected", "sums_without"]

Array = NDArray[np.float64]
Places = NDArray[np.int32]

# What a candidate adds; its changes if another is tied or nearer in x, tied or nearer in z; the joint effects, beyond
# the sum of these, if it is tied-tied, tied-nearer, nearer-tied or nearer-nearer in x and z.
EFFECTS, TIED_Z, NEARER_Z = 9, 3, 4


@kernel
def _mean_gap(r: int, less: int, equal: int) -> float:
    """Return the mean of |r - s| over the places s = less + 1 .. less + equal."""
    below = r - 1 - less
    if below < 0:
        return less + (equal + 1) / 2.0 - r
    if below >= equal:
        return r - less - (equal + 1) / 2.0
    above = equal - below - 1
    return (below * (below + 1) + above * (above + 1)) / 2.0 / equal


@kernel
def _relative_error(less_x: int, equal_x: int, less_z: int, equal_z: int, k: int, table: Array) -> float:
    """Return the mean of |r - s| / r, or 0 if r > k, over the places of two tie groups; the table has sums of 1 / r."""
    last = min(less_x + equal_x, k)
    if last <= less_x:
        return 0.0
    if last <= less_z:  # the usual case: s is larger than any r that counts
        far = less_z + (equal_z + 1) / 2.0
        return float(far * (table[last, 0] - table[less_x, 0]) - (last - less_x)) / equal_x
    total = 0.0
    for r in range(less_x + 1, last + 1):
        total += _mean_gap(r, less_z, equal_z) / r
    return total / equal_x


@kernel
def _largest_rank(less_x: int, equal_x: int, less_z: int, equal_z: int, table: Array) -> float:
    """Return the mean of phi(max(r, s)) over the places of two tie groups.

    table : the columns phi(t), the running sum of phi(t), and the running sum of t phi(t).
    """
    upto_x, upto_z = less_x + equal_x, less_z + equal_z
    if equal_x == 1 and equal_z == 1:
        return float(table[max(upto_x, upto_z), 0])
    start, middle = max(less_x, less_z), min(upto_x, upto_z)
    total = 0.0
    if middle > start:  # both ranks can be the larger one
        total += 2.0 * (table[middle, 2] - table[start, 2])
        total -= (less_x + less_z + 1.0) * (table[middle, 1] - table[start, 1])
        start = middle
    stop = max(upto_x, upto_z)
    total += (table[stop, 1] - table[start, 1]) * (equal_z if upto_x > upto_z else equal_x)
    return float(total / equal_x / equal_z)


@kernel
def expected(less_x: int, equal_x: int, less_z: int, equal_z: int, k: int, table: Array) -> float:
    """Return what a candidate adds: a relative error of the k nearest in x, or, if k is 0, phi of the larger rank."""
    if k > 0:
        return _relative_error(less_x, equal_x, less_z, equal_z, k, table)
    return _largest_rank(less_x, equal_x, less_z, equal_z, table)


@kernel
def _effects(lx: int, ex: int, lz: int, ez: int, k: int, table: Array, out: Array) -> None:
    """Write the effects of a candidate; impossible cases have none."""
    out[0] = expected(lx, ex, lz, ez, k, table)
    out[1:] = 0.0
    for x in range(3):
        if (x == 1 and ex == 1) or (x == 2 and lx == 0):
            continue
        ax, bx = lx - (1 if x == 2 else 0), ex - (1 if x == 1 else 0)
        for z in range(3):
            if (z == 1 and ez == 1) or (z == 2 and lz == 0) or (x == 0 and z == 0):
                continue
            effect = expected(ax, bx, lz - (1 if z == 2 else 0), ez - (1 if z == 1 else 0), k, table) - out[0]
            if z == 0:
                out[x] = effect
            elif x == 0:
                out[2 + z] = effect
            else:  # both effects alone were computed before
                out[4 + 2 * (x - 1) + z] = effect - out[x] - out[2 + z]


@kernel
def _add_joint_effects(order: Places, u: Places, v: Places, n_levels: int, effects: Array, without: Array) -> None:
    """Add the joint effects to `without`; `order` sorts by the groups u in x, then by the levels v in z, from 0.

    The tree holds the levels in z in reverse, so that a prefix has the farther ones.
    """
    n = len(order)
    far = np.zeros((2, n_levels + 1))  # members farther in x: z farther (a tree), z tied (by level)
    stop, is_empty = n, True
    while stop > 0:
        start = stop - 1
        while start > 0 and u[order[start - 1]] == u[order[stop - 1]]:
            start -= 1
        behind, p = 0.0, stop  # tied in x and farther in z
        while p > start:
            first = p - 1
            while first > start and v[order[first - 1]] == v[order[p - 1]]:
                first -= 1
            level, base = v[order[first]], behind
            for place in range(first, p):
                base += effects[order[place], 5]
            base += far[1, level]
            if not is_empty:
                base += tree_sum(far[0], n_levels - 1 - level)
            for place in range(first, p):
                without[order[place]] += base
                behind += effects[order[place], 6]
            p = first
        for place in range(start, stop):
            j = order[place]
            far[1, v[j]] += effects[j, 7]
            if effects[j, 8] != 0.0:
                is_empty = False
                tree_add(far[0], n_levels - v[j], effects[j, 8])
        stop = start


@kernel
def _add_single_effects(order: Places, group: Places, tied: Array, nearer: Array, without: Array) -> None:
    """Add to `without` the effects in one space: removing a candidate changes those tied with it and those farther."""
    stop, behind = len(order), 0.0
    while stop > 0:
        start, same = stop - 1, tied[order[stop - 1]]
        while start > 0 and group[order[start - 1]] == group[order[stop - 1]]:
            start -= 1
            same += tied[order[start]]
        after = behind
        for place in range(start, stop):
            without[order[place]] += same + behind
            after += nearer[order[place]]
        behind, stop = after, start


@kernel
def sums_without(
    bounds: Places, by_z: Places, k: int, table: Array, effects: Array, rooms: Places, without: Array
) -> float:
    """Return the sum over all members; write the sums without each member.

    bounds : (4, m) members in the order of x: how many candidates are nearer, and how many tied, in x and in z. by_z :
    (m,) the members in the order of z. k, table : see `expected`. effects : (m, EFFECTS), written. rooms : (3, m).
    """
    lx, ex, lz, ez = bounds
    level, by_x, following = rooms
    total, m = 0.0, len(by_z)
    for j in range(m):
        _effects(lx[j], ex[j], lz[j], ez[j], k, table, effects[j])
        total += effects[j, 0]
        following[j] = lx[j]
    levels = 0
    for place in range(m):
        j = by_z[place]
        levels += 1 if place > 0 and lz[j] != lz[by_z[place - 1]] else 0
        level[j] = levels
        by_x[following[lx[j]]] = j  # members of a group, in the order of z
        following[lx[j]] += 1
    for j in range(m):
        without[j] = total
    _add_single_effects(by_x, lx, effects[:, 1], effects[:, 2], without)
    _add_single_effects(by_z, lz, effects[:, 3], effects[:, 4], without)
    _add_joint_effects(by_x, lx, level, levels + 1, effects, without)
    for j in range(m):  # a candidate has no effect on itself
        without[j] -= effects[j, 0] + effects[j, 1] + effects[j, 3] + effects[j, 5]
    return total
