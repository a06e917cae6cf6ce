"""Gates on changes between two runs: how much worse an encoder may become."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from distbench._util.numbers import distinct
from distbench._util.text import did_you_mean
from distbench.errors import InputError
from distbench.inference.verdicts import Undecided, check_undecided
from distbench.metrics.table import base_name
from distbench.results.changes import Change, NotCompared, RunComparison, compare_rows

__all__ = [
    "BrokenGate",
    "Change",
    "Gate",
    "NotCompared",
    "RunComparison",
    "broken_gates",
    "compare_rows",
    "parse_gate",
]

ALL = "all"
HOW = "give METRIC:CHANGE, such as continuity:25% or continuity:0.01"
MAX_REASONS = 3
OTHER_METRIC = "set the gate on another metric, such as scaled_stress"


@dataclass(frozen=True)
class Gate:
    """How much worse a metric may become.

    Attributes
    ----------
    metric : str
        Name of the metric; ``"all"`` for every metric that was measured.
    threshold : float
        Largest worsening that is allowed, in the metric's direction.
    relative : bool
        Whether the threshold is a share: of the value before, or of its distance from the best possible value, if that
        is less. So a gate of 1 % on continuity allows 0.995 to fall by 1 % of 0.005.
    """

    metric: str
    threshold: float
    relative: bool

    def __str__(self) -> str:
        return f"{self.metric}:{100 * self.threshold:g}%" if self.relative else f"{self.metric}:{self.threshold:g}"

    def is_for(self, metrics: Iterable[str], k: int) -> bool:
        """Return whether the gate is for one of these metrics, of which those without ``@`` are at `k`.

        A gate on a metric without ``@`` is for that metric at every k.
        """
        from distbench.metrics import METRICS

        metrics = list(metrics)
        return self.names(metrics) or METRICS.same(self.metric, metrics, k) is not None

    def names(self, metrics: Iterable[str]) -> bool:
        """Return whether the gate has the name of one of these metrics, or that name without its k."""
        return any(self.metric in (ALL, name, base_name(name)) for name in metrics)

    def allowed(self, change: Change) -> float:
        """Return the worsening that is allowed in a change."""
        return self.threshold * _base(change)[0] if self.relative and self.threshold else self.threshold


@dataclass(frozen=True)
class BrokenGate:
    """A gate that one encoder breaks; as text, a line for readers.

    Attributes
    ----------
    gate : Gate
        How much worse the encoder may become.
    subject : str
        The encoder with its data and code size, and the metric where one is known; empty if nothing was compared.
    reason : str
        How much worse it is, or why that is not known.
    compared : bool
        Whether the encoder is known to be worse, or is missing among others; False if nothing could be compared.
    """

    gate: Gate
    subject: str
    reason: str
    compared: bool = True

    def __str__(self) -> str:
        return f"{self.gate}: {'' if self.compared else 'nothing to compare: '}{self.reason}"


def parse_gate(text: str) -> Gate:
    """Return the gate that a text such as ``continuity:25%``, ``continuity:0.01`` or ``all:25%`` describes.

    Parameters
    ----------
    text : str
        A metric or ``all``, a colon, and the largest worsening: a number, or a percentage of the value or of its
        distance from the best possible one, whichever is less.

    Raises
    ------
    InputError
        The text has another form, or names no metric.
    """
    from distbench.metrics import METRICS

    metric, colon, change = (part.strip() for part in text.partition(":"))
    if not colon or not metric or not change:
        raise InputError("gate", f"found {text!r}", HOW)
    if metric not in METRICS and metric != ALL:
        raise InputError(
            "gate",
            f"found no metric called {metric!r}",
            METRICS.advice(metric) if "@" in metric else did_you_mean(metric, [*METRICS, ALL]),
        )
    relative = change.endswith("%")
    try:
        threshold = float(change.removesuffix("%"))
    except ValueError:
        threshold = math.nan
    if not 0 <= threshold < math.inf:
        raise InputError(
            "gate", f"found the change {change!r}", f"{HOW}, which says how much worse it may become, 0 or more"
        )
    low, high = (-math.inf, math.inf) if metric == ALL else METRICS[metric].bounds
    if not relative and threshold >= high - low:
        raise InputError(
            "gate",
            f"found the change {change!r}, which nothing exceeds: {metric} is from {low:g} to {high:g}",
            f"give less, or percent: {metric}:{change}%",
        )
    return Gate(metric, threshold / 100 if relative else threshold, relative)


def broken_gates(
    comparison: RunComparison, gates: Iterable[Gate], undecided: Undecided = "value", accept: str = ""
) -> list[BrokenGate]:
    """Return the gates that are broken, each once for each encoder that breaks it.

    A gate is also broken if nothing can be compared for it, or if a metric that an encoder had before has no value now
    or cannot be compared, for instance because it is missing. Encoders that are new, or that the second run left out on
    purpose, break none.

    Parameters
    ----------
    comparison : RunComparison
        The changes between two runs.
    gates : iterable of Gate
        The gates to check.
    undecided : {"value", "fail", "pass"}
        Decides on a worsening whose interval contains the threshold. ``"value"``: the gate is broken if the worsening
        itself is larger; ``"fail"``: broken; ``"pass"``: not broken. Without an interval the value decides.
    accept : str
        The command that makes the second run the one to compare with, which is advice where nothing failed.

    Returns
    -------
    list of BrokenGate
        Empty if all gates hold.
    """
    check_undecided(undecided)
    return list(dict.fromkeys(broken for gate in gates for broken in _broken(comparison, gate, undecided, accept)))


def _broken(comparison: RunComparison, gate: Gate, undecided: Undecided, accept: str) -> list[BrokenGate]:
    changes = [change for change in comparison.changes if gate.is_for([change.metric], change.k)]
    lost = [entry for entry in comparison.not_compared if gate.names(entry.had)]
    if not changes and not lost:
        return [BrokenGate(gate, "", _why_nothing(comparison, gate), compared=False)]
    worse = [change for change in changes if _is_broken(change, gate, undecided)]
    broken = [BrokenGate(gate, f"{change.label}, {change.metric}", _worsening(change, gate)) for change in worse]
    seen = {change.label for change in changes if gate.metric == ALL and not change.hides_worsening}
    for change in changes:
        if change.hides_worsening and change.label not in seen:
            reason = f"{change.label}: {change.metric} was and is {change.now}, so nothing tells whether it got worse; "
            broken.append(BrokenGate(gate, f"{change.label}, {change.metric}", reason + OTHER_METRIC, compared=False))
    for entry in lost:
        is_known = entry.failed and (bool(changes) or not entry.missing)
        broken.append(BrokenGate(gate, entry.subject, _with_advice(entry, accept), compared=is_known))
    return broken


def _with_advice(entry: NotCompared, accept: str) -> str:
    return f"{entry}; if this is wanted: {accept}" if accept and entry.is_choice else str(entry)


def _is_broken(change: Change, gate: Gate, undecided: Undecided) -> bool:
    worse, low, high = change.worsening
    if low is None or high is None:
        low = high = worse
    deciding = {"value": worse, "fail": high, "pass": low}[undecided]
    # Rounding alone does not break a gate: 0.96 - 0.95 is more than 0.01.
    return deciding > gate.allowed(change) + change.rounding


def _base(change: Change) -> tuple[float, str]:
    """Return the number that a gate's percentage refers to, and its name for readers: empty for the value before."""
    from distbench.metrics import METRICS

    size, known = abs(change.before), METRICS.get(change.metric)
    distance = math.inf if known is None else abs(known.best - change.before)
    return (distance, f" of the distance from {known.best:g}") if known and distance < size else (size, "")


def _worsening(change: Change, gate: Gate) -> str:
    base, name = _base(change) if gate.relative else (0.0, "")
    name = name if base or not name else " than the best value"  # no change is a share of nothing

    def as_text(value: float) -> str:
        shown = 100 * value / base if base else value
        return f"{shown:.{3 if abs(shown) < 1000 else 4}g}{'%' * bool(base)}"

    worse, low, high = change.worsening
    interval = "" if low is None or high is None else f", 95 % interval {as_text(low)} to {as_text(high)}"
    note = f" ({change.note})" if change.note else ""
    moved = f"{change.metric} {' -> '.join(distinct(change.before, change.now, '.5g'))}"
    return f"{change.label}: {moved}, worse by {as_text(worse)}{name}{interval}{note}"


def _why_nothing(comparison: RunComparison, gate: Gate) -> str:
    entries = [entry for entry in comparison.not_compared if not entry.metric or gate.is_for([entry.metric], entry.k)]
    if entries:
        return "; ".join(map(str, entries[:MAX_REASONS]))
    if comparison.changes:
        return f"neither run has {gate.metric} for the same encoder"
    return f"no encoder is both in this run and in {comparison.source or 'the other'}"
