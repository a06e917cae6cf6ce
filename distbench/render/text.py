"""Leaderboards as plain text that fits the terminal.

Numbers are never wrapped: if a table is too wide, whole columns are left out in a fixed order, and a line names them.
"""

from __future__ import annotations

import shutil
import textwrap
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal, NamedTuple

from distbench._util.notes import Note
from distbench._util.text import cut_middle, plain_lines
from distbench.results.leaderboard_table import Column, Table, tables_of
from distbench.results.limit_table import limit_table
from distbench.results.rows import Row

__all__ = [
    "DROP_ORDER",
    "Level",
    "Line",
    "encodable",
    "leaderboard_lines",
    "printable",
    "render_leaderboards",
    "terminal_width",
    "titled",
]

DECIMALS = 3
DROP_ORDER = (
    "distortion",
    "stress",
    "pearson",
    "triplet_accuracy",
    "distortion_q",
    "sigma_distortion",
    "seeds",
    "fit s",
    "knn_recall",
    "spearman",
    "trustworthiness",
    "scaled_stress",
    "continuity",
)
"""The order in which a narrow terminal leaves out columns. Other metrics go before these, metrics with a limit after
them; the sort metric, its interval, its spread over seeds and the names always stay."""

KEPT = ("place", "encoder", "metric", "interval", "limit", "seed sd", "code_size")
HEADERS = {"trustworthiness": "trust-\nworthi-\nness", "interval": "95 %\ninterval"}
MIN_WIDTH = 40  # characters
MAX_DROPPED = 30  # columns left out that a note names
OF_ONE_TABLE = ("*", "and ")  # beginnings of notes that mean other encoders in another table
GAP = 2  # characters between columns
LEAST_NAME = 16  # characters
SHORT_NAME = 32  # characters: names are cut to so many before a metric with a limit is left out

Level = Literal["", "title", "warning", "error"]


class Line(NamedTuple):
    """A line of text and its level, which a terminal shows by color."""

    text: str
    level: Level = ""


def titled(first: str, *rest: str) -> list[Line]:
    """Return lines; the first is a title."""
    return [Line(first, "title"), *map(Line, rest)]


@dataclass(frozen=True)
class _TextColumn:
    key: str
    header: str
    cells: list[str]
    is_left: bool
    is_kept: bool
    is_limited: bool

    @cached_property
    def width(self) -> int:
        return max(len(line) for line in [*self.header.split("\n"), *self.cells])


def render_leaderboards(rows: Iterable[Row], sort: str, width: int) -> list[str]:
    """Return the leaderboards of rows as texts that are safe to print; notes on several of them are the last text."""
    return [plain_lines("\n".join(line.text for line in lines)) for lines in leaderboard_lines(rows, sort, width)]


def leaderboard_lines(rows: Iterable[Row], sort: str, width: int, head: int | None = None) -> list[list[Line]]:
    """Return the leaderboards of rows as lines; they have at most `width` characters if names and sort metric fit.

    With `head`, only so many encoders of each are shown. Notes on several leaderboards are the last block.
    """
    tables = [limit_table(table, DECIMALS) for table in tables_of(rows, sort, DECIMALS)]
    boards = [_Board.of(table, width, head) for table in tables]
    times = Counter(note for board in boards for note in board.notes)
    shared = [note for note, number in times.items() if number > 1 and not note.startswith(OF_ONE_TABLE)]
    blocks = [board.lines(width, shared, is_alone=len(boards) == 1) for board in boards]
    if len(boards) > 1:
        shared += _left_out([column for board in boards for column in board.dropped], max(b.whole for b in boards))
    return [*blocks, _note_lines(shared, width)] if shared else blocks


@dataclass(frozen=True)
class _Board:
    """The columns of a leaderboard that fit a width; ``whole`` is the width at which all fit."""

    title: str
    columns: list[_TextColumn]
    dropped: list[str]
    whole: int
    notes: list[str]

    @classmethod
    def of(cls, table: Table, width: int, head: int | None) -> _Board:
        notes, count = list(table.notes), len(table.entries)
        if head is not None and count > head:
            table = replace(table, columns=tuple(replace(c, cells=c.cells[:head]) for c in table.columns))
            notes.insert(0, f"and {count - head} more")
        columns = [_text_column(column) for column in table.columns if column.kind != "verdict"] if count else []
        kept, dropped = _fit(columns, width)
        name = f"{table.name}, {table.size}" if table.size else table.name
        setting = f" ({table.setting})" if table.setting else ""
        return cls(f"{name}{setting}", kept, dropped, _excess(columns, 0), notes)

    def lines(self, width: int, elsewhere: Sequence[str], is_alone: bool) -> list[Line]:
        """Return title, table and notes, without the notes that are shown elsewhere."""
        lines = titled(*textwrap.wrap(self.title, width), "")
        if self.columns:
            lines += map(Line, [*_grid(self.columns).split("\n"), ""])
        notes = [note for note in self.notes if note not in elsewhere]
        lines += _note_lines([*notes, *(_left_out(self.dropped, self.whole) if is_alone else [])], width)
        return lines if lines[-1].text else lines[:-1]


def _left_out(dropped: Sequence[str], whole: int) -> list[str]:
    """Return the note that names the columns left out, if any are; all fit a width of `whole` characters."""
    names = list(dict.fromkeys(dropped))
    more = f" and {len(names) - MAX_DROPPED:,} more" if len(names) > MAX_DROPPED else ""
    shown = f"{', '.join(names[:MAX_DROPPED])}{more}"
    return [f"left out at this width (COLUMNS={whole} shows all): {shown}"] if names else []


def _note_lines(notes: Iterable[str], width: int) -> list[Line]:
    lines = []
    for note in notes:
        level: Level = "error" if isinstance(note, Note) else ""  # a Note says that an encoder has no place
        lines += [Line(line, level) for line in textwrap.wrap(note, width, subsequent_indent="  ")]
    return lines


def terminal_width() -> int:
    """Return the width of the terminal in characters; 80 if it reports too few, as some CI systems do."""
    width = shutil.get_terminal_size().columns
    return width if width >= MIN_WIDTH else 80


def printable(text: str, encoding: str | None) -> str:
    """Return lines that are safe to print, for a stream with an encoding."""
    return encodable(plain_lines(text), encoding)


def encodable(text: str, encoding: str | None) -> str:
    """Return text for a stream with an encoding; characters that the encoding lacks become ``?``."""
    return text.encode(encoding or "ascii", errors="replace").decode(encoding or "ascii")


def _text_column(column: Column) -> _TextColumn:
    marks = max((len(cell.mark) for cell in column.cells), default=0)
    is_left = column.kind in ("place", "name")
    base, *own_k = column.label.replace("@", "\n@").split("\n", 1)
    header = HEADERS.get(base) or HEADERS.get(column.key) or base.replace("_", "\n").replace(" ", "\n")
    return _TextColumn(
        key=column.key,
        header=column.label if is_left else "\n".join([header, *own_k]),
        cells=[f"{cell.text}{cell.mark if is_left else cell.mark.ljust(marks)}" for cell in column.cells],
        is_left=is_left,
        is_kept=column.key in KEPT or column.kind == "sort",
        is_limited=any(cell.verdict for cell in column.cells),
    )


def _fit(columns: list[_TextColumn], width: int) -> tuple[list[_TextColumn], list[str]]:
    """Return the columns that fit the width, with names cut if necessary, and the keys of the columns left out."""
    dropped: list[_TextColumn] = []
    rank_of = {key: rank for rank, key in enumerate(DROP_ORDER)}
    droppable = [column for column in columns if not column.is_kept]
    droppable.sort(key=lambda column: (column.is_limited, rank_of.get(column.key.partition("@")[0], -1)))
    spare = sum(max(0, column.width - SHORT_NAME) for column in columns if column.key == "encoder")
    excess = _excess(columns, width)
    for column in droppable:
        if excess <= (spare if column.is_limited else 0):
            break
        dropped.append(column)
        excess -= column.width + GAP
    gone = set(map(id, dropped))
    kept = [column for column in columns if id(column) not in gone]
    keys = [f"{column.key} (has !)" if any("!" in cell for cell in column.cells) else column.key for column in dropped]
    return [_shortened(column, excess) if column.key == "encoder" else column for column in kept], keys


def _excess(columns: Sequence[_TextColumn], width: int) -> int:
    return sum(column.width for column in columns) + GAP * (len(columns) - 1) - width


def _shortened(column: _TextColumn, excess: int) -> _TextColumn:
    """Cut names in the middle: their files are at the start, and names of tests differ at their ends."""
    room = max(LEAST_NAME, column.width - max(0, excess))
    return replace(column, cells=[cut_middle(cell, room) for cell in column.cells])


def _grid(columns: Sequence[_TextColumn]) -> str:
    from tabulate import tabulate

    # The header is passed as a row: tabulate pads real headers, and then one or two columns would not fit.
    head = [[column.header for column in columns], ["-" * column.width for column in columns]]
    return tabulate(
        [*head, *zip(*[column.cells for column in columns], strict=True)],
        tablefmt="plain",
        disable_numparse=True,
        colalign=["left" if column.is_left else "right" for column in columns],
    )
