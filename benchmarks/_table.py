"""The measurements of the processes as Markdown."""

from __future__ import annotations

import dataclasses
import math
import os
import platform
import statistics
from collections.abc import Iterable
from pathlib import Path

from _adapters import PEERS
from _case import Case
from _page import version_of

__all__ = ["Result", "about", "markdown"]

TOLERANCE = 1e-6
HEAD = ("n", "tool", "computes", "seconds", "peak MB", "distbench s", "x distbench", "x products", "values agree")


@dataclasses.dataclass
class Result:
    """What one process measured.

    Parameters
    ----------
    case : Case
        The case that was measured.
    seconds : dict of str to list of float
        Seconds of the calls that count, by "peer", "ours" and "products".
    above : dict of str to int
        Largest peak of memory above the start of a call, in bytes.
    values : dict of str to dict of str to float
        By "peer" and "ours", by name of the metric.
    failed : str or None
        What the table shows instead of a time.
    message : str
        Text of the error, if there was one.
    about : dict of str to str
        Machine and versions.
    """

    case: Case
    seconds: dict[str, list[float]] = dataclasses.field(default_factory=dict)
    above: dict[str, int] = dataclasses.field(default_factory=dict)
    values: dict[str, dict[str, float]] = dataclasses.field(default_factory=dict)
    failed: str | None = None
    message: str = ""
    about: dict[str, str] = dataclasses.field(default_factory=dict)

    def median(self, what: str) -> float:
        return statistics.median(self.seconds[what]) if self.seconds.get(what) else math.nan


def about(peers: Iterable[str]) -> dict[str, str]:
    """Return processor, cores and versions, on which the numbers depend, without the name of the machine."""
    packages = ["distbench", "numpy", "numba", *dict.fromkeys(PEERS[name].package for name in peers)]
    if "torchdr" in packages:
        packages.append("torch")
    if "tensorflow-projection-qm" in packages:
        packages.append("tensorflow")
    return {
        "processor": _processor(),
        "cores": str(os.cpu_count()),
        "system": platform.system(),
        "Python": platform.python_version(),
        **{package: version_of(package) for package in packages},
    }


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    named = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(named, platform.processor() or platform.machine())


def markdown(results: list[Result], command: str) -> str:
    """Return a line on the machine and one table for each kind of points."""
    facts = results[0].about
    machine = f"{facts['processor']}, {facts['cores']} cores, {facts['system']}"
    versions = ", ".join(f"{name} {version}" for name, version in facts.items() if name not in MACHINE)
    parts = [f"`{command}`", f"Machine: {machine}. Versions: {versions}."]
    kinds = dict.fromkeys((result.case.d, result.case.code_size) for result in results)
    for d, code_size in kinds:
        of_kind = [result for result in results if (result.case.d, result.case.code_size) == (d, code_size)]
        parts.append(f"## {d} columns ({of_kind[0].case.dtype}), codes of {code_size}")
        parts.append(_table(of_kind))
    parts += _errors(results)
    return "\n\n".join(parts)


MACHINE = ("processor", "cores", "system")


def _table(results: list[Result]) -> str:
    rows: list[tuple[str, ...]] = [HEAD, ("--:", "---", "---", *["--:"] * 5, "---")]
    for n in dict.fromkeys(result.case.n for result in results):
        of_n = [result for result in results if result.case.n == n]
        rows.append(_our_row(of_n))
        rows += [_row(result) for result in of_n]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _our_row(results: list[Result]) -> tuple[str, ...]:
    """Return the row of distbench itself: medians over the processes that measured it."""
    measured = [result for result in results if result.seconds.get("ours")]
    if not measured:
        return (f"{results[0].case.n:,}", "**distbench**", "full default set, intervals", *["-"] * 6)
    seconds = statistics.median(result.median("ours") for result in measured)
    ratio = statistics.median(result.median("ours") / result.median("products") for result in measured)
    above = max((result.above["ours"] for result in measured if "ours" in result.above), default=None)
    what = (f"{results[0].case.n:,}", "**distbench**", "full default set, intervals")
    return (*what, _number(seconds), _megabytes(above), _number(seconds), "1", _number(ratio), "")


def _row(result: Result) -> tuple[str, ...]:
    peer = PEERS[result.case.peer]
    seconds, ours, bare = (result.median(what) for what in ("peer", "ours", "products"))
    what = (f"{result.case.n:,}", f"{peer.package}: {peer.function}", peer.computes)
    if result.failed is not None:
        return (*what, result.failed, "-", _number(ours), "-", "-", "-")
    calls = len(result.seconds["peer"])
    return (
        *what,
        _number(seconds) + (f" ({calls} of {result.case.repeats})" if calls < result.case.repeats else ""),
        _megabytes(result.above.get("peer")),
        _number(ours),
        _number(seconds / ours),
        _number(seconds / bare),
        _agreement(result, peer.metrics),
    )


def _agreement(result: Result, metrics: tuple[str, ...]) -> str:
    theirs, ours = result.values.get("peer", {}), result.values.get("ours", {})
    compared = [name for name in metrics if name in theirs and name in ours]
    apart = {name: abs(theirs[name] - ours[name]) for name in compared}
    off = [f"{name} by {gap:.2g}" for name, gap in apart.items() if not gap <= TOLERANCE]
    left = [f"{name} not measured by both" for name in metrics if name not in compared]
    if off or left:
        return "; ".join([*off, *left])
    return "yes"


def _errors(results: list[Result]) -> list[str]:
    """Return the texts of the errors in the tables."""
    said = dict.fromkeys(
        f"- {PEERS[result.case.peer].package}: {result.failed}: {result.message}"
        for result in results
        if result.message
    )
    return ["Errors:", "\n".join(said)] if said else []


def _number(value: float) -> str:
    if not math.isfinite(value):
        return "-"
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2g}"


def _megabytes(size: int | None) -> str:
    return "?" if size is None else f"{size / 1e6:,.0f}"
