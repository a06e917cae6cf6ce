"""Matches the rows of two runs, and finds those that cannot be compared."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from distbench.results.packing import ARRAYS, packed_arrays
from distbench.results.rows import OK, Row, name_with_fit, status_of

__all__ = [
    "POINTS_CHANGED",
    "MatchedRows",
    "NotCompared",
    "Subject",
    "equal",
    "match_rows",
    "measured",
    "packed_alike",
    "points_differ",
]

METHOD = {"k": "k", "distance": "distance", "m": "number of test points", "M": "number of candidates"}
SAME_NAME = "several encoders in one test have this name; give each another one, with name="
POINTS_CHANGED = "the points changed"
TEST_FAILED = "has no value now, because its test failed"
ROUNDING = 1e-9  # relative to the values: files keep ten digits


@dataclass(frozen=True)
class Subject:
    """An encoder, its data and its code size."""

    encoder: str
    dataset: str
    test: str
    code_size: int

    @property
    def label(self) -> str:
        """The encoder, its data and the code size as text."""
        return f"{self.encoder}, {self.dataset or self.test}, code size {self.code_size}"


@dataclass(frozen=True)
class NotCompared(Subject):
    """An encoder, or one of its metrics, that both runs have but that cannot be compared.

    Attributes
    ----------
    encoder, dataset, test, code_size
        As in :class:`distbench.results.rows.Row`.
    metric : str
        The metric; empty if the reason holds for all metrics.
    reason : str
        Why it cannot be compared.
    failed : bool
        Whether it had a value before and has none now.
    had : frozenset of str
        Metrics that had a value before; gates on them are broken.
    """

    metric: str
    reason: str
    failed: bool = False
    had: frozenset[str] = frozenset()

    def __str__(self) -> str:
        return f"{self.label}{', ' * bool(self.metric)}{self.metric}: {self.reason}"


class MatchedRows(NamedTuple):
    """The rows of one encoder in both runs that have the same settings, and its rows that failed."""

    subject: Subject
    before: Sequence[Row]
    now: Sequence[Row]


Key = Callable[[Row], tuple[Any, ...]]
Groups = dict[tuple[Any, ...], list[Row]]


def match_rows(
    before: Iterable[Row], now: Iterable[Row], failed_tests: Collection[str] = ()
) -> tuple[list[MatchedRows], list[str], list[str], list[NotCompared]]:
    """Return matched rows in the order of `now`, encoders only in `before`, encoders only in `now`, and all others.

    The others were measured with different settings, failed in one of the runs, or belong to a test that failed now,
    which is one of `failed_tests` or has a failed row.
    """
    runs = list(before), list(now)
    unclear = _contradictory(runs, lambda row: row.setting.subject)

    def key(row: Row) -> tuple[Any, ...]:
        subject = row.setting.subject
        return (*subject, row.test) if subject in unclear else subject

    old, new = (_grouped(rows, key) for rows in runs)
    matches: list[MatchedRows] = []
    not_compared: list[NotCompared] = []
    same_name = _contradictory(runs, key)
    for encoder in (encoder for encoder in new if encoder in old):
        if encoder in same_name:
            not_compared.append(_not_compared(new[encoder], SAME_NAME, had=measured(old[encoder])))
        else:
            matched, unmatched = _matched(old[encoder], new[encoder])
            matches += matched
            not_compared += unmatched
    failed = {*failed_tests, *(row.test for row in runs[1] if row.status != OK)} - {""}
    only_before = []
    for rows in (old[encoder] for encoder in old if encoder not in new):
        if failed & {row.test for row in rows}:
            not_compared += [_not_compared(rows, TEST_FAILED, True, had)] if (had := measured(rows)) else []
        else:
            only_before.append(_subject(rows).label)
    only_now = [_subject(new[encoder]).label for encoder in new if encoder not in old]
    return matches, only_before, only_now, not_compared


def _matched(before: Sequence[Row], now: Sequence[Row]) -> tuple[list[MatchedRows], list[NotCompared]]:
    """Match the rows of one encoder by k, distance and numbers of points."""
    scored, failed = (
        [[row for row in rows if (row.status == OK) == is_ok] for rows in (before, now)] for is_ok in (True, False)
    )
    old, new = (_grouped(rows, lambda row: row.setting.method) for rows in scored)
    lost, gained = [method for method in old if method not in new], [method for method in new if method not in old]
    if lost and gained:
        pairs = zip(METHOD.values(), lost[0], gained[0], strict=True)
        differences = "; ".join(
            f"{name} was {old_value}, is now {value}" for name, old_value, value in pairs if old_value != value
        )
        unmatched = [_not_compared(now, differences, had=measured(row for method in lost for row in old[method]))]
    elif not old or not new:
        when, rows = ("now", failed[1]) if old else ("before", failed[0]) if new else ("before and now", failed[1])
        reasons = dict.fromkeys(f"{when} {status_of(row)}" for row in rows)
        unmatched = [_not_compared(now, reason, bool(old), measured(scored[0])) for reason in reasons]
    else:
        ran = {"", *(row.test for row in now)}  # another test of the same encoder may not have run
        unmatched = [
            _not_compared(now, f"{_as_text(method)}: was not measured so now", had=measured(old[method], ran))
            for method in lost
        ]
        unmatched += [_not_compared(now, f"{_as_text(method)}: was not measured so before") for method in gained]
    subject = _subject(now)
    matches = [
        MatchedRows(subject, old[method] + failed[0], new[method] + failed[1]) for method in new if method in old
    ]
    return matches, unmatched


def measured(rows: Iterable[Row], tests: Collection[str] | None = None) -> frozenset[str]:
    """Return the metrics that have a value, finite or not; if `tests` are given, only in rows of these tests."""
    has_value = (row for row in rows if row.status == OK and row.value is not None)
    return frozenset(row.metric for row in has_value if tests is None or row.test in tests)


def _as_text(method: tuple[Any, ...]) -> str:
    return ", ".join(f"{name} = {value}" for name, value in zip(METHOD, method, strict=True))


def _contradictory(runs: Iterable[Iterable[Row]], key: Key) -> set[tuple[Any, ...]]:
    """Return the keys of rows that contradict each other: one run has two values of a metric with the same setting."""
    keys = set()
    for rows in runs:
        values: dict[tuple[Any, ...], float | None] = {}
        for row in rows:
            quantity = (*key(row), row.setting.method, row.metric, row.seed)
            if row.status == OK and not equal(values.setdefault(quantity, row.value), row.value):
                keys.add(key(row))
    return keys


def _grouped(rows: Iterable[Row], key: Key) -> Groups:
    groups: Groups = {}
    for row in rows:
        groups.setdefault(key(row), []).append(row)
    return groups


def _subject(rows: Sequence[Row]) -> Subject:
    row = rows[0]
    return Subject(name_with_fit(row.encoder, row.in_sample), row.dataset, row.test, row.code_size)


def _not_compared(
    rows: Sequence[Row], reason: str, failed: bool = False, had: frozenset[str] = frozenset()
) -> NotCompared:
    return NotCompared(**vars(_subject(rows)), metric="", reason=reason, failed=failed, had=had)


def points_differ(row: Row, other: Row) -> str:
    """Return why two rows may be of different points; empty if both have a hash and their hashes agree."""
    pairs = [(row.fingerprint, other.fingerprint), (row.data_sha256, other.data_sha256)]
    known = [pair for pair in pairs if all(pair)]
    if not known:
        return "not known to be of the same points"
    return "" if all(a == b for a, b in known) else POINTS_CHANGED


def equal(value: float | None, other: float | None) -> bool:
    """Return whether two values are equal up to rounding in files; nan equals nan."""
    if value is None or other is None or value == other or (math.isnan(value) and math.isnan(other)):
        return (value is None) == (other is None)
    return abs(value - other) <= ROUNDING * max(abs(value), abs(other)) < math.inf


def packed_alike(row: Row, other: Row) -> Row:
    """Return a row whose arrays are packed if those of the other row are, so that equal rows do not differ."""
    names = [name for name in ARRAYS if isinstance(getattr(other, name), dict) and isinstance(getattr(row, name), list)]
    packed: dict[str, Any] = dict.fromkeys(names) | packed_arrays(row, names)
    return replace(row, **packed) if packed else row
