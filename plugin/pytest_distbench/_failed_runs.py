"""Failures of a run that no test has, such as a broken gate: each becomes a test case of its own."""

from __future__ import annotations

import os
from collections.abc import Iterable
from types import SimpleNamespace
from typing import Any, Literal, NamedTuple

import pytest

from distbench._util.text import plain_text

__all__ = ["RunFailure", "count_as_failed", "report_failures"]

OWN_COUNTS = ("terminalreporter", "session", "lfplugin", "stepwiseplugin", "distbench-summary")
"""Plugins that would count a report again, or look for its test in the next run."""
PHASES: tuple[tuple[Literal["setup", "call", "teardown"], Literal["passed", "failed"]], ...] = (
    ("setup", "passed"),
    ("call", "failed"),
    ("teardown", "passed"),
)


class RunFailure(NamedTuple):
    """Why a run failed: the option, what it is about, and a line for readers that begins with the option."""

    option: str
    subject: str
    text: str


def report_failures(config: pytest.Config, failures: Iterable[RunFailure]) -> None:
    """Report each failure as a test, to the plugins that write JUnit files and the like."""
    manager = config.pluginmanager
    own = [plugin for name in OWN_COUNTS if (plugin := manager.get_plugin(name)) is not None]
    log = manager.subset_hook_caller("pytest_runtest_logreport", remove_plugins=own)
    for failure in failures:
        subject, text = plain_text(failure.subject), plain_text(failure.text)
        name = f"{failure.option}[{subject}]" if subject else failure.option
        for when, outcome in PHASES:
            why = text if outcome == "failed" else None
            log(report=pytest.TestReport(f"distbench::{name}", ("distbench", None, name), {}, outcome, why, when))


def count_as_failed(reporter: pytest.TerminalReporter, failure: RunFailure) -> None:
    """Add a failure to pytest's failures and to the list of them: one line, no traceback."""
    reason = plain_text(failure.text.removeprefix(f"{failure.option}: "))
    shown: Any = SimpleNamespace(reprcrash=SimpleNamespace(message=reason))
    here, root = reporter.config.invocation_params.dir, reporter.config.rootpath
    name = os.path.relpath(here / failure.option, root)  # pytest shows it as a path from where it was called
    report = pytest.TestReport(name, ("", None, failure.option), {}, "failed", shown, "call")
    reporter.stats.setdefault("failed", []).append(report)
