"""From the rows of one encoder, in all its seeds, to its line on a leaderboard."""

from __future__ import annotations

import math
import statistics
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal

from distbench.results.packing import unpack
from distbench.results.rows import OK, Row

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


__all__ = ["LeaderboardRow", "entry_of", "interval", "mean_of", "placed"]


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
    mean_leave_one_out: NDArray[np.float64] | None = field(default=None, repr=False, compare=False)
    mean_interaction: NDArray[np.float64] | None = field(default=None, repr=False, compare=False)


def entry_of(rows: Sequence[Row], sort: str) -> LeaderboardRow:
    """Return the line of an encoder whose rows these are."""
    good = [row for row in rows if row["status"] == OK]
    seeds = {row["seed"] for row in rows}
    ran = {row["seed"] for row in good} - {row["seed"] for row in rows if row["status"] != OK}
    decisive = list({row["seed"]: row for row in good if row["metric"] == sort}.values())
    mean_loo = _mean_array([row["leave_one_out"] for row in decisive])
    mean_interaction = _mean_array([row.get("interaction") for row in decisive])
    values = _means(good)
    low, high = interval(values.get(sort), mean_loo, mean_interaction, sort, rows[0]["m"])
    if mean_loo is None:
        low, high = _mean_end(decisive, "low"), _mean_end(decisive, "high")
    return LeaderboardRow(
        place=None,
        encoder=rows[0]["encoder"],
        values=values,
        low=low,
        high=high,
        seed_sd=_spread([row["value"] for row in decisive if row["value"] is not None]),
        seconds=_mean([row["seconds"] for row in decisive if row["seconds"] is not None]),
        ran=len(ran),
        seeds=len(seeds),
        code_width=next((row["code_width"] for row in good), None),
        reason=_reason(rows, sort, values),
        test=rows[0]["test"],
        in_sample=rows[0].get("in_sample", False),
        note=next((note for row in rows if (note := row.get("note", ""))), ""),
        stored=", ".join(sorted({day for row in rows if (day := row.get("stored", ""))})),
        verdicts=_verdicts(good),
        mean_leave_one_out=mean_loo,
        mean_interaction=mean_interaction,
    )


def _mean_end(rows: Sequence[Row], name: Literal["low", "high"]) -> float | None:
    """Return the mean of an end of the seeds' intervals: those of the same points, so no narrower than the mean's."""
    ends = [row[name] for row in rows]
    return None if any(end is None for end in ends) else _mean([end for end in ends if end is not None])


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
    means = {metric: _mean(list(by_seed.values())) for metric, by_seed in per_metric.items()}
    return {metric: mean for metric, mean in means.items() if mean is not None}


def _mean(values: Sequence[float]) -> float | None:
    if not all(map(math.isfinite, values)):
        return sum(values) / len(values)  # fmean refuses infinities of both signs
    return statistics.fmean(values) if values else None


def _spread(values: Sequence[float]) -> float | None:
    return statistics.stdev(values) if len(values) > 1 and all(map(math.isfinite, values)) else None


def _mean_array(columns: Sequence[Any]) -> NDArray[np.float64] | None:
    """Return the mean over the seeds; None where one of them has no such values or others than the rest."""
    if not columns or any(column is None for column in columns):
        return None
    arrays = [array for column in columns if (array := unpack(column)) is not None]
    if len({array.shape for array in arrays}) > 1:
        return None
    import numpy as np

    mean: NDArray[np.float64] = np.mean(arrays, axis=0)
    return mean


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


def mean_of(values: Collection[float]) -> float:
    """Return the mean of one number or more: infinite where some are, nan where they are so on both sides."""
    if all(map(math.isfinite, values)):
        return statistics.fmean(values)
    return sum(values) / len(values)  # fmean refuses infinities of both signs


CONFIDENCE = 0.95


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
    one, two = best.mean_leave_one_out, entry.mean_leave_one_out
    if one is None or two is None or len(one) != len(two) or not math.isfinite(best.values[sort] - value):
        return False
    first, second = best.mean_interaction, entry.mean_interaction
    interaction = None if first is None or second is None or first.shape != second.shape else first - second
    low, high = interval(best.values[sort] - value, one - two, interaction)
    return low is not None and high is not None and low <= 0 <= high


def interval(
    value: float | None,
    leave_one_out: NDArray[np.float64] | None,
    interaction: NDArray[np.float64] | None,
    metric: str | None = None,
    m: int = 0,
) -> tuple[float, float] | tuple[None, None]:
    """Return the interval of a metric, or with ``metric=None`` of a difference, which has no bounds."""
    if value is None or leave_one_out is None or not math.isfinite(value):
        return None, None
    import numpy as np

    from distbench.evaluation.measure import MEANS
    from distbench.inference.intervals import jackknife_interval
    from distbench.metrics import METRICS

    single = m if metric is not None and METRICS[metric].family in MEANS else None
    bounds = (-np.inf, np.inf) if metric is None else METRICS[metric].bounds
    return jackknife_interval(value, leave_one_out, CONFIDENCE, bounds, interaction, single)
