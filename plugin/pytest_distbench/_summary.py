"""The end of a run, on the controller: gather records, compare runs, write files, print the summary."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from operator import attrgetter
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from distbench._util.text import plain_text
from distbench.results.run import RunResults
from pytest_distbench._record import CheckRecord, Record, run_of, take_records
from pytest_distbench._session import relative_path, remove_kept_fits
from pytest_distbench._settings import settings_of
from pytest_distbench._summary_lines import (
    claim_lines,
    count_line,
    drift_lines,
    joined,
    stale_lines,
    stored_lines,
    written_lines,
)

if TYPE_CHECKING:
    from distbench.render.text import Line
    from distbench.results.file import Results
    from distbench.results.gates import RunComparison
    from distbench.results.rows import Row

__all__ = ["Summary"]

COMPARE = "--distbench-compare"
DESELECTING = ("keyword", "markexpr", "lf", "deselect", "stepwise", "ignore", "ignore_glob")  # pytest's options
MARKUP: dict[str, dict[str, bool]] = {
    "": {},
    "title": {"bold": True},
    "warning": {"yellow": True},
    "error": {"red": True},
}


@dataclass
class RanTest:
    """The last run of a test: its node id, whether it failed, and what all its reports recorded."""

    name: str
    run: str
    failed: bool = False
    record: Record = field(default_factory=Record)


class Summary:
    """Hooks that are registered only with ``--distbench``, and only in the process that prints the summary."""

    def __init__(self, config: pytest.Config) -> None:
        # Keyed by file too, since node ids outside pytest's root lack the file.
        self._tests: dict[tuple[str, str], RanTest] = {}
        self._config = config
        self._settings = settings_of(config)
        self._partial = False
        self._earlier_run = self._read_earlier_run()
        self._run = RunResults(rows=())
        self._idle: list[str] = []
        self._written: list[str] = []
        self._unwritten: list[str] = []

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

    def pytest_deselected(self) -> None:
        """Remember that not all tests run."""
        self._partial = True

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Remember that tests could not be collected."""
        self._partial = self._partial or report.failed

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Add what a report recorded to the other reports of this run of its test; the last rerun counts."""
        name, run = run_of(report)
        key = report.nodeid, report.location[0]
        if key not in self._tests or run not in ("", self._tests[key].run):
            self._tests[key] = RanTest(name, run)
        test = self._tests[key]
        test.failed = test.failed or report.failed
        for record in take_records(report):
            test.record.add(record)

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Compare, store and write; fail a run with a broken gate or a file that cannot be written."""
        if self._config.option.collectonly:
            return
        self._run = self._run_results()
        self._write(session)
        self._idle = self._idle_encoders(session)
        if self._unwritten or self._idle or self._run.broken:
            session.testsfailed += len(self._run.broken) + len(self._idle)
            if session.exitstatus in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED):
                session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def _idle_encoders(self, session: pytest.Session) -> list[str]:
        """Return a line for each encoder of the options that no suite ran: it must not seem to have passed."""
        if _is_cut(session, pytest.ExitCode.NO_TESTS_COLLECTED):
            return []
        known = {row.encoder for row in self._run.rows}
        hint = "ran on no suite; select one that it can run on, such as --pyargs distbench_suites"
        return [f"--distbench-encoder {name}: {hint}" for name, _ in self._settings.encoders if name not in known]

    def _run_results(self) -> RunResults:
        """Return the results, in an order that does not depend on which test finished first."""
        rows = sorted(self._all("rows"), key=attrgetter("dataset", "test", "code_size"))
        rows.sort(key=lambda row: (row.encoder, -1 if row.seed is None else row.seed))
        if not rows and not self._all("claims") and self._earlier_run is None:
            return RunResults(rows=())
        from distbench.results.environment import environment

        comparison, broken = self._compared(rows)
        return RunResults(
            rows=rows,
            environment=environment(self._config.rootpath),
            claims=sorted(self._all("claims"), key=attrgetter("id")),
            diagrams=self._all("diagrams"),
            comparison=comparison,
            broken=broken,
            sort=self._settings.sort,
        )

    def _compared(self, rows: list[Row]) -> tuple[RunComparison | None, list[str]]:
        """Return the changes since the earlier run, and the gates that they break."""
        if self._earlier_run is None or self._settings.compare is None:
            return None, []
        from distbench.inference.verdicts import check_undecided
        from distbench.results.gates import broken_gates, compare_rows

        source = str(relative_path(self._settings.compare, self._config))
        failed = {test.name for test in self._tests.values() if test.failed}
        comparison = compare_rows(self._earlier_run.rows, rows, source=source, failed_tests=failed)
        broken = broken_gates(comparison, self._settings.gates, check_undecided(self._settings.undecided()))
        return comparison, list(map(str, broken))

    def _write(self, session: pytest.Session) -> None:
        records = [test.record for test in self._tests.values()]
        if any(record.updates for record in records):
            from pytest_distbench._writer import write_updates

            self._written, self._unwritten = write_updates(records)
            if not _is_cut(session):
                remove_kept_fits(self._config)
        if self._settings.reports:
            from pytest_distbench._reports import write_reports

            whole = self._is_whole(session)
            written, failed = write_reports(
                self._settings.reports, self._run, whole, lambda width: joined(self._blocks(width))
            )
            self._written += written
            self._unwritten += failed

    def _is_whole(self, session: pytest.Session) -> bool:
        """Return whether all the tests ran to the end; if unsure, False.

        With xdist only the workers know what was deselected, so the options that deselect are read too.
        """
        config = self._config
        from_root = config.args_source == pytest.Config.ArgsSource.TESTPATHS or (
            config.args_source == pytest.Config.ArgsSource.INVOCATION_DIR
            and config.invocation_params.dir == config.rootpath
        )
        chosen = any(getattr(config.option, name, None) for name in DESELECTING)
        return from_root and not (self._partial or chosen or _is_cut(session))

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Print leaderboards, changes, claims, stored, stale and drifted rows, and counts."""
        from distbench.render.text import printable, terminal_width

        blocks = self._blocks(terminal_width())
        if not (blocks or self._run.broken or self._idle):
            return
        terminalreporter.write_sep("=", "distbench")
        for number, block in enumerate(blocks):
            if number:
                terminalreporter.write_line("")
            for line in block:
                terminalreporter.write_line(printable(line.text, sys.stdout.encoding), **MARKUP[line.level])
        for text in (*self._run.broken, *self._idle):
            terminalreporter.write_line(printable(text, sys.stdout.encoding), red=True, bold=True)
            _count_as_failed(terminalreporter, plain_text(text))

    def _all(self, kind: str) -> list[Any]:
        """Return the entries of this kind in the records of all tests."""
        return [entry for test in self._tests.values() for entry in getattr(test.record, kind)]

    def _blocks(self, width: int) -> list[list[Line]]:
        from distbench.render.changes import render_changes
        from distbench.render.text import leaderboard_lines, titled

        run, is_verbose = self._run, getattr(self._config.option, "verbose", 0) > 0
        blocks = leaderboard_lines(run.rows, run.sort, width)
        blocks += [] if run.comparison is None else [titled(*render_changes(run.comparison, width).split("\n"))]
        blocks += claim_lines(run.claims, width, is_verbose)
        blocks += drift_lines(self._all("drift"), width) + stored_lines(self._all("stored"), width)
        blocks += stale_lines(self._all("stale"), width, self._config)
        blocks += written_lines(self._written, self._unwritten)
        blocks += count_line(self._checks(), run.claims, self._settings.undecided())
        return blocks

    def _checks(self) -> list[CheckRecord]:
        """Return the checks; one without a verdict counts only if its test failed, since a test may expect an error."""
        return [
            check for test in self._tests.values() for check in test.record.checks if check["verdicts"] or test.failed
        ]


def _is_cut(session: pytest.Session, *other_ends: pytest.ExitCode) -> bool:
    """Return whether a run ended before its last test."""
    ends = (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED, *other_ends)
    return bool(session.shouldstop or session.shouldfail or session.exitstatus not in ends)


def _count_as_failed(reporter: pytest.TerminalReporter, line: str) -> None:
    """Add a broken gate to pytest's failures and to the list of them: one line, no traceback."""
    name, _, reason = line.partition(": ")
    shown: Any = SimpleNamespace(reprcrash=SimpleNamespace(message=reason))
    failure = pytest.TestReport(name, ("", None, name), {}, "failed", shown, "call")
    reporter.stats.setdefault("failed", []).append(failure)
