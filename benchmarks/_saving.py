"""A plugin of pytest that writes the coverage of a process when its tests are done, before its pool may end it."""

from __future__ import annotations

import warnings

from coverage import Coverage


def pytest_sessionfinish() -> None:
    running = Coverage.current()
    if running is not None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # on the controller nothing is imported
            running.save()
