"""Whether stored rows still hold, and how far new ones lie from them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypedDict

from distbench.inference.estimate import mean_of
from distbench.results.rows import OK, Row

__all__ = ["RECIPE_CHANGED", "Change", "Wanted", "changes", "stale_reasons"]

RECIPE_CHANGED = "recipe changed"


@dataclass(frozen=True)
class Wanted:
    """What the rows of an encoder at a code size must rest on to be used without a fit.

    ``metrics`` holds the version of each metric that is needed.
    """

    dataset: str
    data_sha256: str
    recipe_hash: str
    in_sample: bool
    k: int
    m: int
    M: int
    seeds: tuple[int, ...]
    metrics: Mapping[str, int]


class Change(TypedDict):
    """A metric's mean over the seeds, as it was stored and as it is now.

    ``low`` and ``high`` are the means of the stored intervals' ends, None without intervals (worst cases).
    """

    metric: str
    stored: float
    now: float
    low: float | None
    high: float | None


def stale_reasons(rows: Sequence[Row], wanted: Wanted) -> list[str]:
    """Return why stored rows do not hold any more; nothing where they do."""
    pairs = (
        ("dataset", wanted.dataset, f"data set is now {wanted.dataset}"),
        ("data_sha256", wanted.data_sha256, "data changed"),
        ("recipe_hash", wanted.recipe_hash, RECIPE_CHANGED),
        ("in_sample", wanted.in_sample, f"is now {'in' if wanted.in_sample else 'out of'} sample"),
        ("k", wanted.k, f"k is now {wanted.k}"),
        ("m", wanted.m, f"test points are now {wanted.m}"),
        ("M", wanted.M, f"candidates are now {wanted.M}"),
    )
    reasons = [reason for name, value, reason in pairs if any(row[name] != value for row in rows)]  # type: ignore[literal-required]
    stored = {row["seed"] for row in rows}
    if stored != set(wanted.seeds):
        reasons.append(f"seeds are now {', '.join(map(str, wanted.seeds))}")
    for metric, version in wanted.metrics.items():
        reasons += _about(metric, version, rows)
    return reasons


def _about(metric: str, version: int, rows: Sequence[Row]) -> list[str]:
    good = {row["seed"] for row in rows if row["status"] == OK}
    measured = [row for row in rows if row["metric"] == metric]
    if {row["seed"] for row in measured} < good:
        return [f"{metric} is not stored"]
    return [f"{metric} is now version {version}"] if any(row["metric_version"] != version for row in measured) else []


def changes(stored: Sequence[Row], now: Sequence[Row]) -> list[Change]:
    """Return the change of each metric over the seeds in which both have it, in the order of the new rows."""
    good = [{row["seed"] for row in rows if row["status"] == OK} for rows in (stored, now)]
    stored, now = ([row for row in rows if row["seed"] in good[0] & good[1]] for rows in (stored, now))
    found = []
    for metric in dict.fromkeys(row["metric"] for row in now):
        old, new = _values(stored, metric, "value"), _values(now, metric, "value")
        if old and new:
            low, high = _values(stored, metric, "low"), _values(stored, metric, "high")
            whole = len(low) == len(high) == len(old)
            ends = (mean_of(low), mean_of(high)) if whole else (None, None)
            found.append(Change(metric=metric, stored=mean_of(old), now=mean_of(new), low=ends[0], high=ends[1]))
    return found


def _values(rows: Sequence[Row], metric: str, name: str) -> list[float]:
    good = [row for row in rows if row["metric"] == metric and row["status"] == OK]
    return [row[name] for row in good if row[name] is not None]  # type: ignore[literal-required]
