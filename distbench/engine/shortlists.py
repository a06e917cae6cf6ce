"""The candidates that may be among a query's nearest: found by keys in single precision, with exact keys of their own.

Whoever reads a list decides by exact keys alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from distbench.engine._jit import counting, inner
from distbench.engine.single_keys import ROUNDING, SingleKeys

__all__ = ["Nearest", "Shortlist", "shortlists"]

Array = NDArray[np.float64]
Singles = NDArray[np.float32]
Indices = NDArray[np.int64]

BLOCK_QUERIES = 256  # of one product of matrices
STEP = 32  # keys that are compared with the edge at once
ROOM, WIDE_ROOM = 64, 1024  # places for candidates beside twice the number of neighbors, without and with a slack
HALVINGS = 64  # of the range in which the k-th key lies
GROWTH = 8  # of the room of queries for which it was too small
PLACES = 1 << 21  # in the lists of some queries


@dataclass(frozen=True)
class Nearest:
    """Which candidates of a space are wanted: the k nearest, and those whose keys exceed the k-th by a share."""

    singles: SingleKeys
    k: int
    slack: float = 0.0


class Shortlist(NamedTuple):
    """Candidates of some queries, a row each; empty places come last: candidate -1, key +inf."""

    places: Indices
    keys: Array


def shortlists(wanted: Sequence[Nearest], queries: Indices) -> Iterator[tuple[Indices, list[Shortlist]]]:
    """Yield some of the queries at a time, and of each space a list that holds all wanted candidates."""
    n = wanted[0].singles.space.n
    room = max(2 * each.k + (WIDE_ROOM if each.slack else ROOM) for each in wanted)
    while len(queries):
        room = min(room, n + 1)
        left, step = [], int(np.clip(PLACES // room, 1, BLOCK_QUERIES))
        for start in range(0, len(queries), step):
            some = queries[start : start + step]
            found = [_collected(each, some, room) for each in wanted]
            is_done = np.logical_and.reduce([counts >= 0 for _, counts in found])
            left.append(some[~is_done])
            if is_done.any():
                lists = zip(wanted, found, strict=True)
                yield (
                    some[is_done],
                    [_exact(each, some[is_done], places[is_done], counts[is_done]) for each, (places, counts) in lists],
                )
        queries, room = np.concatenate(left), room * GROWTH


def _collected(wanted: Nearest, queries: Indices, room: int) -> tuple[Indices, Indices]:
    """Return the places of what may be wanted (B, room), and how many these are; -1 if there is too little room."""
    singles, size = wanted.singles, len(queries)
    places, keys = np.empty((size, room), dtype=np.int64), np.empty((size, room), dtype=np.float32)
    counts, edges = np.zeros(size, dtype=np.int64), np.full(size, np.inf, dtype=np.float32)
    own = queries if singles.space.first == 0 else np.full(size, -1)
    slack = (1 + wanted.slack) * (1 + singles.growth) - 1
    limits = wanted.k, slack, singles.margins[queries], singles.zeros[queries]
    for first, block in singles.blocks(queries):
        is_last = first + len(block) == singles.space.n
        _collect(block, first, is_last, own, *limits, counts, edges, places, keys)
    return places, counts


def _exact(wanted: Nearest, queries: Indices, places: Indices, counts: Indices) -> Shortlist:
    """Return the list of candidates that were collected, with their exact keys."""
    places = places[:, : counts.max()].copy()
    is_used = np.arange(places.shape[1]) < counts[:, None]
    keys = np.full(places.shape, np.inf)
    keys[is_used] = wanted.singles.space.pair_keys(np.repeat(queries, counts), places[is_used])
    places[~is_used] = -1
    return Shortlist(places, keys)


@inner
def _shrink(
    k: int, slack: float, margin: float, zero: float, count: int, places: Indices, keys: Singles
) -> tuple[int, np.float32]:
    """Keep the candidates that may be near; return their number and a bound on the keys of such."""
    low, high = np.inf, -np.inf
    for p in range(count):
        key = np.float64(keys[p])
        low, high = key if key < low else low, key if key > high else high
    low -= 1.0 + abs(low)
    for _ in range(HALVINGS):  # until `high` is the k-th key or slightly above
        middle, below = 0.5 * (low + high), 0
        for p in range(count):
            below += 1 if keys[p] <= middle else 0
        if below >= k:
            high = middle
        else:
            low = middle
    edge = np.float32((high + margin + slack * (abs(high - zero) + margin)) + 16.0 * ROUNDING * abs(high))
    kept = 0
    for p in range(count):
        if keys[p] <= edge:
            places[kept], keys[kept] = places[p], keys[p]
            kept += 1
    return kept, edge


@counting
def _collect(
    block: Singles,
    first: int,
    is_last: bool,
    own: Indices,
    k: int,
    slack: float,
    margins: Array,
    zeros: Array,
    counts: Indices,
    edges: Singles,
    places: Indices,
    keys: Singles,
) -> None:
    """Add the candidates of a block (rows) that may be near a query (column); a count is -1 if there is no room."""
    size, room, zero, one = block.shape[1], keys.shape[1], np.float32(0), np.float32(1)
    for p in range(len(block)):
        row = block[p]
        for start in range(0, size, STEP):
            stop, near = min(start + STEP, size), zero
            for q in range(start, stop):  # such a sum runs in vector registers
                near += one if row[np.uint64(q)] <= edges[np.uint64(q)] else zero
            for q in range(start, stop if near > zero else start):
                if row[q] <= edges[q] and first + p != own[q]:
                    places[q, counts[q]], keys[q, counts[q]] = first + p, row[q]
                    counts[q] += 1
                    if counts[q] == room:
                        counts[q], edges[q] = _shrink(k, slack, margins[q], zeros[q], room, places[q], keys[q])
                        if counts[q] == room:
                            counts[q], edges[q] = -1, -np.inf
    for q in range(size if is_last else 0):
        if counts[q] > k:
            counts[q], edges[q] = _shrink(k, slack, margins[q], zeros[q], counts[q], places[q], keys[q])
