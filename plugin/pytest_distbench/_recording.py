"""Records what a test measured and checked: for the end of the run, and as flat properties for JUnit files."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from distbench.errors import EncoderError
from distbench.results.rows import Row
from distbench.results.run import SORT_METRIC
from pytest_distbench._record import CheckRecord, record_of
from pytest_distbench._settings import settings_of

if TYPE_CHECKING:
    from distbench.evaluation.report import Report
    from distbench.suites.check import Check
    from distbench.suites.fits import FitCache

__all__ = ["record_check", "record_failure", "record_limits", "record_rows", "record_unjudged"]


def record_rows(item: pytest.Item, report: Report, *, labels: Any = None, **about: Any) -> None:
    """Record a report's rows, and the data of its pictures if a page with pictures was asked for.

    `about` are further arguments of :func:`distbench.results.rows.rows_of`.
    """
    from distbench.results.rows import rows_of

    record, settings = record_of(item), settings_of(item.config)
    rows = rows_of(report, test=item.nodeid, leave_one_out=_paired(item.config, report), **about)
    record.rows.extend(_with_unique_name(rows, record.rows))
    drawn = any(diagram["encoder"] == report.encoder for diagram in record.diagrams)  # of another seed
    if settings.shows_pictures and report.clouds is not None and not drawn:
        from distbench.results.diagrams import diagrams_of

        known = {name: about[name] for name in ("dataset", "code_size", "seed", "in_sample") if name in about}
        record.diagrams.append(diagrams_of(report, test=item.nodeid, labels=labels, **known))


def _with_unique_name(rows: list[Row], known: list[Row]) -> list[Row]:
    """Return rows under a name that no other encoder of the test has: all lambdas have the same name."""
    name, number = rows[0].encoder if rows else "", 1
    while any(_contradicts(old, new, name) for old in known for new in rows):
        number += 1
        name = f"{rows[0].encoder} ({number})"
    return [replace(row, encoder=name) for row in rows]


def _contradicts(old: Row, new: Row, name: str) -> bool:
    """Return whether the encoder `name` has a row of the same setting with another value."""
    setting = new.setting._replace(encoder=name, in_sample=old.in_sample)
    same_setting = (old.setting, old.metric) == (setting, new.metric)
    return same_setting and (old.value, old.fingerprint) != (new.value, new.fingerprint)


def _paired(config: pytest.Config, report: Report) -> Collection[str]:
    """Return the metrics whose rows keep what paired comparisons need: all for a file or a comparison, else one."""
    settings = settings_of(config)
    keeps_all = settings.compare is not None or any(kind == "json" for kind, _ in settings.reports)
    return set(report) if keeps_all else {SORT_METRIC, settings.sort}


def record_failure(item: pytest.Item, error: Exception, check: Check, fits: FitCache) -> None:
    """Keep that an encoder could not be fitted or run, for leaderboards and files."""
    from distbench._util.text import plain_text
    from distbench.encoders.resolve import name_of
    from distbench.results.rows import failed_row

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


def record_unjudged(item: pytest.Item, encoder: object) -> None:
    """Record that a check ended before its encoder was judged."""
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
    """Record whether an encoder passed its limits, and the verdict of its intervals on each."""
    verdicts = report.verdicts(**limits)
    check = CheckRecord(test=item.nodeid, encoder=report.encoder, passed=passed, verdicts=dict(verdicts))
    if undecided and undecided != settings_of(item.config).undecided():
        check["undecided"] = undecided
    prefix = report.encoder if seed is None else f"{report.encoder}.seed{seed}"
    record_limits(item, check, prefix, {metric: report[metric].value for metric in limits}, limits)


def record_limits(
    item: pytest.Item, check: CheckRecord, prefix: str, values: Mapping[str, float], limits: Mapping[str, float]
) -> None:
    """Record a check, and for JUnit files ``distbench.<prefix>.<metric>`` with ``.limit`` and ``.verdict`` of each."""
    record_of(item).checks.append(check)
    for metric, limit in limits.items():
        name, verdict = f"distbench.{prefix}.{metric}", str(check["verdicts"][metric])
        item.user_properties += [(name, float(values[metric])), (f"{name}.limit", float(limit))]
        item.user_properties.append((f"{name}.verdict", verdict))
