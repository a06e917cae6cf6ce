"""From rows to leaderboards: one table per data set, code size and way of looking up neighbours.

Nothing here fits, encodes or prints. Scores that depend on k depend on the number of candidates too, so
rows with another k, m or M never meet in one table.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from distbench.results.leaderboard_rows import LeaderboardRow, entry_of, placed
from distbench.results.rows import EUCLIDEAN, Row

__all__ = ["Leaderboard", "LeaderboardRow", "leaderboard"]


@dataclass(frozen=True)
class Leaderboard:
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
    entries : tuple of LeaderboardRow
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
    entries: tuple[LeaderboardRow, ...]
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


def leaderboard(rows: Iterable[Row], sort: str = "continuity") -> list[Leaderboard]:
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
    list of Leaderboard
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


def _titled_apart(tables: dict[tuple[Any, ...], Leaderboard]) -> list[Leaderboard]:
    """Name the data in the titles of tables that differ in nothing else."""
    titles = [(key[0], *key[2:]) for key in tables]
    told = []
    for title, (key, table) in zip(titles, tables.items(), strict=True):
        if titles.count(title) > 1:
            table = replace(table, data=key[1])
        told.append(table)
    return told


def _table(rows: Sequence[Row], sort: str) -> Leaderboard:
    by_encoder: dict[tuple[Any, ...], list[Row]] = {}
    for row in rows:
        by_encoder.setdefault((row["encoder"], row["test"], row.get("in_sample", False)), []).append(row)
    entries = _without_repeats([entry_of(group, sort) for group in by_encoder.values()])
    direction = next((row["direction"] for row in rows if row["metric"] == sort), "up")
    first = rows[0]
    return Leaderboard(
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


def _without_repeats(entries: Sequence[LeaderboardRow]) -> list[LeaderboardRow]:
    """Keep one of the entries that agree in name and numbers; tell the others apart by their test."""
    kept: list[LeaderboardRow] = []
    for entry in entries:
        twins = [other for other in kept if _called(other) == _called(entry)]
        if not any((t.values, t.seeds, t.reason) == (entry.values, entry.seeds, entry.reason) for t in twins):
            kept.append(entry)
    names = [_called(entry) for entry in kept]
    repeated = {id(entry) for entry in kept if names.count(_called(entry)) > 1 and entry.test}
    return [replace(e, encoder=f"{e.encoder} ({e.test})") if id(e) in repeated else e for e in kept]


def _called(entry: LeaderboardRow) -> tuple[str, bool]:
    return entry.encoder, entry.in_sample
