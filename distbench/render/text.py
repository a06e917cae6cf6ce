"""Leaderboards as plain text that fits the terminal.

A number is never wrapped: where the width does not suffice, whole columns are left out, in a fixed order,
and a line says which.
"""

from __future__ import annotations

import math
import textwrap
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from distbench.render.notes import (
    IGNORES_SIZE,
    VERDICT_MARKS,
    left_out,
    mark_notes,
    other_width,
    own_notes,
    shown_name,
    table_notes,
    wrapped,
)
from distbench.results.leaderboard import Leaderboard, LeaderboardRow
from distbench.results.rows import EUCLIDEAN

__all__ = ["DROP_ORDER", "printable", "render_checks", "render_table"]

DROP_ORDER = (
    "distortion",
    "stress",
    "pearson",
    "triplet_accuracy",
    "distortion_q",
    "sigma_distortion",
    "seed sd",
    "seeds",
    "fit s",
    "knn_recall",
    "spearman",
    "trustworthiness",
    "scaled_stress",
    "continuity",
)
"""The columns that go when the terminal is narrow, first to last; the sort metric, its interval and the
names always stay. Metrics that are not listed go before all of these, metrics that have a limit after them."""

_GAP = 2
_LEAST_NAME = 16
_SHORT_NAME = 32  # down to which names are cut before a metric that has a limit goes


@dataclass(frozen=True)
class _Column:
    key: str
    header: str
    cells: list[str]
    left: bool = False
    keep: bool = False
    late: bool = False

    @property
    def width(self) -> int:
        return max(len(line) for line in [*self.header.split("\n"), *self.cells])


def render_table(table: Leaderboard, width: int = 80, encoding: str | None = "utf-8") -> str:
    """Return a leaderboard as text.

    Parameters
    ----------
    table : Leaderboard
        From :func:`distbench.results.leaderboard.leaderboard`.
    width : int
        Characters a line may have. Columns are left out in the order of ``DROP_ORDER`` until the table
        fits; place, name, sort metric and interval stay even where they do not.
    encoding : str or None
        Of the stream the text is for; what it cannot show becomes ``?``.

    Returns
    -------
    str
        Title, table, and a line for each thing a reader must know: encoders without a place and why,
        codes of another width than asked for, encoders' own notes, rows that were stored, and columns that were
        left out.
    """
    ranked = [entry for entry in table.entries if entry.place is not None]
    columns = [_places(ranked), _names(ranked, table), *_sort_columns(ranked, table)]
    columns += _metric_columns(ranked, table) + _extras(ranked)
    kept, dropped = _fit(columns, width)
    lines = [*textwrap.wrap(_title(table), width), ""]
    if ranked:
        lines += [_grid(kept), ""]
    lines += wrapped(table_notes(table) + left_out(dropped, _excess(columns, 0)), width)
    return printable("\n".join(lines).rstrip(), encoding)


def render_checks(tables: Sequence[Leaderboard], width: int = 80, encoding: str | None = "utf-8") -> str:
    """Return tables of one encoder each, on points of their own, as one list without places.

    Parameters
    ----------
    tables : sequence of Leaderboard
        Each with one entry; they have their own points, so nothing ranks them.
    width, encoding
        As for :func:`render_table`.

    Returns
    -------
    str
        One line a table, under the name of its test.
    """
    metrics = dict.fromkeys(metric for table in tables for metric in table.metrics)
    joint = replace(tables[0], metrics=tuple(metrics))
    entries = [replace(table.entries[0], encoder=f"{table.test} {table.entries[0].encoder}") for table in tables]
    ranked = [entry for entry in entries if not entry.reason]
    columns = [_names(ranked, None, "test and encoder"), *_sort_columns(ranked, joint)]
    sizes = [("code\nsize", "code_size"), ("k", "k"), ("m", "m"), ("M", "M")]
    shown = [table for table in tables if not table.entries[0].reason]
    columns += [_Column(a, h, [str(getattr(t, a)) for t in shown], keep=a == "code_size") for h, a in sizes]
    columns += _metric_columns(ranked, joint)
    kept, dropped = _fit(columns, width)
    lines = ["Checks on points of their own", ""]
    lines += [_grid(kept), ""] if ranked else []
    notes = [f"no score: {entry.encoder}: {entry.reason}" for entry in entries if entry.reason]
    notes += [*own_notes(ranked), *mark_notes(ranked), *left_out(dropped, _excess(columns, 0))]
    lines += wrapped(notes, width)
    return printable("\n".join(lines).rstrip(), encoding)


def printable(text: str, encoding: str | None) -> str:
    """Return text that a stream of that encoding can show; what it cannot becomes ``?``."""
    return text.encode(encoding or "ascii", errors="replace").decode(encoding or "ascii")


def _title(table: Leaderboard) -> str:
    distance = "" if table.distance == EUCLIDEAN else f", {table.distance} distance"
    return (
        f"{table.name}, code size {table.code_size} "
        f"(k = {table.k}, m = {table.m} test points, M = {table.M} candidates{distance})"
    )


def _places(ranked: Sequence[LeaderboardRow]) -> _Column:
    places = [entry.place for entry in ranked]
    cells = [f"{place}=" if places.count(place) > 1 else f"{place}" for place in places]
    return _Column("place", "", cells, left=True, keep=True)


def _names(ranked: Sequence[LeaderboardRow], table: Leaderboard | None, header: str = "encoder") -> _Column:
    cells = [_name(entry, table) for entry in ranked]
    return _Column("encoder", header, cells, left=True, keep=True)


def _name(entry: LeaderboardRow, table: Leaderboard | None) -> str:
    name = shown_name(entry)
    return f"{name} {IGNORES_SIZE}" if table is not None and other_width(entry, table) else name


def _sort_columns(ranked: Sequence[LeaderboardRow], table: Leaderboard) -> list[_Column]:
    values = _marked(ranked, table.sort)
    intervals = [
        "-" if entry.low is None or entry.high is None else f"{_number(entry.low)} to {_number(entry.high)}"
        for entry in ranked
    ]
    return [
        _Column(table.sort, _header(table.sort), values, keep=True),
        _Column("interval", "95 %\ninterval", intervals, keep=True),
    ]


def _metric_columns(ranked: Sequence[LeaderboardRow], table: Leaderboard) -> list[_Column]:
    """Return the other metrics: first those that have a limit, which go last."""
    limited = {metric for entry in ranked for metric in entry.verdicts}
    ordered = sorted((metric for metric in table.metrics if metric != table.sort), key=lambda name: name not in limited)
    return [_Column(name, _header(name), _marked(ranked, name), late=name in limited) for name in ordered]


def _marked(ranked: Sequence[LeaderboardRow], metric: str) -> list[str]:
    """Return a metric's cells, with a mark behind those whose limit is broken or undecided."""
    marks = [VERDICT_MARKS.get(entry.verdicts.get(metric, ""), "") for entry in ranked]
    room = max(map(len, marks), default=0)
    return [f"{_number(e.values.get(metric))}{mark:{room}}" for e, mark in zip(ranked, marks, strict=True)]


def _extras(ranked: Sequence[LeaderboardRow]) -> list[_Column]:
    spreads = _Column("seed sd", "seed\nsd", [_number(entry.seed_sd) for entry in ranked])
    seconds = ["-" if entry.seconds is None else f"{entry.seconds:.1f}" for entry in ranked]
    seeds = _Column("seeds", "seeds", [f"{entry.ran}/{entry.seeds}" for entry in ranked])
    columns = [spreads, _Column("fit s", "fit\ns", seconds), seeds]
    told = [any(cell != "-" for cell in spreads.cells), any(cell != "-" for cell in seconds), True]
    return [column for column, has in zip(columns, told, strict=True) if has]


def _header(metric: str) -> str:
    return "trust-\nworthi-\nness" if metric == "trustworthiness" else metric.replace("_", "\n")


def _number(value: float | None) -> str:
    if value is None:
        return "-"
    if not math.isfinite(value):
        return f"{value}"
    if abs(value) < 10:
        return f"{value:.3f}"
    return f"{value:.1f}" if abs(value) < 10_000 else f"{value:.2e}"


def _fit(columns: list[_Column], width: int) -> tuple[list[_Column], list[str]]:
    kept, dropped = list(columns), []
    order = {key: rank for rank, key in enumerate(DROP_ORDER)}
    droppable = sorted((c for c in columns if not c.keep), key=lambda c: (c.late, order.get(c.key, -1)))
    spare = sum(max(0, column.width - _SHORT_NAME) for column in columns if column.key == "encoder")
    for column in droppable:
        if _excess(kept, width) <= (spare if column.late else 0):
            break
        kept.remove(column)
        dropped.append(f"{column.key} (has !)" if any("!" in cell for cell in column.cells) else column.key)
    return [_shortened(column, _excess(kept, width)) for column in kept], dropped


def _excess(columns: Sequence[_Column], width: int) -> int:
    return sum(column.width for column in columns) + _GAP * (len(columns) - 1) - width


def _shortened(column: _Column, excess: int) -> _Column:
    """Take the excess out of the names, from their fronts: the end tells tests apart."""
    if column.key != "encoder" or excess <= 0:
        return column
    room = max(_LEAST_NAME, column.width - excess)
    cells = [cell if len(cell) <= room else f"...{cell[3 - room :]}" for cell in column.cells]
    return replace(column, cells=cells)


def _grid(columns: Iterable[_Column]) -> str:
    from tabulate import tabulate

    shown = list(columns)
    # The header goes in as a row: tabulate pads real headers, which costs the width of a column or two.
    head = [[column.header for column in shown], ["-" * column.width for column in shown]]
    return tabulate(
        [*head, *zip(*[column.cells for column in shown], strict=True)],
        tablefmt="plain",
        disable_numparse=True,
        colalign=["left" if column.left else "right" for column in shown],
    )
