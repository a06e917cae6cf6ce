"""Keeps what was measured and checked in a test for the end of the run, and flat numbers for JUnit files."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any

import pytest

from distbench.errors import EncoderError
from distbench.results.rows import Row
from distbench.results.run import SORT_METRIC
from pytest_distbench._record import CheckRecord, record_of
from pytest_distbench._settings import settings_of

if TYPE_CHECKING:
    from distbench.evaluation.report import Report
    from distbench.inference.verdicts import Undecided
    from pytest_distbench._marker import MarkerArguments

__all__ = ["broken_limits", "note_check", "note_failed", "note_rows", "note_unjudged"]


def broken_limits(report: Report, limits: Mapping[str, float], undecided: Undecided) -> dict[str, float]:
    """Return the limits that a report does not pass."""
    from distbench.inference.verdicts import passes

    found = report.verdicts(**limits)
    return {
        name: limit
        for name, limit in limits.items()
        if not passes(found[name], report[name].value, limit, report[name].direction, undecided)
    }


def note_rows(item: pytest.Item, report: Report, *, labels: Any = None, **about: Any) -> None:
    """Keep a report's rows, and the numbers of its pictures where a page with pictures is asked for.

    Parameters
    ----------
    item : pytest.Item
        The test.
    report : Report
        What was measured.
    labels : array-like, optional
        Of the test points.
    **about
        For :func:`distbench.results.rows.rows_of`.
    """
    from distbench.results.rows import rows_of

    record, settings = record_of(item), settings_of(item.config)
    rows = rows_of(report, test=item.nodeid, leave_one_out=_paired(item.config, report), **about)
    record.rows.extend(_told_apart(rows, record.rows))
    drawn = any(one["encoder"] == report.encoder for one in record.diagrams)  # pages show the first seed alone
    if settings.shows_pictures and report.clouds is not None and not drawn:
        from distbench.results.diagrams import diagrams_of

        known = {name: about[name] for name in ("dataset", "code_size", "seed", "in_sample") if name in about}
        record.diagrams.append(diagrams_of(report, test=item.nodeid, labels=labels, **known))


def _told_apart(rows: list[Row], known: list[Row]) -> list[Row]:
    """Return rows under a name that no other encoder of the test has had: lambdas are all called alike."""
    name, number = rows[0]["encoder"] if rows else "", 1
    while any(_is_other(old, new, name) for old in known for new in rows):
        number += 1
        name = f"{rows[0]['encoder']} ({number})"
    return [Row(**{**row, "encoder": name}) for row in rows]


def _is_other(old: Row, new: Row, name: str) -> bool:
    """Say whether a row of that name, judged in the same way, has another value than the new one."""
    same = ("metric", "dataset", "code_size", "seed", "k", "m", "M", "distance")
    alike = old["encoder"] == name and all(old.get(one) == new.get(one) for one in same)
    return alike and (old["value"], old.get("fingerprint")) != (new["value"], new.get("fingerprint"))


def _paired(config: pytest.Config, report: Report) -> Collection[str]:
    """Return the metrics whose rows keep what paired comparisons need: all for a file or a comparison, else one."""
    settings = settings_of(config)
    keeps_all = settings.compare is not None or any(kind == "json" for kind, _ in settings.reports)
    return set(report) if keeps_all else {SORT_METRIC, settings.sort}


def note_failed(
    item: pytest.Item,
    error: Exception,
    name: str,
    marker: MarkerArguments,
    k: int,
    points: tuple[Any, Any],
    data_sha256: str,
) -> None:
    """Keep that an encoder could not be fitted or run, for leaderboards and files."""
    from distbench._util.text import plain_text
    from distbench.results.rows import failed_row

    m, n = (0 if one is None else len(one) for one in points)
    own = error.__cause__ if isinstance(error, EncoderError) and error.__cause__ is not None else error
    row = failed_row(
        f"{type(own).__name__}: {own}",
        encoder=plain_text(name),
        dataset=marker.dataset or "",
        code_size=marker.code_size or 0,
        k=k,
        m=m,
        M=m + n - 1,
        seed=settings_of(item.config).seed(marker.seed) if marker.dataset else None,
        test=item.nodeid,
        data_sha256=data_sha256,
    )
    record_of(item).rows.append(row)


def note_unjudged(item: pytest.Item, encoder: object) -> None:
    """Keep that a check did not come to judge its encoder."""
    from distbench.encoders.resolve import name_of

    record_of(item).checks.append(CheckRecord(test=item.nodeid, encoder=name_of(encoder), passed=False, verdicts={}))


def note_check(
    item: pytest.Item,
    report: Report,
    limits: Mapping[str, float],
    *,
    passed: bool,
    seed: int | None = None,
    undecided: str = "",
) -> None:
    """Keep whether an encoder passed its limits, and what the intervals say of each.

    JUnit files get a property each: ``distbench.<encoder>.<metric>``, ``... .limit`` and ``... .verdict``.
    """
    verdicts = report.verdicts(**limits)
    check = CheckRecord(test=item.nodeid, encoder=report.encoder, passed=passed, verdicts=dict(verdicts))
    if undecided and undecided != settings_of(item.config).undecided():
        check["undecided"] = undecided
    record_of(item).checks.append(check)
    of_seed = "" if seed is None else f".seed{seed}"
    for metric, limit in limits.items():
        name = f"distbench.{report.encoder}{of_seed}.{metric}"
        values = (("", float(report[metric].value)), (".limit", float(limit)), (".verdict", str(verdicts[metric])))
        item.user_properties += [(f"{name}{part}", value) for part, value in values]
