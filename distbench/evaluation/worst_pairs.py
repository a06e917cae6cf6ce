"""The worst pairs of a report: neighbors with distant codes, and distant points with near codes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from distbench._util.text import plain_name
from distbench.engine import Statistics
from distbench.engine.statistics import RankSide
from distbench.evaluation.scores import Pair, PairKind

__all__ = ["MAX_PAIRS", "worst_pairs"]

Labels = tuple[NDArray[Any] | None, NDArray[Any] | None]  # of test and of reference points
_Place = tuple[int, int]  # a query's place among the judged test points, and one of its candidates

MAX_PAIRS = 10  # for each kind


def worst_pairs(statistics: Statistics, labels: Labels = (None, None)) -> dict[PairKind, tuple[Pair, ...]]:
    """Return the worst pairs by continuity and by trustworthiness, and the two pairs that determine the distortion.

    `statistics` must include ranks.
    """
    ranks, pair_ranks = statistics.ranks, statistics.pair_ranks
    assert ranks is not None
    assert pair_ranks is not None
    chosen: dict[PairKind, list[_Place]] = {"torn": _worst(statistics, ranks.continuity)}
    chosen["merged"] = _worst(statistics, ranks.trust)
    if statistics.moments is not None:
        chosen["extreme"] = _extremes(statistics)
    n_test = statistics.n_test if statistics.queries_are_candidates else 0
    places = [place for pairs in chosen.values() for place in pairs]
    found = pair_ranks(*(np.array([place[side] for place in places], dtype=np.int64) for side in (0, 1))).tolist()
    pairs = iter([_pair(statistics, place, n_test, row, labels) for place, row in zip(places, found, strict=True)])
    by_kind = {kind: [next(pairs) for _ in places] for kind, places in chosen.items()}
    return {kind: tuple(pair for pair in of_kind if _is_changed(pair, kind)) for kind, of_kind in by_kind.items()}


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


def _is_changed(pair: Pair, kind: PairKind) -> bool:
    """Return whether the rank changed in the direction of the kind; with ties at place k, some pairs keep theirs."""
    increase = pair.rank_code - pair.rank_input
    return kind == "extreme" or (increase > 0 if kind == "torn" else increase < 0)


def _worst(statistics: Statistics, ranks: RankSide) -> list[_Place]:
    """Return the neighbors in one space with the largest ranks in the other space."""
    order = np.argsort(-ranks.worst_rank, kind="stable")[:MAX_PAIRS]
    return [(i, int(ranks.worst[i])) for i in order.tolist() if ranks.worst_rank[i] > statistics.k]


def _extremes(statistics: Statistics) -> list[_Place]:
    """Return the pairs with the largest and the least ratio of code to input distance."""
    assert statistics.moments is not None
    partners = statistics.moments.partners
    pairs = [partners[name] for name in ("largest", "least") if name in partners]
    return [(int(np.flatnonzero(statistics.judged == query)[0]), column) for query, column in pairs]
