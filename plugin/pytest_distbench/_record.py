"""What a test measured, in plain Python values, and how it travels to the terminal summary.

It is in ``user_properties`` of the report of the test's call, which xdist sends from worker to controller; a numpy
scalar in there would end the session. Those of the item would be sent again with every phase, and JUnit files would
print them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NotRequired, TypedDict

import pytest

from distbench.results.rows import ClaimOutcome, Row

if TYPE_CHECKING:
    from distbench.results.diagrams import Diagrams
    from distbench.results.suite_store import Drift

__all__ = [
    "CALLED",
    "PROPERTY",
    "RAISED",
    "CheckRecord",
    "DriftRecord",
    "Record",
    "StaleRecord",
    "StoredRecord",
    "UpdateRecord",
    "attach",
    "record_of",
    "records_on",
]

PROPERTY = "distbench"


class CheckRecord(TypedDict):
    """One encoder held to its limits; verdicts are by metric, none where it was not judged.

    ``undecided`` is the argument of that name, where the call had one.
    """

    test: str
    encoder: str
    passed: bool
    verdicts: dict[str, str]
    undecided: NotRequired[str]


class StoredRecord(TypedDict):
    """Stored rows, or a stored claim, that were used in place of a fit; `kind` is ``"encoder"`` or ``"claim"``."""

    kind: str
    suite: str
    day: str
    environment: dict[str, Any]


class StaleRecord(TypedDict):
    """Stored rows, or a stored claim, that do not hold any more."""

    name: str
    suite: str
    reasons: list[str]


class DriftRecord(TypedDict):
    """How far new rows or a new verdict lie from the stored ones; `note` says what has no numbers."""

    name: str
    suite: str
    drifts: list[Drift]
    note: str


class UpdateRecord(TypedDict):
    """Where a test's rows and claims are to be stored, and with what they were measured."""

    suite: str
    environment: dict[str, Any]


@dataclass
class Record:
    """Everything that one test leaves for the summary."""

    rows: list[Row] = field(default_factory=list)
    checks: list[CheckRecord] = field(default_factory=list)
    claims: list[ClaimOutcome] = field(default_factory=list)
    diagrams: list[Diagrams] = field(default_factory=list)
    stored: list[StoredRecord] = field(default_factory=list)
    stale: list[StaleRecord] = field(default_factory=list)
    drift: list[DriftRecord] = field(default_factory=list)
    updates: list[UpdateRecord] = field(default_factory=list)


CALLED: pytest.StashKey[bool] = pytest.StashKey()
"""On a test that called the fixture."""
RAISED: pytest.StashKey[BaseException] = pytest.StashKey()
"""The error that the fixture raised in a test, as distinct from others."""
_RECORD: pytest.StashKey[Record] = pytest.StashKey()


def record_of(item: pytest.Item) -> Record:
    """Return the record of a test, made on first use."""
    return item.stash.setdefault(_RECORD, Record())


def attach(item: pytest.Item, report: pytest.TestReport) -> None:
    """Put a test's record on the report of its call, or of a phase before it that did not pass."""
    if report.when == "teardown" or (report.when == "setup" and report.passed):
        return
    record = item.stash.get(_RECORD, None)
    if record is not None:
        # Not asdict: a deep copy of all the rows would cost seconds.
        payload: dict[str, Any] = {
            **vars(record),
            "rows": [vars(row) for row in record.rows],
            "claims": [vars(claim) for claim in record.claims],
        }
        report.user_properties.append((PROPERTY, payload))
        del item.stash[_RECORD]  # a rerun of the same item starts anew


def records_on(report: pytest.TestReport) -> list[Record]:
    """Return the records that came with a test's report."""
    records = []
    for name, value in report.user_properties:
        if name == PROPERTY and isinstance(value, dict):
            rows = [Row(**row) for row in value["rows"]]
            claims = [ClaimOutcome(**claim) for claim in value["claims"]]
            records.append(Record(**value | {"rows": rows, "claims": claims}))
    return records
