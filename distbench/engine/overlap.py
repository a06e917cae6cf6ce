"""Classes of a query's candidates by their order, and how many neighbors in two spaces are the same.

Ties follow the definition: candidates tied at the k-th distance share the remaining places with equal weight. The
candidates of a query fall into four classes: nearer than the k-th distance (NEAR), tied with it (TIED), at the next
larger distance (NEXT: they move up when a nearer candidate is removed) and BEYOND. The weight of a candidate depends
only on its class.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from distbench.engine._jit import inner, kernel
from distbench.engine.random_signs import SKETCHES, Signs

__all__ = ["BEYOND", "EXACT", "NEAR", "NEXT", "TIED", "class_of", "classify", "overlap_rows", "reach", "scratch"]

Array = NDArray[np.float64]
Indices = NDArray[np.int64]
Places = NDArray[np.int32]
Flags = NDArray[np.uint8]

NEAR, TIED, NEXT, BEYOND = 0, 1, 2, 3
EXACT = -1.0  # growth of the reach where the k nearest alone count


@inner
def classify(k: int, candidates: int, order: Places, less: Places, upto: Places, ends: Indices, weights: Array) -> None:
    """Write how many candidates of a row are at most NEAR, TIED and NEXT to `ends`, and the weights of classes.

    ``weights[v, c]`` is that of class c as a neighbor when a candidate of class v is removed. The last row (class
    BEYOND) has the weights without a removal.
    """
    kth = order[k - 1]
    near, last = less[kth], upto[kth]
    ends[0], ends[1] = near, last
    ends[2] = upto[order[k]] if last == k and k < candidates else last
    tied, open_places = last - near, k - near  # places that the tied share
    for v in range(4):
        weights[v, NEAR], weights[v, NEXT] = 1.0, 0.0
        weights[v, TIED] = open_places / tied
    if tied > open_places:
        weights[TIED, TIED] = open_places / (tied - 1)
        weights[NEAR, TIED] = (open_places + 1) / tied
    else:  # all tied candidates have a place: if one is removed, the next group moves up
        for v in range(NEXT):
            weights[v, TIED], weights[v, NEXT] = 1.0, 1.0 / max(1, ends[2] - last)


@inner
def class_of(less: int, ends: Indices) -> int:
    """Return the class of a candidate by the number of nearer ones."""
    return NEAR if less < ends[0] else (TIED if less < ends[1] else (NEXT if less < ends[2] else BEYOND))


@inner
def reach(key: float, growth: float) -> float:
    """Return the largest key that counts if the k-th nearest has this key; those of inner products are negative."""
    return key + abs(key) * (growth - 1.0)


@inner
def _within(growth: float, k: int, candidates: int, keys: Array, order: Places, ends: Indices, weights: Array) -> None:
    """Change classes: 0 is at most as far as the k-th, so that the next one is the k-th if one is removed.

    Class 1 is within `growth` times the key of the k-th, class 2 within that of the next one.
    """
    is_last = ends[1] > k or k >= candidates  # then a removal leaves the k-th as it is
    end = ends[0] = ends[1]
    for step in range(2):
        largest = reach(keys[order[k - 1 if step == 0 or is_last else k]], growth)
        while end < candidates and keys[order[end]] <= largest:
            end += 1
        ends[1 + step] = end
    for v in range(4):
        weights[v, 0], weights[v, 1], weights[v, 2] = 1.0, 1.0, 1.0 if v == 0 else 0.0


def scratch() -> tuple[Indices, Array]:
    """Return room for the ends and the weights of classes in two spaces, and for 32 more numbers."""
    return np.empty((2, 3), dtype=np.int64), np.empty((4, 4, 4))


@kernel
def overlap_rows(
    queries: Indices,
    names: Indices,
    candidates: int,
    ks: Indices,
    growths: Array,
    is_open: Flags,
    keys_x: Array,
    order_x: Places,
    less_x: Places,
    upto_x: Places,
    state_x: Flags,
    order_z: Places,
    less_z: Places,
    upto_z: Places,
    state_z: Flags,
    groups: Indices,
    signs: Signs,
    columns: Array,
    out: Array,
    signed: Array,
    ends: Indices,
    weights: Array,
) -> None:
    """Write how many of the ks[:, 1] nearest in z are expected among the ks[:, 0] nearest in x; see `tied_rows`.

    names : (B or 1, L) the candidates that the orders, keys and ranks of each row are about, -1 for none.
    growths : (K,) if at least 0, each counts whose key in x is at most so many times that of the k-th nearest. out :
    (B, K, 3) the number found, and that of all candidates that would count. ends, weights : `scratch`.
    """
    n_test, n_k = len(columns), len(ks)
    ends_x, ends_z = ends[0], ends[1]
    weights_x, weights_z, count, change = weights[0], weights[1], weights[2], weights[3]
    for row in range(len(order_x)):
        own_group = groups[queries[row]] if n_test else -1
        for index in range(n_k):
            if not is_open[row, index]:
                continue
            k = ks[index, 0]
            classify(k, candidates, order_x[row], less_x[row], upto_x[row], ends_x, weights_x)
            classify(ks[index, 1], candidates, order_z[row], less_z[row], upto_z[row], ends_z, weights_z)
            out[row, index, 1] = k
            if growths[index] >= 0.0:
                _within(growths[index], k, candidates, keys_x[row], order_x[row], ends_x, weights_x)
                out[row, index, 1] = ends_x[1]
            for u in range(4):
                for v in range(4):
                    count[u, v] = 0.0
            for place in range(ends_z[2]):
                p = order_z[row, place]
                count[class_of(less_x[row, p], ends_x), class_of(less_z[row, p], ends_z)] += 1.0
            value = 0.0
            for u in range(3, -1, -1):
                for v in range(3, -1, -1):
                    total = 0.0
                    for cx in range(3):
                        for cz in range(3):
                            rest = count[cx, cz] - (1.0 if cx == u and cz == v else 0.0)
                            total += rest * weights_x[u, cx] * weights_z[v, cz]
                    if u == BEYOND and v == BEYOND:
                        value = total
                    change[u, v] = total - value
            out[row, index, 0] = value
            for step in range(ends_z[2] + ends_x[2]):
                if step < ends_z[2]:
                    p = order_z[row, step]
                else:
                    p = order_x[row, step - ends_z[2]]
                    if less_z[row, p] < ends_z[2]:
                        continue  # it was among those of z
                name = names[row if len(names) > 1 else 0, p]
                if 0 <= name < n_test and groups[name] != own_group:
                    u, v = class_of(less_x[row, p], ends_x), class_of(less_z[row, p], ends_z)
                    effect = change[u, v]
                    columns[name, index + (0 if effect == np.floor(effect) else n_k)] += effect
                    for sketch in range(SKETCHES if u < NEXT or v < NEXT else 0):
                        signed[row, index, sketch] += effect * (2.0 * ((signs[name] >> sketch) & 1) - 1.0)
