"""The cells of leaderboards where there is room for all columns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from distbench.evaluation.text import number
from distbench.render.notes import IGNORES_SIZE, VERDICT_MARKS, other_width, shown_name
from distbench.results.leaderboard import Leaderboard, LeaderboardRow

__all__ = ["Grid", "board_grid", "checks_grid"]


@dataclass(frozen=True)
class Grid:
    """A table of text; the first ``names`` columns hold words, the others numbers."""

    head: Sequence[str]
    rows: Sequence[Sequence[str]]
    names: int


def board_grid(table: Leaderboard) -> Grid:
    """Return a leaderboard's cells, of all encoders that have a place and all metrics."""
    ranked = [entry for entry in table.entries if entry.place is not None]
    places = [entry.place for entry in ranked]
    metrics = [name for name in table.metrics if name != table.sort]
    spread = any(entry.seed_sd is not None for entry in ranked)
    seconds = any(entry.seconds is not None for entry in ranked)
    head = ["", "encoder", table.sort, "95 % interval", *metrics]
    head += ["seed sd"] * spread + ["fit s"] * seconds + ["seeds"]
    rows = []
    for entry in ranked:
        star = f" {IGNORES_SIZE}" if other_width(entry, table) else ""
        cells = [f"{entry.place}{'=' * (places.count(entry.place) > 1)}", f"{shown_name(entry)}{star}"]
        cells += [_marked(entry, table.sort), _interval(entry), *(_marked(entry, name) for name in metrics)]
        cells += [number(entry.seed_sd)] * spread
        cells += ["-" if entry.seconds is None else f"{entry.seconds:.1f}"] * seconds
        rows.append([*cells, f"{entry.ran}/{entry.seeds}"])
    return Grid(head, rows, names=2)


def checks_grid(tables: Sequence[Leaderboard]) -> Grid:
    """Return the cells of tables of one encoder each, on points of their own: nothing ranks them."""
    sort = tables[0].sort
    metrics = [name for name in dict.fromkeys(name for table in tables for name in table.metrics) if name != sort]
    head = ["test", "encoder", "code size", "k", "test points", sort, "95 % interval", *metrics]
    rows = []
    for table in tables:
        (entry,) = table.entries
        if not entry.reason:
            sizes = [str(table.code_size), str(table.k), str(table.m)]
            cells = [_marked(entry, sort), _interval(entry), *(_marked(entry, name) for name in metrics)]
            rows.append([table.test, shown_name(entry), *sizes, *cells])
    return Grid(head, rows, names=2)


def _marked(entry: LeaderboardRow, metric: str) -> str:
    return f"{number(entry.values.get(metric))}{VERDICT_MARKS.get(entry.verdicts.get(metric, ''), '')}"


def _interval(entry: LeaderboardRow) -> str:
    return "-" if entry.low is None or entry.high is None else f"{number(entry.low)} to {number(entry.high)}"
