"""The orders of queries' candidates in both spaces, as kernels of rank statistics use them.

Keys may be rounded. Where the order of candidates that matters is in doubt, a query is left open, and its doubtful
candidates are listed; with exact keys of these, the kernel is called again.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from distbench.engine._jit import kernel
from distbench.engine.orders import SORTED, Order, cut, new_order, sort_around, sort_nearest
from distbench.engine.point_space import Space

__all__ = ["BEYOND", "OrderedRows", "Scratch", "add_by_bucket", "new_scratch", "order_row"]

Array = NDArray[np.float64]
Indices = NDArray[np.int64]
Flags = NDArray[np.uint8]
Doubts = NDArray[np.int32]  # (2, room) rows and candidates

BEYOND = 3  # class of candidates that are no neighbors, see `distbench.engine.ranks`
IN_DOUBT, ALL_IN_DOUBT = 1, 2  # rows that are left open: with their doubtful candidates, or with all
ROOM_FOR_DOUBTS = 1 << 12  # in each space, for a few queries


@kernel
def add_by_bucket(table: Array, bucket: NDArray[np.uint16], query: int, groups: Indices, columns: Array) -> None:
    """Add to each test candidate, but those of the query's group, the number of its bucket in a table."""
    if len(groups) == 0:
        for p in range(len(columns)):
            columns[p] += table[bucket[p]]
    else:
        for p in range(len(columns)):
            if groups[p] != groups[query]:
                columns[p] += table[bucket[p]]


class Scratch(NamedTuple):
    """Room for the orders of one query in both spaces."""

    x: Order
    z: Order
    class_x: Flags  # (n,) BEYOND, before and after
    class_z: Flags
    table: Array  # (buckets + 1,)


def new_scratch(n: int) -> Scratch:
    """Return room for the orders of queries with n candidates."""
    x, z = new_order(n), new_order(n)
    class_x, class_z = np.full((2, n), BEYOND, dtype=np.uint8)
    return Scratch(x, z, class_x, class_z, np.empty(len(x.state) + 1))


@kernel
def _list_doubts(
    keys: Array, order: Order, members: NDArray[np.int32], tolerance: float, row: int, doubts: Doubts, used: int
) -> int:
    """List the row and the number of members and others between which rounding decides; -1 if there is no room."""
    if len(members) == order.start[len(order.state)]:  # all: it is enough to look at neighbors in the order
        before = members[0]
        for p in members[1:]:
            if keys[p] - keys[before] <= tolerance * keys[p]:
                if used + 2 > doubts.shape[1]:
                    return -1
                doubts[0, used], doubts[1, used] = row, before
                doubts[0, used + 1], doubts[1, used + 1] = row, p
                used += 2
            before = p
        return used
    for p in members:
        reach, before = tolerance * keys[p], used
        for step in (-1, 1):
            bucket, place = int(order.bucket[p]), order.less[p] - (1 if step < 0 else 0)
            while True:
                while bucket >= 0 and place < order.start[bucket]:
                    bucket -= 1
                while bucket < len(order.state) and place >= order.start[bucket + 1]:
                    bucket += 1
                if bucket < 0 or bucket == len(order.state) or order.state[bucket] != SORTED:
                    break
                other = order.order[place]
                if not abs(keys[other] - keys[p]) <= reach:
                    break
                if other != p:
                    if used + 2 > doubts.shape[1]:
                        return -1
                    doubts[0, used], doubts[1, used] = row, other
                    used += 1
                place += step
        if used > before:
            doubts[0, used], doubts[1, used] = row, p
            used += 1
    return used


@kernel
def order_row(
    keys_x: Array,
    keys_z: Array,
    row: int,
    skip: int,
    most: int,
    tolerances: tuple[float, float],
    scratch: Scratch,
    is_open: Flags,
    doubts: Doubts,
    used: Indices,
) -> tuple[int, int]:
    """Order the candidates of a query; return how many may be among the `most` nearest in each space, or the next.

    Sorted are these and, in each space, those of the other. The key of the query itself, at `skip` (or -1), becomes
    infinite. If rounding leaves the order of some in doubt, they are listed, and the row stays open.
    """
    x, z = scratch.x, scratch.z
    if skip >= 0:
        keys_x[skip] = keys_z[skip] = np.inf  # no point is its own neighbor
    cut(keys_x, skip, x)
    cut(keys_z, skip, z)
    count_x = sort_nearest(keys_x, x, most, tolerances[0])
    count_z = sort_nearest(keys_z, z, most, tolerances[1])
    near_x, near_z = x.order[:count_x], z.order[:count_z]
    sort_around(keys_x, x, near_z, tolerances[0])
    sort_around(keys_z, z, near_x, tolerances[1])
    is_open[row] = 0
    for side in range(2):
        if tolerances[side] == 0.0:
            continue
        order, keys, before = (x, keys_x, used[0]) if side == 0 else (z, keys_z, used[1])
        for members in (near_x, near_z) if side == 0 else (near_z, near_x):  # its own first
            more = _list_doubts(keys, order, members, tolerances[side], row, doubts[side], used[side])
            if more < 0:
                is_open[row] = ALL_IN_DOUBT
                break
            used[side] = more
            if len(members) == x.start[len(x.state)]:
                break
        if used[side] > before:
            is_open[row] = max(is_open[row], IN_DOUBT)
    return count_x, count_z


class OrderedRows:
    """Calls kernels that order the candidates of queries; where rounding leaves an order in doubt, with exact keys."""

    def __init__(self, spaces: tuple[Space, Space]) -> None:
        self.spaces, self.scratch = spaces, new_scratch(spaces[0].n)
        self.doubts, self.used = np.empty((2, 2, ROOM_FOR_DOUBTS), dtype=np.int32), np.zeros(2, dtype=np.int64)

    def run(self, kernel: Callable[..., None], x: Array, z: Array, i: int, is_open: Flags, *arguments: Any) -> None:
        """Call a kernel with the keys of queries from i on, of which some are open, and further arguments."""
        room = self.scratch, is_open, self.doubts, self.used
        x_error, z_error = (space.tolerance for space in self.spaces)
        kernel(x, z, i, (x_error, z_error), *room, *arguments)
        if is_open.any():
            for space, keys, doubts, used in zip(self.spaces, (x, z), self.doubts, self.used.tolist(), strict=True):
                _settle(space, keys, i, doubts[:, :used], is_open)
            self.used[:] = 0
            kernel(x, z, i, (0.0, 0.0), *room, *arguments)


def _settle(space: Space, keys: Array, i: int, doubts: Doubts, is_open: Flags) -> None:
    """Replace the keys of queries from i on by exact ones: of the candidates in doubt, and all where they are many."""
    if space.tolerance:
        rows, columns = doubts.astype(np.int64)
        keys[rows, columns] = space.pair_keys(i + rows, columns)
        for row in np.flatnonzero(is_open == ALL_IN_DOUBT).tolist():
            keys[row] = space.exact_keys(i + row)
