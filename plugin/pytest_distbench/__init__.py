"""The pytest plugin of distbench: assert in a test that an encoder keeps close things close.

``pytest --distbench`` runs distbench tests and suite files; without the option they skip, with the reason. A run
without such tests loads only this module and ``_options``, since each import costs every user of pytest milliseconds.
"""

from __future__ import annotations

import pytest

from pytest_distbench._options import MARKER, REASON, add_options, is_on

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pathlib import Path
    from typing import Any

    from pytest_distbench._checks import checks
    from pytest_distbench._fixture import DistbenchFixture

__all__ = ["DistbenchFixture", "checks"]


def __getattr__(name: str) -> Any:
    if name == "checks":
        from pytest_distbench._checks import checks

        return checks
    if name == "DistbenchFixture":
        from pytest_distbench._fixture import DistbenchFixture

        return DistbenchFixture
    raise AttributeError(f"module 'pytest_distbench' has no attribute {name!r}")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options, each with an ini value of the same name."""
    add_options(parser)


def pytest_configure(config: pytest.Config) -> None:
    """Register the marker; with ``--distbench``, check the options and load the rest of the plugin."""
    config.addinivalue_line(
        "markers",
        f"distbench({MARKER}): fit the recipe that is passed to distbench.check on a data set's train points, "
        "evaluate it on the test points, and check the limits",
    )
    if is_on(config) and not config.option.help:
        from pytest_distbench._enabled import enable

        enable(config)


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    """Collect the TOML files that are suites."""
    if file_path.suffix != ".toml" or file_path.name == "pyproject.toml":
        return None
    from distbench.suites.detect import is_suite

    if not is_suite(file_path):
        return None
    from pytest_distbench._suites import SuiteFile

    return SuiteFile.from_parent(parent, path=file_path)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Check the markers' arguments; without ``--distbench`` skip distbench tests before their fixtures train."""
    on = is_on(config)
    for item in items:
        marked = item.get_closest_marker("distbench") is not None
        if marked:
            from pytest_distbench._marker import check_marker

            check_marker(item, on)
        if not on and (marked or "distbench" in getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.skip(reason=REASON))


@pytest.fixture(name="distbench")
def _distbench(request: pytest.FixtureRequest) -> DistbenchFixture:
    """Evaluate encoders on test points and check limits: ``distbench.check(encoder, X_test, continuity=0.95)``."""
    if not is_on(request.config):
        pytest.skip(REASON)
    from pytest_distbench._fixture import DistbenchFixture

    item: pytest.Item = request.node
    return DistbenchFixture(item)
