"""What changed between two runs, encoder by encoder, and how sure that is. Nothing here fits, reads or prints."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from distbench.inference.estimate import Estimate, difference_of_intervals, mean_of, mean_of_intervals
from distbench.results.matching import (
    POINTS_CHANGED,
    MatchedRows,
    Subject,
    equal,
    match_rows,
    packed_alike,
    points_differ,
)
from distbench.results.packing import unpack
from distbench.results.rows import Row

__all__ = ["Change", "NotCompared", "RunComparison", "compare_rows"]


@dataclass(frozen=True)
class Change:
    """A metric of an encoder, then and now: means over the seeds that both runs have.

    Attributes
    ----------
    encoder, dataset, test, code_size, metric, direction
        As in :class:`distbench.results.rows.Row`, of the rows of now.
    before, now : float
        The values.
    difference : float
        ``now - before``: exactly 0 for equal rows.
    low, high : float or None
        95 % interval of the difference over test points; None where there is none.
    paired : bool
        Whether the interval is that of the same points judged twice, which is narrower.
    note : str
        What a reader must know of it.
    other_points : bool
        Whether the points are others than before.
    """

    encoder: str
    dataset: str
    test: str
    code_size: int
    metric: str
    direction: Literal["up", "down"]
    before: float
    now: float
    difference: float
    low: float | None
    high: float | None
    paired: bool
    note: str = ""
    other_points: bool = False

    @property
    def is_change(self) -> bool:
        """Whether the values differ by more than rounding in files."""
        return not equal(self.before, self.now)

    @property
    def worsening(self) -> tuple[float, float | None, float | None]:
        """By how much it is worse, with the interval: negative where it is better."""
        if self.direction == "down":
            return self.difference, self.low, self.high
        less = [None if end is None else -end for end in (self.high, self.low)]
        return -self.difference, less[0], less[1]


@dataclass(frozen=True)
class NotCompared:
    """What both runs have and yet cannot be compared.

    Attributes
    ----------
    encoder, dataset, test, code_size
        Whose rows they are.
    metric : str
        Which one; empty where that is so of all.
    reason : str
        Why.
    failed : bool
        It had a value before and has none now.
    had : frozenset of str
        Metrics that had a value before: their gates are broken.
    """

    encoder: str
    dataset: str
    test: str
    code_size: int
    metric: str
    reason: str
    failed: bool = False
    had: frozenset[str] = frozenset()


@dataclass(frozen=True)
class RunComparison:
    """All that changed between two runs.

    Attributes
    ----------
    source : str
        What the first run is called.
    changes : tuple of Change
        One an encoder and metric that both have.
    only_before, only_now : tuple of str
        Encoders that one of the runs lacks, with their data and code size.
    not_compared : tuple of NotCompared
        What both have and yet cannot be compared.
    """

    source: str
    changes: tuple[Change, ...]
    only_before: tuple[str, ...] = ()
    only_now: tuple[str, ...] = ()
    not_compared: tuple[NotCompared, ...] = ()


def compare_rows(
    before: Iterable[Row], now: Iterable[Row], source: str = "", failed_tests: Collection[str] = ()
) -> RunComparison:
    """Compare two runs.

    Rows belong together by encoder, data set (of points without one: test), code size, in sample or not, k and the
    distance. Values are means over the seeds that both have. Where both have per-point scores of the same points, the
    interval is the paired jackknife's; else it is made of both intervals (the method of variance estimates recovery,
    Zou and Donner 2008), which is wider for points that are the same. Rows of another metric version, or of another
    number of test points or candidates, are not compared, and said so.

    Parameters
    ----------
    before, now : iterable of Row
        Of both runs.
    source : str
        Where `before` is from, for readers.
    failed_tests : collection of str
        Tests of now that failed, as rows name them, beside those that have a row which says so. Whom `before` has
        under one of them and now lacks was lost, not left out.

    Returns
    -------
    RunComparison
        In the order of the rows of now.
    """
    matches, only_before, only_now, left = match_rows(before, now, failed_tests)
    changes: list[Change] = []
    not_compared = [NotCompared(*one.who, metric="", reason=one.reason, failed=one.failed, had=one.had) for one in left]
    for matched in matches:
        of_match, without = _compared(matched)
        changes += of_match
        not_compared += without
    return RunComparison(source, tuple(changes), tuple(only_before), tuple(only_now), tuple(not_compared))


def _compared(matched: MatchedRows) -> tuple[list[Change], list[NotCompared]]:
    before, now = matched.by_metric()
    had = matched.lost()
    without = [NotCompared(*matched.who, metric="", reason=told, failed=True, had=had) for told in matched.failures()]
    changes, same = [], matched.agree()
    for metric in dict.fromkeys([*now, *before]):
        old, new = before.get(metric, {}), now.get(metric, {})
        reason, failed = _reason(old, new)
        if not reason:
            changes.append(_change(old, new, matched.who, same))
        elif old.keys() - matched.failed_seeds or not old:  # what failed is said once, not for each metric
            had = frozenset([metric] if _was_measured(old, new) else [])
            without.append(NotCompared(*matched.who, metric=metric, reason=reason, failed=failed, had=had))
    return changes, without


def _reason(old: dict[Any, Row], new: dict[Any, Row]) -> tuple[str, bool]:
    """Return why a metric cannot be compared, and whether it has no value now."""
    if not old or not new:
        return f"was not measured {'now' if old else 'before'}", bool(old)
    versions = [{row.metric_version for row in rows.values()} for rows in (old, new)]
    if versions[0] != versions[1] or len(versions[0]) > 1:
        one, other = (", ".join(map(str, sorted(found))) for found in versions)
        return f"metric version was {one}, is now {other}", False
    seeds = [seed for seed in new if seed in old]
    if not seeds:
        return f"no training seed in common (before {_told(old)}, now {_told(new)})", False
    numbers = [[_value(rows[seed]) for seed in seeds] for rows in (old, new)]
    if any(math.isnan(mean_of(found)) for found in numbers):
        return "is not a number", not math.isnan(mean_of(numbers[0]))
    return "", False


def _was_measured(old: dict[Any, Row], new: dict[Any, Row]) -> bool:
    """Say whether a metric had a value before; what was not a number had none, unless now it is not one either."""
    found = [any(not math.isnan(_value(row)) for row in rows.values()) for rows in (old, new)]
    return bool(old) and (found[0] or not found[1])


def _told(rows: dict[Any, Row]) -> str:
    return ", ".join("none" if seed is None else str(seed) for seed in rows)


def _value(row: Row) -> float:
    return math.nan if row.value is None else row.value


def _change(old: dict[Any, Row], new: dict[Any, Row], who: Subject, same: bool) -> Change:
    """Return the change of a metric; ``same`` rows are of the same codes, which surely did not change."""
    seeds = [seed for seed in new if seed in old]
    before, now = [old[seed] for seed in seeds], [new[seed] for seed in seeds]
    values = [mean_of([_value(row) for row in rows]) for rows in (before, now)]
    difference = 0.0 if values[0] == values[1] else values[1] - values[0]
    low, high, why = (difference, difference, "") if same else _paired(before, now, difference)
    if why:
        intervals = [mean_of_intervals([(row.low, row.high) for row in rows]) for rows in (now, before)]
        low, high = difference_of_intervals(values[1], intervals[0], values[0], intervals[1])
    other = why == POINTS_CHANGED
    notes = [f"not paired: {why}"] if why and low is not None else [why] if other else []
    every = len(old.keys() | new.keys())
    notes += [f"over {len(seeds)} of {every} seeds"] if len(seeds) < every else []
    return Change(
        *who,
        metric=now[0].metric,
        direction="down" if now[0].direction == "down" else "up",
        before=values[0],
        now=values[1],
        difference=difference,
        low=low,
        high=high,
        paired=not why,
        note="; ".join(notes),
        other_points=other,
    )


def _paired(before: Sequence[Row], now: Sequence[Row], difference: float) -> tuple[float | None, float | None, str]:
    """Return the paired interval, or why there is none."""
    other = [one for one in map(points_differ, before, now) if one]
    if other:
        return None, None, other[0]
    pairs = [(packed_alike(one, two), packed_alike(two, one)) for one, two in zip(before, now, strict=True)]
    estimate = Estimate.mean([_estimate(row_now) - _estimate(row_before) for row_before, row_now in pairs])
    if estimate.leave_one_out is None:
        return None, None, "no per-point scores of both runs"
    low, high = replace(estimate, value=difference).interval()
    return low, high, "" if low is not None else "no interval of the difference"


def _estimate(row: Row) -> Estimate:
    return Estimate(_value(row), unpack(row.leave_one_out), unpack(row.interaction))
