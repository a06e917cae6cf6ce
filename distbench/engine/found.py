"""What a search by code finds: how many of a query's nearest by input are among the nearest by code.

The k nearest by input are looked up among more candidates, the `among` nearest by code; or, with a `slack` of at least
0, each of the nearest by code counts whose input distance is at most 1 + slack times that of the k-th nearest. Ties are
shared as in `distbench.engine.ranks`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from distbench.engine._jit import kernel
from distbench.engine.orders import cut, sort_nearest
from distbench.engine.partial_sums import OptionalStatistic, Part
from distbench.engine.problem import Problem
from distbench.engine.random_signs import SKETCHES, Signs
from distbench.engine.ranks import BEYOND, NEXT, Scratch, classify, new_scratch, overlap

__all__ = ["EXACT", "Found", "FoundFamily", "Search"]

Array = NDArray[np.float64]
Indices = NDArray[np.int64]

EXACT = -1.0  # the slack of a search whose k nearest by input alone count
ROUNDING = 1e-9  # a distance counts as within the slack if it exceeds it by no more than this share


class Search(NamedTuple):
    """A search: the k nearest by input, how many are found by code, and the slack."""

    k: int
    among: int
    slack: float = EXACT


@dataclass(frozen=True)
class Found:
    """Numbers of candidates that a search finds and that count."""

    rows: Array  # (m,) expected number
    columns: Array  # (n_test,) change in the sum of all other rows when point p is removed
    signed: Array  # (m, SKETCHES) changes when candidates are removed, summed with random signs
    near: Array  # (m,) number of all candidates that would count


@kernel
def _classify_near(
    keys: Array, scratch: Scratch, members: NDArray[np.int32], k: int, growth: float
) -> tuple[int, Array]:
    """Write classes by input for a slack; return how many are at most as far as the k-th, and the weights.

    Classes: 0 at most as far as the k-th, so that the next one is the k-th if one is removed; 1 within the slack of the
    k-th; 2 within that of the next one. Only those that are `members` by code, or of class 0, get a class.
    """
    order = scratch.x
    kth = order.order[k - 1]
    upto = order.upto[kth]
    edge = keys[kth]
    reach = edge * growth
    is_last = upto > k or k >= order.start[len(order.state)]  # then a removal leaves the k-th distance as it is
    reach_without = reach if is_last else keys[order.order[k]] * growth
    for p in members:
        key = keys[p]
        scratch.class_x[p] = 1 if key <= reach else (2 if key <= reach_without else BEYOND)
    for place in range(upto):
        scratch.class_x[order.order[place]] = 0
    weights = np.zeros((4, 4))
    weights[:, :2] = 1.0
    weights[0, 2] = 1.0
    return upto, weights


@kernel
def _search(
    keys_x: Array,
    keys_z: Array,
    query: int,
    skip: int,
    sizes: Indices,
    growths: Array,
    groups: Indices,
    signs: Signs,
    scratch: Scratch,
    columns: Array,
    out: Array,
) -> None:
    """Write a query's numbers to `out`; add to `columns` their changes without each test point.

    sizes : (F, 2) k and number found; growths : (F,) largest key that counts, as a multiple of that of the k-th, or
    negative. columns : (F, n_test). out : (F, 2 + SKETCHES).
    """
    x, z = scratch.x, scratch.z
    cut(keys_x, skip, x)
    cut(keys_z, skip, z)
    sort_nearest(keys_x, x, sizes[:, 0].max(), 0.0)
    sort_nearest(keys_z, z, sizes[:, 1].max(), 0.0)
    for f in range(len(sizes)):
        k, last_x = sizes[f, 0], NEXT
        members_z, weights_z = classify(z, sizes[f, 1], scratch.class_z)
        members_x, weights_x = classify(x, k, scratch.class_x)
        out[f, 1] = k
        if growths[f] >= 0.0:
            scratch.class_x[members_x] = BEYOND
            upto, weights_x = _classify_near(keys_x, scratch, members_z, k, growths[f])
            members_x, last_x = x.order[:upto], 0
            reach = keys_x[x.order[k - 1]] * growths[f]
            near = 0
            for p in range(len(keys_x)):
                near += 1 if keys_x[p] <= reach else 0
            out[f, 1] = near
        sides = (members_x, scratch.class_x, weights_x), (members_z, scratch.class_z, weights_z)
        out[f, 2:] = 0.0
        out[f, 0] = overlap(*sides[0], *sides[1], last_x, query, groups, signs, columns[f], out[f, 2:])
        scratch.class_x[members_x] = BEYOND
        scratch.class_x[members_z] = BEYOND
        scratch.class_z[members_z] = BEYOND


class FoundFamily(OptionalStatistic):
    """What each search of `Problem.searches` finds."""

    name = "found"

    def part(self, problem: Problem, rows: range, state: Any, index: int) -> Part:
        """Return what the queries find, and how much the totals change without each test point."""
        searches, n_test = problem.searches, problem.n_test
        sizes = np.array([search[:2] for search in searches], dtype=np.int64)
        powers = 2 if problem.x.root else 1
        growths = np.array([(1 + slack) ** powers * (1 + ROUNDING) if slack >= 0 else EXACT for *_, slack in searches])
        out, columns = np.empty((len(rows), len(searches), 2 + SKETCHES)), np.zeros((len(searches), n_test))
        scratch = new_scratch(problem.n)
        for place, i in enumerate(rows):
            keys_x, keys_z = problem.x.exact_keys(i), problem.z.exact_keys(i)
            skip = i if n_test else -1
            if n_test:
                keys_x[i] = keys_z[i] = np.inf  # no point is its own neighbor
            fixed = problem.groups, problem.signs, scratch
            _search(keys_x, keys_z, i, skip, sizes, growths, *fixed, columns, out[place])
        return Part(rows={"found": out}, columns={"found": columns.T.copy()})

    def finish(self, problem: Problem, merged: Part, state: Any) -> dict[Search, Found]:
        """Return the numbers of each search."""
        rows, columns = merged.rows["found"], merged.columns["found"]
        return {
            Search(*search): Found(rows[:, f, 0], columns[:, f], rows[:, f, 2:], rows[:, f, 1])
            for f, search in enumerate(problem.searches)
        }
