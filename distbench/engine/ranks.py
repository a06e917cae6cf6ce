"""Rank statistics of one query with ties, and their changes when single candidates are removed.

Ties follow the definition: candidates tied at the k-th distance share the remaining places with equal weight; a tied
rank counts the mean over the places of its group. The candidates of a query fall into four classes: nearer than the
k-th distance (NEAR), tied with it (TIED), at the next larger distance (NEXT: they move up when a nearer candidate is
removed) and BEYOND. The weight of a candidate depends only on its class, its rank on the number of nearer ones.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from distbench.engine._jit import kernel
from distbench.engine.counts import find_places
from distbench.engine.neighbors import CONTINUITY, CONTINUITY_OPEN, OVERLAP, OVERLAP_OPEN, SIGNED, TRUST, TRUST_OPEN
from distbench.engine.random_signs import SKETCHES, Signs, add_signed

__all__ = ["tied_row"]

Array = NDArray[np.float64]
Classes = NDArray[np.int8]
Places = NDArray[np.int32]
Indices = NDArray[np.int64]
Owned = NDArray[np.bool_]

NEAR, TIED, NEXT, BEYOND = 0, 1, 2, 3


@kernel
def classify(values: Array, k: int, edge: float, classes: Classes) -> Array:
    """Write each candidate's class to `classes`; `edge` is the k-th smallest value. Return the (4, 4) weights.

    ``weights[v, c]`` is the weight of class c as a nearest neighbor when a candidate of class v is removed; the last
    row (class BEYOND) has the weights without a removal. The query's own distance must be infinite.
    """
    near, tied, following = 0, 0, np.inf
    for value in values:
        if value < edge:
            near += 1
        elif value == edge:
            tied += 1
        elif value < following:
            following = value
    after = 0
    for p in range(len(values)):
        value = values[p]
        if value > following:
            classes[p] = BEYOND
        elif value < edge:
            classes[p] = NEAR
        elif value == edge:
            classes[p] = TIED
        else:
            classes[p] = NEXT if value < np.inf else BEYOND
            after += 1
    return _weights(k, near, tied, after)


@kernel
def _weights(k: int, near: int, tied: int, after: int) -> Array:
    weights = np.zeros((4, 4))
    weights[:, NEAR] = 1.0
    open_places = k - near  # places that the tied share
    weights[NEXT:, TIED] = open_places / tied
    if tied > open_places:
        weights[TIED, TIED] = open_places / (tied - 1)
        weights[NEAR, TIED] = (open_places + 1) / tied
    else:  # all tied candidates have a place: if one is removed, the next group moves up
        weights[:NEXT, TIED] = 1.0
        weights[:NEXT, NEXT] = 1.0 / after
    return weights


@kernel
def overlap(
    classes_x: Classes,
    weights_x: Array,
    classes_z: Classes,
    weights_z: Array,
    own: Owned,
    columns: Array,
    signs: Signs,
    signed: Array,
) -> float:
    """Return the expected number of common neighbors; add test candidates' effects to `columns` and `signed`."""
    count = np.zeros((4, 4))
    for p in range(len(classes_x)):
        count[classes_x[p], classes_z[p]] += 1.0
    change = np.zeros((4, 4))
    value = 0.0
    for u in range(3, -1, -1):
        for v in range(3, -1, -1):
            total = 0.0
            for cx in range(3):
                for cz in range(3):
                    left = count[cx, cz] - (1.0 if cx == u and cz == v else 0.0)
                    total += left * weights_x[u, cx] * weights_z[v, cz]
            if u == BEYOND and v == BEYOND:
                value = total
            change[u, v] = total - value
    for p in range(len(columns)):
        if not own[p] and (classes_x[p] < NEXT or classes_z[p] < NEXT):
            effect = change[classes_x[p], classes_z[p]]
            columns[p] += effect
            add_signed(effect, signs[p], signed)
    return value


@kernel
def _excess(less: float, equal: float, k: int) -> float:
    """Return the mean of max(0, place - k) over the places that `equal` tied candidates behind `less` fill."""
    first = max(less, k) + 1
    last = less + equal
    if last < first or equal <= 0:
        return 0.0
    return (last - first + 1) * (first + last - 2 * k) / 2 / equal


@kernel
def _terms(less: Array, upto: Array, count: Array, k: int) -> tuple[Array, Array, Array]:
    """Return each level's rank term, its drop when a member of the level is removed, and losses by class and place.

    ``loss[c, q]`` is how much the terms of all members of class c lose when a candidate at place q is removed.
    """
    n_levels = len(less)
    term, drop_tie = np.empty(n_levels), np.empty(n_levels)
    loss = np.zeros((3, 2 * n_levels + 1))
    above = np.zeros(3)
    for u in range(n_levels - 1, -1, -1):
        equal = upto[u] - less[u]
        term[u] = _excess(less[u], equal, k)
        drop_tie[u] = term[u] - _excess(less[u], equal - 1, k)
        drop = term[u] - _excess(less[u] - 1, equal, k)
        for c in range(3):
            loss[c, 2 * u + 1] = above[c] + count[c, u] * drop_tie[u]
            above[c] += count[c, u] * drop
            loss[c, 2 * u] = above[c]
    return term, drop_tie, loss


@kernel
def _weighted(weights: Array, count: Array, term: Array) -> float:
    """Return the sum of the terms of all members, weighted by class."""
    total = 0.0
    for u in range(len(term)):
        for c in range(3):
            total += weights[c] * count[c, u] * term[u]
    return total


@kernel
def _after(weights: Array, count: Array, term: Array, drop_tie: Array, loss: Array) -> Array:
    """Return the sum when a candidate of class v at place q is removed, shape (4, 2U + 1)."""
    after = np.empty((4, loss.shape[1]))
    for v in range(4):
        total = _weighted(weights[v], count, term)
        for q in range(loss.shape[1]):
            after[v, q] = total
            for c in range(3):
                after[v, q] -= weights[v, c] * loss[c, q]
            if v < NEXT and q % 2:  # a member is removed: subtract its term too
                after[v, q] -= weights[v, v] * (term[q >> 1] - drop_tie[q >> 1])
    return after


@kernel
def _add_changes(
    classes: Classes,
    place: Places,
    after: Array,
    value: float,
    own: Owned,
    columns: Array,
    signs: Signs,
    signed: Array,
) -> None:
    for p in range(len(columns)):
        if own[p]:
            continue
        change = after[classes[p], place[p]] - value
        columns[p] += change
        if classes[p] < NEXT:
            add_signed(change, signs[p], signed)


def _rank_excess(
    classes: Classes,
    weights: Array,
    values: Array,
    k: int,
    own: Owned,
    columns: Array,
    signs: Signs,
    out: Array,
    signed: Array,
) -> None:
    """Write sum_j w_j max(0, r_j - k) to ``out[0]``; neighbors j are those of `classes`, ranks r_j those of `values`.

    Adds the change of the sum when test candidate p is removed to ``columns[p]``. Writes the neighbor with the largest
    rank, and that rank, to ``out[1:]``.
    """
    members = np.flatnonzero(classes < (NEXT + 1 if weights[NEAR, NEXT] > 0 else NEXT))
    levels = np.unique(values[members])
    place = np.empty(len(values), dtype=np.int32)
    less, upto = (counts.astype(np.float64) for counts in find_places(values, levels, place))
    level = place[members] >> 1
    cells = np.bincount(classes[members] * np.int64(len(levels)) + level, minlength=3 * len(levels))
    count = cells.reshape(3, -1).astype(np.float64)
    term, drop_tie, loss = _terms(less, upto, count, k)
    value = _weighted(weights[BEYOND], count, term)
    after = _after(weights, count, term, drop_tie, loss)
    _add_changes(classes, place, after, value, own, columns, signs, signed)
    ranks = np.where(classes[members] < NEXT, ((less + 1 + upto) / 2)[level], -1.0)
    worst = ranks.argmax()
    out[:] = value, members[worst], ranks[worst]


def tied_row(
    keys_x: Array, keys_z: Array, k: int, own: Owned, columns: Array, signs: Signs, out: Array, is_open: int
) -> None:
    """Write the statistics of a query that `distbench.engine.neighbors.rank_rows` left open, from exact keys.

    If the query is a candidate, its own keys must be infinite. own : (n_test,) whether a test point is of the query's
    group. columns : (3, n_test). is_open : see `rank_rows`.
    """
    sides = []
    for keys in (keys_x, keys_z):
        classes = np.empty(len(keys), dtype=np.int8)
        sides.append((classes, classify(keys, k, float(np.partition(keys, k - 1)[k - 1]), classes)))
    (classes_x, weights_x), (classes_z, weights_z) = sides
    signed = out[SIGNED:].reshape(3, SKETCHES)
    if is_open & TRUST_OPEN:
        _rank_excess(classes_z, weights_z, keys_x, k, own, columns[0], signs, out[TRUST:CONTINUITY], signed[0])
    if is_open & CONTINUITY_OPEN:
        _rank_excess(classes_x, weights_x, keys_z, k, own, columns[1], signs, out[CONTINUITY:OVERLAP], signed[1])
    if is_open & OVERLAP_OPEN:
        out[OVERLAP] = overlap(classes_x, weights_x, classes_z, weights_z, own, columns[2], signs, signed[2])
