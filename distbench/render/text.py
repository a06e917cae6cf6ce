"""Leaderboards as plain text that fits the terminal.

A number is never wrapped: where the width does not suffice, whole columns are left out, in a fixed order,
and a line names them.
"""

from __future__ import annotations

import shutil
import textwrap
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from distbench.results.leaderboard_table import Column, Table, tables_of
from distbench.results.rows import Row

__all__ = ["DROP_ORDER", "printable", "render_leaderboards", "render_table", "terminal_width"]

DECIMALS = 3
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
"""The columns that are left out when the terminal is narrow, first to last; the sort metric, its interval and the
names always stay. Other metrics are left out before all of these, metrics that have a limit after them."""

KEPT = ("place", "encoder", "interval", "code_size")
HEADERS = {"trustworthiness": "trust-\nworthi-\nness", "interval": "95 %\ninterval"}
MIN_WIDTH = 40  # characters
GAP = 2  # characters between columns
LEAST_NAME = 16  # characters
SHORT_NAME = 32  # characters that names are cut to before a metric that has a limit is left out


@dataclass(frozen=True)
class _TextColumn:
    key: str
    header: str
    cells: list[str]
    is_left: bool
    is_kept: bool
    is_limited: bool

    @property
    def width(self) -> int:
        return max(len(line) for line in [*self.header.split("\n"), *self.cells])


def render_leaderboards(rows: Iterable[Row], sort: str, width: int) -> list[str]:
    """Return the leaderboards of rows as blocks of text."""
    return [render_table(table, width) for table in tables_of(rows, sort, DECIMALS)]


def render_table(table: Table, width: int = 80) -> str:
    """Return a leaderboard as text.

    Parameters
    ----------
    table : Table
        From :func:`distbench.results.leaderboard_table.tables_of`.
    width : int
        Characters a line may have. Columns are left out in the order of ``DROP_ORDER`` until the table
        fits; place, name, sort metric and interval stay even where they do not.

    Returns
    -------
    str
        Title, table, and the notes; the last names the columns that were left out.
    """
    columns = [_text_column(column) for column in table.columns if column.kind != "verdict"]
    kept, dropped = _fit(columns, width)
    title = f"{table.name}, {table.size} ({table.setting})" if table.size else table.name
    lines = [*textwrap.wrap(title, width), ""]
    if table.entries:
        lines += [_grid(kept), ""]
    notes = list(table.notes)
    if dropped:
        notes.append(f"left out at this width (COLUMNS={_excess(columns, 0)} shows all): {', '.join(dropped)}")
    lines += [line for note in notes for line in textwrap.wrap(note, width, subsequent_indent="  ")]
    return "\n".join(lines).rstrip()


def terminal_width() -> int:
    """Return the characters in a line of the terminal; 80 where it reports too few, as some CI systems do."""
    width = shutil.get_terminal_size().columns
    return width if width >= MIN_WIDTH else 80


def printable(text: str, encoding: str | None) -> str:
    """Return text that a stream of that encoding can show; what it cannot becomes ``?``."""
    return text.encode(encoding or "ascii", errors="replace").decode(encoding or "ascii")


def _text_column(column: Column) -> _TextColumn:
    marks = max((len(cell.mark) for cell in column.cells), default=0)
    is_left = column.kind in ("place", "name")
    return _TextColumn(
        key=column.key,
        header=column.label
        if is_left
        else HEADERS.get(column.key) or column.label.replace("_", "\n").replace(" ", "\n"),
        cells=[f"{cell.text}{cell.mark if is_left else cell.mark.ljust(marks)}" for cell in column.cells],
        is_left=is_left,
        is_kept=column.key in KEPT or column.kind == "sort",
        is_limited=any(cell.verdict for cell in column.cells),
    )


def _fit(columns: list[_TextColumn], width: int) -> tuple[list[_TextColumn], list[str]]:
    """Return the columns that the width has room for, with names cut where they must be, and the keys of the others."""
    kept, dropped = list(columns), []
    order = {key: rank for rank, key in enumerate(DROP_ORDER)}
    droppable = [column for column in columns if not column.is_kept]
    droppable.sort(key=lambda column: (column.is_limited, order.get(column.key, -1)))
    spare = sum(max(0, column.width - SHORT_NAME) for column in columns if column.key == "encoder")
    for column in droppable:
        if _excess(kept, width) <= (spare if column.is_limited else 0):
            break
        kept.remove(column)
        dropped.append(f"{column.key} (has !)" if any("!" in cell for cell in column.cells) else column.key)
    excess = _excess(kept, width)
    return [_shortened(column, excess) if column.key == "encoder" else column for column in kept], dropped


def _excess(columns: Sequence[_TextColumn], width: int) -> int:
    return sum(column.width for column in columns) + GAP * (len(columns) - 1) - width


def _shortened(column: _TextColumn, excess: int) -> _TextColumn:
    """Cut the fronts of names: their ends tell tests apart."""
    room = max(LEAST_NAME, column.width - max(0, excess))
    return replace(column, cells=[c if len(c) <= room else f"...{c[3 - room :]}" for c in column.cells])


def _grid(columns: Sequence[_TextColumn]) -> str:
    from tabulate import tabulate

    # The header goes in as a row: tabulate pads real headers, which costs the width of a column or two.
    head = [[column.header for column in columns], ["-" * column.width for column in columns]]
    return tabulate(
        [*head, *zip(*[column.cells for column in columns], strict=True)],
        tablefmt="plain",
        disable_numparse=True,
        colalign=["left" if column.is_left else "right" for column in columns],
    )
