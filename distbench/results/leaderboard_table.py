"""Leaderboards as columns of cells and notes, which text, Markdown and HTML lay out."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from operator import attrgetter
from typing import Literal

from distbench._util.distances import EUCLIDEAN
from distbench._util.notes import Note
from distbench._util.numbers import at_bound, interval, number, seconds
from distbench.results.leaderboard import Leaderboard, LeaderboardRow, leaderboard
from distbench.results.leaderboard_notes import (
    SHARED_PLACE,
    explanations,
    interval_note,
    mark_notes,
    notes_on_encoders,
    stored_notes,
)
from distbench.results.leaderboard_rows import VERDICTS
from distbench.results.rows import Row

__all__ = ["MARKS", "Cell", "Column", "Table", "tables_of"]

MARKS = {"broken": "!", "undecided": "?"}


@dataclass(frozen=True)
class Cell:
    """One cell.

    Attributes
    ----------
    text, mark : str
        The text that is shown, and the mark after it.
    value : float, str or None
        The value to sort by.
    verdict : str
        "met", "broken" or "undecided" for a metric with a limit.
    is_best : bool
        Whether no other encoder has a better value.
    title : str
        A longer explanation.
    span : tuple of float, or None
        Low end, value and high end of an interval, as shares of the range of all intervals in the table.
    """

    text: str
    value: float | str | None = None
    mark: str = ""
    verdict: str = ""
    is_best: bool = False
    title: str = ""
    span: tuple[float, float, float] | None = None


@dataclass(frozen=True)
class Column:
    """One column; ``better`` is "up" or "down" if its values have a direction."""

    key: str
    label: str
    cells: tuple[Cell, ...]
    kind: Literal["place", "verdict", "name", "sort", "interval", "limit", "size", "metric", "fit"]
    better: str = ""
    title: str = ""


@dataclass(frozen=True)
class Table:
    """One leaderboard, or a table of all encoders that are alone on their points.

    Attributes
    ----------
    name, size, setting : str
        Data set or test; code size; and k, m, M and distance. The last two are empty in the table of encoders that are
        alone.
    columns : tuple of Column
        Columns with one cell for each of `entries`.
    entries, unranked : tuple of LeaderboardRow
        The encoders in the lines, and the encoders without a line, since they have no score or no place.
    notes : tuple of str
        The notes below the table.
    """

    name: str
    size: str
    setting: str
    columns: tuple[Column, ...]
    entries: tuple[LeaderboardRow, ...]
    unranked: tuple[LeaderboardRow, ...]
    notes: tuple[str, ...]


def tables_of(rows: Iterable[Row], sort: str = "continuity", decimals: int = 4) -> list[Table]:
    """Return the leaderboards of rows; the last table has all encoders that are alone on their points, if any are."""
    boards = leaderboard(rows, sort)
    settings = Counter(_setting(board) for board in boards if board.stands_alone)
    alone = [board for board in boards if board.stands_alone and settings[_setting(board)] == 1]
    ranked = [board for board in boards if not board.stands_alone or settings[_setting(board)] > 1]
    named = [[(entry.shown_name, entry.note) for entry in board.entries if not entry.reason] for board in ranked]
    singles = [board.entries[0] for board in alone if not board.entries[0].reason]
    named.append([(f"{entry.test} {entry.shown_name}", entry.note) for entry in singles])
    *notes, notes_of_singles = notes_on_encoders(named)
    tables = [_ranking(board, decimals, of_board) for board, of_board in zip(ranked, notes, strict=True)]
    return tables + ([_checks(alone, sort, decimals, notes_of_singles)] if alone else [])


def _setting(board: Leaderboard) -> tuple[object, ...]:
    """Return what two checks share that only their data tell apart, as those of one test in two packages."""
    encoders = tuple(entry.encoder for entry in board.entries)
    return board.test, board.code_size, board.k, board.m, board.M, board.distance, encoders


def _ranking(board: Leaderboard, decimals: int, on_encoders: Sequence[str]) -> Table:
    from distbench.metrics import METRICS

    k = METRICS.shown_k(board.metrics, board.k)
    entries = tuple(entry for entry in board.entries if entry.place is not None)
    unranked = tuple(entry for entry in board.entries if entry.place is None)
    resized = [e for e in entries if e.code_width and board.code_size not in (e.code_width, e.code_bytes)]
    has_one_size = len({entry.code_bytes for entry in entries}) == 1
    size = next((e.rows[0].size_text for e in entries if e.is_short and has_one_size), str(board.code_size))
    distance = "" if board.distance == EUCLIDEAN else f", {board.distance} distance"
    notes: list[str] = [
        Note("warning", "no place", f"no place: {entry.shown_name}: {entry.reason}") for entry in unranked
    ]
    notes += _resized_notes(resized)
    return Table(
        name=board.name,
        size=f"code size {size}",
        setting=f"k = {k}, m = {board.m} test points, M = {board.M} candidates{distance}",
        columns=(
            _place_column(entries),
            Column("encoder", "encoder", tuple(_name_cell(entry, entry in resized) for entry in entries), "name"),
            *_score_columns(entries, board.metrics, board.sort, decimals, ranked=True),
            *_byte_columns(entries)[has_one_size:],
            *_fit_columns(entries, decimals),
        ),
        entries=entries,
        unranked=unranked,
        notes=(*notes, *on_encoders, *explanations(entries), *mark_notes(entries), *stored_notes(entries, unranked)),
    )


def _resized_notes(resized: Sequence[LeaderboardRow]) -> list[str]:
    """Return a note for each width of codes that does not follow the code size."""
    names_of: dict[int | None, list[str]] = {}
    for entry in resized:
        names_of.setdefault(entry.code_width, []).append(entry.encoder)
    return [
        f"* {', '.join(names)}: code size ignored, {'its' if len(names) == 1 else 'their'} codes have {width} columns"
        for width, names in names_of.items()
    ]


def _checks(boards: Sequence[Leaderboard], sort: str, decimals: int, on_encoders: Sequence[str]) -> Table:
    """Return the table of encoders that are alone on their points, without ranks."""
    from distbench.metrics import METRICS

    scored = [board for board in boards if not board.entries[0].reason]
    first = next((board for board in scored if METRICS.same(sort, board.metrics, board.k)), boards[0])
    sort = METRICS.short_name(first.sort, first.k)
    entries = tuple(_single(board, sort) for board in scored)
    unranked = tuple(replace(board.entries[0], test=board.name) for board in boards if board.entries[0].reason)
    metrics = dict.fromkeys(METRICS.short_name(metric, board.k) for board in boards for metric in board.metrics)
    names = tuple(Cell(f"{entry.test} {entry.shown_name}", entry.shown_name) for entry in entries)
    scores = _score_columns(entries, metrics, sort, decimals, ranked=False)
    code_sizes = tuple(Cell(row.size_text, row.code_size) for row in (entry.rows[0] for entry in entries))
    sizes = [
        Column(key, key, tuple(Cell(str(n), n) for n in map(attrgetter(key), scored)), "size")
        for key in ("k", "m", "M")
    ]
    return Table(
        name="Checks of single encoders",
        size="",
        setting="",
        columns=(
            Column("limits", "limits", tuple(map(_verdict_cell, entries)), "verdict"),
            Column("encoder", "test and encoder", names, "name"),
            *scores[:2],
            Column("code_size", "code size", code_sizes, "size"),
            *sizes,
            *_byte_columns(entries)[1:],
            *scores[2:],
        ),
        entries=entries,
        unranked=unranked,
        notes=(
            *(f"no score: {entry.test} {entry.shown_name}: {entry.reason}" for entry in unranked),
            *on_encoders,
            *explanations([replace(entry, in_sample=False) for entry in entries]),
            *mark_notes(entries),
        ),
    )


def _single(board: Leaderboard, sort: str) -> LeaderboardRow:
    """Return the encoder of a board without place; it has an interval if that is of the metric `sort`."""
    from distbench.metrics import METRICS

    entry = replace(_at_k(board.entries[0], board.k), place=None, test=board.name)
    return entry if METRICS.short_name(board.sort, board.k) == sort else replace(entry, low=None, high=None)


def _at_k(entry: LeaderboardRow, k: int) -> LeaderboardRow:
    """Return an entry whose metrics at `k`, which its line shows, have no ``@`` in their names."""
    from distbench.metrics import METRICS

    values = {METRICS.short_name(metric, k): value for metric, value in entry.values.items()}
    limited = {METRICS.short_name(metric, k): row for metric, row in entry.limited.items()}
    rows = tuple(replace(row, metric=METRICS.short_name(row.metric, k)) for row in entry.rows)
    return replace(entry, values=values, limited=limited, rows=rows)


def _place_column(entries: Sequence[LeaderboardRow]) -> Column:
    places = [entry.place for entry in entries]
    sharing = Counter(places)
    cells = [
        Cell(f"{place}=", place, title=SHARED_PLACE) if sharing[place] > 1 else Cell(f"{place}", place)
        for place in places
    ]
    return Column("place", "", tuple(cells), "place")


def _name_cell(entry: LeaderboardRow, resized: bool) -> Cell:
    name = entry.shown_name
    return Cell(name, name, " *", title=f"its codes have {entry.code_width} columns") if resized else Cell(name, name)


def _verdict_cell(entry: LeaderboardRow) -> Cell:
    """Return the worst verdict on an encoder's limits."""
    verdict = max(entry.verdicts.values(), key=VERDICTS.index, default="")
    return Cell(verdict or "none", verdict, verdict=verdict)


def _score_columns(
    entries: Sequence[LeaderboardRow], metrics: Iterable[str], sort: str, decimals: int, ranked: bool
) -> list[Column]:
    """Return columns of the sort metric, its interval, the metrics that have a limit, and all other metrics."""
    directions = {row.metric: row.direction for entry in entries for row in entry.rows}
    limited = {metric for entry in entries for metric in entry.limited}
    others = sorted((metric for metric in metrics if metric != sort), key=lambda metric: metric not in limited)
    columns = []
    for metric in (sort, *others):
        better = directions.get(metric, "up")
        values = [entry.values[metric] for entry in entries if metric in entry.values]
        best = (max if better == "up" else min)(values) if ranked and len(values) > 1 else None
        cells = tuple(_score_cell(entry, metric, decimals, best) for entry in entries)
        side = "higher" if better == "up" else "lower"
        kind: Literal["sort", "metric"] = "sort" if metric == sort else "metric"
        columns.append(Column(metric, metric, cells, kind, better, f"{metric}: {side} is better"))
    cells = tuple(_interval_cells(entries, sort, decimals))
    intervals = Column("interval", "95 % interval", cells, "interval", title=interval_note(entries))
    return [columns[0], intervals, *columns[1:]]


def _score_cell(entry: LeaderboardRow, metric: str, decimals: int, best: float | None) -> Cell:
    value, row = entry.values.get(metric), entry.limited.get(metric)
    text, is_best = number(value, decimals), value is not None and value == best
    if row is None:
        return Cell(text, value, is_best=is_best)
    verdict = row.verdict
    title = f"limit {at_bound(row.direction, str(row.limit))}: {verdict}"
    return Cell(text, value, MARKS.get(verdict, ""), verdict, is_best, title)


def _interval_cells(entries: Sequence[LeaderboardRow], sort: str, decimals: int) -> Iterable[Cell]:
    ends = [end for entry in entries for end in (entry.low, entry.high) if end is not None and math.isfinite(end)]
    least, largest = min(ends, default=0.0), max(ends, default=0.0)

    def share(value: float) -> float:
        return min(1.0, max(0.0, (value - least) / (largest - least))) if largest > least else 0.5

    for entry in entries:
        span = None
        if entry.low is not None and entry.high is not None:
            span = (share(entry.low), share(entry.values[sort]), share(entry.high))
        yield Cell(interval(entry.low, entry.high, decimals), entry.low, span=span)


def _byte_columns(entries: Sequence[LeaderboardRow]) -> list[Column]:
    """Return the bytes of codes, and how many times smaller they are than points, if some codes are not of floats."""
    if not any(entry.is_short for entry in entries):
        return []
    sizes, smaller = [], []
    for entry in entries:
        size, whole = entry.code_bytes, entry.point_bytes
        ratio = whole / size if size and whole else None
        sizes.append(Cell("-" if size is None else f"{size:,}", size))
        smaller.append(Cell("-" if ratio is None else f"{ratio:.3g}x", ratio))
    title = "how many times smaller a code is than a point, in bytes"
    return [
        Column("bytes", "bytes", tuple(sizes), "size", "", "bytes of a code"),
        Column("smaller", "smaller", tuple(smaller), "size", "", title),
    ]


def _fit_columns(entries: Sequence[LeaderboardRow], decimals: int) -> list[Column]:
    columns = []
    if any(entry.seed_sd is not None for entry in entries):
        cells = tuple(Cell(number(entry.seed_sd, decimals), entry.seed_sd) for entry in entries)
        title = "standard deviation over the training seeds"
        columns.append(Column("seed sd", "seed sd", cells, "fit", "down", title))
    if any(entry.seconds is not None for entry in entries):
        cells = tuple(Cell(seconds(entry.seconds), entry.seconds) for entry in entries)
        columns.append(Column("fit s", "fit s", cells, "fit", "down", "mean seconds of a fit"))
    cells = tuple(Cell(f"{entry.ran}/{entry.seeds}", entry.ran) for entry in entries)
    return [*columns, Column("seeds", "seeds", cells, "fit", "", "number of seeds that ran / number of seeds")]
