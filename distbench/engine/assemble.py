"""Turns the merged sums of all jobs into one `Statistics`."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from distbench._util.notes import Note
from distbench.engine import neighbors, rank_correlation
from distbench.engine.pair_ranks import PairRanks, candidates_at
from distbench.engine.partial_sums import ByK, Part
from distbench.engine.problem import Problem
from distbench.engine.random_signs import SKETCHES
from distbench.engine.ratio_tails import Tail
from distbench.engine.searches import Found, Search
from distbench.engine.statistics import Moments, Ranks, RankSide, Shepard, Statistics, Triplets

__all__ = ["assemble"]

Array = NDArray[np.float64]
Indices = NDArray[np.int64]


def assemble(
    problem: Problem, merged: Part, extras: dict[str, Any], judged: Indices, order: Indices | None
) -> Statistics:
    """Return the statistics of a problem; `order` holds the caller's row of each test point, or is None if in order."""
    families = problem.families
    places = _Places(problem, judged, order)
    of_k = {name: extras.pop(name) for name in list(extras) if isinstance(extras[name], ByK)}
    if "ranks" in families:
        extras["found"] = extras.get("found", {}) | _overlaps(problem, merged, places)
    by_k = {
        k: (
            _ranks(merged, places, index) if "ranks" in families else None,
            {name: values[k] for name, values in of_k.items()},
        )
        for index, k in enumerate(problem.ks)
    }
    return Statistics(
        m=problem.m,
        M=problem.M,
        k=problem.ks[0],
        n_test=problem.n_test or problem.m,
        judged=judged,
        queries_are_candidates=problem.n_test > 0,
        places=problem.places[: problem.n_test or problem.m],
        moments=_moments(problem, merged, places) if "moments" in families else None,
        shepard=_shepard(problem, merged) if "shepard" in families else None,
        triplets=(
            Triplets(merged.rows["triplets"], places.columns(merged.columns["triplets"]))
            if "triplets" in families
            else None
        ),
        extras=extras,
        notes=(*_notes(problem), *(note for extra in extras.values() for note in getattr(extra, "notes", ()))),
        pair_ranks=PairRanks(problem, order),
        by_k=by_k,
    ).at(problem.ks[0])


class _Places:
    """Maps the problem's columns to the caller's points."""

    def __init__(self, problem: Problem, judged: Indices, order: Indices | None) -> None:
        self.m, self.n_test, self.judged, self.order = problem.m, problem.n_test, judged, order

    def columns(self, values: NDArray[Any]) -> NDArray[Any]:
        """Return the values of the test points, or zeros if queries are no candidates."""
        return values if self.n_test else np.zeros((self.m, *values.shape[1:]))

    def candidates(self, columns: Indices) -> Indices:
        """Return the candidates at these columns, as the caller names them."""
        return candidates_at(columns, self.order, self.n_test)


def _notes(problem: Problem) -> tuple[Note, ...]:
    size = problem.triplet_candidates
    if "triplets" in problem.families and size < problem.M:
        text = (
            f"triplet_accuracy: each test point was compared with {size:,} random ones of its {problem.M:,} candidates"
        )
        return (Note("info", "triplet_accuracy", text),)
    return ()


def _ranks(merged: Part, places: _Places, index: int) -> Ranks:
    rows, columns = merged.rows["ranks"][:, index], places.columns(merged.columns["ranks"][:, index])
    signed = rows[:, neighbors.SIGNED :].reshape(len(rows), 3, SKETCHES)

    def side(first: int, column: int) -> RankSide:
        worst = places.candidates(rows[:, first + 1].astype(np.int64))
        return RankSide(rows[:, first], columns[:, column], worst, rows[:, first + 2], signed[:, column])

    return Ranks(side(neighbors.TRUST, 0), side(neighbors.CONTINUITY, 1))


def _overlaps(problem: Problem, merged: Part, places: _Places) -> dict[Search, Found]:
    """Return how many neighbors in both spaces are the same, for each number of neighbors whose ranks were gathered."""
    rows, columns = merged.rows["ranks"], places.columns(merged.columns["ranks"])
    return {
        Search(k, k): Found(
            rows[:, index, neighbors.OVERLAP],
            columns[:, index, 2],
            rows[:, index, neighbors.SIGNED :].reshape(len(rows), 3, SKETCHES)[:, 2],
        )
        for index, k in enumerate(problem.ks)
    }


def _moments(problem: Problem, merged: Part, places: _Places) -> Moments:
    assert problem.first_look is not None
    rows = merged.rows["moments"]
    by_point = rows
    if problem.n_test:
        by_point = np.concatenate([rows, merged.columns["others"]])
    return Moments(
        rows=rows,
        by_point=by_point,
        total=merged.totals["moments"],
        scale=problem.first_look.scale,
        unit=problem.unit,
        exponent=problem.x.exponent,
        ratios=merged.rows["ratios"],
        partners=_partners(problem, merged.rows["ratios"], places),
    )


def _partners(problem: Problem, ratios: Array, places: _Places) -> dict[str, tuple[int, int]]:
    """Return the pairs with the least and the largest ratio, found by computing two queries' distances again."""
    pairs = {}
    for name, query in (("least", int(ratios[:, 0].argmin())), ("largest", int(ratios[:, 1].argmax()))):
        a, b = problem.x.exact_distances(query), problem.z.exact_distances(query)
        with np.errstate(divide="ignore", invalid="ignore"):
            rho = np.where(a > 0, b / a, np.nan)
        if problem.n_test:
            rho[query] = np.nan
        if np.isnan(rho).all():
            continue
        column = int(np.nanargmin(rho) if name == "least" else np.nanargmax(rho))
        pairs[name] = int(places.judged[query]), int(places.candidates(np.array([column]))[0])
    return pairs


def _shepard(problem: Problem, merged: Part) -> Shepard:
    first_look = problem.first_look
    assert first_look is not None
    ranked = merged.rows["ranked"]
    influence = ranked[:, 1]
    if problem.n_test:
        influence = merged.columns["influence"].copy()
        influence[: problem.m] += ranked[:, 1]
    ratios, i, j = (merged.rows.pop(name) for name in ("tail ratios", "tail i", "tail j"))
    j[j >= problem.n_test] = -1

    def tail(is_beyond: NDArray[np.bool_], sign: int, threshold: float) -> Tail:
        places = np.flatnonzero(is_beyond).astype(np.int32)
        places = places[np.argsort(sign * ratios[places], kind="stable")]
        return Tail(ratios[places], i[places], j[places], threshold)

    low, high = first_look.tails
    return Shepard(
        spearman=rank_correlation.rank_correlation(first_look, float(ranked[:, 0].sum()), merged.totals["counts"]),
        influence=influence,
        low=tail(ratios < low, 1, low),
        high=tail(ratios > high, -1, high),
    )
