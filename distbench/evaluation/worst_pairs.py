"""The worst pairs of a report: neighbors with distant codes, and distant points with near codes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from distbench._util.text import plain_name
from distbench.engine import Statistics
from distbench.evaluation.scores import Pair, PairKind

__all__ = ["MAX_PAIRS", "worst_pairs"]

Labels = tuple[NDArray[Any] | None, NDArray[Any] | None]  # of test and of reference points
_Place = tuple[int, int]  # a query's place among the judged test points, and one of its candidates

MAX_PAIRS = 10  # for each kind
MAX_POINTS = 16  # whose neighbors are looked at if there are no ranks


def worst_pairs(
    statistics: Statistics, labels: Labels = (None, None), scores: NDArray[np.float64] | None = None
) -> dict[PairKind, tuple[Pair, ...]]:
    """Return the worst pairs by continuity and by trustworthiness, and the two pairs that determine the distortion.

    If `statistics` have no ranks, the pairs are those of the test points with the least `scores`.
    """
    pair_ranks = statistics.pair_ranks
    assert pair_ranks is not None
    chosen: dict[PairKind, list[_Place]] = {
        "torn": _worst(statistics, 1, scores),
        "merged": _worst(statistics, 0, scores),
    }
    if statistics.moments is not None:
        chosen["extreme"] = _extremes(statistics)
    n_test = statistics.n_test if statistics.queries_are_candidates else 0
    places = [place for pairs in chosen.values() for place in pairs]
    found = pair_ranks(*(np.array([place[side] for place in places], dtype=np.int64) for side in (0, 1))).tolist()
    pairs = iter([_pair(statistics, place, n_test, row, labels) for place, row in zip(places, found, strict=True)])
    return {kind: _in_order(kind, [next(pairs) for _ in places], statistics.k) for kind, places in chosen.items()}


def _pair(statistics: Statistics, place: _Place, n_test: int, found: Sequence[float], labels: Labels) -> Pair:
    """Return a pair with its distance and rank in both spaces, and with labels if both points have one."""
    query, column = int(statistics.judged[place[0]]), place[1]
    in_test = column < n_test
    partner = column if in_test else column - n_test
    of_query, of_partner = labels[0], labels[0 if in_test else 1]
    named = None
    if of_query is not None and of_partner is not None:
        named = plain_name(of_query[query]), plain_name(of_partner[partner])
    distance_x, rank_x, distance_z, rank_z = found
    return Pair(
        query,
        partner,
        "test" if in_test else "reference",
        *(distance_x, distance_z, rank_x, rank_z),
        statistics.M,
        named,
    )


def _in_order(kind: PairKind, pairs: list[Pair], k: int) -> tuple[Pair, ...]:
    """Return the worst pairs first; those of neighbors only if they are beyond the k nearest in the other space.

    With ties at place k, the rank of some pairs does not change in the direction of the kind, and these are left out.
    """
    if kind == "extreme":
        return tuple(pairs)
    ranks = [
        (pair.rank_code, pair.rank_input) if kind == "torn" else (pair.rank_input, pair.rank_code) for pair in pairs
    ]
    order = sorted(range(len(pairs)), key=lambda place: -ranks[place][0])[:MAX_PAIRS]
    return tuple(pairs[place] for place in order if ranks[place][0] > max(k, ranks[place][1]))


def _worst(statistics: Statistics, side: int, scores: NDArray[np.float64] | None) -> list[_Place]:
    """Return neighbors in the other space that are farthest in the space of a side, or may be."""
    if statistics.ranks is not None:
        found = (statistics.ranks.trust, statistics.ranks.continuity)[side]
        queries = np.argsort(-found.worst_rank, kind="stable")[:MAX_PAIRS]
        partners = found.worst[queries]
    else:
        assert scores is not None
        assert statistics.pair_ranks is not None
        queries = np.sort(np.lexsort((statistics.places[: statistics.m], scores))[:MAX_POINTS])
        partners = statistics.pair_ranks.farthest(side, queries, statistics.k)
    return list(zip(queries.tolist(), partners.tolist(), strict=True))


def _extremes(statistics: Statistics) -> list[_Place]:
    """Return the pairs with the largest and the least ratio of code to input distance."""
    assert statistics.moments is not None
    partners = statistics.moments.partners
    pairs = [partners[name] for name in ("largest", "least") if name in partners]
    return [(int(np.flatnonzero(statistics.judged == query)[0]), column) for query, column in pairs]
