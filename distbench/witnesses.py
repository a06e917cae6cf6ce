"""The pairs behind the scores of ranks: neighbours torn apart, strangers brought near."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from distbench.engine import Gathered
from distbench.engine.gathered import Moments, RankSide
from distbench.report import Pair, PairKind

__all__ = ["worst_pairs"]

Array = NDArray[np.float64]

KEPT = 20


def worst_pairs(
    gathered: Gathered, test: tuple[Array, Array], reference: tuple[Array, Array] | None
) -> dict[PairKind, tuple[Pair, ...]]:
    """Return the worst pairs by continuity and by trustworthiness, and the two that distortion rests on."""
    assert gathered.ranks is not None
    X, Z = test
    own = len(X) if gathered.queries_are_candidates else 0
    candidates_x, candidates_z = X[:own], Z[:own]
    if reference is not None:
        candidates_x = np.vstack([candidates_x, reference[0]])
        candidates_z = np.vstack([candidates_z, reference[1]])

    def pair(i: int, j: int) -> Pair:
        a, rank_input = _distance_and_rank(X[i], candidates_x, j, i if own else None)
        b, rank_code = _distance_and_rank(Z[i], candidates_z, j, i if own else None)
        partner, partner_set = (j, "test") if j < own else (j - own, "reference")
        return Pair(i, partner, partner_set, a, b, rank_input, rank_code, gathered.M)  # type: ignore[arg-type]

    def worst(side: RankSide) -> tuple[Pair, ...]:
        order = np.argsort(-side.worst_rank, kind="stable")[:KEPT]
        kept = [i for i in order if side.worst_rank[i] > gathered.k]
        return tuple(pair(int(i), int(side.worst[i])) for i in kept)

    found: dict[PairKind, tuple[Pair, ...]] = {
        "torn": worst(gathered.ranks.continuity),
        "merged": worst(gathered.ranks.trust),
    }
    if gathered.moments is not None:
        found["extreme"] = tuple(pair(i, j) for i, j in _extremes(gathered.moments))
    return found


def _extremes(moments: Moments) -> list[tuple[int, int]]:
    """Return the pairs with the largest and the least ratio of code to input distance."""
    largest, least = int(moments.ratios[:, 1].argmax()), int(moments.ratios[:, 0].argmin())
    return [(largest, int(moments.partners[largest, 1])), (least, int(moments.partners[least, 0]))]


def _distance_and_rank(point: Array, candidates: Array, j: int, own: int | None) -> tuple[float, float]:
    """Return a candidate's distance in the space's own units, and its rank (ties share their mean rank)."""
    difference = candidates - point
    unit = np.abs(difference).max() or 1.0  # keeps squares in range
    distances = unit * np.sqrt(np.sum((difference / unit) ** 2, axis=1))
    others = distances if own is None else np.delete(distances, own)
    rank = (np.sum(others < distances[j]) + 1 + np.sum(others <= distances[j])) / 2
    return float(distances[j]), float(rank)
