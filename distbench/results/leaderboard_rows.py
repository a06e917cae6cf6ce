"""From the rows of one encoder, in all its seeds, to its line on a leaderboard."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from distbench.inference.estimate import Estimate, mean_of, mean_of_intervals
from distbench.results.packing import unpack
from distbench.results.rows import OK, Row

__all__ = ["LeaderboardRow", "entry_of", "placed"]


WORST_FIRST = ("broken", "undecided", "met")


@dataclass(frozen=True)
class LeaderboardRow:
    """One encoder's line in a table.

    Attributes
    ----------
    place : int or None
        1 is the best; None for an encoder that failed or is incomplete, or whose stored rows are stale.
    encoder : str
        Its name.
    values : dict of str to float
        Mean over the seeds of each metric.
    low, high : float or None
        95 % interval of the sort metric's mean over the seeds, over test points; the mean of the seeds' ends where
        the rows do not hold what it takes for that of the mean.
    seed_sd : float or None
        Standard deviation of the sort metric over the training seeds; None for fewer than two.
    seconds : float or None
        Mean seconds of a fit.
    ran, seeds : int
        How many of how many seeds ran.
    code_width : int or None
        Columns that the codes really have.
    reason : str
        Why it has no place; empty where it has one.
    test : str
        Node id of the test the rows come from.
    in_sample : bool
        Whether it was fitted on the test points too.
    note : str
        What a reader must know of the encoder.
    stored : str
        The day, or days, its rows were stored; empty where they were measured in this run.
    verdicts : dict of str to str
        By metric with a limit, the worst over the seeds: "broken" before "undecided" before "met".
    """

    place: int | None
    encoder: str
    values: dict[str, float]
    low: float | None
    high: float | None
    seed_sd: float | None
    seconds: float | None
    ran: int
    seeds: int
    code_width: int | None
    reason: str
    test: str
    in_sample: bool = False
    note: str = ""
    stored: str = ""
    verdicts: dict[str, str] = field(default_factory=dict)
    estimate: Estimate | None = field(default=None, repr=False, compare=False)


def entry_of(rows: Sequence[Row], sort: str) -> LeaderboardRow:
    """Return the line of an encoder whose rows these are."""
    good = [row for row in rows if row["status"] == OK]
    seeds = {row["seed"] for row in rows}
    ran = {row["seed"] for row in good} - {row["seed"] for row in rows if row["status"] != OK}
    decisive = list({row["seed"]: row for row in good if row["metric"] == sort}.values())
    estimate = Estimate.mean([_estimate(row) for row in decisive]) if decisive else None
    if estimate is None or estimate.leave_one_out is None:
        low, high = mean_of_intervals([(row["low"], row["high"]) for row in decisive])
    else:
        low, high = estimate.interval()
    values = _means(good)
    seconds = [row["seconds"] for row in decisive if row["seconds"] is not None]
    return LeaderboardRow(
        place=None,
        encoder=rows[0]["encoder"],
        values=values,
        low=low,
        high=high,
        seed_sd=_spread([row["value"] for row in decisive if row["value"] is not None]),
        seconds=mean_of(seconds) if seconds else None,
        ran=len(ran),
        seeds=len(seeds),
        code_width=next((row["code_width"] for row in good), None),
        reason=_reason(rows, sort, values),
        test=rows[0]["test"],
        in_sample=rows[0].get("in_sample", False),
        note=next((note for row in rows if (note := row.get("note", ""))), ""),
        stored=", ".join(sorted({day for row in rows if (day := row.get("stored", ""))})),
        verdicts=_verdicts(good),
        estimate=estimate,
    )


def _estimate(row: Row) -> Estimate:
    value = math.nan if row["value"] is None else row["value"]
    without = unpack(row["leave_one_out"])
    if without is None:  # most rows: no table of metrics is loaded for them
        return Estimate(value)
    return Estimate.of_metric(row["metric"], value, without, unpack(row.get("interaction")), rows=row["m"])


def _verdicts(rows: Sequence[Row]) -> dict[str, str]:
    found: dict[str, set[str]] = {}
    for row in rows:
        if said := row.get("verdict", ""):
            found.setdefault(row["metric"], set()).add(said)
    return {metric: next(one for one in WORST_FIRST if one in said) for metric, said in found.items()}


def _means(rows: Sequence[Row]) -> dict[str, float]:
    per_metric: dict[str, dict[int | None, float]] = {}
    for row in rows:
        if row["value"] is not None:
            per_metric.setdefault(row["metric"], {})[row["seed"]] = row["value"]
    return {metric: mean_of(by_seed.values()) for metric, by_seed in per_metric.items()}


def _spread(values: Sequence[float]) -> float | None:
    return statistics.stdev(values) if len(values) > 1 and all(map(math.isfinite, values)) else None


def _reason(rows: Sequence[Row], sort: str, values: dict[str, float]) -> str:
    failures = dict.fromkeys(
        row["status"] if row["seed"] is None else f"seed {row['seed']} {row['status']}"
        for row in rows
        if row["status"] != OK
    )
    if failures:
        return "; ".join(failures)
    value = values.get(sort)
    if value is None:
        return f"{sort} was not measured"
    return f"{sort} is not a number" if value != value else ""


def placed(entries: Sequence[LeaderboardRow], sort: str, direction: str) -> list[LeaderboardRow]:
    """Return entries best first, with their places; those without one at the end."""
    ranked = [entry for entry in entries if not entry.reason]
    ranked.sort(key=lambda entry: (entry.values[sort] * (-1 if direction == "up" else 1), entry.encoder))
    placed: list[LeaderboardRow] = []
    for position, entry in enumerate(ranked, start=1):
        best = next((e for e in placed if e.place == placed[-1].place), None)
        shares = best is not None and _cannot_be_told(best, entry, sort)
        placed.append(replace(entry, place=best.place if best is not None and shares else position))
    return placed + [entry for entry in entries if entry.reason]


def _cannot_be_told(best: LeaderboardRow, entry: LeaderboardRow, sort: str) -> bool:
    value = entry.values[sort]
    if best.values[sort] == value:
        return True
    if best.estimate is None or entry.estimate is None:
        return False
    low, high = (best.estimate - entry.estimate).interval()
    return low is not None and high is not None and low <= 0 <= high
