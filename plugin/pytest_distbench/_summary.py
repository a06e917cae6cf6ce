"""Gathers what the tests measured and prints it at the end of the run, on the controller."""

from __future__ import annotations

import shutil
import sys
import textwrap
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest

from distbench.outcome import ClaimOutcome
from pytest_distbench._record import PROPERTY, CheckRecord
from pytest_distbench._sections import drift_lines, stale_lines, stored_lines, written_lines

if TYPE_CHECKING:
    from distbench.leaderboard import Table

__all__ = ["Summary"]


class Summary:
    """A plugin of its own, so that a run without ``--distbench`` does not call it."""

    def __init__(self) -> None:
        # By test, so that of a rerun only the last counts; and its file, which node ids outside pytest's root lack.
        self._records: dict[tuple[str, str], dict[str, Any]] = {}
        self._written: list[str] = []
        self._unwritten: list[str] = []

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Keep what came with a test's report."""
        for name, value in report.user_properties:
            if name == PROPERTY and isinstance(value, dict):
                self._records[report.nodeid, report.location[0]] = value

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Store what there is to store; a run that cannot has failed."""
        if not any(record["updates"] for record in self._records.values()):
            return
        from pytest_distbench._writer import write_updates

        self._written, self._unwritten = write_updates(self._records.values())
        if self._unwritten:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Print leaderboards, claims, what is stored, stale or drifted, and counts."""
        from distbench.render.text import printable

        checks: list[CheckRecord] = self._all("checks")
        claims: list[ClaimOutcome] = self._all("claims")
        width = _width()
        blocks = [*self._boards(width), *_claims(claims, width)]
        blocks += drift_lines(self._all("drift"), width) + stored_lines(self._all("stored"), width)
        blocks += stale_lines(self._all("stale"), width) + written_lines(self._written, self._unwritten)
        if checks or claims:
            blocks.append(_counts(checks, claims))
        if not blocks:
            return
        terminalreporter.write_sep("=", "distbench")
        terminalreporter.write_line(printable("\n\n".join(blocks), sys.stdout.encoding))

    def _all(self, kind: str) -> list[Any]:
        return [entry for record in self._records.values() for entry in record[kind]]

    def _boards(self, width: int) -> list[str]:
        from distbench.leaderboard import leaderboard
        from distbench.render.text import render_checks, render_table

        tables = leaderboard(self._all("rows"))
        alone = [table for table in tables if _stands_alone(table)]
        blocks = [render_table(table, width) for table in tables if table not in alone]
        return blocks + ([render_checks(alone, width)] if alone else [])


def _stands_alone(table: Table) -> bool:
    return not table.dataset and len(table.entries) == 1


def _width() -> int:
    width = shutil.get_terminal_size().columns
    return width if width >= 40 else 80  # as pytest does: some CI systems report a width of 1


def _claims(claims: list[ClaimOutcome], width: int) -> list[str]:
    if not claims:
        return []
    lines = ["Claims", ""]
    for claim in claims:
        expected = "" if claim["verdict"] == claim["expect"] else f" (expected: {claim['expect']})"
        expected += f" (stored {claim['stored']})" if claim["stored"] else ""
        lines += textwrap.wrap(f"{claim['verdict']}{expected}: {claim['statement']}", width, subsequent_indent="  ")
        for text in (claim["evidence"], f"source: {claim['source']}"):
            lines += textwrap.wrap(text, width, initial_indent="    ", subsequent_indent="    ")
    return ["\n".join(lines)]


def _counts(checks: list[CheckRecord], claims: list[ClaimOutcome]) -> str:
    parts = []
    if checks:
        met = sum(check["met"] for check in checks)
        parts.append(f"{len(checks)} encoders checked (each seed counts): {met} met, {len(checks) - met} broken")
    if claims:
        verdicts = Counter(claim["verdict"] for claim in claims)
        told = ", ".join(f"{number} {verdict}" for verdict, number in verdicts.items())
        parts.append(f"claims: {told}")
    return "; ".join(parts)
