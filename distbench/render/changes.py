"""What changed between two runs, as text: what got worse first."""

from __future__ import annotations

import math
import textwrap
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from distbench.evaluation.text import number

if TYPE_CHECKING:
    from distbench.results.gates import Change, NotCompared, RunComparison

__all__ = ["Grouped", "change_text", "grouped", "named", "render_changes", "title"]

MOST_WORSE = 8
MOST_BETTER = 4
MOST_OTHER = 3
SMALLEST, LARGEST = 1e-6, 1e4  # steps between which numbers are written out
OTHER_POINTS = "the points changed, so intervals are not paired"
REST = "the md and html reports list every change (--distbench-report md:PATH)"


@dataclass(frozen=True)
class Grouped:
    """Changes for readers: those whose interval excludes 0 first, and each encoder before any of them twice.

    ``surely`` holds those whose interval excludes 0, worse or better.
    """

    worse: tuple[Change, ...]
    better: tuple[Change, ...]
    unchanged: int
    surely: frozenset[Change]


def grouped(comparison: RunComparison) -> Grouped:
    """Return what got worse and better, and how much did not change."""
    changed = [change for change in comparison.changes if change.is_change]
    return Grouped(
        worse=_ordered(change for change in changed if change.worsening[0] > 0),
        better=_ordered(change for change in changed if change.worsening[0] < 0),
        unchanged=len(comparison.changes) - len(changed),
        surely=frozenset(filter(_is_sure, changed)),
    )


def _is_sure(change: Change) -> bool:
    return change.low is not None and change.high is not None and not change.low <= 0 <= change.high


def _ordered(changes: Iterable[Change]) -> tuple[Change, ...]:
    """Sort: what is sure first; of that each encoder's first metric in the order of reports, then each one's second."""
    turns: Counter[tuple[str, bool]] = Counter()
    weighed = []
    for change in changes:
        mine = named(change), _is_sure(change)
        weighed.append(((not mine[1], turns[mine], -_share(change)), change))
        turns[mine] += 1
    return tuple(change for _, change in sorted(weighed, key=lambda pair: pair[0]))


def _share(change: Change) -> float:
    largest = max(abs(change.before), abs(change.now))
    return abs(change.difference) / largest if largest < math.inf else math.inf


def title(comparison: RunComparison) -> str:
    """Return the head of a list of changes."""
    return f"Changes since {comparison.source}" if comparison.source else "Changes"


def named(one: Change | NotCompared) -> str:
    """Return whose change it is."""
    return f"{one.encoder}, {one.dataset or one.test}, code size {one.code_size}"


def change_text(change: Change) -> tuple[str, str, str, str]:
    """Return the values before and now, their difference and its interval, as text."""
    before, now = number(change.before), number(change.now)
    if before == now:  # what changed must not look as if it had not
        before, now = f"{change.before:.8g}", f"{change.now:.8g}"
    if change.low is None or change.high is None:
        return before, now, f"{change.difference:+.2g}", ""
    step = change.high - change.low
    return before, now, _signed(change.difference, step), f"{_signed(change.low, step)} to {_signed(change.high, step)}"


def _signed(value: float, step: float) -> str:
    """Return a number with its sign and as many decimals as a step of that size can be told from."""
    if not SMALLEST < step < LARGEST:
        return f"{value:+.2g}"
    return f"{value:+.{max(0, 1 - math.floor(math.log10(step)))}f}"


def render_changes(comparison: RunComparison, width: int = 80, rest: str = REST) -> str:
    """Return what changed as text: worse, better, what could not be compared, and the number of what is as it was.

    Parameters
    ----------
    comparison : RunComparison
        From :func:`distbench.results.gates.compare_rows`.
    width : int
        Characters a line may have.
    rest : str
        Where to find what is left out: changes beyond the first, and intervals that lines of that width have no room
        for.

    Returns
    -------
    str
        About 20 lines at most; the last says where the rest is.
    """
    found = grouped(comparison)
    blocks = [
        *_part("worse", found.worse, found, (MOST_WORSE, width)),
        *_part("better", found.better, found, (MOST_BETTER, width)),
    ]
    blocks += [f"{found.unchanged} as they were"] if found.unchanged else []
    blocks += _listed(OTHER_POINTS, dict.fromkeys(named(one) for one in comparison.changes if one.other_points))
    blocks += _others(comparison)
    if found.surely:
        blocks.append("* the 95 % interval of the change excludes 0")
    if _is_cut(found, width):
        blocks.append(rest)
    lines = [
        part
        for line in blocks or ["nothing in common to compare"]
        for part in textwrap.wrap(line, width, subsequent_indent="    ", break_on_hyphens=False)
    ]
    return "\n".join([*textwrap.wrap(title(comparison), width), "", *lines])


def _is_cut(found: Grouped, width: int) -> bool:
    shown = (*found.worse[:MOST_WORSE], *found.better[:MOST_BETTER])
    more = len(found.worse) + len(found.better) > len(shown)
    return more or any(not _fits(change, change in found.surely, width - 2) for change in shown)


def _part(word: str, changes: Sequence[Change], found: Grouped, room: tuple[int, int]) -> list[str]:
    if not changes:
        return []
    most, width = room
    told = []
    for change in changes[:most]:
        sure = change in found.surely
        told.append(f"  {_line(change, sure, whole=_fits(change, sure, width - 2))}")
    surely = sum(change in found.surely for change in changes)
    more = f", the first {most} of them" if len(changes) > most else ""
    return [f"{len(changes)} {word} ({surely} surely *){more}:", *told]


def _fits(change: Change, sure: bool, width: int) -> bool:
    """Say whether a line has room for the interval, if there is one."""
    return change.low is None or len(_line(change, sure, whole=True)) <= width


def _line(change: Change, sure: bool, whole: bool) -> str:
    """Return a change as one line, whole or without its interval."""
    before, now, difference, interval = change_text(change)
    between = f", {interval}{'' if change.paired else ', not paired'}" if interval and whole else ""
    return f"{named(change)}: {change.metric} {before} -> {now} ({difference}{between}){' *' if sure else ''}"


def _others(comparison: RunComparison) -> list[str]:
    lines = []
    failed = [one for one in comparison.not_compared if one.failed]
    rest = [one for one in comparison.not_compared if not one.failed]
    for word, found in (("lost", failed), ("not compared", rest)):
        lines += _listed(word, [f"{named(one)}{', ' * bool(one.metric)}{one.metric}: {one.reason}" for one in found])
    lines += _listed("only before", comparison.only_before)
    return lines + _listed("only now", comparison.only_now)


def _listed(word: str, names: Iterable[str]) -> list[str]:
    found = list(names)
    more = f"; and {len(found) - MOST_OTHER} more" if len(found) > MOST_OTHER else ""
    return [f"{word}: {'; '.join(found[:MOST_OTHER])}{more}"] if found else []
