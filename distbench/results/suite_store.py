"""The rows and claims that are stored beside a suite: reading, updating, and whether they can still be used."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypedDict

from distbench.errors import SuiteError
from distbench.inference.estimate import mean_of
from distbench.results.file import EMPTY, Results, merged, read_file, write_file
from distbench.results.rows import OK, ClaimOutcome, Row
from distbench.results.run import SORT_METRIC

__all__ = ["RECIPE_CHANGED", "Drift", "Store", "drifts", "read_store", "stale_reasons", "store_path", "write_store"]

FOLDER = "baselines"
DIGITS = 10
RESTORE = "restore it from version control, or delete it and run pytest --distbench-update"
RECIPE_CHANGED = "recipe changed"
REASONS = {
    "dataset": "data set is now {}",
    "data_sha256": "data changed",
    "recipe_hash": RECIPE_CHANGED,
    "in_sample": "is now {} sample",
    "k": "k is now {}",
    "m": "test points are now {}",
    "M": "candidates are now {}",
}
"""The reason that is given where a field, on which stored rows rest, has another value now."""


@dataclass(frozen=True)
class Store:
    """The rows and claims of one suite; empty where nothing was stored yet."""

    path: Path
    results: Results = EMPTY

    def rows_of(self, encoder: str, code_size: int) -> list[Row]:
        """Return the rows of an encoder at a code size, each with the day it was measured on."""
        return [row for row in self.results.rows if (row.encoder, row.code_size) == (encoder, code_size)]

    def claim(self, name: str) -> ClaimOutcome | None:
        """Return a claim with its stored verdict and the day of that; None where nothing is stored."""
        return next((claim for claim in self.results.claims if claim.id == name), None)

    def environment_of(self, record: Row | ClaimOutcome) -> dict[str, Any]:
        """Return the environment in which a row or claim was measured."""
        return self.results.earlier[record.environment]

    def updated(
        self, environment: Mapping[str, Any], rows: Iterable[Row] = (), claims: Iterable[ClaimOutcome] = ()
    ) -> Store:
        """Return the store with new rows in place of all of the same encoders and code sizes, and with new claims."""
        new = [_as_stored(row) for row in rows]
        encoders, judged = {(row.encoder, row.code_size) for row in new}, {claim.id for claim in claims}
        old = replace(
            self.results,
            rows=[row for row in self.results.rows if (row.encoder, row.code_size) not in encoders],
            claims=[claim for claim in self.results.claims if claim.id not in judged],
        )
        return Store(self.path, merged(old, new, claims, environment, is_run=False))


def store_path(suite: Path) -> Path:
    """Return where the rows of a suite file are stored."""
    return suite.parent / FOLDER / f"{suite.stem}.json"


def read_store(path: Path) -> Store:
    """Read stored rows; there are none where there is no such file.

    Raises
    ------
    SuiteError
        The file cannot be read, is damaged or no file of stored rows: which file, what is wrong, what to do.
    """
    results = read_file(path, SuiteError, RESTORE)
    if results is None:
        return Store(path)
    rows = [(row.environment, (*row.setting, row.metric)) for row in results.rows]
    claims = [(claim.environment, (claim.id,)) for claim in results.claims]
    for kind, records in (("row", rows), ("claim", claims)):
        seen = set()
        for number, (environment, key) in enumerate(records, 1):
            if not environment:
                raise SuiteError(f"{path}", f"{kind} {number}: environment is missing", RESTORE)
            if key in seen:
                raise SuiteError(f"{path}", f"{kind} {number}: stored twice", RESTORE)
            seen.add(key)
    return Store(path, results)


def write_store(store: Store) -> None:
    """Write a store in place of its file: whoever reads it finds the old one or the new one, never a part.

    Raises
    ------
    OSError
        The folder or file cannot be written; the old file, if any, is as it was.
    """
    write_file(store.path, store.results)


def _as_stored(row: Row) -> Row:
    """Return a row as it is stored: without what holds for one run only, and with fewer digits.

    Only the metric that ranks keeps its arrays, whatever else the run needed them for: they are most of a file.
    """
    arrays: dict[str, Any] = {} if row.metric == SORT_METRIC else {"leave_one_out": None, "interaction": None}
    return replace(
        row,
        **arrays,
        value=_rounded(row.value),
        low=_rounded(row.low),
        high=_rounded(row.high),
        seconds=_rounded(row.seconds, 3),
        test="",
        stored="",
        fingerprint="",
        distance="",
        limit=None,
        verdict="",
    )


def _rounded(value: float | None, digits: int = DIGITS) -> float | None:
    return float(f"{value:.{digits}g}") if value is not None and math.isfinite(value) else value


class Drift(TypedDict):
    """A metric's mean over the seeds, as it was stored and as it is now.

    ``low`` and ``high`` are the means of the stored intervals' ends, None without intervals (worst cases).
    """

    metric: str
    stored: float
    now: float
    low: float | None
    high: float | None


def stale_reasons(
    rows: Sequence[Row], wanted: Mapping[str, Any], seeds: Collection[int], metrics: Mapping[str, int]
) -> list[str]:
    """Return why stored rows do not hold any more; nothing where they do.

    Parameters
    ----------
    rows : sequence of Row
        Of one encoder at one code size.
    wanted : mapping
        What they must rest on, by the name of the field.
    seeds : collection of int
        The training seeds that are needed.
    metrics : mapping of str to int
        The version of each metric that is needed.
    """
    shown = {**wanted, "in_sample": "in" if wanted["in_sample"] else "out of"}
    reasons = [
        reason.format(shown[name])
        for name, reason in REASONS.items()
        if any(getattr(row, name) != wanted[name] for row in rows)
    ]
    if {row.seed for row in rows} != set(seeds):
        reasons.append(f"seeds are now {', '.join(map(str, seeds))}")
    good = {row.seed for row in rows if row.status == OK}
    for metric, version in metrics.items():
        measured = [row for row in rows if row.metric == metric]
        if {row.seed for row in measured} < good:
            reasons.append(f"{metric} is not stored")
        elif any(row.metric_version != version for row in measured):
            reasons.append(f"{metric} is now version {version}")
    return reasons


def drifts(stored: Sequence[Row], now: Sequence[Row]) -> list[Drift]:
    """Return how far each metric moved over the seeds in which both have it, in the order of the new rows."""
    good = [{row.seed for row in rows if row.status == OK} for rows in (stored, now)]
    common = good[0] & good[1]

    def values(rows: Sequence[Row], metric: str, name: str) -> list[float]:
        own = [row for row in rows if row.metric == metric and row.status == OK and row.seed in common]
        return [value for row in own if (value := getattr(row, name)) is not None]

    found = []
    for metric in dict.fromkeys(row.metric for row in now if row.seed in common):
        old, new = values(stored, metric, "value"), values(now, metric, "value")
        ends = [values(stored, metric, name) for name in ("low", "high")]
        if old and new:
            low, high = map(mean_of, ends) if all(len(end) == len(old) for end in ends) else (None, None)
            found.append(Drift(metric=metric, stored=mean_of(old), now=mean_of(new), low=low, high=high))
    return found
