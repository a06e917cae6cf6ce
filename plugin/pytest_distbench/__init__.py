"""The pytest plugin of distbench: assert in a test that an encoder keeps close things close.

``pytest --distbench`` runs distbench tests and suite files; without it they skip, with the reason.
Nothing heavy is loaded before such a test runs.
"""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path

import pytest

from pytest_distbench._checks import checks
from pytest_distbench._failure import shorten
from pytest_distbench._fixture import DistbenchFixture
from pytest_distbench._marker import SIGNATURE, read_marker
from pytest_distbench._options import add_options, settings_of
from pytest_distbench._record import attach
from pytest_distbench._session import REASON, enabled
from pytest_distbench._xdist import SharedFolder, is_worker

__all__ = ["DistbenchFixture", "checks"]

_FAULT: pytest.StashKey[str] = pytest.StashKey()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options and their ini twins."""
    add_options(parser)


def pytest_configure(config: pytest.Config) -> None:
    """Register the marker; check the options, and on the controller gather the results."""
    config.addinivalue_line(
        "markers",
        f"distbench({SIGNATURE}): fit the recipe given to distbench.check on a data set's train points, "
        "judge it on its test points, and hold it to the limits",
    )
    if not enabled(config) or config.option.help:
        return
    settings = settings_of(config)
    if not is_worker(config):
        from pytest_distbench._reports import check_reports
        from pytest_distbench._summary import Summary

        check_reports(settings.reports)
        config.pluginmanager.register(Summary(config), "distbench-summary")
        config.pluginmanager.register(SharedFolder(), "distbench-shared-folder")


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    """Collect TOML files that call themselves suites."""
    if file_path.suffix != ".toml":
        return None
    from distbench.suite_mark import is_suite

    if not is_suite(file_path):
        return None
    from pytest_distbench._suites import SuiteFile

    return SuiteFile.from_parent(parent, path=file_path)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Check the markers' arguments, and skip distbench tests where they were not asked for.

    Skipping here and not in the fixture spares the other fixtures of such a test, which may train.
    """
    for item in items:
        marked = item.get_closest_marker("distbench") is not None
        if marked:
            _check_marker(item)
        if not enabled(config) and (marked or "distbench" in getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.skip(reason=REASON))


def _check_marker(item: pytest.Item) -> None:
    try:
        read_marker(item, look_up=enabled(item.config))
    except pytest.UsageError as error:
        if not is_worker(item.config):
            raise
        item.stash[_FAULT] = str(error)  # raised in a worker, it would crash xdist's controller


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """On a worker of xdist, fail a test whose marker is wrong."""
    if _FAULT in item.stash:
        pytest.fail(item.stash[_FAULT], pytrace=False)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Send what a test measured along with its report."""
    report = yield
    attach(item, report)
    shorten(item, call, report)
    return report


@pytest.fixture(name="distbench")
def _distbench(request: pytest.FixtureRequest) -> DistbenchFixture:
    """Judge encoders on test points: ``distbench.check(encoder, X_test, continuity=0.95)``."""
    if not enabled(request.config):
        pytest.skip(REASON)
    item: pytest.Item = request.node
    return DistbenchFixture(item)
