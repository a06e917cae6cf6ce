"""What the items of a suite have in common."""

from __future__ import annotations

import traceback
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

import pytest

from distbench.errors import DistbenchError, MissingDependencyError
from distbench.results.suite_store import Store
from distbench.suites.model import Suite
from distbench.suites.recipes import NotInstalledError
from pytest_distbench._failure import shorten_summary
from pytest_distbench._options import REASON, UPDATE, is_on
from pytest_distbench._record import DriftRecord, StaleRecord, StoredRecord, UpdateRecord, record_of
from pytest_distbench._session import rerun_line

if TYPE_CHECKING:
    from distbench.results.suite_store import Drift

__all__ = ["StaleError", "SuiteItem", "of_this_machine", "traceback_lines"]


class StaleError(DistbenchError):
    """What is stored does not hold any more, and nobody asked for a fit."""


class SuiteItem(pytest.Item):
    """One test of a suite.

    Parameters
    ----------
    suite : Suite
        What the file says.
    store : Store
        What is stored beside it.
    """

    def __init__(self, *, name: str, parent: pytest.Collector, suite: Suite, store: Store, **rest: Any) -> None:
        # pytest splits a node id given as text like those that --lf has kept; else it would not find "pca[8]".
        super().__init__(name=name, parent=parent, nodeid=f"{parent.nodeid}::{name}", **rest)
        self.suite = suite
        self.store = store
        if not is_on(self.config):
            self.add_marker(pytest.mark.skip(reason=REASON))

    def runtest(self) -> None:
        """Run the item; it skips where a package that it needs is not installed."""
        try:
            self.check()
        except NotInstalledError as error:
            pytest.skip(str(error))

    def check(self) -> None:
        """Use what is stored, or fit and judge; raise an error where the test fails."""
        raise NotImplementedError

    def reportinfo(self) -> tuple[Path, int, str]:
        """Return the file, and the item's name for reports."""
        return self.path, 0, f"{self.path.name}: {self.name}"

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """Show an error of ours by its text alone, without a traceback; anything else as pytest does."""
        if isinstance(excinfo.value, DistbenchError | AssertionError):
            shown = excinfo.getrepr(style="value", chain=False)
            shorten_summary(shown, excinfo.value)
            return shown
        return super().repr_failure(excinfo, style)

    def record_stored(self, kind: str, day: str, environment: dict[str, Any]) -> None:
        """Keep for the summary that something stored was used."""
        record = StoredRecord(kind=kind, suite=str(self.path), day=day, environment=environment)
        record_of(self).stored.append(record)

    def record_drift(self, drifts: Sequence[Drift], note: str) -> None:
        """Keep for the summary how far something new lies from what is stored."""
        drift = DriftRecord(name=self.name, suite=str(self.path), drifts=list(drifts), note=note)
        record_of(self).drift.append(drift)

    def record_update(self) -> None:
        """Keep that the rows and claims of this test are to be stored."""
        from distbench.results.environment import environment

        record_of(self).updates.append(UpdateRecord(suite=str(self.path), environment=environment()))

    def stale_error(self, day: str, reasons: list[str]) -> StaleError:
        """Keep for the summary that something is stale, and return the error that says what to do."""
        record_of(self).stale.append(StaleRecord(name=self.name, suite=str(self.path), reasons=reasons))
        lines = (
            f"{self.name}: what was stored on {day} is stale: {'; '.join(reasons)}",
            f"stored in {self.store.path}",
            rerun_line(self, UPDATE, "to fit it anew and store it"),
        )
        return StaleError("\n".join(lines))


def traceback_lines(error: BaseException) -> list[str]:
    """Return the lines of a traceback from the first frame that is not ours; none for our own errors."""
    if isinstance(error, DistbenchError):
        return []
    frames = error.__traceback__
    while frames is not None and _is_ours(frames):
        frames = frames.tb_next
    lines = traceback.format_exception(type(error), error, frames or error.__traceback__)
    return ["", *(line.rstrip("\n") for line in lines)]


def _is_ours(frames: TracebackType) -> bool:
    package = str(frames.tb_frame.f_globals.get("__name__", "")).partition(".")[0]
    return package in ("distbench", "pytest_distbench")


def of_this_machine(error: Exception) -> bool:
    """Say whether a fit failed for a reason that says nothing of the encoder, and is not worth storing."""
    return isinstance(error, MissingDependencyError | ImportError | MemoryError | OSError)
