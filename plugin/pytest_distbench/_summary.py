"""The end of a run, on the controller: gather records, compare runs, write files, print the summary."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass, field
from operator import attrgetter
from typing import TYPE_CHECKING, Any

import pytest

from distbench._util.text import plain_text
from distbench.results.run import RunResults
from pytest_distbench._failed_runs import RunFailure, count_as_failed, report_failures
from pytest_distbench._record import CheckRecord, Record, run_of, take_records
from pytest_distbench._selection import Selection, is_cut
from pytest_distbench._session import accept_line, relative_path, remove_kept_fits
from pytest_distbench._settings import settings_of
from pytest_distbench._summary_lines import (
    claim_lines,
    count_line,
    drift_lines,
    joined,
    missing_line,
    stale_lines,
    stored_lines,
    suggestion_lines,
    written_lines,
)

if TYPE_CHECKING:
    from pathlib import Path

    from distbench.render.text import Line
    from distbench.results.file import Results
    from distbench.results.gates import RunComparison
    from distbench.results.rows import Row

__all__ = ["Summary"]

BRIEF_ROWS = 5  # encoders of each leaderboard that a brief summary shows
COMPARE = "--distbench-compare"
MARKUP: dict[str, dict[str, bool]] = {
    "": {},
    "title": {"bold": True},
    "warning": {"yellow": True},
    "error": {"red": True},
}


@dataclass
class RanTest:
    """The last run of a test: its node id, its runs, whether the last one failed, and what its reports recorded."""

    name: str
    runs: tuple[str, ...]
    failed: bool = False
    record: Record = field(default_factory=Record)


class Summary:
    """Hooks that are registered only with ``--distbench``, and only in the process that prints the summary."""

    def __init__(self, config: pytest.Config, selection: Selection) -> None:
        # Keyed by file too, since node ids outside pytest's root lack the file.
        self._tests: dict[tuple[str, str], RanTest] = {}
        self._config = config
        self._settings = settings_of(config)
        self._selection = selection
        self._earlier_run = self._read_earlier_run()
        self._run = RunResults(rows=())
        self._failures: list[RunFailure] = []
        self._accept = ""
        self._written: list[str] = []
        self._unwritten: list[str] = []
        self._kept: list[str] = []

    def _read_earlier_run(self) -> Results | None:
        """Read the earlier run before any test runs: its file may be overwritten at the end."""
        if self._settings.compare is None:
            return None
        from distbench.errors import DistbenchError
        from distbench.results.file import read_results

        try:
            return read_results(self._settings.compare)
        except DistbenchError as error:
            raise pytest.UsageError(f"{COMPARE}: {error}") from None

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Add what a report recorded to the other reports of this run of its test; the run that began last counts.

        With ``--dist each`` several workers run a test at the same time.
        """
        name, run = run_of(report)
        key = report.nodeid, report.location[0]
        runs = self._tests[key].runs if key in self._tests else ()
        if not runs or run not in ("", *runs):
            self._tests[key] = RanTest(name, (*runs, run))
        test, records = self._tests[key], take_records(report)
        if run not in ("", test.runs[-1]):
            return
        test.failed = test.failed or report.failed
        for record in records:
            test.record.add(record)

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Compare, store and write; fail a run with a broken gate or a file that cannot be written."""
        if self._config.option.collectonly:
            return
        self._run = self._run_results(session)
        self._failures += self._idle_encoders(session)
        self._write(session)
        if self._failures or self._unwritten:
            session.testsfailed += len(self._failures)
            if session.exitstatus in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED):
                session.exitstatus = pytest.ExitCode.TESTS_FAILED
        unwritten = [RunFailure("not written", "", f"not written: {text}") for text in self._unwritten]
        report_failures(self._config, [*self._failures, *unwritten])

    def _idle_encoders(self, session: pytest.Session) -> list[RunFailure]:
        """Return a failure for each encoder of the options that no suite ran: it must not seem to have passed."""
        if is_cut(session, pytest.ExitCode.NO_TESTS_COLLECTED):
            return []
        known = {row.encoder for row in self._run.rows}
        hint = "ran on no suite; select one that it can run on, such as --pyargs distbench_suites"
        idle = [f"--distbench-encoder {name}" for name, _ in self._settings.encoders if name not in known]
        return [RunFailure(option, "", f"{option}: {hint}") for option in idle]

    def _run_results(self, session: pytest.Session) -> RunResults:
        """Return the results, in an order that does not depend on which test finished first."""
        rows = sorted(self._all("rows"), key=attrgetter("dataset", "test", "code_size"))
        rows.sort(key=lambda row: (row.encoder, -1 if row.seed is None else row.seed))
        if not (rows or self._all("claims") or self._earlier_run or self._settings.reports):
            return RunResults(rows=())
        from distbench.results.environment import environment

        comparison = self._compared(rows, session)
        return RunResults(
            rows=rows,
            environment=environment(self._config.rootpath),
            claims=sorted(self._all("claims"), key=attrgetter("id")),
            diagrams=self._all("diagrams"),
            comparison=comparison,
            broken=[failure.text for failure in self._failures],
            sort=self._settings.sort,
            advice={(test, encoder): lines for test, encoder, lines in self._all("advice")},
            unevaluated=sum(not check["verdicts"] for check in self._checks()),
            is_cut=is_cut(session, pytest.ExitCode.NO_TESTS_COLLECTED),
        )

    def _compared(self, rows: list[Row], session: pytest.Session) -> RunComparison | None:
        """Return the changes since the earlier run, and keep the gates that they break."""
        earlier, path = self._earlier_run, self._settings.compare
        if earlier is None or path is None:
            return None
        from distbench.inference.verdicts import check_undecided
        from distbench.results.gates import broken_gates, compare_rows

        ran = {test.name for test in self._tests.values()}
        failed = {test.name for test in self._tests.values() if test.failed}
        left_out = {
            test for test in {row.test for row in earlier.rows} - ran if self._selection.left_out(test, session)
        }
        whole = self._selection.is_whole(session)
        self._accept = accept_line(self._config, path, whole=whole, selected=not left_out)
        source = plain_text(relative_path(path, self._config))
        comparison = compare_rows(earlier.rows, rows, source, failed, left_out)
        undecided = check_undecided(self._settings.undecided())
        broken = broken_gates(comparison, self._settings.gates, undecided, self._accept)
        self._failures += [RunFailure(str(gate.gate), gate.subject, str(gate)) for gate in broken]
        return comparison

    def _write(self, session: pytest.Session) -> None:
        records = [test.record for test in self._tests.values()]
        if any(record.updates for record in records):
            from pytest_distbench._writer import write_updates

            stored, self._unwritten = write_updates(records)
            self._written = [f"{relative_path(path, self._config)}: {what}" for path, what in stored]
            if not is_cut(session):
                remove_kept_fits(self._config)
        if self._settings.reports:
            from pytest_distbench._reports import write_reports

            reports = [(kind, path) for kind, path in self._settings.reports if not self._keeps(kind, path, session)]
            whole = self._selection.is_whole(session)
            written, failed = write_reports(
                self._config, reports, self._run, whole, lambda width: joined(self._blocks(width))
            )
            self._written += written
            self._unwritten += failed

    def _keeps(self, kind: str, path: Path | None, session: pytest.Session) -> bool:
        """Return whether a report would replace what a red run was compared with: the next run would be green."""
        compared = self._settings.compare
        is_red = session.exitstatus != pytest.ExitCode.OK or self._failures or self._unwritten
        if compared is None or path is None or not is_red or os.path.realpath(path) != os.path.realpath(compared):
            return False
        shown = relative_path(path, self._config)
        self._kept.append(f"{kind} report {shown}, with which this red run was compared; to accept it: {self._accept}")
        return True

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Print leaderboards, changes, claims, stored, stale and drifted rows, and counts."""
        from distbench.render.text import printable, terminal_width

        blocks = self._blocks(terminal_width())
        if not (blocks or self._failures):
            return
        terminalreporter.write_sep("=", "distbench")
        for number, block in enumerate(blocks):
            if number:
                terminalreporter.write_line("")
            for line in block:
                terminalreporter.write_line(printable(line.text, sys.stdout.encoding), **MARKUP[line.level])
        for failure in self._failures:
            terminalreporter.write_line(printable(failure.text, sys.stdout.encoding), red=True, bold=True)
            count_as_failed(terminalreporter, failure)

    def _all(self, kind: str) -> list[Any]:
        """Return the entries of this kind in the records of all tests."""
        return [entry for test in self._tests.values() for entry in getattr(test.record, kind)]

    def _blocks(self, width: int) -> list[list[Line]]:
        from distbench.render.changes import render_changes
        from distbench.render.text import leaderboard_lines, titled

        run, brief = self._run, self._settings.brief
        is_verbose = getattr(self._config.option, "verbose", 0) > 0
        blocks = leaderboard_lines(run.rows, run.sort, width, BRIEF_ROWS if brief else None)
        blocks += [] if run.comparison is None else [titled(*render_changes(run.comparison, width).split("\n"))]
        blocks += suggestion_lines(self._all("suggestions")) if self._settings.suggest else []
        blocks += claim_lines(run.claims, width, is_verbose, brief)
        blocks += drift_lines(self._all("drift"), width) + stored_lines(self._all("stored"), width, brief)
        blocks += stale_lines(self._all("stale"), width, self._config)
        blocks += missing_line(self._all("missing"), width)
        blocks += written_lines(self._written, self._unwritten, self._kept)
        blocks += count_line(self._checks(), run.claims, self._settings.undecided())
        return blocks

    def _checks(self) -> list[CheckRecord]:
        """Return the checks; one without a verdict counts only if its test failed, since a test may expect an error."""
        return [
            check for test in self._tests.values() for check in test.record.checks if check["verdicts"] or test.failed
        ]
