"""Writes the changes between two runs as text; values that got worse come first."""

from __future__ import annotations

import math
import textwrap
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from distbench._util.numbers import difference, distinct

if TYPE_CHECKING:
    from distbench.results.gates import Change, RunComparison

__all__ = ["SURE", "ChangeGroups", "change_text", "group_changes", "render_changes", "title"]

MAX_WORSE, MAX_BETTER = 8, 4  # listed changes
MAX_NAMES = 3  # names in a line
SURE = "the 95 % interval of the change excludes 0; with several seeds it also covers other trainings"
OTHER_POINTS = "the points changed, so intervals are not paired"
MOVED = "matched by their points; store the results again before another name changes"
REST = "the md and html reports list every change (--distbench-report md:PATH)"


@dataclass(frozen=True)
class ChangeGroups:
    """Changes in the order in which they are shown. ``sure`` holds all those whose interval excludes 0."""

    worse: tuple[Change, ...]
    better: tuple[Change, ...]
    unchanged: int
    sure: frozenset[Change]


def group_changes(comparison: RunComparison) -> ChangeGroups:
    """Return what got worse and better, and how many values did not change."""
    changed = [change for change in comparison.changes if change.is_change]
    return ChangeGroups(
        worse=_ordered(change for change in changed if change.worsening[0] > 0),
        better=_ordered(change for change in changed if change.worsening[0] < 0),
        unchanged=len(comparison.changes) - len(changed),
        sure=frozenset(filter(_is_sure, changed)),
    )


def _is_sure(change: Change) -> bool:
    return change.low is not None and change.high is not None and not change.low <= 0 <= change.high


def _ordered(changes: Iterable[Change]) -> tuple[Change, ...]:
    """Return changes in rounds of one metric per encoder, each from large to small; first the rounds of sure ones."""
    rounds: Counter[tuple[str, bool]] = Counter()
    keys = []
    for change in changes:
        encoder, is_sure = change.label, _is_sure(change)
        largest = max(abs(change.before), abs(change.now))
        share = abs(change.difference) / largest if largest < math.inf else math.inf
        keys.append(((not is_sure, rounds[encoder, is_sure], -share), change))
        rounds[encoder, is_sure] += 1
    return tuple(change for _, change in sorted(keys, key=lambda pair: pair[0]))


def title(comparison: RunComparison) -> str:
    """Return the heading of a list of changes."""
    return f"Changes since {comparison.source}" if comparison.source else "Changes"


def change_text(change: Change) -> tuple[str, str, str, str]:
    """Return the values before and now, their difference and its interval, as text."""
    return *distinct(change.before, change.now), *difference(change.difference, change.low, change.high)


def render_changes(comparison: RunComparison, width: int = 80, rest: str = REST) -> str:
    """Return the changes as text of about 20 lines of at most `width` characters.

    If some changes or intervals do not fit, the last line is `rest`, which says where to find them.
    """
    groups = group_changes(comparison)
    worse, worse_is_whole = _group("worse", groups.worse, groups, MAX_WORSE, width)
    better, better_is_whole = _group("better", groups.better, groups, MAX_BETTER, width)
    blocks = [*worse, *better]
    blocks += [f"{groups.unchanged} unchanged"] if groups.unchanged else []
    names = {
        OTHER_POINTS: dict.fromkeys(change.label for change in comparison.changes if change.other_points),
        MOVED: dict.fromkeys(f"{c.label} ({c.moved})" for c in comparison.changes if c.moved),
        "lost": [str(entry) for entry in comparison.not_compared if entry.failed],
        "not compared": [str(entry) for entry in comparison.not_compared if not entry.failed],
        "only before": comparison.only_before,
        "only now": comparison.only_now,
    }
    blocks += [f"{word}: {_first_names(list(lines))}" for word, lines in names.items() if lines]
    blocks += [f"* {SURE}"] if groups.sure else []
    blocks += [] if worse_is_whole and better_is_whole else [rest]
    lines = [
        line
        for block in blocks or ["nothing in common to compare"]
        for line in textwrap.wrap(block, width, subsequent_indent="    ", break_on_hyphens=False)
    ]
    return "\n".join([*textwrap.wrap(title(comparison), width), "", *lines])


def _group(
    word: str, changes: Sequence[Change], groups: ChangeGroups, max_lines: int, width: int
) -> tuple[list[str], bool]:
    """Return the lines of worse or better changes, and whether they are complete."""
    if not changes:
        return [], True
    lines, is_whole = [], len(changes) <= max_lines
    for change in changes[:max_lines]:
        before, now, moved, ends = change_text(change)
        start = f"  {change.label}: {change.metric} {before} -> {now} ({moved}"
        end = ")" + " *" * (change in groups.sure)
        interval = f", {ends}{'' if change.paired else ', not paired'}" if ends else ""
        fits = len(start + interval + end) <= width
        lines.append(start + interval * fits + end)
        is_whole = is_whole and (fits or not interval)
    sure = sum(change in groups.sure for change in changes)
    more = f", the first {max_lines} of them" if len(changes) > max_lines else ""
    return [f"{len(changes)} {word} ({sure} clearly *){more}:", *lines], is_whole


def _first_names(names: Sequence[str]) -> str:
    more = f"; and {len(names) - MAX_NAMES} more" if len(names) > MAX_NAMES else ""
    return f"{'; '.join(names[:MAX_NAMES])}{more}"
