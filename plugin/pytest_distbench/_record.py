"""The results of a test as plain Python values, which travel with its report to the terminal summary.

They are in the ``user_properties`` of the report on the test's call, which xdist sends from worker to controller; a
numpy scalar there would end the session. In the item's ``user_properties`` they would be sent with every phase and be
printed in JUnit files.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, NotRequired, TypedDict

import pytest

from distbench.errors import EncoderError
from distbench.results.rows import ClaimOutcome, Row, failed_row, rows_of
from distbench.results.run import SORT_METRIC
from pytest_distbench._settings import settings_of

if TYPE_CHECKING:
    from distbench.evaluation.report import Report
    from distbench.results.diagrams import Diagrams
    from distbench.results.suite_store import Drift
    from distbench.suites.check_flow import Check
    from distbench.suites.fits import FitCache

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
    "record_check",
    "record_failure",
    "record_limits",
    "record_of",
    "record_rows",
    "record_unevaluated",
    "records_on",
]

PROPERTY = "distbench"


class CheckRecord(TypedDict):
    """One check of an encoder: a verdict for each metric with a limit, none if the encoder was not evaluated.

    ``undecided`` is present if the call had an argument of that name.
    """

    test: str
    encoder: str
    passed: bool
    verdicts: dict[str, str]
    undecided: NotRequired[str]


class StoredRecord(TypedDict):
    """Stored rows or a stored claim used in place of a fit; `kind` is ``"encoder"`` or ``"claim"``."""

    kind: str
    suite: str
    day: str
    environment: dict[str, Any]


class StaleRecord(TypedDict):
    """Stored rows, or a stored claim, that are no longer valid."""

    name: str
    suite: str
    reasons: list[str]


class DriftRecord(TypedDict):
    """How far new rows or a new verdict differ from the stored ones; `note` is for changes without numbers."""

    name: str
    suite: str
    drifts: list[Drift]
    note: str


class UpdateRecord(TypedDict):
    """The suite beside which to store a test's rows and claims, and the environment that they were measured in."""

    suite: str
    environment: dict[str, Any]


@dataclass
class Record:
    """All that one test passes to the summary."""

    rows: list[Row] = field(default_factory=list)
    checks: list[CheckRecord] = field(default_factory=list)
    claims: list[ClaimOutcome] = field(default_factory=list)
    diagrams: list[Diagrams] = field(default_factory=list)
    stored: list[StoredRecord] = field(default_factory=list)
    stale: list[StaleRecord] = field(default_factory=list)
    drift: list[DriftRecord] = field(default_factory=list)
    updates: list[UpdateRecord] = field(default_factory=list)


CALLED: pytest.StashKey[bool] = pytest.StashKey()
"""Is set for a test that called the fixture."""
RAISED: pytest.StashKey[BaseException] = pytest.StashKey()
"""The error that the fixture raised in a test."""
_RECORD: pytest.StashKey[Record] = pytest.StashKey()


def record_of(item: pytest.Item) -> Record:
    """Return the record of a test, made on first use."""
    return item.stash.setdefault(_RECORD, Record())


def record_rows(item: pytest.Item, report: Report, *, labels: Any = None, **row_fields: Any) -> None:
    """Record a report's rows, and the data of its pictures if the run writes an HTML report.

    `row_fields` are further arguments of :func:`distbench.results.rows.rows_of`.
    """
    record, settings = record_of(item), settings_of(item.config)
    rows = rows_of(report, test=item.nodeid, leave_one_out=_metrics_with_arrays(item.config, report), **row_fields)
    record.rows.extend(_with_unique_name(rows, record.rows))
    has_pictures = any(diagram["encoder"] == report.encoder for diagram in record.diagrams)  # of another seed
    if settings.shows_pictures and report.clouds is not None and not has_pictures:
        from distbench.results.diagrams import diagrams_of

        names = [name for name in ("dataset", "code_size", "seed", "in_sample") if name in row_fields]
        fields = {name: row_fields[name] for name in names}
        record.diagrams.append(diagrams_of(report, test=item.nodeid, labels=labels, **fields))


def _with_unique_name(rows: list[Row], earlier: list[Row]) -> list[Row]:
    """Return rows with a name that no other encoder of the test has, since all lambdas have the same name."""
    name, number = rows[0].encoder if rows else "", 1
    while any(_contradicts(old, new, name) for old in earlier for new in rows):
        number += 1
        name = f"{rows[0].encoder} ({number})"
    return [replace(row, encoder=name) for row in rows]


def _contradicts(old: Row, new: Row, name: str) -> bool:
    """Return whether the encoder `name` has a row of the same setting with another value."""
    setting = new.setting._replace(encoder=name, in_sample=old.in_sample)
    same_setting = (old.setting, old.metric) == (setting, new.metric)
    return same_setting and (old.value, old.fingerprint) != (new.value, new.fingerprint)


def _metrics_with_arrays(config: pytest.Config, report: Report) -> Collection[str]:
    """Return the metrics whose rows keep leave-one-out values: all for a file or a comparison, else those that rank."""
    settings = settings_of(config)
    keeps_all = settings.compare is not None or any(kind == "json" for kind, _ in settings.reports)
    return set(report) if keeps_all else {SORT_METRIC, settings.sort}


def record_failure(item: pytest.Item, error: Exception, check: Check, fits: FitCache) -> None:
    """Record that an encoder could not be fitted or run, for leaderboards and files."""
    from distbench._util.text import plain_text
    from distbench.encoders.resolve import name_of

    data = None if check.dataset is None else fits.dataset(check.dataset)
    points = (check.X_test, check.reference) if data is None else (data.test, data.train)
    m, n = (0 if part is None else len(part) for part in points)
    cause = error.__cause__ if isinstance(error, EncoderError) and error.__cause__ is not None else error
    row = failed_row(
        f"{type(cause).__name__}: {cause}",
        encoder=plain_text(check.name or name_of(check.encoder)),
        dataset=check.dataset or "",
        code_size=check.code_size or 0,
        k=check.k,
        m=m,
        M=m + n - 1,
        seed=None if data is None else check.seed,
        test=item.nodeid,
        data_sha256="" if data is None else data.sha256,
    )
    record_of(item).rows.append(row)


def record_unevaluated(item: pytest.Item, encoder: object) -> None:
    """Record that a check ended before its encoder was evaluated."""
    from distbench.encoders.resolve import name_of

    record_of(item).checks.append(CheckRecord(test=item.nodeid, encoder=name_of(encoder), passed=False, verdicts={}))


def record_check(
    item: pytest.Item,
    report: Report,
    limits: Mapping[str, float],
    *,
    passed: bool,
    seed: int | None = None,
    undecided: str = "",
) -> None:
    """Record whether an encoder meets its limits, and the verdict on each."""
    verdicts = report.verdicts(**limits)
    check = CheckRecord(test=item.nodeid, encoder=report.encoder, passed=passed, verdicts=dict(verdicts))
    if undecided and undecided != settings_of(item.config).undecided():
        check["undecided"] = undecided
    prefix = report.encoder if seed is None else f"{report.encoder}.seed{seed}"
    record_limits(item, check, prefix, {metric: report[metric].value for metric in limits}, limits)


def record_limits(
    item: pytest.Item, check: CheckRecord, prefix: str, values: Mapping[str, float], limits: Mapping[str, float]
) -> None:
    """Record a check, and for JUnit files ``distbench.<prefix>.<metric>`` with its ``.limit`` and ``.verdict``."""
    record_of(item).checks.append(check)
    for metric, limit in limits.items():
        name, verdict = f"distbench.{prefix}.{metric}", str(check["verdicts"][metric])
        item.user_properties += [(name, float(values[metric])), (f"{name}.limit", float(limit))]
        item.user_properties.append((f"{name}.verdict", verdict))


def attach(item: pytest.Item, report: pytest.TestReport) -> None:
    """Attach a test's record to the report of its call, or of a setup that did not pass."""
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
    """Return the records on a test's report."""
    records = []
    for name, value in report.user_properties:
        if name == PROPERTY and isinstance(value, dict):
            rows = [Row(**row) for row in value["rows"]]
            claims = [ClaimOutcome(**claim) for claim in value["claims"]]
            records.append(Record(**value | {"rows": rows, "claims": claims}))
    return records
