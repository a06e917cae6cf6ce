"""Gates on what changed between two runs: how much worse an encoder may be than it was."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from distbench._util.text import did_you_mean
from distbench.errors import InputError
from distbench.inference.verdicts import Undecided, check_undecided
from distbench.results.changes import Change, NotCompared, RunComparison, compare_rows

__all__ = [
    "Change",
    "Gate",
    "NotCompared",
    "RunComparison",
    "broken_gates",
    "compare_rows",
    "parse_gate",
]

ALL = "all"
HOW = "give METRIC:CHANGE, such as continuity:1% or continuity:0.01"
NOTHING = "nothing to compare: "
"""What stands in the line of a gate that could not be judged."""
ROUNDING = 1e-9


@dataclass(frozen=True)
class Gate:
    """How much worse a metric may become.

    Attributes
    ----------
    metric : str
        Its name; ``"all"`` for each of those that were measured.
    threshold : float
        The worsening, by the metric's direction, that is still allowed.
    relative : bool
        Whether the threshold is a share of the value before.
    """

    metric: str
    threshold: float
    relative: bool

    def __str__(self) -> str:
        return f"{self.metric}:{100 * self.threshold:g}%" if self.relative else f"{self.metric}:{self.threshold:g}"

    def allowed(self, before: float) -> float:
        """Return the worsening that is allowed from a value ``before``."""
        return self.threshold * abs(before) if self.relative and self.threshold else self.threshold


def parse_gate(text: str) -> Gate:
    """Return the gate that a text says: ``continuity:1%``, ``continuity:0.01`` or ``all:5%``.

    Parameters
    ----------
    text : str
        A metric or ``all``, a colon, and by how much it may get worse: a number above 0 or a share of the value.

    Returns
    -------
    Gate
        The metric (or "all") and by how much it may get worse.

    Raises
    ------
    InputError
        It says none: what was found and what to give.
    """
    metric, colon, change = (part.strip() for part in text.partition(":"))
    from distbench.metrics import METRICS

    if not colon or not metric or not change:
        raise InputError("gate", f"found {text!r}", HOW)
    if metric not in METRICS and metric != ALL:
        raise InputError("gate", f"found no metric called {metric!r}", did_you_mean(metric, [*METRICS, ALL]))
    relative = change.endswith("%")
    try:
        threshold = float(change.removesuffix("%"))
    except ValueError:
        threshold = math.nan
    if not 0 <= threshold < math.inf:
        raise InputError(
            "gate", f"found the change {change!r}", f"{HOW}, which says how much worse it may become, 0 or more"
        )
    return Gate(metric, threshold / 100 if relative else threshold, relative)


def broken_gates(comparison: RunComparison, gates: Iterable[Gate], undecided: Undecided = "value") -> list[str]:
    """Return what does not hold, one line each.

    Parameters
    ----------
    comparison : RunComparison
        What changed.
    gates : iterable of Gate
        What may.
    undecided : {"value", "fail", "pass"}
        What becomes of a worsening whose interval holds the threshold. ``"value"``: it is broken where the worsening
        itself is larger; ``"fail"``: unless the interval shows that it is not; ``"pass"``: only where the interval
        shows that it is. Without an interval the value decides.

    Returns
    -------
    list of str
        Empty where all hold. A gate never holds because there was nothing to see: one for which nothing could be
        compared does not, nor one on a metric that an encoder had before and that has no value now, or one that
        cannot be compared with it. Encoders that are new, or were not run now, break none.
    """
    check_undecided(undecided)
    return list(dict.fromkeys(line for gate in gates for line in _broken(comparison, gate, undecided)))


def _broken(comparison: RunComparison, gate: Gate, undecided: Undecided) -> list[str]:
    changes = [change for change in comparison.changes if gate.metric in (ALL, change.metric)]
    lines = [_line(change, gate) for change in changes if _is_broken(change, gate, undecided)]
    lost = [one for one in comparison.not_compared if (one.had if gate.metric == ALL else gate.metric in one.had)]
    lines += [f"{gate}: {'' if one.failed else NOTHING}{_named(one)}: {one.reason}" for one in lost]
    return lines if changes or lost else [f"{gate}: {NOTHING}{_why(comparison, gate)}"]


def _is_broken(change: Change, gate: Gate, undecided: Undecided) -> bool:
    worse, low, high = change.worsening
    allowed = gate.allowed(change.before)
    if low is None or high is None:
        low = high = worse
    deciding = {"value": worse, "fail": high, "pass": low}[undecided]
    # What two rounded numbers differ by is no worsening: 0.96 - 0.95 is more than 0.01.
    slack = ROUNDING * max((abs(v) for v in (change.before, change.now) if math.isfinite(v)), default=0.0)
    return deciding > allowed + slack


def _line(change: Change, gate: Gate) -> str:
    worse, low, high = change.worsening
    share = abs(change.before) if gate.relative else 1.0

    def told(value: float) -> str:
        scaled = 100 * value / share if share else math.copysign(math.inf, value)
        return f"{scaled:.3g}%" if gate.relative else f"{value:.3g}"

    interval = "" if low is None or high is None else f", 95 % interval {told(low)} to {told(high)}"
    note = f" ({change.note})" if change.note else ""
    moved = f"{change.metric} {change.before:.5g} -> {change.now:.5g}"
    return f"{gate}: {_named(change)}: {moved}, worse by {told(worse)}{interval}{note}"


def _named(one: Change | NotCompared) -> str:
    metric = f", {one.metric}" if isinstance(one, NotCompared) and one.metric else ""
    return f"{one.encoder}, {one.dataset or one.test}, code size {one.code_size}{metric}"


def _why(comparison: RunComparison, gate: Gate) -> str:
    reasons: list[Any] = [one for one in comparison.not_compared if gate.metric in (ALL, one.metric) or not one.metric]
    if reasons:
        return "; ".join(f"{_named(one)}: {one.reason}" for one in reasons[:3])
    if comparison.changes:
        return f"neither run has {gate.metric} for the same encoder"
    return f"no encoder is both in this run and in {comparison.source or 'the other'}"
