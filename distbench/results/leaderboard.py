"""Makes leaderboards from rows: one for each data set, code size, k, m, M and distance.

Scores that depend on k depend on the number of candidates too, so rows with another k, m or M are never in one
leaderboard. Nothing here fits, encodes or prints.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from distbench._util.distances import EUCLIDEAN
from distbench.inference.estimate import CONFIDENCE
from distbench.results.leaderboard_rows import LeaderboardRow, leaderboard_row
from distbench.results.points import hashes_of_points
from distbench.results.rows import Row, Setting

__all__ = ["Leaderboard", "LeaderboardRow", "leaderboard"]


@dataclass(frozen=True)
class Leaderboard:
    """Encoders that were evaluated on the same points in the same way, best first.

    Attributes
    ----------
    dataset, test : str
        The data set; or, for points of a test, an empty data set and the test's node id.
    code_size, k, m, M : int
        Numbers of columns of the codes, of neighbors, of test points, and of candidates for each.
    sort : str
        The metric that ranks encoders, by its name in the rows. On points of a test where no encoder has the one asked
        for, it is the first with a limit, or else the first.
    metrics : tuple of str
        All metrics of the rows, in the order of the reports.
    entries : tuple of LeaderboardRow
        The encoders, best first; those without a place last.
    distance : str
        The distance of the rows.
    data : str
        Hash of the data if several data sets have the same name, else empty.
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
        """The data set or test, with the start of the data's hash if several data sets have the same name."""
        return (self.dataset or self.test) + (f" (data {self.data[:8]})" if self.data else "")

    @property
    def stands_alone(self) -> bool:
        """Whether it has only one encoder, on points of a test, so that nothing is ranked."""
        return not self.dataset and len(self.entries) == 1


def leaderboard(rows: Iterable[Row], sort: str = "continuity") -> list[Leaderboard]:
    """Rank encoders on one metric by how many others are shown to be better.

    **The rule of places.** Encoders are ordered by their mean over the seeds. A place is one more than the number of
    encoders that are shown to be better: the interval of their difference excludes 0. So the best has place 1, and an
    imprecise encoder may have a better place than a precise one with a higher mean. The difference is paired point by
    point where leave-one-out values of both are known. Its interval is over test points, and over trainings for each
    encoder with several seeds. Its confidence is 1 - 0.05 / p for the p = n (n - 1) / 2 pairs of n encoders
    (Bonferroni), so in 95 % of leaderboards no encoder has a place that is too low. Without any interval only equal
    values share a place.

    Parameters
    ----------
    rows : iterable of Row
        Rows in any order. Equal rows (a fit shared by two suites) count once. Two encoders with the same name and
        different values are both kept, and each name is followed by its test.
    sort : str
        The metric that ranks encoders.

    Returns
    -------
    list of Leaderboard
        Leaderboards sorted by data set (points of tests first), test and code size.
    """
    rows = list(rows)
    groups: dict[tuple[Setting, str], list[Row]] = {}
    for row, data in zip(rows, hashes_of_points(rows), strict=True):
        setting = row.setting._replace(encoder="", in_sample=False, seed=None)
        groups.setdefault((setting, data), []).append(row)
    boards_of = Counter(setting for setting, _ in groups)
    boards = [
        _leaderboard(setting, group, sort, data if boards_of[setting] > 1 else "")
        for (setting, data), group in groups.items()
    ]
    return sorted(boards, key=lambda b: (b.dataset, b.test, b.code_size, b.k, b.m, b.M, b.distance, b.data))


def _leaderboard(setting: Setting, rows: Sequence[Row], sort: str, data: str) -> Leaderboard:
    from distbench.metrics import METRICS

    rows = _named_alike(rows)
    metrics = tuple(dict.fromkeys(row.metric for row in rows if row.metric))
    sort = METRICS.same(sort, metrics, setting.k) or (sort if setting.dataset else _first_metric(rows, sort))
    by_encoder: dict[tuple[Any, ...], list[Row]] = {}
    for row in rows:
        by_encoder.setdefault((row.encoder, row.test, row.in_sample), []).append(row)
    entries = _without_repeats([leaderboard_row(group, sort) for group in by_encoder.values()])
    direction = next((row.direction for row in rows if row.metric == sort), "up")
    return Leaderboard(
        dataset=setting.dataset,
        test=setting.test,
        code_size=setting.code_size,
        k=setting.k,
        m=setting.m,
        M=setting.M,
        sort=sort,
        metrics=metrics,
        entries=tuple(_placed(entries, sort, direction)),
        distance=setting.distance,
        data=data,
    )


def _first_metric(rows: Sequence[Row], otherwise: str) -> str:
    """Return the first metric with a limit, or else the first; `otherwise` if no row has a metric."""
    scored = sorted((row for row in rows if row.metric), key=lambda row: row.limit is None)
    return scored[0].metric if scored else otherwise


def _named_alike(rows: Sequence[Row]) -> list[Row]:
    """Return rows of one setting in which a metric has one name: ``knn_recall@10`` may be ``knn_recall`` in others."""
    names: dict[str, str] = {}
    shown = [names.setdefault(row.full_metric, row.metric) for row in rows]
    return [row if row.metric == name else replace(row, metric=name) for row, name in zip(rows, shown, strict=True)]


def _without_repeats(entries: Sequence[LeaderboardRow]) -> list[LeaderboardRow]:
    """Return entries without duplicates; where entries with the same name differ, add its test to the name of each."""
    kept: list[LeaderboardRow] = []
    values: dict[tuple[Any, ...], list[dict[str, float]]] = {}
    for entry in entries:
        known = values.setdefault((entry.encoder, entry.in_sample, entry.seeds, entry.reason), [])
        if entry.values not in known:
            known.append(entry.values)
            kept.append(entry)
    of_name = Counter((entry.encoder, entry.in_sample) for entry in kept)
    return [
        replace(e, encoder=f"{e.encoder} ({e.test})") if e.test and of_name[e.encoder, e.in_sample] > 1 else e
        for e in kept
    ]


def _placed(entries: Sequence[LeaderboardRow], sort: str, direction: str) -> list[LeaderboardRow]:
    """Return entries with their places, best first; those without a place come last."""
    ranked = [entry for entry in entries if not entry.reason]
    ranked.sort(key=lambda entry: (entry.values[sort] * (-1 if direction == "up" else 1), entry.encoder))
    confidence = 1 - (1 - CONFIDENCE) / max(1, math.comb(len(ranked), 2))
    placed = []
    for entry, sure in zip(ranked, _compared(ranked, confidence), strict=True):
        unsure = (other for other, sign in zip(ranked[: len(sure)], sure, strict=True) if sign == 0)
        better = sure.count(1) + sum(not _may_be_equal(other, entry, sort, confidence) for other in unsure)
        placed.append(replace(entry, place=1 + better))
    return placed + [entry for entry in entries if entry.reason]


def _compared(ranked: Sequence[LeaderboardRow], confidence: float) -> Iterator[list[int]]:
    """Yield for each entry what is sure of those above it, as `sure_differences`, for the kind that most are of."""
    from distbench.inference.many_pairs import kind_of, sure_differences

    kinds = [(kind_of(entry.estimate), _groups(entry)) for entry in ranked]
    common = Counter(kind for kind in kinds if kind[0] is not None).most_common(1)
    alike = [kind == common[0][0] if common else False for kind in kinds]
    chosen = [entry.estimate for entry, is_chosen in zip(ranked, alike, strict=True) if is_chosen and entry.estimate]
    sure, above = sure_differences(chosen, confidence), list[int]()
    for place, is_chosen in enumerate(alike):
        signs = [0] * place
        if is_chosen:
            for other, sign in zip(above, next(sure).tolist(), strict=True):
                signs[other] = sign
            above.append(place)
        yield signs


def _groups(entry: LeaderboardRow) -> frozenset[str]:
    return frozenset(row.groups for row in entry.rows)


def _may_be_equal(other: LeaderboardRow, entry: LeaderboardRow, sort: str, confidence: float) -> bool:
    if other.values[sort] == entry.values[sort]:
        return True
    if other.estimate is None or entry.estimate is None:
        return False
    is_paired = _groups(other) == _groups(entry)
    a, b = (e if is_paired else e.unpaired() for e in (other.estimate, entry.estimate))
    low, high = (a - b).interval(confidence)
    return low is not None and high is not None and low <= 0 <= high
