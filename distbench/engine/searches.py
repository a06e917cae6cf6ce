"""What a search by code finds: how many of a query's nearest by input are among the nearest by code.

The k nearest by input are looked up among more candidates, the `among` nearest by code; or, with a `slack` of at least
0, each of the nearest by code counts whose input distance is at most 1 + slack times that of the k-th nearest. Ties are
shared as in `distbench.engine.overlap`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from distbench.engine.orders import Order
from distbench.engine.overlap import EXACT, overlap_rows, scratch
from distbench.engine.partial_sums import OptionalStatistic, Part
from distbench.engine.point_space import Space
from distbench.engine.problem import Problem
from distbench.engine.random_signs import SKETCHES
from distbench.engine.shortlists import Nearest, Shortlist, shortlists

__all__ = ["EXACT", "Found", "FoundFamily", "Search", "growths_of"]

Array = NDArray[np.float64]
Indices = NDArray[np.int64]

ROUNDING = 1e-9  # a distance counts as within the slack if it exceeds it by no more than this share


class Search(NamedTuple):
    """A search: the k nearest by input, how many are found by code, and the slack."""

    k: int
    among: int
    slack: float = EXACT


def growths_of(searches: Sequence[tuple[int, int, float]], space: Space) -> Array:
    """Return how many times as large as the k-th key a key may be; EXACT where the k nearest alone count."""
    power = 2 if space.root else 1
    return np.array([(1 + slack) ** power * (1 + ROUNDING) if slack >= 0 else EXACT for *_, slack in searches])


@dataclass(frozen=True)
class Found:
    """Numbers of candidates that a search finds and that count."""

    rows: Array  # (m,) expected number
    columns: Array  # (n_test,) change in the sum of all other rows when point p is removed
    signed: Array  # (m, SKETCHES) changes when candidates are removed, summed with random signs
    near: Array | None = None  # (m,) number of all candidates that would count


class FoundFamily(OptionalStatistic):
    """What each search of `Problem.searches` finds."""

    name = "found"
    least_jobs = 4  # products of many queries take less time

    def part(self, problem: Problem, rows: range, state: Any, index: int) -> Part:
        """Return what the searches of the queries at `rows` find, from short lists of candidates."""
        searches, growths = problem.searches, growths_of(problem.searches, problem.x)
        ks = np.array([search[:2] for search in searches], dtype=np.int64)
        sums, signed = np.empty((len(rows), len(ks), 3)), np.zeros((len(rows), len(ks), SKETCHES))
        columns = np.zeros((problem.n_test, 2 * len(ks)))
        most, slack = ks.max(axis=0).tolist(), max(0.0, float(growths.max()) - 1)
        singles_x, singles_z = problem.singles
        wanted = Nearest(singles_x, most[0] + 1, slack), Nearest(singles_z, most[1] + 1)  # one more may move up
        for queries, (in_x, in_z) in shortlists(wanted, np.arange(rows.start, rows.stop)):
            names, (keys_x, keys_z) = _joined(in_x, in_z)
            is_open, places = np.ones((len(queries), len(ks)), dtype=np.uint8), queries - rows.start
            own: tuple[Any, ...] = np.empty((len(queries), len(ks), 3)), np.zeros((len(queries), len(ks), SKETCHES))
            orders = (*_order(keys_x), *_order(keys_z))
            rest = problem.groups, problem.signs, columns, *own, *scratch()
            counted = problem.x.from_zero(keys_x, queries)
            overlap_rows(queries, names, names.shape[1], ks, growths, is_open, counted, *orders, *rest)
            sums[places], signed[places] = own
        found = {"found": columns[:, : len(ks)] + columns[:, len(ks) :]}
        return Part(rows={"found": sums, "found signed": signed}, columns=found)

    def finish(self, problem: Problem, merged: Part, state: Any) -> dict[Search, Found]:
        """Return the numbers of each search."""
        sums, signed, columns = merged.rows["found"], merged.rows["found signed"], merged.columns["found"]
        return {
            Search(*search): Found(sums[:, f, 0], columns[:, f], signed[:, f], sums[:, f, 1])
            for f, search in enumerate(problem.searches)
        }


def _joined(in_x: Shortlist, in_z: Shortlist) -> tuple[Indices, tuple[Array, Array]]:
    """Return the candidates of each row that are in either list, and their keys, +inf where a list lacks them."""
    places = np.concatenate([in_x.places, in_z.places], axis=1)
    order = np.argsort(places, axis=1, kind="stable")
    ordered = np.take_along_axis(places, order, axis=1)
    is_new = np.append(ordered[:, :1] >= 0, (np.diff(ordered) > 0) & (ordered[:, 1:] >= 0), axis=1)
    column = np.cumsum(is_new, axis=1) - 1
    shape = len(places), int(column[:, -1].max()) + 1
    names, keys = np.full(shape, -1), (np.full(shape, np.inf), np.full(shape, np.inf))
    row, place = np.nonzero(ordered >= 0)
    names[row, column[row, place]] = ordered[row, place]
    split, source = in_x.places.shape[1], order[row, place]
    for side, given, own in ((0, in_x, source < split), (1, in_z, source >= split)):
        keys[side][row[own], column[row[own], place[own]]] = given.keys[row[own], source[own] - side * split]
    return names, keys


def _order(keys: Array) -> Order:
    """Return the orders of candidates by these keys, with their groups of ties."""
    order = np.argsort(keys, axis=1, kind="stable")
    ordered = np.take_along_axis(keys, order, axis=1)
    is_new = np.append(np.ones((len(keys), 1), dtype=np.bool_), ordered[:, 1:] != ordered[:, :-1], axis=1)
    places = np.arange(keys.shape[1])
    starts = np.maximum.accumulate(np.where(is_new, places, 0), axis=1)
    stops = np.append(is_new[:, 1:], np.ones((len(keys), 1), dtype=np.bool_), axis=1)
    ends = np.minimum.accumulate(np.where(stops, places + 1, keys.shape[1])[:, ::-1], axis=1)[:, ::-1]
    less, upto = np.empty_like(order), np.empty_like(order)
    np.put_along_axis(less, order, starts, axis=1)
    np.put_along_axis(upto, order, ends, axis=1)
    state = np.zeros(len(keys), dtype=np.uint8)
    return Order(order.astype(np.int32), less.astype(np.int32), upto.astype(np.int32), state)
