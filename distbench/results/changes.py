"""Changes between two runs, encoder by encoder, with intervals. Nothing here fits, reads or prints."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from distbench.inference.estimate import Estimate, mean_of
from distbench.results.matching import (
    NOT_A_NUMBER,
    ROUNDING,
    MatchedRows,
    NotCompared,
    Subject,
    equal,
    match_rows,
    measured,
    packed_alike,
)
from distbench.results.packing import estimate_of
from distbench.results.points import POINTS_CHANGED, points_differ
from distbench.results.rows import OK, Row, status_of

__all__ = ["Change", "NotCompared", "RunComparison", "compare_rows"]

MIN_EQUAL_METRICS = 2
"""Number of metrics that must agree in every seed if codes are to count as the same."""

LEAST_DIFFERENCE = 1e-12
"""Of metrics without a unit: sums in another order differ by less."""
UNITLESS = ("stress", "distortion")
"""Families of metrics that divide code distances by input distances; others are if they are free of scale."""

BySeed = dict[int | None, Row]


@dataclass(frozen=True)
class Change(Subject):
    """A metric of an encoder in two runs: means over the training seeds that both runs have.

    Attributes
    ----------
    encoder, dataset, test, code_size, k, metric, direction
        As in :class:`distbench.results.rows.Row`, from the rows of the second run.
    before, now : float
        The values.
    difference : float
        ``now - before``: exactly 0 for equal rows.
    low, high : float or None
        95 % interval of the difference: over test points, and over trainings if several seeds ran; None if it is not
        known.
    paired : bool
        Whether the interval is for the same points measured twice, which is narrower.
    note : str
        A remark for readers, such as why the interval is not paired.
    other_points : bool
        Whether the points changed.
    moved : str
        What the encoder was, if it was matched by its points alone: another name, test or code size.
    """

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
    moved: str = ""

    @property
    def rounding(self) -> float:
        """The largest difference that rounding alone may make.

        It is a share of the values, and a fixed number for metrics without a unit, whose best value may be 0.
        """
        from distbench.metrics import METRICS

        finite = [abs(value) for value in (self.before, self.now) if math.isfinite(value)]
        known = METRICS.get(self.metric)
        is_unitless = known is not None and (known.scale_free or known.family in UNITLESS)
        return max([ROUNDING * value for value in finite] + [LEAST_DIFFERENCE] * is_unitless, default=0.0)

    @property
    def is_change(self) -> bool:
        """Whether the values differ by more than rounding."""
        return abs(self.difference) > self.rounding

    @property
    def hides_worsening(self) -> bool:
        """Whether both values are infinitely bad, so that nobody sees whether codes that differ got worse."""
        worst = math.inf if self.direction == "down" else -math.inf
        return self.before == self.now == worst and self.low is None

    @property
    def worsening(self) -> tuple[float, float | None, float | None]:
        """The worsening, low end and high end; an improvement is negative."""
        if self.direction == "down":
            return self.difference, self.low, self.high
        mirrored = [None if end is None else -end for end in (self.high, self.low)]
        return -self.difference, mirrored[0], mirrored[1]


@dataclass(frozen=True)
class RunComparison:
    """All changes between two runs.

    Attributes
    ----------
    source : str
        Name of the first run.
    changes : tuple of Change
        One for each encoder and metric that both runs have.
    only_before, only_now : tuple of str
        Encoders that the second run left out on purpose, and those that the first run lacks, with their data and code
        size.
    not_compared : tuple of NotCompared
        Encoders, or their metrics, that both runs have but that cannot be compared.
    """

    source: str
    changes: tuple[Change, ...]
    only_before: tuple[str, ...] = ()
    only_now: tuple[str, ...] = ()
    not_compared: tuple[NotCompared, ...] = ()


def compare_rows(
    before: Iterable[Row],
    now: Iterable[Row],
    source: str = "",
    failed_tests: Collection[str] = (),
    left_out: Collection[str] = (),
) -> RunComparison:
    """Compare two runs.

    Rows match if they have the same encoder, data set (or test, for points without a data set), code size, k and
    distance, and if both or neither are in sample. Values are means over the seeds that both runs have. If both runs
    have per-point scores of the same points, the interval is the paired jackknife's; else it comes from both intervals
    (the method of variance estimates recovery, Zou and Donner 2008), which is wider for the same points. Rows that
    differ in the metric's version, or in the number of test points or candidates, are not compared, and the result says
    why. An encoder that has another name, test or code size now is matched if its points, k and distance are the same,
    and its test, or its name and code size.

    Parameters
    ----------
    before, now : iterable of Row
        The rows of both runs.
    source : str
        Name of the first run, for readers.
    failed_tests : collection of str
        Tests of the second run that failed, beside those with a failed row. If an encoder is missing now and such a
        test measured it before, the reason is that its test failed.
    left_out : collection of str
        Tests of the first run that the second one left out on purpose. Other encoders that are missing now are lost.

    Returns
    -------
    RunComparison
        Its changes are in the order of `now`.
    """
    matches, only_before, only_now, not_compared = match_rows(before, now, failed_tests, left_out)
    compared = [entry for matched in matches for entry in _compared(matched)]
    changes = tuple(entry for entry in compared if isinstance(entry, Change))
    not_compared += [entry for entry in compared if isinstance(entry, NotCompared)]
    return RunComparison(source, changes, tuple(only_before), tuple(only_now), tuple(not_compared))


def _compared(matched: MatchedRows) -> Iterator[Change | NotCompared]:
    before, now = _by_metric(matched.before), _by_metric(matched.now)
    had_value = {row.seed for row in matched.before if row.status == OK}
    failed = {row.seed for row in matched.now if row.status != OK}
    lost = had_value if None in failed else failed & had_value
    had = measured(row for row in matched.before if row.seed in lost)
    failures = (row for row in matched.now if lost and row.status != OK and row.seed in {*lost, None})
    for reason in dict.fromkeys(map(status_of, failures)):
        yield NotCompared(**vars(matched.subject), metric="", reason=reason, failed=True, had=had)
    is_same = _have_same_codes(before, now)
    for full_name in dict.fromkeys([*now, *before]):
        old, new = before.get(full_name, {}), now.get(full_name, {})
        metric = next(iter((new or old).values())).metric
        reason, has_failed = _reason(old, new)
        if not reason:
            yield _change(old, new, matched, is_same)
        elif old.keys() - lost or not old:  # a failed seed is reported once, not for each metric
            had = measured(old.values()) if _was_measured(old, new) else frozenset[str]()
            is_missing = bool(old) and not new
            yield NotCompared(
                **vars(matched.subject), metric=metric, reason=reason, failed=has_failed, had=had, missing=is_missing
            )


def _by_metric(rows: Iterable[Row]) -> dict[str, BySeed]:
    """Return the rows that have a value by metric, each with its k, and by seed."""
    by_metric: dict[str, BySeed] = {}
    for row in rows:
        if row.status == OK:
            by_metric.setdefault(row.full_metric, {}).setdefault(row.seed, row)
    return by_metric


def _have_same_codes(before: dict[str, BySeed], now: dict[str, BySeed]) -> bool:
    """Return whether several metrics were measured on the same points and all are equal in every seed."""
    pairs = [
        (before[metric][seed], row)
        for metric, rows in now.items()
        for seed, row in rows.items()
        if seed in before.get(metric, {})
    ]
    is_same = all(not points_differ(old, new) and equal(old.value, new.value) for old, new in pairs)
    return is_same and len({row.metric for _, row in pairs}) >= MIN_EQUAL_METRICS


def _reason(old: BySeed, new: BySeed) -> tuple[str, bool]:
    """Return why a metric cannot be compared (empty if it can), and whether it lost its value."""
    if not old or not new:
        return f"was not measured {'now' if old else 'before'}", bool(old)
    versions = [sorted({row.metric_version for row in rows.values()}) for rows in (old, new)]
    if versions[0] != versions[1] or len(versions[0]) > 1:
        return "metric version was {}, is now {}".format(*(", ".join(map(str, of_run)) for of_run in versions)), False
    directions = [sorted({row.direction for row in rows.values()}) for rows in (old, new)]
    if directions[0] != directions[1] or len(directions[0]) > 1:
        return "direction was {}, is now {}".format(*map(", ".join, directions)), False
    seeds = [seed for seed in new if seed in old]
    if not seeds:
        before, now = (", ".join("none" if seed is None else str(seed) for seed in rows) for rows in (old, new))
        return f"no training seed in common (before {before}, now {now})", False
    means = [mean_of([_value(rows[seed]) for seed in seeds]) for rows in (old, new)]
    return (NOT_A_NUMBER, not math.isnan(means[0])) if any(map(math.isnan, means)) else ("", False)


def _was_measured(old: BySeed, new: BySeed) -> bool:
    """Return whether a metric had a value before; nan counts as a value only if the metric is nan now, too."""
    had_number, has_number = (any(not math.isnan(_value(row)) for row in rows.values()) for rows in (old, new))
    return bool(old) and (had_number or not has_number)


def _value(row: Row) -> float:
    return math.nan if row.value is None else row.value


def _change(old: BySeed, new: BySeed, matched: MatchedRows, is_same: bool) -> Change:
    """Return the change of a metric; if the codes are the same (`is_same`), both ends are the difference itself."""
    seeds = [seed for seed in new if seed in old]
    before, now = [old[seed] for seed in seeds], [new[seed] for seed in seeds]
    value_before, value_now = (mean_of([_value(row) for row in rows]) for rows in (before, now))
    difference = 0.0 if value_before == value_now else value_now - value_before
    estimate, unpaired = _difference(before, now)
    low, high = (difference, difference) if is_same else replace(estimate, value=difference).interval()
    unpaired = "" if is_same else unpaired
    other_points = unpaired == POINTS_CHANGED
    notes = [matched.moved] if matched.moved else []
    notes += [f"not paired: {unpaired}"] if unpaired and low is not None else [unpaired] if other_points else []
    total = len(old.keys() | new.keys())
    notes += [f"over {len(seeds)} of {total} seeds"] if len(seeds) < total else []
    return Change(
        **vars(matched.subject),
        metric=now[0].metric,
        direction=now[0].direction,
        before=value_before,
        now=value_now,
        difference=difference,
        low=low,
        high=high,
        paired=not unpaired and low is not None,
        note="; ".join(notes),
        other_points=other_points,
        moved=matched.moved,
    )


def _difference(before: Sequence[Row], now: Sequence[Row]) -> tuple[Estimate, str]:
    """Return the mean difference over the seeds, and why it is not paired point by point (empty if it is)."""
    unpaired = next(filter(None, map(points_differ, before, now)), "")
    if not unpaired and any(old.groups != new.groups for old, new in zip(before, now, strict=True)):
        unpaired = "the groups of the test points changed"
    pairs = [(packed_alike(old, new), packed_alike(new, old)) for old, new in zip(before, now, strict=True)]
    estimates = [(estimate_of(new), estimate_of(old)) for old, new in pairs]
    if unpaired:
        estimates = [(new.unpaired(), old.unpaired()) for new, old in estimates]
    mean = Estimate.mean([new - old for new, old in estimates])
    return mean, unpaired or ("" if mean.leave_one_out is not None else "no per-point scores of both runs")
