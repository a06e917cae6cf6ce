"""What a test measured, in plain Python values, and how it travels to the terminal summary.

It rides on the report of the test's call in ``user_properties``, which xdist sends from worker to controller;
a numpy scalar in there would end the session. It is not put on the item, from where every phase
of the test would carry it again and JUnit files would print it.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, TypedDict

import pytest

if TYPE_CHECKING:
    from distbench.results import Row

__all__ = ["PROPERTY", "CheckRecord", "ClaimRecord", "Record", "attach", "record_of"]

PROPERTY = "distbench"


class CheckRecord(TypedDict):
    """One encoder held to its limits."""

    test: str
    encoder: str
    met: bool


class ClaimRecord(TypedDict):
    """One claim and what became of it."""

    id: str
    statement: str
    source: str
    verdict: str
    expect: str
    evidence: str


@dataclass
class Record:
    """Everything that one test leaves for the summary."""

    rows: list[Row] = field(default_factory=list)
    checks: list[CheckRecord] = field(default_factory=list)
    claims: list[ClaimRecord] = field(default_factory=list)


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
        payload: dict[str, Any] = asdict(record)
        report.user_properties.append((PROPERTY, payload))
        del item.stash[_RECORD]  # a rerun of the same item starts anew
