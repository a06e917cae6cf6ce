"""The part of the plugin that runs with ``--distbench`` alone."""

from __future__ import annotations

from collections.abc import Generator

import pytest

from pytest_distbench._failure import shorten
from pytest_distbench._marker import marker_fault
from pytest_distbench._record import attach, was_called
from pytest_distbench._settings import settings_of
from pytest_distbench._xdist import SharedFolder, is_worker

__all__ = ["switch_on"]


def switch_on(config: pytest.Config) -> None:
    """Check the options; gather what tests measure, and on the controller print and write it.

    Raises
    ------
    pytest.UsageError
        An option cannot be used.
    """
    settings = settings_of(config)
    config.pluginmanager.register(Hooks(), "distbench-on")
    if not is_worker(config):
        from pytest_distbench._reports import check_reports
        from pytest_distbench._summary import Summary

        check_reports(settings.reports)
        config.pluginmanager.register(Summary(config), "distbench-summary")
        config.pluginmanager.register(SharedFolder(), "distbench-shared-folder")


class Hooks:
    """Hooks of every process that runs tests."""

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        """On a worker of xdist, fail a test whose marker is wrong."""
        if fault := marker_fault(item):
            pytest.fail(fault, pytrace=False)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Send what a test measured along with its report."""
        report = yield
        attach(item, report)
        shorten(item, call, report)
        if call.when == "call" and report.passed and not was_called(item):
            _fail_unchecked(item, report)
        return report


def _fail_unchecked(item: pytest.Item, report: pytest.TestReport) -> None:
    """Fail a test that has limits in its marker and never looked at them: it must not pass silently."""
    if any("limits" in mark.kwargs for mark in item.iter_markers("distbench")):
        report.outcome = "failed"
        report.longrepr = (
            f"{item.nodeid}: its marker has limits, but the test checked nothing; take the fixture distbench and call "
            "distbench.check(...) in it"
        )
