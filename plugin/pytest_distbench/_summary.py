"""Gathers what the tests measured, writes what is to be written, and prints the rest; on the controller."""

from __future__ import annotations

import sys
from operator import attrgetter
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from distbench.results.run import RunResults
from pytest_distbench._record import CheckRecord, Record, records_on
from pytest_distbench._settings import added_encoders, settings_of
from pytest_distbench._summary_lines import (
    claim_lines,
    count_line,
    drift_lines,
    stale_lines,
    stored_lines,
    written_lines,
)

if TYPE_CHECKING:
    from distbench.results.file import Results
    from distbench.results.gates import RunComparison
    from distbench.results.rows import Row

__all__ = ["Summary"]

COMPARE = "--distbench-compare"
CHOOSING = ("keyword", "markexpr", "lf", "deselect", "stepwise", "ignore", "ignore_glob")  # pytest's options


class Summary:
    """A plugin of its own, so that a run without ``--distbench`` does not call it.

    Parameters
    ----------
    config : pytest.Config
        Whose options say what to compare with and what to write.
    """

    def __init__(self, config: pytest.Config) -> None:
        # By test, so that of a rerun only the last counts; and its file, which node ids outside pytest's root lack.
        self._records: dict[tuple[str, str], Record] = {}
        self._config = config
        self._settings = settings_of(config)
        self._partial = False
        self._failed: set[str] = set()
        self._before = self._read_before()
        self._run = RunResults(rows=())
        self._idle: list[str] = []
        self._written: list[str] = []
        self._unwritten: list[str] = []

    def _read_before(self) -> Results | None:
        """Read the run to compare with before the tests: the same path may be written at the end."""
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

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Keep what came with a test's report."""
        if report.failed:
            self._failed.add(report.nodeid)
        for record in records_on(report):
            self._records[report.nodeid, report.location[0]] = record

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Compare, store and write; a run with a broken gate, or with a file that cannot be written, has failed."""
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
        """Return a line for each encoder of the options that no suite fitted: it must not seem to have passed."""
        if _is_cut(session, pytest.ExitCode.NO_TESTS_COLLECTED):
            return []
        known = {row.encoder for row in self._run.rows}
        hint = "ran on no suite; select one it can run on, such as --pyargs distbench_suites"
        return [f"--distbench-encoder {name}: {hint}" for name, _ in added_encoders(self._config) if name not in known]

    def _run_results(self) -> RunResults:
        """Return what the run found, in an order that does not depend on which test finished first."""
        rows = sorted(self._all("rows"), key=attrgetter("dataset", "test", "code_size"))
        rows.sort(key=lambda row: (row.encoder, -1 if row.seed is None else row.seed))
        if not rows and not self._all("claims") and self._before is None:
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
        """Return what changed since the run to compare with, and the gates that this breaks."""
        if self._before is None or self._settings.compare is None:
            return None, []
        from distbench.inference.verdicts import check_undecided
        from distbench.results.gates import broken_gates, compare_rows

        comparison = compare_rows(
            self._before.rows, rows, source=self._shown(self._settings.compare), failed_tests=self._failed
        )
        broken = broken_gates(comparison, self._settings.gates, check_undecided(self._settings.undecided()))
        return comparison, list(map(str, broken))

    def _shown(self, path: Path) -> str:
        here = self._config.invocation_params.dir
        return str(path.relative_to(here) if path.is_relative_to(here) else path)

    def _write(self, session: pytest.Session) -> None:
        if any(record.updates for record in self._records.values()):
            from pytest_distbench._writer import write_updates

            self._written, self._unwritten = write_updates(self._records.values())
        if self._settings.reports:
            from pytest_distbench._reports import write_reports

            whole = self._is_whole(session)
            written, failed = write_reports(self._settings.reports, self._run, whole, self._text)
            self._written += written
            self._unwritten += failed

    def _is_whole(self, session: pytest.Session) -> bool:
        """Return whether this was a run of all the tests, to its end; where that is not sure, False.

        Under xdist only the workers know what was deselected, so the options that do so are read too.
        """
        config = self._config
        from_root = config.args_source == pytest.Config.ArgsSource.TESTPATHS or (
            config.args_source == pytest.Config.ArgsSource.INVOCATION_DIR
            and config.invocation_params.dir == config.rootpath
        )
        chosen = any(getattr(config.option, name, None) for name in CHOOSING)
        return from_root and not (self._partial or chosen or _is_cut(session))

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Print leaderboards, what changed, claims, what is stored, stale or drifted, and counts."""
        from distbench.render.text import printable, terminal_width

        text = self._text(terminal_width())
        if not (text or self._run.broken or self._idle):
            return
        terminalreporter.write_sep("=", "distbench")
        for line, markup in _marked(printable(text, sys.stdout.encoding)):
            terminalreporter.write_line(line, **markup)
        for line in (*self._run.broken, *self._idle):
            terminalreporter.write_line(printable(line, sys.stdout.encoding), red=True, bold=True)
            _count_as_failed(terminalreporter, line)

    def _all(self, kind: str) -> list[Any]:
        return [entry for record in self._records.values() for entry in getattr(record, kind)]

    def _text(self, width: int) -> str:
        from distbench.render.changes import render_changes
        from distbench.render.text import render_leaderboards

        run, is_verbose = self._run, getattr(self._config.option, "verbose", 0) > 0
        blocks = render_leaderboards(run.rows, run.sort, width)
        blocks += [] if run.comparison is None else [render_changes(run.comparison, width)]
        blocks += claim_lines(run.claims, width, is_verbose)
        blocks += drift_lines(self._all("drift"), width) + stored_lines(self._all("stored"), width)
        blocks += stale_lines(self._all("stale"), width, self._config.invocation_params.dir)
        blocks += written_lines(self._written, self._unwritten)
        blocks += count_line(self._checks(), run.claims, self._settings.undecided())
        return "\n\n".join(blocks)

    def _checks(self) -> list[CheckRecord]:
        """Return the checks; those that judged nothing count where the test failed: other tests expected the error."""
        return [
            check
            for (test, _), record in self._records.items()
            for check in record.checks
            if check["verdicts"] or test in self._failed
        ]


def _is_cut(session: pytest.Session, *other_ends: pytest.ExitCode) -> bool:
    """Return whether a run ended before its last test."""
    ends = (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED, *other_ends)
    return bool(session.shouldstop or session.shouldfail or session.exitstatus not in ends)


def _marked(text: str) -> list[tuple[str, dict[str, bool]]]:
    """Return lines with their markup: titles are bold."""
    lines = text.split("\n")
    marked: list[tuple[str, dict[str, bool]]] = []
    for number, line in enumerate(lines):
        markup = {"bold": True} if number == 0 or not lines[number - 1] else {}
        if line.startswith(("NOT WRITTEN", "no place", "refuted")):
            markup = {"red": True}
        elif line.startswith("undecided"):
            markup = {"yellow": True}
        marked.append((line, markup if line else {}))
    return marked


def _count_as_failed(reporter: pytest.TerminalReporter, line: str) -> None:
    """Add a broken gate to pytest's failures and to the list of them: one line, no traceback."""
    name, _, reason = line.partition(": ")
    shown: Any = SimpleNamespace(reprcrash=SimpleNamespace(message=reason))
    failure = pytest.TestReport(name, ("", None, name), {}, "failed", shown, "call")
    reporter.stats.setdefault("failed", []).append(failure)
