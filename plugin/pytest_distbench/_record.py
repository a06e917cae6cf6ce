"""The results of a test as plain Python values, which travel with its report to the terminal summary.

They are in ``user_properties`` of the test's reports, which xdist sends from worker to controller; a numpy scalar there
would end the session. One test has several reports: of its phases, its subtests, and its reruns. Each report carries
what is new since the report before, and the summary adds up those of the last run of a test.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from itertools import count
from typing import TYPE_CHECKING, Any, NotRequired, TypedDict

import pytest

from distbench.errors import EncoderError
from distbench.results.rows import ClaimOutcome, Row, failed_row, rows_of
from distbench.results.run import SORT_METRIC
from pytest_distbench._seen import keep_scores
from pytest_distbench._session import node_id
from pytest_distbench._settings import settings_of

if TYPE_CHECKING:
    from distbench.evaluation.report import Report
    from distbench.results.diagrams import Diagrams
    from distbench.results.suite_store import Drift
    from distbench.suites.check_flow import Check
    from distbench.suites.fits import FitCache

__all__ = [
    "CALLED",
    "RAISED",
    "CheckRecord",
    "DriftRecord",
    "Record",
    "StaleRecord",
    "StoredRecord",
    "UpdateRecord",
    "attach",
    "record_advice",
    "record_check",
    "record_failure",
    "record_limits",
    "record_of",
    "record_rows",
    "record_suggestion",
    "record_unevaluated",
    "run_of",
    "start",
    "take_records",
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
    """All that one test, or one report of it, passes to the summary."""

    rows: list[Row] = field(default_factory=list)
    checks: list[CheckRecord] = field(default_factory=list)
    claims: list[ClaimOutcome] = field(default_factory=list)
    diagrams: list[Diagrams] = field(default_factory=list)
    stored: list[StoredRecord] = field(default_factory=list)
    stale: list[StaleRecord] = field(default_factory=list)
    drift: list[DriftRecord] = field(default_factory=list)
    updates: list[UpdateRecord] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    """Why the test was skipped: a package that it needs is not installed."""
    advice: list[tuple[str, str, list[str]]] = field(default_factory=list)
    """For each broken check the test, the encoder, and what to do next."""
    suggestions: list[list[str]] = field(default_factory=list)
    """Lines that propose limits for an encoder."""

    def add(self, other: Record) -> None:
        """Add what another report of the same run of the test has."""
        for entry in fields(self):
            getattr(self, entry.name).extend(getattr(other, entry.name))


CALLED: pytest.StashKey[bool] = pytest.StashKey()
"""Is set for a test that called a check of the fixture."""
RAISED: pytest.StashKey[BaseException] = pytest.StashKey()
"""The error that the fixture raised in a test."""
_RECORD: pytest.StashKey[Record] = pytest.StashKey()
_ROWS: pytest.StashKey[list[Row]] = pytest.StashKey()
_PROPERTIES: pytest.StashKey[list[tuple[str, object]]] = pytest.StashKey()
_RUN: pytest.StashKey[int] = pytest.StashKey()
_ATTRIBUTE = "distbench_run"  # of reports: the test's node id, and which run of the test it is


def start(item: pytest.Item) -> None:
    """Forget what an earlier run of the same test left: a rerun starts anew."""
    stale = item.stash.get(_PROPERTIES, [])
    item.user_properties[:] = [entry for entry in item.user_properties if not any(entry is old for old in stale)]
    keys: tuple[pytest.StashKey[Any], ...] = (CALLED, RAISED, _RECORD, _ROWS, _PROPERTIES)
    for key in keys:
        if key in item.stash:
            del item.stash[key]
    item.stash[_RUN] = item.stash.get(_RUN, 0) + 1


def record_of(item: pytest.Item) -> Record:
    """Return what a test has recorded since its last report."""
    return item.stash.setdefault(_RECORD, Record())


def record_rows(item: pytest.Item, report: Report, *, labels: Any = None, **row_fields: Any) -> str:
    """Record a report's rows, and the data of its pictures if the run writes an HTML report; return the rows' encoder.

    `row_fields` are further arguments of :func:`distbench.results.rows.rows_of`.
    """
    record, settings = record_of(item), settings_of(item.config)
    rows = rows_of(report, test=node_id(item), leave_one_out=_metrics_with_arrays(item.config, report), **row_fields)
    earlier = item.stash.setdefault(_ROWS, [])  # of all reports of this run of the test
    rows = _with_unique_name(rows, earlier)
    earlier.extend(rows)
    record.rows.extend(rows)
    keep_scores(item.config, rows)
    has_pictures = any(diagram["encoder"] == report.encoder for diagram in record.diagrams)  # of another seed
    if settings.shows_pictures and report.clouds is not None and not has_pictures:
        from distbench.results.diagrams import diagrams_of

        names = [name for name in ("dataset", "code_size", "seed", "in_sample") if name in row_fields]
        fields_of_row = {name: row_fields[name] for name in names}
        record.diagrams.append(diagrams_of(report, test=node_id(item), labels=labels, **fields_of_row))
    return rows[0].encoder if rows else report.encoder


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
    same_quantity = old.setting == setting and old.full_metric == new.full_metric
    return same_quantity and (old.value, old.fingerprint) != (new.value, new.fingerprint)


def _metrics_with_arrays(config: pytest.Config, report: Report) -> Collection[str]:
    """Return the metrics whose rows keep leave-one-out values: all for a file or a comparison, else those that rank."""
    settings = settings_of(config)
    keeps_all = settings.compare is not None or any(kind == "json" for kind, _ in settings.reports)
    if keeps_all:
        return set(report)
    return {name for metric in (SORT_METRIC, settings.sort) if (name := report.name_of(metric)) is not None}


def record_advice(item: pytest.Item, encoder: str, lines: Sequence[str]) -> None:
    """Record what the message of a broken check says on other encoders and on the next step, for reports."""
    record_of(item).advice.append((node_id(item), encoder, [line.strip() for line in lines]))


def record_suggestion(item: pytest.Item, check: Check, report: Report, limits: Collection[str]) -> None:
    """Record the limits that a report suggests, for the metrics that have limits already or else the default ones."""
    if not settings_of(item.config).suggest:
        return
    from distbench.suites.suggested_limits import DEFAULT_METRICS, as_python, suggested_limits, suggestion_table

    names = limits or [name for metric in DEFAULT_METRICS if (name := report.name_of(metric)) is not None]
    suggested = suggested_limits(check, report, names)
    if suggested:
        head = f"{node_id(item)} {report.encoder}: {as_python(suggested)}"
        record_of(item).suggestions.append([head, *suggestion_table(suggested)])


def record_failure(item: pytest.Item, error: Exception, check: Check, fits: FitCache) -> None:
    """Record that an encoder could not be fitted or run, for leaderboards and files."""
    from distbench._util.text import plain_name, type_and_line
    from distbench.encoders.resolve import name_of
    from distbench.metrics.neighbor_counts import numbers_of

    data = None if check.dataset is None else fits.dataset(check.dataset)
    points = (check.X_test, check.reference) if data is None else (data.test, data.train)
    m, n = (0 if part is None else len(part) for part in points)
    cause = error.__cause__ if isinstance(error, EncoderError) and error.__cause__ is not None else error
    row = failed_row(
        type_and_line(cause),
        encoder=plain_name(check.name or name_of(check.encoder)),
        dataset=check.dataset or "",
        code_size=check.code_size or 0,
        k=numbers_of(check.k)[0],
        m=m,
        M=m + n - 1,
        seed=None if data is None else check.seed,
        test=node_id(item),
        data_sha256="" if data is None else data.sha256,
    )
    record_of(item).rows.append(row)


def record_unevaluated(item: pytest.Item, encoder: object) -> None:
    """Record that a check ended before its encoder was evaluated."""
    from distbench.encoders.resolve import name_of

    record_of(item).checks.append(CheckRecord(test=node_id(item), encoder=name_of(encoder), passed=False, verdicts={}))


def record_check(
    item: pytest.Item,
    report: Report,
    limits: Mapping[str, float],
    *,
    passed: bool,
    encoder: str,
    seed: int | None = None,
    undecided: str = "",
) -> None:
    """Record whether an encoder meets its limits, and the verdict on each; `encoder` is its name in the rows."""
    verdicts = report.verdicts(limits)
    check = CheckRecord(test=node_id(item), encoder=encoder, passed=passed, verdicts=dict(verdicts))
    if undecided and undecided != settings_of(item.config).undecided():
        check["undecided"] = undecided
    prefix = encoder if seed is None else f"{encoder}.seed{seed}"
    record_limits(item, check, prefix, {metric: report[metric].value for metric in limits}, limits)


def record_limits(
    item: pytest.Item, check: CheckRecord, prefix: str, values: Mapping[str, float], limits: Mapping[str, float]
) -> None:
    """Record a check, and for JUnit files ``distbench.<prefix>.<metric>`` with its ``.limit`` and ``.verdict``.

    If a test checks one encoder several times, the prefix of each further check gets a number.
    """
    record_of(item).checks.append(check)
    own = item.stash.setdefault(_PROPERTIES, [])
    known = {name for name, _ in own}
    prefixes = (f"distbench.{prefix}" + (f" ({number})" if number > 1 else "") for number in count(1))
    prefix = next(text for text in prefixes if not any(f"{text}.{metric}" in known for metric in limits))
    for metric, limit in limits.items():
        name, verdict = f"{prefix}.{metric}", str(check["verdicts"][metric])
        properties = [(name, float(values[metric])), (f"{name}.limit", float(limit)), (f"{name}.verdict", verdict)]
        item.user_properties += properties
        own += properties


def attach(item: pytest.Item, report: pytest.TestReport) -> None:
    """Attach to a report what its test has recorded since the previous report."""
    worker = getattr(item.config, "workerinput", {}).get("workerid", "")
    setattr(report, _ATTRIBUTE, (node_id(item), f"{worker}:{item.stash.get(_RUN, 0)}"))
    record = item.stash.get(_RECORD, None)
    if record is not None:
        # Not asdict: a deep copy of all the rows would cost seconds.
        payload: dict[str, Any] = {
            **vars(record),
            "rows": [vars(row) for row in record.rows],
            "claims": [vars(claim) for claim in record.claims],
        }
        report.user_properties.append((PROPERTY, payload))
        del item.stash[_RECORD]


def run_of(report: pytest.TestReport) -> tuple[str, str]:
    """Return the node id of a report's test, and a text that differs between runs of the test.

    The text is empty in a report that no test made, such as that of a worker of xdist that died.
    """
    test, run = getattr(report, _ATTRIBUTE, (report.nodeid, ""))
    return str(test), str(run)


def take_records(report: pytest.TestReport) -> list[Record]:
    """Remove the records from a report and return them; otherwise JUnit files would print them."""
    records = []
    for name, value in report.user_properties:
        if name == PROPERTY and isinstance(value, dict):
            rows = [Row(**row) for row in value["rows"]]
            claims = [ClaimOutcome(**claim) for claim in value["claims"]]
            records.append(Record(**value | {"rows": rows, "claims": claims}))
    report.user_properties[:] = [entry for entry in report.user_properties if entry[0] != PROPERTY]
    return records
