"""The checks of single encoders with a line for each limit, which fits a terminal and the log of a CI job."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from distbench._util.numbers import interval, number
from distbench.results.leaderboard_rows import VERDICTS, LeaderboardRow
from distbench.results.leaderboard_table import MARKS, Cell, Column, Table
from distbench.results.rows import Row

__all__ = ["limit_table"]

SIGNS = {"up": ">=", "down": "<="}
SETTINGS = {"k": "k = {}", "m": "m = {} test points", "M": "M = {} candidates"}


@dataclass(frozen=True)
class _Line:
    """One limit of an encoder; or, if it has none, its sort metric or else its first."""

    entry: LeaderboardRow
    row: Row

    @property
    def place(self) -> int:
        """The place in the table: broken limits first, then undecided ones, then those that are met."""
        verdicts = [VERDICTS.index(verdict) for verdict in self.entry.verdicts.values()]
        return -max(verdicts, default=-1)


def limit_table(table: Table, decimals: int) -> Table:
    """Return a table of single encoders with a line for each limit; without any limit, the table as it is.

    The metric with the limit comes first, with its interval and its limit. What all lines share is in the title.
    """
    if table.size or not any(entry.limited for entry in table.entries):
        return table
    sort = next(column.key for column in table.columns if column.kind == "sort")
    lines = [_Line(entry, row) for entry in table.entries for row in _rows(entry, sort)]
    lines.sort(key=lambda line: line.place)
    shared = {key: next(iter(values)) for key in SETTINGS if len(values := {_of(line, key) for line in lines}) == 1}
    files = {line.entry.test.partition("::")[0] for line in lines}
    names = [_name(line.entry, is_short=len(files) == 1) for line in lines]
    names[1:] = ["" if before == name else name for before, name in pairwise(names)]
    metrics = [line.row.metric if "k" in shared else line.row.full_metric for line in lines]
    return Table(
        name=f"{table.name} in {next(iter(files))}" if len(files) == 1 else table.name,
        size="",
        setting=", ".join(SETTINGS[key].format(value) for key, value in shared.items()),
        columns=(
            Column("encoder", "test and encoder", tuple(map(Cell, names)), "name"),
            Column("metric", "metric", tuple(map(Cell, metrics)), "name"),
            Column("value", "value", tuple(_value(line.row, decimals) for line in lines), "sort"),
            Column("interval", "95 % interval", tuple(_interval(line.row, decimals) for line in lines), "interval"),
            Column("limit", "limit", tuple(map(_limit, lines)), "limit"),
            Column("code size", "code size", tuple(Cell(line.row.size_text) for line in lines), "size"),
            *(
                Column(key, key, tuple(Cell(str(_of(line, key))) for line in lines), "size")
                for key in ("m", "M")
                if key not in shared
            ),
        ),
        entries=tuple(line.entry for line in lines),
        unranked=table.unranked,
        notes=table.notes,
    )


def _rows(entry: LeaderboardRow, sort: str) -> Sequence[Row]:
    return tuple(entry.limited.values()) or tuple(row for row in entry.rows if row.metric == sort) or entry.rows[:1]


def _of(line: _Line, key: str) -> int:
    return int(getattr(line.row, key))


def _name(entry: LeaderboardRow, *, is_short: bool) -> str:
    """Return the test, without its file if all tests are in one, and the encoder unless the test names it."""
    test = entry.test.partition("::")[2] if is_short else entry.test
    is_named = re.search(rf"(?<![^\W_]){re.escape(entry.shown_name)}(?![^\W_])", test)
    return test if is_named else f"{test} {entry.shown_name}".strip()


def _value(row: Row, decimals: int) -> Cell:
    return Cell(number(row.value, decimals), row.value, MARKS.get(row.verdict, ""), row.verdict)


def _interval(row: Row, decimals: int) -> Cell:
    return Cell(interval(row.low, row.high, decimals))


def _limit(line: _Line) -> Cell:
    return Cell("-" if line.row.limit is None else f"{SIGNS[line.row.direction]} {line.row.limit:g}")
