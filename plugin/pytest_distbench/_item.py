"""The base class of a suite's tests, and helpers for their errors."""

from __future__ import annotations

import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from distbench._util.text import shortened
from distbench.errors import DistbenchError, MissingDependencyError
from distbench.results.suite_store import Store
from distbench.suites.recipes import NotInstalledError
from distbench.suites.suite import Suite
from pytest_distbench._options import REASON, UPDATE, is_on
from pytest_distbench._record import DriftRecord, StaleRecord, StoredRecord, UpdateRecord, record_of
from pytest_distbench._session import rerun_line
from pytest_distbench._traceback import is_ours, plain_message

if TYPE_CHECKING:
    from distbench.results.suite_store import Drift

__all__ = ["StaleError", "SuiteItem", "of_this_machine", "traceback_lines"]


class StaleError(DistbenchError):
    """Stored rows or a stored claim are no longer valid, and no option says to fit again."""


class SuiteItem(pytest.Item):
    """One test of a suite.

    Parameters
    ----------
    suite : Suite
        The suite, as read from its file.
    store : Store
        The rows and claims stored beside it.
    """

    def __init__(self, *, name: str, parent: pytest.Collector, suite: Suite, store: Store, **rest: Any) -> None:
        # pytest splits a node id that is passed as text like those that --lf keeps; else --lf would not find "pca[8]".
        super().__init__(name=name, parent=parent, nodeid=f"{parent.nodeid}::{name}", **rest)
        self.suite = suite
        self.store = store
        if not is_on(self.config):
            self.add_marker(pytest.mark.skip(reason=REASON))

    def runtest(self) -> None:
        """Run the item; skip it if a package that it needs is not installed."""
        try:
            self.check()
        except NotInstalledError as error:
            record_of(self).missing.append(str(error))
            pytest.skip(str(error))

    def check(self) -> None:
        """Use the stored rows, or fit and evaluate; raise an error if the test fails."""
        raise NotImplementedError

    def reportinfo(self) -> tuple[Path, int, str]:
        """Return the file and the item's name in reports."""
        return self.path, 0, f"{self.path.name}: {self.name}"

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """Show an error of distbench as its text, without a traceback; any other error as pytest does."""
        if isinstance(excinfo.value, DistbenchError | AssertionError):
            return plain_message(excinfo, [], [])
        return super().repr_failure(excinfo, style)

    def record_stored(self, kind: str, day: str, environment: dict[str, Any]) -> None:
        """Record that stored rows or a stored claim were used."""
        record = StoredRecord(kind=kind, suite=str(self.path), day=day, environment=environment)
        record_of(self).stored.append(record)

    def record_drift(self, drifts: Sequence[Drift], note: str) -> None:
        """Record how far new rows or a new verdict differ from the stored ones."""
        drift = DriftRecord(name=self.name, suite=str(self.path), drifts=list(drifts), note=note)
        record_of(self).drift.append(drift)

    def record_update(self) -> None:
        """Record that the rows and claims of this test are to be stored."""
        from distbench.results.environment import environment

        record_of(self).updates.append(UpdateRecord(suite=str(self.path), environment=environment()))

    def stale_error(self, day: str, reasons: list[str]) -> StaleError:
        """Record that stored rows or a stored claim are stale, and return the error that says what to do."""
        record_of(self).stale.append(StaleRecord(name=self.name, suite=str(self.path), reasons=reasons))
        lines = (
            f"{self.name}: stored on {day}, but stale now: {'; '.join(reasons)}",
            f"stored in {self.store.path}",
            rerun_line(self, UPDATE, "to fit it anew and store it"),
        )
        return StaleError("\n".join(lines))


def traceback_lines(error: BaseException) -> list[str]:
    """Return a traceback from the first frame outside distbench; nothing for errors of distbench."""
    if isinstance(error, DistbenchError):
        return []
    frames = error.__traceback__
    while frames is not None and is_ours(frames.tb_frame):
        frames = frames.tb_next
    text = "".join(traceback.format_exception(type(error), error, frames or error.__traceback__))
    return ["", *map(shortened, text.rstrip("\n").split("\n"))]


def of_this_machine(error: Exception) -> bool:
    """Return whether this machine, not the encoder, made a fit fail; such a failure is not stored."""
    return isinstance(error, MissingDependencyError | ImportError | MemoryError | OSError)
