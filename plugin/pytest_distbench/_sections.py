"""The parts of the summary on stored rows: where they are from, which are stale, and how far new ones lie off."""

from __future__ import annotations

import shlex
import textwrap
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_distbench._record import CheckRecord, DriftRecord, StaleRecord, StoredRecord
from pytest_distbench._session import RETRAIN, UPDATE

if TYPE_CHECKING:
    from distbench.results.rows import ClaimOutcome
    from distbench.results.suite_store import Drift

__all__ = ["claim_lines", "count_line", "drift_lines", "stale_lines", "stored_lines", "written_lines"]

STATES = ("met", "undecided", "broken", "not judged")
SHOWN = 3  # metrics of an encoder in the report of drift


def stored_lines(records: Sequence[StoredRecord], width: int) -> list[str]:
    """Return what was stored, by suite, day and versions; a block of text, or none."""
    from distbench.results.environment import told

    groups: dict[tuple[str, str, str], Counter[str]] = {}
    for record in records:
        key = _file(record["suite"]), record["day"], told(record["environment"])
        groups.setdefault(key, Counter())[record["kind"]] += 1
    lines = [
        f"{file}: {_counted(kinds)}, of {day}: {versions}" for (file, day, versions), kinds in sorted(groups.items())
    ]
    return _block(f"Stored, not fitted in this run ({RETRAIN} does)", lines, width)


def _counted(kinds: Counter[str]) -> str:
    return " and ".join(f"{number} {kind}{'s' * (number > 1)}" for kind, number in sorted(kinds.items(), reverse=True))


def stale_lines(records: Sequence[StaleRecord], width: int, here: Path) -> list[str]:
    """Return what is stale and why, and the command that, in the folder ``here``, stores it all anew."""
    files = [Path(suite) for suite in sorted({record["suite"] for record in records})]
    shown = [shlex.quote(str(file.relative_to(here) if file.is_relative_to(here) else file)) for file in files]
    command = " ".join(["pytest", UPDATE, *shown])
    lines = [f"{_file(record['suite'])}: {record['name']}: {'; '.join(record['reasons'])}" for record in records]
    return _block(f"Stale, so of no use; fit and store all of it anew: {command}", sorted(lines), width)


def drift_lines(records: Sequence[DriftRecord], width: int) -> list[str]:
    """Return how far new rows lie from the stored ones: the largest changes first, those out of interval marked."""
    moved = [record for record in records if record["told"] or any(map(_size, record["changes"]))]
    moved.sort(key=lambda record: (-_largest(record), record["suite"], record["name"]))
    lines = [f"{_file(record['suite'])}: {record['name']}: {_changed(record)}" for record in moved]
    same = len(records) - len(moved)
    lines += [f"{same} without any change"] if same else []
    beyond = sum(_beyond(change) for record in records for change in record["changes"])
    compared = sum(len(record["changes"]) for record in records)
    head = f"Drift from the stored rows (of {compared} means over seeds, {beyond} beyond the stored 95 % interval: !)"
    return _block(head, lines, width) if records else []


def _changed(record: DriftRecord) -> str:
    """Return the metrics that lie out of their stored interval, at least the largest changes."""
    ordered = sorted(filter(_size, record["changes"]), key=lambda change: (not _beyond(change), -_size(change)))
    told = [one for number, one in enumerate(ordered) if number < SHOWN or _beyond(one)]
    parts = [
        f"{one['metric']} {one['stored']:.4g} -> {one['now']:.4g} ({one['now'] - one['stored']:+.2g}"
        f"{', beyond !' * _beyond(one)})"
        for one in told
    ]
    more = [f"{len(ordered) - len(told)} smaller"] if len(ordered) > len(told) else []
    return ", ".join([*([record["told"]] if record["told"] else []), *parts, *more])


def _largest(record: DriftRecord) -> float:
    if record["told"]:
        return float("inf")
    return max((_size(change) + 1e9 * _beyond(change) for change in record["changes"]), default=0.0)


def _size(change: Drift) -> float:
    """Return the size of a change in half widths of the stored interval; without one, in shares of the value."""
    moved = abs(change["now"] - change["stored"])
    if not moved < float("inf"):  # to or from infinity; between infinities it is not a number
        return 0.0 if change["now"] == change["stored"] else 1e6
    if moved <= 1e-9 * abs(change["stored"]):  # stored with ten digits
        return 0.0
    low, high = change["low"], change["high"]
    half = abs(change["stored"]) if low is None or high is None else (high - low) / 2
    return moved / half if half > 0 else 1e6


def _beyond(change: Drift) -> bool:
    low, high = change["low"], change["high"]
    if low is None or high is None or not _size(change):
        return False
    return not low <= change["now"] <= high


def written_lines(written: Sequence[str], failed: Sequence[str]) -> list[str]:
    """Return which files were written, and which could not be."""
    lines = [*(f"written: {one}" for one in written), *(f"NOT WRITTEN: {one}" for one in failed)]
    return ["\n".join(lines)] if lines else []


def claim_lines(claims: Sequence[ClaimOutcome], width: int, full: bool) -> list[str]:
    """Return what became of claims: those that are borne out as expected in one line, unless all are asked for."""
    shown = [claim for claim in claims if full or claim.verdict != "borne out" or claim.expect != "borne out"]
    if not claims:
        return []
    lines = ["Claims", ""]
    for claim in shown:
        expected = "" if claim.verdict == claim.expect else f" (expected: {claim.expect})"
        expected += f" (stored {claim.stored})" if claim.stored else ""
        lines += textwrap.wrap(f"{claim.verdict}{expected}: {claim.statement}", width, subsequent_indent="  ")
        for text in (claim.evidence, f"source: {claim.source}"):
            lines += textwrap.wrap(text, width, initial_indent="    ", subsequent_indent="    ")
    more = len(claims) - len(shown)
    lines += [f"borne out: {more} {'more ' * bool(shown)}claim{'s' * (more > 1)} (-v shows them)"] if more else []
    return ["\n".join(lines)]


def count_line(checks: Sequence[CheckRecord], claims: Sequence[ClaimOutcome], undecided: str) -> list[str]:
    """Return the line that counts checks and claims, and says what undecided checks rest on."""
    parts = []
    if checks:
        verdicts = Counter(_verdict(check) for check in checks)
        told = ", ".join(f"{verdicts[name]} {name}" for name in STATES if verdicts[name])
        parts.append(f"{len(checks)} check{'s' * (len(checks) > 1)}: {told}{_on(checks, undecided)}")
    if claims:
        verdicts = Counter(claim.verdict for claim in claims)
        parts.append(f"claims: {', '.join(f'{number} {verdict}' for verdict, number in verdicts.items())}")
    return ["; ".join(parts)] if parts else []


def _verdict(check: CheckRecord) -> str:
    if not check["verdicts"]:
        return "not judged"
    found = set(check["verdicts"].values())
    return next((name for name in ("broken", "undecided") if name in found), "met")


def _on(checks: Sequence[CheckRecord], undecided: str) -> str:
    """Say what became of the checks that the test points do not decide."""
    open_ones = [check for check in checks if _verdict(check) == "undecided"]
    if not open_ones:
        return ""
    told = []
    for said in dict.fromkeys(check.get("undecided", "") for check in open_ones):
        of = [check["passed"] for check in open_ones if check.get("undecided", "") == said]
        counts = [
            f"{of.count(passed)} {word}" for passed, word in ((True, "passed"), (False, "failed")) if passed in of
        ]
        by_option = "by the value alone" if undecided == "value" else f"as --distbench-undecided={undecided} says"
        by_call = "by the value alone" if said == "value" else f"as undecided={said!r} says"
        told.append(f"{' and '.join(counts)} {by_call if said else by_option}")
    return f" ({', '.join(told)})"


def _file(suite: str) -> str:
    return Path(suite).name


def _block(head: str, lines: Sequence[str], width: int) -> list[str]:
    if not lines:
        return []
    told = [
        part for line in lines for part in textwrap.wrap(line, width, initial_indent="  ", subsequent_indent="    ")
    ]
    return ["\n".join([*textwrap.wrap(head, width), "", *told])]
