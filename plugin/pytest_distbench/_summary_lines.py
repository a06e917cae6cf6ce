"""Parts of the summary: stored, stale and drifted rows, claims, files and counts. Each part is a block of lines."""

from __future__ import annotations

import math
import shlex
import textwrap
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from distbench._util.text import plain_lines, plain_text
from distbench.render.text import Level, Line, titled
from distbench.results.run import holm_line
from pytest_distbench._options import RETRAIN, UPDATE
from pytest_distbench._record import CheckRecord, DriftRecord, StaleRecord, StoredRecord
from pytest_distbench._session import relative_path

if TYPE_CHECKING:
    from distbench.results.rows import ClaimOutcome
    from distbench.results.suite_store import Drift

__all__ = [
    "claim_lines",
    "count_line",
    "drift_lines",
    "joined",
    "missing_line",
    "stale_lines",
    "stored_lines",
    "suggestion_lines",
    "written_lines",
]

OUTCOMES = ("met", "undecided", "broken", "not evaluated")
LEVELS: dict[str, Level] = {"refuted": "error", "undecided": "warning"}
MIN_DRIFTS = 3  # listed changes of an encoder, if it has so many
ROUNDING = 1e-9  # stored values have ten digits
INSTALL = "; pip install "  # before the remedy in errors on packages
LARGE = 1e6  # half widths of an interval: the size of a change that cannot be measured in them


def joined(blocks: Sequence[Sequence[Line]]) -> str:
    """Return blocks of lines as one text that is safe to print."""
    return plain_lines("\n\n".join("\n".join(line.text for line in block) for block in blocks))


def stored_lines(records: Sequence[StoredRecord], width: int, brief: bool) -> list[list[Line]]:
    """Return the number of stored rows and claims that were used, by day and versions, which `brief` leaves out."""
    from distbench.results.environment import describe

    groups: dict[tuple[str, str], dict[str, Counter[str]]] = {}
    for record in records:
        kinds = groups.setdefault((record["day"], describe(record["environment"])), {})
        kinds.setdefault(Path(record["suite"]).name, Counter())[record["kind"]] += 1
    lines = []
    for (day, versions), files in sorted(groups.items()):
        counts = [f"{file}: {_counted(kinds)}" for file, kinds in sorted(files.items())]
        lines.append(f"of {day}" if brief else f"of {day}, measured with {versions}: {'; '.join(counts)}")
    return _block(f"Stored, not fitted in this run ({RETRAIN} fits them)", list(dict.fromkeys(lines)), width)


def _counted(kinds: Counter[str]) -> str:
    return " and ".join(f"{number} {kind}{'s' * (number > 1)}" for kind, number in sorted(kinds.items(), reverse=True))


def missing_line(reasons: Sequence[str], width: int) -> list[list[Line]]:
    """Return how many tests of suites were skipped for want of which package, and the command that installs it."""
    if not reasons:
        return []
    texts, installs = [], []
    for reason, number in Counter(reasons).items():
        text, _, install = reason.partition(INSTALL)
        texts.append(f"{number} ({text.removesuffix(', which is not installed')})")
        installs += [install] if install else []
    remedy = f"; {INSTALL.strip('; ')} {' '.join(installs)}" if installs else ""
    return [titled(*textwrap.wrap(f"skipped tests: {', '.join(texts)}{remedy}", width))]


def stale_lines(records: Sequence[StaleRecord], width: int, config: pytest.Config) -> list[list[Line]]:
    """Return what is stale and why, and the command that stores it anew."""
    suites = sorted({record["suite"] for record in records})
    shown = [shlex.quote(str(relative_path(Path(suite), config))) for suite in suites]
    lines = sorted(f"{Path(r['suite']).name}: {r['name']}: {'; '.join(r['reasons'])}" for r in records)
    command = " ".join(["pytest", UPDATE, *shown])
    return _block(f"Stale, so not used; fit and store all of it anew: {command}", lines, width)


def suggestion_lines(suggestions: Sequence[Sequence[str]]) -> list[list[Line]]:
    """Return the limits that checks suggest, each above a table of where they come from, or that there are none."""
    if not suggestions:
        return [titled("No limits suggested: only tests that check or evaluate an encoder get some")]
    lines = [line for head, *table in suggestions for line in ("", f"  {head}", *(f"    {row}" for row in table))]
    return [titled("Suggested limits: the value, made worse by two half widths of its interval", *lines)]


def drift_lines(records: Sequence[DriftRecord], width: int) -> list[list[Line]]:
    """Return how far new rows differ from the stored ones, the largest changes first."""
    moved = [record for record in records if record["note"] or any(map(_size, record["drifts"]))]
    moved.sort(key=lambda record: (-_largest(record), record["suite"], record["name"]))
    lines = [f"{Path(record['suite']).name}: {record['name']}: {_drift_text(record)}" for record in moved]
    unmoved = len(records) - len(moved)
    lines += [f"{unmoved} without any change"] if unmoved else []
    drifts = [drift for record in records for drift in record["drifts"]]
    head = (
        f"Drift from the stored rows (of {len(drifts)} means over seeds, {sum(map(_is_beyond, drifts))} beyond the "
        "stored 95 % interval: !)"
    )
    return _block(head, lines, width) if records else []


def _drift_text(record: DriftRecord) -> str:
    """Return the changes to values outside their stored interval, then the largest others, up to MIN_DRIFTS in all."""
    ordered = sorted(filter(_size, record["drifts"]), key=lambda drift: (not _is_beyond(drift), -_size(drift)))
    shown = [drift for place, drift in enumerate(ordered) if place < MIN_DRIFTS or _is_beyond(drift)]
    parts = [record["note"]] if record["note"] else []
    for drift in shown:
        mark = ", beyond !" * _is_beyond(drift)
        moved = f"{drift['metric']} {drift['stored']:.4g} -> {drift['now']:.4g}"
        parts.append(f"{moved} ({drift['now'] - drift['stored']:+.2g}{mark})")
    return ", ".join([*parts, *([f"{len(ordered) - len(shown)} smaller"] if len(ordered) > len(shown) else [])])


def _largest(record: DriftRecord) -> float:
    if record["note"]:
        return math.inf
    return max((_size(drift) + LARGE**2 * _is_beyond(drift) for drift in record["drifts"]), default=0.0)


def _size(drift: Drift) -> float:
    """Return the size of a change in half widths of the stored interval, or without one as a share of the value."""
    moved = abs(drift["now"] - drift["stored"])
    if not math.isfinite(moved):  # NaN between two infinities
        return 0.0 if drift["now"] == drift["stored"] else LARGE
    if moved <= ROUNDING * abs(drift["stored"]):
        return 0.0
    low, high = drift["low"], drift["high"]
    half = abs(drift["stored"]) if low is None or high is None else (high - low) / 2
    return moved / half if half > 0 else LARGE


def _is_beyond(drift: Drift) -> bool:
    low, high = drift["low"], drift["high"]
    return low is not None and high is not None and bool(_size(drift)) and not low <= drift["now"] <= high


def written_lines(written: Sequence[str], failed: Sequence[str], kept: Sequence[str]) -> list[list[Line]]:
    """Return which files were written, which could not be, and which were kept as they were."""
    lines = [Line(f"written: {plain_text(file)}") for file in written]
    lines += [Line(f"NOT WRITTEN: {plain_text(file)}", "error") for file in failed]
    lines += [Line(f"not written: {plain_text(file)}", "warning") for file in kept]
    return [lines] if lines else []


def claim_lines(claims: Sequence[ClaimOutcome], width: int, full: bool, brief: bool) -> list[list[Line]]:
    """Return the verdicts on claims; unless `full`, those borne out as expected are only counted.

    `brief` leaves out all that are as expected.
    """
    as_expected = [claim for claim in claims if claim.verdict == claim.expect]
    if not claims or (brief and len(as_expected) == len(claims)):
        return []
    if full:
        shown = list(claims)
    else:
        shown = [c for c in claims if c.verdict != c.expect or (c.verdict != "borne out" and not brief)]
    lines = titled("Claims", "")
    for claim in shown:
        expected = "" if claim.verdict == claim.expect else f" (expected: {claim.expect})"
        expected += f" (stored {claim.stored})" if claim.stored else ""
        head, *rest = textwrap.wrap(f"{claim.verdict}{expected}: {claim.statement}", width, subsequent_indent="  ")
        for text in (claim.evidence, f"source: {claim.source}"):
            rest += textwrap.wrap(text, width, initial_indent="    ", subsequent_indent="    ")
        lines += [Line(head, LEVELS.get(claim.verdict, "")), *map(Line, rest)]
    more = len(claims) - len(shown)
    if more:
        verdict = "as expected" if brief else "borne out"
        lines.append(Line(f"{verdict}: {more} {'more ' * bool(shown)}claim{'s' * (more > 1)} (-v shows them)"))
    return [lines]


def count_line(checks: Sequence[CheckRecord], claims: Sequence[ClaimOutcome], undecided: str) -> list[list[Line]]:
    """Return a line that counts checks and claims, and says how undecided checks were settled."""
    parts = []
    if checks:
        outcomes = Counter(map(_outcome, checks))
        counts = ", ".join(f"{outcomes[name]} {name}" for name in OUTCOMES if outcomes[name])
        parts.append(f"{len(checks)} check{'s' * (len(checks) > 1)}: {counts}{_settled(checks, undecided)}")
    if claims:
        verdicts = Counter(claim.verdict for claim in claims)
        counts = ", ".join(f"{number} {verdict}" for verdict, number in verdicts.items())
        decided = holm_line(claims)
        parts.append(f"claims: {counts}{f' ({decided})' * bool(decided)}")
    return [titled("; ".join(parts))] if parts else []


def _outcome(check: CheckRecord) -> str:
    if not check["verdicts"]:
        return "not evaluated"
    return next((name for name in ("broken", "undecided") if name in check["verdicts"].values()), "met")


def _settled(checks: Sequence[CheckRecord], undecided: str) -> str:
    """Return how many undecided checks passed and failed, and what settled them: the option or the call's argument."""
    by_argument: dict[str, Counter[str]] = {}
    for check in checks:
        if _outcome(check) == "undecided":
            counts = by_argument.setdefault(check.get("undecided", ""), Counter())
            counts["passed" if check["passed"] else "failed"] += 1
    parts = []
    for argument, counts in by_argument.items():
        source = f"undecided={argument!r}" if argument else f"--distbench-undecided={undecided}"
        by = "by the value alone" if (argument or undecided) == "value" else f"as {source} says"
        numbers = [f"{counts[word]} {word}" for word in ("passed", "failed") if counts[word]]
        parts.append(f"{' and '.join(numbers)} {by}")
    return f" ({', '.join(parts)})" if parts else ""


def _block(head: str, lines: Sequence[str], width: int) -> list[list[Line]]:
    """Return a block of indented lines below a heading, or nothing if there are no lines."""
    if not lines:
        return []
    wrapped = (textwrap.wrap(line, width, initial_indent="  ", subsequent_indent="    ") for line in lines)
    return [titled(*textwrap.wrap(head, width), "", *(part for parts in wrapped for part in parts))]
