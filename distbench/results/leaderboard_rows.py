"""Makes the leaderboard row of one encoder from its rows of all seeds."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field

from distbench._util.numbers import bytes_text
from distbench.inference.estimate import Estimate, mean_of
from distbench.results.packing import estimate_of
from distbench.results.rows import OK, Row, name_with_fit, status_of

__all__ = ["VERDICTS", "LeaderboardRow", "leaderboard_row"]

VERDICTS = ("met", "undecided", "broken")  # from best to worst


@dataclass(frozen=True)
class LeaderboardRow:
    """One encoder on a leaderboard.

    Attributes
    ----------
    place : int or None
        1 is the best; None for an encoder that failed or is incomplete, or whose stored rows are stale.
    encoder : str
        Name of the encoder, followed by its test if the leaderboard has several of that name.
    values : dict of str to float
        Mean over the seeds of each metric.
    low, high : float or None
        95 % interval of the sort metric's mean over the seeds: over test points, and over trainings if several ran.
    seed_sd : float or None
        Standard deviation of the sort metric over the training seeds; None for fewer than two.
    seconds : float or None
        Mean seconds of a fit.
    ran, seeds : int
        Number of seeds that ran, and number of all seeds.
    code_width, code_bytes, point_bytes : int or None
        Actual number of columns of the codes, and bytes of a code and of a point.
    reason : str
        Why it has no place; empty if it has one.
    test : str
        Node id of the test that the rows come from.
    in_sample : bool
        Whether it was fitted on the test points too.
    note : str
        A remark on the encoder for readers.
    stored : str
        The day, or days, on which its rows were stored; empty for rows of this run.
    limited : dict of str to Row
        For each metric with a limit, the row with the worst verdict over the seeds.
    rows : tuple of Row
        The rows that hold scores.
    estimate : Estimate or None
        The sort metric's mean over the seeds.
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
    code_bytes: int | None = None
    point_bytes: int | None = None
    in_sample: bool = False
    note: str = ""
    stored: str = ""
    limited: dict[str, Row] = field(default_factory=dict, repr=False, compare=False)
    rows: tuple[Row, ...] = field(default=(), repr=False, compare=False)
    estimate: Estimate | None = field(default=None, repr=False, compare=False)

    @property
    def shown_name(self) -> str:
        """The encoder's name, marked if it was fitted on the test points too."""
        return name_with_fit(self.encoder, self.in_sample)

    @property
    def is_short(self) -> bool:
        """Whether the codes are not of floats, so that their bytes do not follow from their columns."""
        return bool(bytes_text(self.code_bytes, self.code_width or 0))

    @property
    def verdicts(self) -> dict[str, str]:
        """The worst verdict over the seeds, "broken", "undecided" or "met", for each metric with a limit."""
        return {metric: row.verdict for metric, row in self.limited.items()}


def leaderboard_row(rows: Sequence[Row], sort: str) -> LeaderboardRow:
    """Return the means of one encoder's rows over the seeds, without its place."""
    scored = [row for row in rows if row.status == OK]
    seeds = {row.seed for row in rows}
    ran = {row.seed for row in scored} - {row.seed for row in rows if row.status != OK}
    ranking = list({row.seed: row for row in scored if row.metric == sort}.values())
    estimate = Estimate.mean([estimate_of(row) for row in ranking]) if ranking else None
    low, high = (None, None) if estimate is None else estimate.interval()
    values = _means(scored)
    seconds = [row.seconds for row in ranking if row.seconds is not None]
    limited = sorted((row for row in scored if row.verdict), key=lambda row: VERDICTS.index(row.verdict))
    return LeaderboardRow(
        place=None,
        encoder=rows[0].encoder,
        values=values,
        low=low,
        high=high,
        seed_sd=_spread([row.value for row in ranking if row.value is not None]),
        seconds=mean_of(seconds) if seconds else None,
        ran=len(ran),
        seeds=len(seeds),
        code_width=next((row.code_width for row in scored), None),
        code_bytes=next((row.code_bytes for row in scored), None),
        point_bytes=next((row.point_bytes for row in scored), None),
        reason=_reason(rows, sort, values),
        test=rows[0].test,
        in_sample=rows[0].in_sample,
        note=next((note for row in rows if (note := row.note)), ""),
        stored=", ".join(sorted({day for row in rows if (day := row.stored)})),
        limited={row.metric: row for row in limited},
        rows=tuple(scored),
        estimate=estimate,
    )


def _means(rows: Sequence[Row]) -> dict[str, float]:
    by_metric: dict[str, dict[int | None, float]] = {}
    for row in rows:
        if row.value is not None:
            by_metric.setdefault(row.metric, {})[row.seed] = row.value
    return {metric: mean_of(by_seed.values()) for metric, by_seed in by_metric.items()}


def _spread(values: Sequence[float]) -> float | None:
    return statistics.stdev(values) if len(values) > 1 and all(map(math.isfinite, values)) else None


def _reason(rows: Sequence[Row], sort: str, values: dict[str, float]) -> str:
    failures = dict.fromkeys(status_of(row) for row in rows if row.status != OK)
    if failures:
        return "; ".join(failures)
    value = values.get(sort)
    if value is None:
        return f"{sort} was not measured"
    return f"{sort} is not a number" if value != value else ""
