"""The part of the plugin that runs only with ``--distbench``."""

from __future__ import annotations

from collections.abc import Generator

import pytest

from pytest_distbench._failure import shorten
from pytest_distbench._marker import marker_fault
from pytest_distbench._record import CALLED, attach
from pytest_distbench._session import is_worker
from pytest_distbench._settings import settings_of

__all__ = ["enable"]


def enable(config: pytest.Config) -> None:
    """Check the options and register the hooks; raise ``pytest.UsageError`` for a wrong option."""
    settings = settings_of(config)
    config.pluginmanager.register(Hooks(), "distbench-on")
    if not is_worker(config):
        from pytest_distbench._reports import check_reports
        from pytest_distbench._summary import Summary

        check_reports(settings.reports)
        config.pluginmanager.register(Summary(config), "distbench-summary")


class Hooks:
    """The hooks that every process that runs tests needs."""

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        """Fail a test whose marker is wrong: xdist workers cannot report that at collection."""
        if fault := marker_fault(item):
            pytest.fail(fault, pytrace=False)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Attach a test's record to its report; fail a test that never checked its marker's limits."""
        report = yield
        attach(item, report)
        shorten(item, call, report)
        has_limits = any("limits" in mark.kwargs for mark in item.iter_markers("distbench"))
        if call.when == "call" and report.passed and has_limits and CALLED not in item.stash:
            report.outcome = "failed"
            report.longrepr = (
                f"{item.nodeid}: its marker has limits, but the test checked nothing; take the fixture distbench and "
                "call distbench.check(...) in it"
            )
        return report
