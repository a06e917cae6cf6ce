"""The part of the plugin that runs only with ``--distbench``."""

from __future__ import annotations

from collections.abc import Generator

import pytest

from pytest_distbench._checks import unused_options
from pytest_distbench._marker import marker_fault
from pytest_distbench._record import CALLED, attach, start
from pytest_distbench._selection import Selection
from pytest_distbench._session import is_worker, node_id
from pytest_distbench._settings import settings_of
from pytest_distbench._traceback import shorten

__all__ = ["enable"]


def enable(config: pytest.Config) -> None:
    """Check the options and register the hooks; raise ``pytest.UsageError`` for a wrong option."""
    settings, selection = settings_of(config), Selection(config)
    config.pluginmanager.register(Hooks(), "distbench-on")
    config.pluginmanager.register(selection, "distbench-selection")
    if not is_worker(config):
        from pytest_distbench._reports import check_reports
        from pytest_distbench._summary import Summary

        check_reports(settings.reports, settings.compare, getattr(config.option, "xmlpath", None))
        config.pluginmanager.register(Summary(config, selection), "distbench-summary")


class Hooks:
    """The hooks that every process that runs tests needs."""

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        """Start a run of a test; fail it if its marker is wrong, which xdist workers cannot report at collection."""
        start(item)
        if fault := marker_fault(item):
            pytest.fail(fault, pytrace=False)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Attach what a test has recorded to its report."""
        report = yield
        attach(item, report)
        shorten(item, call, report)
        return report

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Generator[None, object, object]:
        """Fail a test that never checked its marker's limits, or never used its encoder's options."""
        result = yield
        if CALLED not in item.stash and any("limits" in mark.kwargs for mark in item.iter_markers("distbench")):
            fault = (
                "its marker has limits, but the test checked nothing; take the fixture distbench and "
                "call distbench.check(...) in it"
            )
        else:
            fault = unused_options(item)
        if fault:
            pytest.fail(f"{node_id(item)}: {fault}", pytrace=False)
        return result
