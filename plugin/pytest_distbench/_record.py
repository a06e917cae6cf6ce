"""What a test measured, in plain Python values, and how it travels to the terminal summary.

It rides on the report of the test's call in ``user_properties``, which xdist sends from worker to controller;
a numpy scalar in there would end the session. It is not put on the item, from where every phase
of the test would carry it again and JUnit files would print it.
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
    "PROPERTY",
    "CheckRecord",
    "DriftRecord",
    "Record",
    "StaleRecord",
    "StoredRecord",
    "UpdateRecord",
    "attach",
    "note_attempt",
    "note_raised",
    "record_of",
    "records_on",
    "was_called",
    "was_raised",
]

PROPERTY = "distbench"


class CheckRecord(TypedDict):
    """One encoder held to its limits, and by metric what the intervals say of them; none where it was not judged.

    ``undecided`` is what the call itself said of limits that the test points do not decide.
    """

    test: str
    encoder: str
    passed: bool
    verdicts: dict[str, str]
    undecided: NotRequired[str]


class StoredRecord(TypedDict):
    """Stored rows, or a stored finding, that were used in place of a fit."""

    kind: str
    suite: str
    day: str
    environment: dict[str, Any]


class StaleRecord(TypedDict):
    """Stored rows, or a stored finding, that do not hold any more."""

    name: str
    suite: str
    reasons: list[str]


class DriftRecord(TypedDict):
    """How far new rows or a new verdict lie from the stored ones; ``told`` says in words what has no numbers."""

    name: str
    suite: str
    changes: list[Drift]
    told: str


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


_CALLED: pytest.StashKey[bool] = pytest.StashKey()
_RAISED: pytest.StashKey[BaseException] = pytest.StashKey()
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
    payloads = [value for name, value in report.user_properties if name == PROPERTY and isinstance(value, dict)]
    return [
        Record(
            **{
                **payload,
                "rows": [Row(**row) for row in payload["rows"]],
                "claims": [ClaimOutcome(**claim) for claim in payload["claims"]],
            }
        )
        for payload in payloads
    ]


def note_attempt(item: pytest.Item) -> None:
    """Keep that a test called the fixture, whatever became of it."""
    item.stash[_CALLED] = True


def was_called(item: pytest.Item) -> bool:
    """Say whether a test called the fixture."""
    return item.stash.get(_CALLED, False)


def note_raised(item: pytest.Item, error: BaseException) -> None:
    """Keep which error the fixture raised in a test."""
    item.stash[_RAISED] = error


def was_raised(item: pytest.Item, error: BaseException) -> bool:
    """Say whether an error is the one that the fixture raised in a test, and not one of another's."""
    return item.stash.get(_RAISED, None) is error
