"""Matches the rows of two runs, and finds those that cannot be compared."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

from distbench.results.packing import ARRAYS, packed_arrays
from distbench.results.points import find_moved, moved_text, placed, rivals, same_points
from distbench.results.rows import OK, Row, name_with_fit, status_of

__all__ = [
    "MISSING",
    "NOT_A_NUMBER",
    "ROUNDING",
    "MatchedRows",
    "NotCompared",
    "Subject",
    "contradictory",
    "equal",
    "match_rows",
    "measured",
    "packed_alike",
]

METHOD = {"k": "k", "distance": "distance", "m": "number of test points", "M": "number of candidates"}
SAME_NAME = (
    "has two values in one run: several encoders in one test have this name (give each another one, with name=), or "
    "two files hold the test (give only the one that counts)"
)
UNNAMED = (
    "changed, and only a number tells it from others of its name, which may have changed places; name each one, with "
    "name= or distbench.checks({NAME: ENCODER})"
)
TEST_FAILED = "has no value now, because its test failed"
NOT_A_NUMBER = "is not a number"
MISSING = "was there, now missing"
ROUNDING = 1e-9  # relative to the values: files keep ten digits


@dataclass(frozen=True)
class Subject:
    """An encoder, its data, its code size, and the k of its metrics without their own."""

    encoder: str
    dataset: str
    test: str
    code_size: int
    k: int = field(default=0, kw_only=True)

    @property
    def label(self) -> str:
        """The encoder, its data and the code size as text."""
        return f"{self.encoder}, {self.dataset or self.test}, code size {self.code_size}"


@dataclass(frozen=True)
class NotCompared(Subject):
    """An encoder, or one of its metrics, that both runs have but that cannot be compared.

    Attributes
    ----------
    encoder, dataset, test, code_size, k
        As in :class:`distbench.results.rows.Row`.
    metric : str
        The metric; empty if the reason holds for all metrics.
    reason : str
        Why it cannot be compared.
    failed : bool
        Whether it had a value before and has none now.
    had : frozenset of str
        Metrics that had a value before, by all their names at the k of then; gates on these are broken.
    missing : bool
        Whether the second run has no rows of it, or of one of its seeds or metrics, though it did not leave it out.
    """

    metric: str
    reason: str
    failed: bool = False
    had: frozenset[str] = frozenset()
    missing: bool = False

    @property
    def is_choice(self) -> bool:
        """Whether somebody may want it, so that the second run becomes the one to compare with: nothing failed."""
        return self.missing or not (self.failed or self.reason in (SAME_NAME, NOT_A_NUMBER))

    @property
    def subject(self) -> str:
        """The encoder, its data and the code size as text, with the metric if there is one."""
        return f"{self.label}, {self.metric}" if self.metric else self.label

    def __str__(self) -> str:
        return f"{self.subject}: {self.reason}"


class MatchedRows(NamedTuple):
    """The rows of one encoder in both runs that have the same settings, and its rows that failed.

    `moved` says what the encoder was, if it has another name, test or code size now.
    """

    subject: Subject
    before: Sequence[Row]
    now: Sequence[Row]
    moved: str = ""


Key = Callable[[Row], tuple[Any, ...]]
Groups = dict[tuple[Any, ...], list[Row]]


def match_rows(
    before: Iterable[Row],
    now: Iterable[Row],
    failed_tests: Collection[str] = (),
    left_out: Collection[str] = (),
) -> tuple[list[MatchedRows], list[str], list[str], list[NotCompared]]:
    """Return matched rows in the order of `now`, encoders only in `before`, encoders only in `now`, and all others.

    The others were measured with different settings, failed in one of the runs, belong to a test that failed now,
    which is one of `failed_tests` or has a failed row, or are missing now though their test is not in `left_out`.
    """
    runs = list(before), list(now)
    key = _key(runs)
    old, new = (_grouped(rows, key) for rows in runs)
    numbered = rivals(old, new) & placed(old, new)
    same = {
        name
        for name in old.keys() & new.keys()
        if same_points(old[name], new[name]) and (name not in numbered or _equal_values(old[name], new[name]))
    }
    gone, added = ({name: rows for name, rows in run.items() if name not in same} for run in (old, new))
    moved = find_moved(gone, added)  # also where a name is now that of other points: X0, X1 are names by position
    found = set(moved.values())
    missing = {name: rows for name, rows in gone.items() if name not in found}
    expected = [name for name, rows in missing.items() if not {row.test for row in rows}.issubset(left_out)]
    unnamed = rivals(expected, [name for name in added if name not in moved]) & numbered
    by_name = {name for name in missing.keys() & added.keys() if name not in moved and name not in unnamed}
    matches: list[MatchedRows] = []
    not_compared: list[NotCompared] = []
    same_name = contradictory(runs, key)
    for encoder, rows in new.items():
        earlier = old.get(moved.get(encoder, encoder), [])
        if not earlier or encoder not in {*same, *moved, *by_name}:
            continue
        if encoder in same_name:
            not_compared.append(_not_compared(rows, SAME_NAME, had=measured(earlier)))
        else:
            text = moved_text(earlier[0], rows[0]) if encoder in moved else ""
            matched, unmatched = _matched(earlier, rows, left_out)
            matches += [pair._replace(moved=text) for pair in matched]
            not_compared += unmatched
    failed = {*failed_tests, *(row.test for row in runs[1] if row.status != OK)} - {""}
    lost = {
        name: _lost(rows, failed, left_out, UNNAMED if name in unnamed else MISSING)
        for name, rows in missing.items()
        if name not in by_name
    }
    only_before = [_subject(missing[name]).label for name, entry in lost.items() if entry is None]
    only_now = [_subject(rows).label for name, rows in added.items() if name not in moved and name not in by_name]
    return matches, only_before, only_now, [*not_compared, *filter(None, lost.values())]


def _equal_values(rows: Sequence[Row], others: Sequence[Row]) -> bool:
    """Return whether two encoders have equal values of all metrics that both have."""
    values = {(row.full_metric, row.seed): row.value for row in rows}
    return all(equal(values.get((row.full_metric, row.seed), row.value), row.value) for row in others)


def _lost(rows: Sequence[Row], failed: set[str], left_out: Collection[str], reason: str) -> NotCompared | None:
    """Return the entry for an encoder that is missing now; None if it was left out, or had no value before."""
    tests, had = {row.test for row in rows}, measured(rows)
    if not had or (not tests & failed and tests.issubset(left_out)):
        return None
    if tests & failed:
        return _not_compared(rows, TEST_FAILED, True, had)
    return _missing(rows, MISSING, had) if reason == MISSING else _not_compared(rows, reason, had=had)


def _key(runs: tuple[Sequence[Row], Sequence[Row]]) -> Key:
    """Return the key that rows of one encoder share: its subject, with test and points where it would not be unique."""

    def by_subject(row: Row) -> tuple[Any, ...]:
        return row.setting.subject

    def by_test(row: Row) -> tuple[Any, ...]:
        subject = row.setting.subject
        return (*subject, row.test) if subject in unclear else subject

    def by_points(row: Row) -> tuple[Any, ...]:
        name = by_test(row)
        return (*name, row.fingerprint, row.data_sha256) if name in still_unclear else name

    unclear = contradictory(runs, by_subject)
    still_unclear = contradictory(runs, by_test)
    return by_points


def _matched(
    before: Sequence[Row], now: Sequence[Row], left_out: Collection[str]
) -> tuple[list[MatchedRows], list[NotCompared]]:
    """Match the rows of one encoder by k, distance and numbers of points."""
    scored, failed = (
        [[row for row in rows if (row.status == OK) == is_ok] for rows in (before, now)] for is_ok in (True, False)
    )
    old, new = (_grouped(rows, _method_key([*before, *now])) for rows in scored)
    if old and new:
        unmatched = _other_methods(old, new, now, left_out)
    else:
        when, rows = ("now", failed[1]) if old else ("before", failed[0]) if new else ("before and now", failed[1])
        reasons = dict.fromkeys(f"{when} {status_of(row)}" for row in rows)
        unmatched = [_not_compared(now, reason, bool(old), measured(scored[0])) for reason in reasons]
    matches = []
    for method in (method for method in new if method in old):
        matches.append(MatchedRows(_subject(new[method]), old[method] + failed[0], new[method] + failed[1]))
        expected = [row for row in old[method] if row.test not in left_out]
        unmatched += _missing_seeds(old[method], expected, now)
        unmatched += _fewer_evaluations(expected, new[method], now)
    return matches, unmatched


def _method_key(rows: Iterable[Row]) -> Key:
    """Return the key that rows of one method share: without k if each metric has its own k or none."""
    from distbench.metrics import METRICS

    if any(METRICS.full_name(row.metric, row.k) != row.metric for row in rows):
        return lambda row: row.setting.method
    least = min(row.k for row in rows)
    return lambda row: (least, *row.setting.method[1:])


def _other_methods(old: Groups, new: Groups, now: Sequence[Row], left_out: Collection[str]) -> list[NotCompared]:
    """Return the entries for rows that were measured with a setting that the other run lacks."""
    lost, gained = [method for method in old if method not in new], [method for method in new if method not in old]
    if lost and gained:
        pairs = zip(METHOD.values(), lost[0], gained[0], strict=True)
        differences = "; ".join(f"{name} was {was}, is now {value}" for name, was, value in pairs if was != value)
        return [_not_compared(now, differences, had=measured(row for method in lost for row in old[method]))]
    expected = {method: [row for row in old[method] if row.test not in left_out] for method in lost}
    return [
        *(
            _not_compared(now, f"{_as_text(method)}: was not measured so now", had=measured(rows))
            for method, rows in expected.items()
        ),
        *(_not_compared(now, f"{_as_text(method)}: was not measured so before") for method in gained),
    ]


def _missing_seeds(before: Sequence[Row], expected: Sequence[Row], now: Sequence[Row]) -> list[NotCompared]:
    """Return the entry for training seeds that are missing now, if other seeds are in both runs."""
    here = {row.seed for row in now}
    if None in here or here.isdisjoint(row.seed for row in before):
        return []
    gone = [row for row in expected if row.seed not in here]
    seeds = ", ".join(dict.fromkeys(str(row.seed) for row in gone))
    return [_missing(now, f"training seed {seeds} {MISSING}", measured(gone))] if gone else []


def _fewer_evaluations(expected: Sequence[Row], rows: Sequence[Row], now: Sequence[Row]) -> list[NotCompared]:
    """Return the entry for metrics measured more often before: encoders with equal values may share a name."""
    before, after = (Counter((row.full_metric, row.seed) for row in of_run) for of_run in (expected, rows))
    fewer = {quantity for quantity in after if before[quantity] > after[quantity]}
    if not fewer:
        return []
    most = max(fewer, key=before.__getitem__)
    named = "name= tells encoders of one name apart (is a row twice in the earlier file? store it anew)"
    reason = f"was evaluated {before[most]} times, now {after[most]}; {named}"
    return [_missing(now, reason, measured(row for row in expected if (row.full_metric, row.seed) in fewer))]


def measured(rows: Iterable[Row]) -> frozenset[str]:
    """Return all names of the metrics that have a value, finite or not, at the k of their rows."""
    from distbench.metrics import METRICS

    names = {(row.metric, row.k) for row in rows if row.status == OK and row.value is not None}
    return frozenset[str]().union(*(METRICS.names_of(*name) for name in names))


def _as_text(method: tuple[Any, ...]) -> str:
    return ", ".join(f"{name} = {value}" for name, value in zip(METHOD, method, strict=True))


def contradictory(runs: Iterable[Iterable[Row]], key: Key) -> set[tuple[Any, ...]]:
    """Return the keys of rows that contradict each other: one run has two values of a metric with the same setting."""
    keys = set()
    for rows in runs:
        values: dict[tuple[Any, ...], float | None] = {}
        for row in rows:
            quantity = (*key(row), row.setting.method, row.full_metric, row.seed)
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
    return Subject(name_with_fit(row.encoder, row.in_sample), row.dataset, row.test, row.code_size, k=row.k)


def _not_compared(
    rows: Sequence[Row], reason: str, failed: bool = False, had: frozenset[str] = frozenset()
) -> NotCompared:
    return NotCompared(**vars(_subject(rows)), metric="", reason=reason, failed=failed, had=had)


def _missing(rows: Sequence[Row], reason: str, had: frozenset[str]) -> NotCompared:
    return replace(_not_compared(rows, reason, True, had), missing=True)


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
