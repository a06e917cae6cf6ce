"""Parts of tasks -> one `Gathered`, summed in the order of the tasks."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from distbench.engine import triplets
from distbench.engine.gathered import Gathered, Moments, Ranks, RankSide, Shepard, Triplets
from distbench.engine.tails import Tail
from distbench.engine.task import Part, Problem, TailRow

__all__ = ["merge"]

Array = NDArray[np.float64]


def merge(problem: Problem, parts: Iterable[Part], unit: float) -> Gathered:
    """Join the parts of a problem; `unit` is the code space's unit over the input space's."""
    rows: dict[str, list[Array]] = {}
    sums: dict[str, Array] = {}
    joint: NDArray[np.int64] | None = None
    tails: list[TailRow] = []
    for part in parts:
        for name, values in part.rows.items():
            rows.setdefault(name, []).append(values)
        for name, values in (part.columns | {f"total {n}": t for n, t in part.totals.items()}).items():
            sums[name] = sums[name] + values if name in sums else values
        if part.joint is not None:
            joint = part.joint if joint is None else np.add(joint, part.joint, out=joint)
        tails += part.tails
    joined = {name: np.concatenate(blocks) for name, blocks in rows.items()}
    columns = {name: values if problem.n_test else np.zeros(len(problem.queries_x)) for name, values in sums.items()}
    return Gathered(
        m=len(problem.queries_x),
        M=problem.M,
        k=problem.k,
        queries_are_candidates=problem.n_test > 0,
        ranks=_ranks(joined, columns) if "ranks" in problem.families else None,
        moments=_moments(problem, joined, sums, unit) if "moments" in problem.families else None,
        shepard=_shepard(problem, joined, joint, tails) if joint is not None else None,
        triplets=(Triplets(joined["triplets"], columns["triplets"]) if "triplets" in problem.families else None),
        notes=_notes(problem),
    )


def _notes(problem: Problem) -> tuple[str, ...]:
    if "triplets" in problem.families and problem.M > triplets.MAX_CANDIDATES:
        return (
            f"triplet_accuracy: each query judged on {triplets.MAX_CANDIDATES:,} sampled candidates of {problem.M:,}",
        )
    return ()


def _ranks(rows: dict[str, Array], columns: dict[str, Array]) -> Ranks:
    def side(name: str) -> RankSide:
        values = rows[name]
        return RankSide(values[:, 0], columns[name], values[:, 1].astype(np.int64), values[:, 2])

    return Ranks(side("trust"), side("continuity"), rows["overlap"], columns["overlap"])


def _moments(problem: Problem, rows: dict[str, Array], sums: dict[str, Array], unit: float) -> Moments:
    assert problem.pilot is not None
    return Moments(
        rows=rows["moments"],
        total=sums["total moments"],
        scale=problem.pilot.scale,
        unit=unit,
        ratios=rows["ratios"],
        partners=rows["partners"].astype(np.int64),
    )


def _shepard(problem: Problem, rows: dict[str, Array], joint: NDArray[np.int64], tails: list[TailRow]) -> Shepard:
    assert problem.pilot is not None
    low, high = problem.pilot.tails
    i = np.concatenate([np.full(len(ratios), query) for query, ratios, _ in tails])
    ratios = np.concatenate([row[1] for row in tails])
    j = np.concatenate([row[2] for row in tails])
    j = np.where(j < problem.n_test, j, -1)

    def tail(chosen: NDArray[np.bool_], sign: int, threshold: float) -> Tail:
        order = np.argsort(sign * ratios[chosen], kind="stable")
        return Tail(ratios[chosen][order], i[chosen][order], j[chosen][order], threshold)

    return Shepard(
        joint=joint / 2,
        influence=rows["rank_sums"][:, 0],
        rank_rows=rows["rank_sums"][:, 1:],
        low=tail(ratios < low, 1, low),
        high=tail(ratios > high, -1, high),
    )
