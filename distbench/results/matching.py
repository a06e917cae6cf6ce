"""Which rows of two runs belong together."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, NamedTuple

from distbench.results.packing import packed_arrays
from distbench.results.rows import EUCLIDEAN, OK, Row

__all__ = [
    "POINTS_CHANGED",
    "MatchedRows",
    "Subject",
    "Unmatched",
    "equal",
    "match_rows",
    "packed_alike",
    "points_differ",
]

ARRAYS = ("leave_one_out", "interaction")
HOW = {"k": "k", "distance": "distance", "m": "number of test points", "M": "number of candidates"}
TWICE = "several encoders of that name in one test; give each its own, with name="
POINTS_CHANGED = "the points changed"
TEST_FAILED = "has no value now, its test failed"
ENOUGH = 2  # metrics that agree in every seed
ROUNDING = 1e-9
"""Relative to the values: what files of ten digits lose is no change."""


class Subject(NamedTuple):
    """Whose rows they are, as a reader is told."""

    encoder: str
    dataset: str
    test: str
    code_size: int

    def __str__(self) -> str:
        return f"{self.encoder}, {self.dataset or self.test}, code size {self.code_size}"


@dataclass(frozen=True)
class MatchedRows:
    """The rows of both runs that were judged in the same way; failed ones too."""

    who: Subject
    before: Sequence[Row]
    now: Sequence[Row]

    def by_metric(self) -> tuple[dict[str, dict[int | None, Row]], dict[str, dict[int | None, Row]]]:
        """Return the rows that have a value by metric and training seed, of before and of now."""
        return _by_metric(self.before), _by_metric(self.now)

    @cached_property
    def failed_seeds(self) -> frozenset[int | None]:
        """The seeds that have values before and none now."""
        failed = {row.seed for row in self.now if row.status != OK}
        had = {row.seed for row in self.before if row.status == OK}
        return frozenset(had if None in failed else failed & had)

    def failures(self) -> list[str]:
        """Return what became of these seeds, once each."""
        seeds = {*self.failed_seeds, None} if self.failed_seeds else set()
        return list(dict.fromkeys(_status(row) for row in self.now if row.status != OK and row.seed in seeds))

    def lost(self) -> frozenset[str]:
        """Return the metrics that these seeds had."""
        return _measured(row for row in self.before if row.seed in self.failed_seeds)

    def agree(self) -> bool:
        """Say whether several metrics of the same points are equal in every seed, all that both have."""
        before, now = self.by_metric()
        pairs = [
            (before[metric][seed], row)
            for metric, rows in now.items()
            for seed, row in rows.items()
            if seed in before.get(metric, {})
        ]
        same = all(not points_differ(one, two) and equal(one.value, two.value) for one, two in pairs)
        return same and len({row.metric for _, row in pairs}) >= ENOUGH


class Unmatched(NamedTuple):
    """Whom both runs have and who yet cannot be compared: why, whether for want of a value, and the metrics he had."""

    who: Subject
    reason: str
    failed: bool
    had: frozenset[str] = frozenset()


Key = Callable[[Row], tuple[Any, ...]]


def match_rows(
    before: Iterable[Row], now: Iterable[Row], failed_tests: Collection[str] = ()
) -> tuple[list[MatchedRows], list[str], list[str], list[Unmatched]]:
    """Match the rows of two runs; `failed_tests` are those of now that failed, beside those with rows that did.

    Returns
    -------
    matches : list of MatchedRows
        In the order of `now`.
    only_before, only_now : list of str
        Whom the other run lacks.
    left : list of Unmatched
        Whom both have, judged in other ways or failed in one of them, and whom now lacks as his test failed.
    """
    runs = list(before), list(now)
    unclear = _unclear(runs[0], _key) | _unclear(runs[1], _key)

    def key(row: Row) -> tuple[Any, ...]:
        found = _key(row)
        return (*found, row.test) if found in unclear else found

    old, new = (_grouped(rows, key) for rows in runs)
    never = _unclear(runs[0], key) | _unclear(runs[1], key)
    common = [key for key in new if key in old]
    left = [Unmatched(_who(new[key]), TWICE, False, _measured(old[key])) for key in common if key in never]
    matches: list[MatchedRows] = []
    for one in (one for one in common if one not in never):
        found, without = _matched(old[one], new[one])
        matches += found
        left += without
    failed = {*failed_tests, *(row.test for row in runs[1] if row.status != OK)} - {""}
    lost = {key: rows for key, rows in old.items() if key not in new and failed & {row.test for row in rows}}
    left += [Unmatched(_who(rows), TEST_FAILED, True, had) for rows in lost.values() if (had := _measured(rows))]
    only_before = [str(_who(old[key])) for key in old if key not in new and key not in lost]
    only_now = [str(_who(new[key])) for key in new if key not in old]
    return matches, only_before, only_now, left


def _matched(before: Sequence[Row], now: Sequence[Row]) -> tuple[list[MatchedRows], list[Unmatched]]:
    """Match the rows of one encoder by the way in which they were judged."""
    good = [[row for row in rows if row.status == OK] for rows in (before, now)]
    failed = [[row for row in rows if row.status != OK] for rows in (before, now)]
    old, new = (_grouped(rows, _how) for rows in good)
    who = _who(now)
    lost, gained = [how for how in old if how not in new], [how for how in new if how not in old]
    if lost and gained:
        had = _measured(row for how in lost for row in old[how])
        left = [Unmatched(who, _differences(lost[0], gained[0]), False, had)]
    elif not good[0] or not good[1]:
        when, rows = ("now", failed[1]) if old else ("before", failed[0]) if new else ("before and now", failed[1])
        reasons = dict.fromkeys(map(_status, rows))
        left = [Unmatched(who, f"{when} {reason}", bool(old), _measured(good[0])) for reason in reasons]
    else:
        left = [Unmatched(who, f"{_told(how)}: was not judged so now", False, _due(old[how], now)) for how in lost]
        left += [Unmatched(who, f"{_told(how)}: was not judged so before", False) for how in gained]
    found = [MatchedRows(who, [*old[how], *failed[0]], [*new[how], *failed[1]]) for how in new if how in old]
    return found, left


def _measured(rows: Iterable[Row]) -> frozenset[str]:
    """Return the metrics that have a value, infinite ones too."""
    return frozenset(row.metric for row in rows if row.status == OK and row.value is not None)


def _due(rows: Sequence[Row], now: Iterable[Row]) -> frozenset[str]:
    """Return the metrics of rows that now has none of, where their test ran; another test may not have."""
    ran = {"", *(row.test for row in now)}
    return _measured(row for row in rows if row.test in ran)


def _differences(old: tuple[Any, ...], new: tuple[Any, ...]) -> str:
    pairs = zip(HOW.values(), old, new, strict=True)
    return "; ".join(f"{name} was {one}, is now {other}" for name, one, other in pairs if one != other)


def _told(how: tuple[Any, ...]) -> str:
    return ", ".join(f"{name} = {value}" for name, value in zip(HOW, how, strict=True))


def _unclear(rows: Iterable[Row], key: Key) -> set[tuple[Any, ...]]:
    """Return the keys under which the same thing has two values."""
    seen: dict[tuple[Any, ...], float | None] = {}
    found = set()
    for row in rows:
        what = (*key(row), _how(row), row.metric, row.seed)
        if row.status == OK and not equal(seen.setdefault(what, row.value), row.value):
            found.add(key(row))
    return found


def _grouped(rows: Iterable[Row], key: Key) -> dict[tuple[Any, ...], list[Row]]:
    groups: dict[tuple[Any, ...], list[Row]] = {}
    for row in rows:
        groups.setdefault(key(row), []).append(row)
    return groups


def _by_metric(rows: Iterable[Row]) -> dict[str, dict[int | None, Row]]:
    found: dict[str, dict[int | None, Row]] = {}
    for row in rows:
        if row.status == OK:
            found.setdefault(row.metric, {}).setdefault(row.seed, row)
    return found


def _key(row: Row) -> tuple[Any, ...]:
    points = (row.dataset, "") if row.dataset else ("", row.test)
    return row.encoder, points, row.code_size, row.in_sample


def _how(row: Row) -> tuple[Any, ...]:
    return row.k, row.distance or EUCLIDEAN, row.m, row.M


def _who(rows: Sequence[Row]) -> Subject:
    row = rows[0]
    name = row.encoder
    in_sample = row.in_sample and "in sample" not in name.replace("_", " ")
    return Subject(f"{name} (in sample)" if in_sample else name, row.dataset, row.test, row.code_size)


def _status(row: Row) -> str:
    return row.status if row.seed is None else f"seed {row.seed} {row.status}"


def points_differ(one: Row, two: Row) -> str:
    """Return why two rows are not known to be of the same points; nothing where all that both say of them agrees."""
    pairs = [(getattr(one, name), getattr(two, name)) for name in ("fingerprint", "data_sha256")]
    known = [pair for pair in pairs if all(pair)]
    if not known:
        return "not known to be of the same points"
    return "" if all(mine == other for mine, other in known) else POINTS_CHANGED


def equal(one: float | None, two: float | None) -> bool:
    """Say whether two values are the same but for rounding in files; what is not a number equals itself."""
    if one is None or two is None or one == two or (one != one and two != two):
        return (one is None) == (two is None)
    return abs(one - two) <= ROUNDING * max(abs(one), abs(two)) < math.inf


def packed_alike(row: Row, other: Row) -> Row:
    """Return a row with its arrays rounded as those of the other are: equal rows differ by nothing."""
    names = [name for name in ARRAYS if isinstance(getattr(other, name), dict) and isinstance(getattr(row, name), list)]
    packed: dict[str, Any] = dict.fromkeys(names) | packed_arrays(row, names)
    return replace(row, **packed) if packed else row
