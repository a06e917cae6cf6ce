"""Reads, updates and checks the rows and claims that are stored beside a suite."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypedDict

from distbench._util.distances import EUCLIDEAN
from distbench.errors import SuiteError
from distbench.inference.estimate import mean_of
from distbench.results.file import EMPTY, Results, merged, read_file, write_file
from distbench.results.packing import ARRAYS
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
    "distance": "distance is now {}",
    "k": "k is now {}",
    "m": "test points are now {}",
    "M": "candidates are now {}",
}
"""For each field whose value may have changed, why stored rows are then stale."""


@dataclass(frozen=True)
class Store:
    """The stored rows and claims of one suite."""

    path: Path
    results: Results = EMPTY

    def rows_of(self, encoder: str, code_size: int) -> list[Row]:
        """Return the rows of an encoder at a code size, with the days of their measurement."""
        return [row for row in self.results.rows if (row.encoder, row.code_size) == (encoder, code_size)]

    def claim(self, name: str) -> ClaimOutcome | None:
        """Return a claim with its stored verdict and the day of this verdict, if it is stored."""
        return next((claim for claim in self.results.claims if claim.id == name), None)

    def environment_of(self, record: Row | ClaimOutcome) -> dict[str, Any]:
        """Return the environment of a row or claim."""
        return self.results.earlier[record.environment]

    def updated(
        self, environment: Mapping[str, Any], rows: Iterable[Row] = (), claims: Iterable[ClaimOutcome] = ()
    ) -> Store:
        """Return the store with new rows and claims in place of those of the same encoders, code sizes and claims."""
        new = [_as_stored(row) for row in rows]
        encoders, judged = {(row.encoder, row.code_size) for row in new}, {claim.id for claim in claims}
        old = replace(
            self.results,
            rows=[row for row in self.results.rows if (row.encoder, row.code_size) not in encoders],
            claims=[claim for claim in self.results.claims if claim.id not in judged],
        )
        return Store(self.path, merged(old, new, claims, environment, is_run=False))


def store_path(suite: Path) -> Path:
    """Return the path of the stored rows of a suite file."""
    return suite.parent / FOLDER / f"{suite.stem}.json"


def read_store(path: Path) -> Store:
    """Read stored rows, if there is a file. Raises SuiteError for a damaged file or one of another kind."""
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
    """Replace the file of a store, as `distbench.results.file.write_file` does."""
    write_file(store.path, store.results)


def _as_stored(row: Row) -> Row:
    """Return a row as it is stored: without the fields of one run, and with fewer digits.

    Only the metric that ranks keeps its arrays, which are most of a file.
    """
    arrays: dict[str, Any] = {} if row.metric == SORT_METRIC else dict.fromkeys(ARRAYS)
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
        distance="" if row.distance == EUCLIDEAN else row.distance,
        limit=None,
        verdict="",
    )


def _rounded(value: float | None, digits: int = DIGITS) -> float | None:
    return float(f"{value:.{digits}g}") if value is not None and math.isfinite(value) else value


class Drift(TypedDict):
    """A metric's mean over the seeds, stored and new, and the means of the stored intervals' ends, if there are any."""

    metric: str
    stored: float
    now: float
    low: float | None
    high: float | None


def stale_reasons(
    rows: Sequence[Row], wanted: Mapping[str, Any], seeds: Collection[int], metrics: Mapping[str, int]
) -> list[str]:
    """Return the reasons why stored rows of one encoder and code size are stale; an empty list if they are valid.

    `wanted` holds the present values of fields, `seeds` the training seeds, and `metrics` the versions of metrics that
    are needed.
    """
    shown = {**wanted, "in_sample": "in" if wanted["in_sample"] else "out of"}
    reasons = [
        reason.format(shown[name])
        for name, reason in REASONS.items()
        if any((row.setting.distance if name == "distance" else getattr(row, name)) != wanted[name] for row in rows)
    ]
    if {row.seed for row in rows} != set(seeds):
        reasons.append(f"seeds are now {', '.join(map(str, seeds))}")
    seeds_with_scores = {row.seed for row in rows if row.status == OK}
    for metric, version in metrics.items():
        measured = [row for row in rows if row.metric == metric]
        if {row.seed for row in measured} < seeds_with_scores:
            reasons.append(f"{metric} is not stored")
        elif any(row.metric_version != version for row in measured):
            reasons.append(f"{metric} is now version {version}")
    return reasons


def drifts(stored: Sequence[Row], now: Sequence[Row]) -> list[Drift]:
    """Return the change of each metric over the seeds that stored and new rows have, in the order of the new rows."""
    seeds_with_scores = [{row.seed for row in rows if row.status == OK} for rows in (stored, now)]
    common = set.intersection(*seeds_with_scores)

    def values(rows: Sequence[Row], metric: str, name: str) -> list[float]:
        chosen = [row for row in rows if row.metric == metric and row.status == OK and row.seed in common]
        return [value for row in chosen if (value := getattr(row, name)) is not None]

    changes = []
    for metric in dict.fromkeys(row.metric for row in now if row.seed in common):
        old, new = values(stored, metric, "value"), values(now, metric, "value")
        ends = [values(stored, metric, name) for name in ("low", "high")]
        if old and new:
            low, high = map(mean_of, ends) if all(len(end) == len(old) for end in ends) else (None, None)
            changes.append(Drift(metric=metric, stored=mean_of(old), now=mean_of(new), low=low, high=high))
    return changes
