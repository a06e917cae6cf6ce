"""From rows to leaderboards: one table per data set, code size and way of looking up neighbours.

Nothing here fits, encodes or prints. Scores that depend on k depend on the number of candidates too, so
rows with another k, m or M never meet in one table.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal

from distbench._placing import interval, placed
from distbench.packing import unpack
from distbench.results import EUCLIDEAN, OK, Row

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["Entry", "Table", "leaderboard"]

WORST_FIRST = ("broken", "undecided", "met")


@dataclass(frozen=True)
class Entry:
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


@dataclass(frozen=True)
class Table:
    """The encoders that were judged on the same points in the same way, best first.

    Attributes
    ----------
    dataset, test : str
        What the points are of; the data set is empty for a test's own points, which are told apart by the test.
    code_size, k, m, M : int
        Columns of the codes, neighbours, test points, candidates of each.
    sort : str
        The metric that decides.
    metrics : tuple of str
        All the metrics there are, in the order of the reports.
    entries : tuple of Entry
        Best first.
    distance : str
        That of the rows.
    data : str
        Which data they are of where several have one name, else empty.
    """

    dataset: str
    test: str
    code_size: int
    k: int
    m: int
    M: int
    sort: str
    metrics: tuple[str, ...]
    entries: tuple[Entry, ...]
    distance: str = EUCLIDEAN
    data: str = ""

    @property
    def name(self) -> str:
        """What it is called: its data set or test, and which data where one name stands for several."""
        return (self.dataset or self.test) + (f" (data {self.data[:8]})" if self.data else "")

    @property
    def stands_alone(self) -> bool:
        """Whether it is of one encoder on points of its own, which nothing ranks."""
        return not self.dataset and len(self.entries) == 1


def leaderboard(rows: Iterable[Row], sort: str = "continuity") -> list[Table]:
    """Rank encoders on the sort metric; those the data cannot tell apart share a place.

    **The sharing rule.** Encoders are ordered by their mean over the seeds. The first is the best of the
    first group. Going down the order, an encoder joins the group while the 95 % interval of its paired
    difference from *the best of that group* (the jackknife over test points of the difference of the
    means over seeds) holds 0; the first that can be told from it opens a group of its own. A group's
    place is one more than the number of encoders above the group: 1, 1, 3. Where the leave-one-out
    values are missing, or the value is infinite, only equal values share. The intervals say how sure
    the order is over fresh *test points*; how much it varies over training seeds is ``seed_sd``, another
    thing. They are not corrected for the number of comparisons.

    Parameters
    ----------
    rows : iterable of Row
        In any order. The same rows twice (a fit shared by two suites) count once; two encoders of one
        name with different values both stay, told apart by their test.
    sort : str
        The metric that decides.

    Returns
    -------
    list of Table
        By data set (a test's own points first), test and code size: the order of the rows, which under xdist is
        that of finishing, changes nothing.
    """
    groups: dict[tuple[Any, ...], list[Row]] = {}
    rows = list(rows)
    known: dict[object, set[str]] = {}
    for row in rows:
        known.setdefault(_points(row), set()).add(_data(row))
    for row in rows:
        # Data that changed under one name are other points; rows that do not say theirs belong to the only ones.
        points, others = _points(row), known[_points(row)] - {""}
        data = next(iter(others)) if len(others) == 1 else _data(row)
        key = (points, data, row["code_size"], row["k"], row["m"], row["M"], row.get("distance") or EUCLIDEAN)
        groups.setdefault(key, []).append(row)
    tables = _titled_apart({key: _table(group, sort) for key, group in groups.items()})
    return sorted(tables, key=lambda t: (t.dataset, t.test, t.code_size, t.k, t.m, t.M, t.distance, t.data))


def _points(row: Row) -> object:
    return row["dataset"] or ("", row["test"])


def _data(row: Row) -> str:
    """Return what tells the data of one name apart: their hash, of a test's own points their fingerprint."""
    return (row.get("data_sha256") if row["dataset"] else row.get("fingerprint")) or ""


def _titled_apart(tables: dict[tuple[Any, ...], Table]) -> list[Table]:
    """Name the data in the titles of tables that differ in nothing else."""
    titles = [(key[0], *key[2:]) for key in tables]
    told = []
    for title, (key, table) in zip(titles, tables.items(), strict=True):
        if titles.count(title) > 1:
            table = replace(table, data=key[1])
        told.append(table)
    return told


def _table(rows: Sequence[Row], sort: str) -> Table:
    by_encoder: dict[tuple[Any, ...], list[Row]] = {}
    for row in rows:
        by_encoder.setdefault((row["encoder"], row["test"], row.get("in_sample", False)), []).append(row)
    entries = _without_repeats([_entry(group, sort) for group in by_encoder.values()])
    direction = next((row["direction"] for row in rows if row["metric"] == sort), "up")
    first = rows[0]
    return Table(
        dataset=first["dataset"],
        test="" if first["dataset"] else first["test"],
        code_size=first["code_size"],
        k=first["k"],
        m=first["m"],
        M=first["M"],
        sort=sort,
        metrics=tuple(dict.fromkeys(row["metric"] for row in rows if row["metric"])),
        entries=tuple(placed(entries, sort, direction)),
        distance=first.get("distance") or EUCLIDEAN,
    )


def _entry(rows: Sequence[Row], sort: str) -> Entry:
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
    return Entry(
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


def _without_repeats(entries: Sequence[Entry]) -> list[Entry]:
    """Keep one of the entries that agree in name and numbers; tell the others apart by their test."""
    kept: list[Entry] = []
    for entry in entries:
        twins = [other for other in kept if _called(other) == _called(entry)]
        if not any((t.values, t.seeds, t.reason) == (entry.values, entry.seeds, entry.reason) for t in twins):
            kept.append(entry)
    names = [_called(entry) for entry in kept]
    repeated = {id(entry) for entry in kept if names.count(_called(entry)) > 1 and entry.test}
    return [replace(e, encoder=f"{e.encoder} ({e.test})") if id(e) in repeated else e for e in kept]


def _called(entry: Entry) -> tuple[str, bool]:
    return entry.encoder, entry.in_sample
