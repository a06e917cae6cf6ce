"""The details of an encoder on a page: scores by seed, limits, and why there are no pictures."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from distbench._util.numbers import bytes_text, interval, number, seconds
from distbench.results.leaderboard_rows import VERDICTS
from distbench.results.leaderboard_table import Cell
from distbench.results.rows import Row

if TYPE_CHECKING:
    from distbench.results.diagrams import Diagrams
    from distbench.results.leaderboard import LeaderboardRow

__all__ = ["details_of"]

SAME = ("dataset", "code_size", "k", "m", "M")


def details_of(
    entry: LeaderboardRow,
    sort: str,
    diagrams: Mapping[tuple[str, str], Sequence[Diagrams]],
    name: str,
    advice: Mapping[tuple[str, str], Sequence[str]],
) -> dict[str, Any]:
    """Return the values that the page's template shows for an encoder, without its pictures.

    `sort` is the metric that ranks encoders, `diagrams` are those of all encoders, by name and data set, `name` is the
    id of the details, and `advice` has the next step for each broken check, by test and encoder.
    """
    own_diagrams = None
    if entry.rows:
        own_diagrams = _diagrams_of(entry, diagrams.get((entry.rows[0].encoder, entry.rows[0].dataset), ()))
    heads, scores = _scores(entry)
    return {
        "id": name,
        "encoder": entry.shown_name,
        "test": entry.test,
        "place": "-" if entry.place is None else str(entry.place),
        "score": number(entry.values[sort]) if sort in entry.values else "",
        "facts": _facts(entry, own_diagrams),
        "heads": heads,
        "scores": scores,
        "limits": _limits(entry),
        "advice": advice.get((entry.test, entry.rows[0].encoder), ()) if entry.rows else (),
        "verdict": max(entry.verdicts.values(), key=VERDICTS.index, default=""),
        "diagrams": own_diagrams,
        "pictures": [],
        "no_pictures": _no_pictures(entry),
        "pairs": [],
        "curve": "",
    }


def _diagrams_of(entry: LeaderboardRow, diagrams: Sequence[Diagrams]) -> Diagrams | None:
    """Return an encoder's diagrams, preferably of the same test, then of the lowest seed; None if there are none."""
    row = entry.rows[0]

    def is_same(other: Diagrams) -> bool:
        same_setting = all(other[name] == getattr(row, name) for name in SAME)  # type: ignore[literal-required]
        same_points = bool(row.dataset) or other["test"] in ("", row.test)
        same_encoder = (other["encoder"], other["in_sample"]) == (row.encoder, entry.in_sample)
        return same_setting and same_points and same_encoder

    def order(other: Diagrams) -> tuple[bool, int]:
        return other["test"] != entry.test, -1 if other["seed"] is None else other["seed"]

    return min(filter(is_same, diagrams), key=order, default=None)


def _facts(entry: LeaderboardRow, diagrams: Diagrams | None) -> list[str]:
    has_several_seeds = len({row.seed for row in entry.rows if row.seed is not None}) > 1
    facts = [
        entry.reason,
        "" if entry.code_width in (None, entry.code_bytes) else f"codes of {entry.code_width} columns",
        bytes_text(entry.code_bytes, entry.code_width or 0, entry.point_bytes),
        "" if entry.seconds is None else f"fitted in {seconds(entry.seconds)} s",
        f"pictures of seed {diagrams['seed']}" if diagrams and has_several_seeds else "",
        f"stored {entry.stored}" if entry.stored else "",
        entry.note,
        entry.test,
    ]
    return list(filter(None, facts))


def _scores(entry: LeaderboardRow) -> tuple[list[str], list[tuple[str, list[Cell]]]]:
    """Return the heads and lines of a table of all scores, with a line for each metric and a column for each seed."""
    seeds = list(dict.fromkeys(row.seed for row in entry.rows))
    has_several_seeds = len(seeds) > 1
    heads = ["mean", *(f"seed {seed}" for seed in seeds)] if has_several_seeds else ["value", "95 % interval"]
    lines = []
    by_metric: dict[str, dict[int | None, Row]] = {}
    for row in entry.rows:
        by_metric.setdefault(row.metric, {})[row.seed] = row
    for metric, by_seed in by_metric.items():
        cells = [Cell(number(entry.values.get(metric)))]
        if has_several_seeds:
            cells += [_seed_cell(by_seed.get(seed)) for seed in seeds]
        else:
            cells += [Cell(interval(row.low, row.high)) for row in by_seed.values()]
        if entry.limited:
            cells.append(_limit_cell(entry.limited.get(metric)))
        lines.append((metric, cells))
    return [*heads, *(["limit"] if entry.limited else [])], lines


def _limits(entry: LeaderboardRow) -> list[dict[str, Any]]:
    """Return the limits that are not met: texts, and places on a line, from 0 to 100."""
    shown = []
    for metric, row in entry.limited.items():
        if row.verdict == "met" or row.value is None or row.limit is None:
            continue
        low, high = (row.value if end is None else end for end in (row.low, row.high))
        ends = [end for end in (low, high, row.limit) if math.isfinite(end)]
        least, size = min(ends), (max(ends) - min(ends)) or 1.0
        places = [min(100.0, max(0.0, 100 * (end - least) / size)) for end in (low, row.value, high, row.limit)]
        texts = {"value": number(row.value), "interval": interval(row.low, row.high), "limit": _limit_text(row)}
        shown.append({"metric": metric, "verdict": row.verdict, "places": places, **texts})
    return shown


def _limit_text(row: Row) -> str:
    return f"{'≥' if row.direction == 'up' else '≤'} {row.limit:g}"


def _seed_cell(row: Row | None) -> Cell:
    return Cell("-") if row is None else Cell(number(row.value), title=interval(row.low, row.high))


def _limit_cell(row: Row | None) -> Cell:
    if row is None:
        return Cell("")
    return Cell(f"{_limit_text(row)} {row.verdict}", verdict=row.verdict)


def _no_pictures(entry: LeaderboardRow) -> str:
    """Return the sentence that says why an encoder has no pictures."""
    if entry.reason:
        return f"No pictures: {entry.reason}."
    if entry.stored:
        return (
            "No pictures: points are not stored with rows. --distbench-retrain fits the encoder again and draws them."
        )
    return "No pictures: the points were not kept. The run that evaluates the encoder draws them in its HTML report."
