"""Leaderboards as a page shows them: columns, cells and the numbers that cells sort by. Nothing is measured here."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from distbench.render.notes import IGNORES_SIZE, other_width, own_notes, shown_name, table_notes
from distbench.results.leaderboard import Leaderboard, LeaderboardRow
from distbench.results.rows import Row

__all__ = [
    "Board",
    "Cell",
    "Column",
    "Line",
    "RowsOf",
    "board_of",
    "checks_board",
    "number",
    "rows_by_entry",
    "rows_of_entry",
    "worst_last",
]

RowsOf = Mapping[tuple[object, ...], Sequence[Row]]

VERDICTS = ("met", "undecided", "broken")
WIDE = 100  # units of the picture of an interval
EDGE = 4  # of them, at either end


@dataclass(frozen=True)
class Column:
    """A column; ``better`` is "up", "down" or empty, and ``first`` the direction that its first click sorts in."""

    key: str
    label: str
    better: str = ""
    title: str = ""
    kind: str = "number"
    sorted: str = ""

    @property
    def first(self) -> str:
        """What is best, or the start of the alphabet, comes first."""
        return "descending" if self.better == "up" else "ascending"


@dataclass(frozen=True)
class Cell:
    """What a cell shows, what it sorts by, and a class and a title; ``span`` is its interval as a picture."""

    text: str
    value: float | str | None = None
    name: str = ""
    title: str = ""
    span: tuple[float, float, float] | None = None


@dataclass(frozen=True)
class Line:
    """An encoder's line; ``mark`` stands at its name, ``under`` below it."""

    encoder: str
    href: str
    cells: tuple[Cell, ...]
    mark: str = ""
    hint: str = ""
    under: str = ""


@dataclass(frozen=True)
class Board:
    """One table of a page."""

    id: str
    heading: str
    size: str
    setting: str
    columns: tuple[Column, ...]
    lines: tuple[Line, ...]
    unranked: tuple[tuple[str, str, str], ...]
    notes: tuple[str, ...]


def number(value: float | None, decimals: int = 4) -> str:
    """Return a number as tables show it."""
    if value is None:
        return "-"
    if not math.isfinite(value):
        return f"{value}".replace("inf", "∞")
    if abs(value) < 10:
        return f"{value:.{decimals}f}"
    return f"{value:.1f}" if abs(value) < 10_000 else f"{value:.2e}"


def rows_by_entry(rows: Iterable[Row]) -> RowsOf:
    """Return rows by what tells entries of tables apart."""
    found: dict[tuple[object, ...], list[Row]] = {}
    for row in rows:
        settings = (row["code_size"], row["k"], row["m"], row["M"], row.get("in_sample", False))
        found.setdefault((row["dataset"], row["test"], *settings, row["encoder"]), []).append(row)
    return found


def rows_of_entry(table: Leaderboard, entry: LeaderboardRow, rows: RowsOf) -> Sequence[Row]:
    """Return the rows of an entry, whose name may have its test behind it."""
    settings = (table.dataset, entry.test, table.code_size, table.k, table.m, table.M, entry.in_sample)
    plain = entry.encoder.removesuffix(f" ({entry.test})")
    return rows.get((*settings, entry.encoder)) or rows.get((*settings, plain)) or ()


def board_of(table: Leaderboard, rows: RowsOf, links: Mapping[int, str], name: str) -> Board:
    """Return a table for a page.

    Parameters
    ----------
    table : Leaderboard
        From :func:`distbench.results.leaderboard.leaderboard`.
    rows : mapping
        From `rows_by_entry`: directions and limits.
    links : mapping of int to str
        Where the page says more of each entry, by its place among the entries.
    name : str
        The board's id.
    """
    better = _directions(rows)
    ranked = [(place, entry) for place, entry in enumerate(table.entries) if entry.place is not None]
    shown = [entry for _, entry in ranked]
    metrics = [table.sort, *(metric for metric in table.metrics if metric != table.sort)]
    best = {metric: _best(shown, metric, better.get(metric, "up")) for metric in metrics}
    extras, ends = _extras(shown), _ends(shown)
    columns = [Column("place", "#", kind="place"), Column("encoder", "encoder", kind="name")]
    columns += [_column(metric, better.get(metric, "up"), table.sort) for metric in metrics]
    lines = []
    for place, entry in ranked:
        limits = _limits(table, entry, rows)
        cells = [_place(entry, shown)]
        cells += [_score(entry, metric, best[metric], limits.get(metric), table.sort, ends) for metric in metrics]
        cells += [found[id(entry)] for _, found in extras]
        mark = IGNORES_SIZE if other_width(entry, table) else ""
        hint = f"its codes have {entry.code_width} columns" if mark else ""
        lines.append(Line(shown_name(entry), links[place], tuple(cells), mark, hint))
    unranked = [(place, entry) for place, entry in enumerate(table.entries) if entry.place is None]
    return Board(
        id=name,
        heading=table.name,
        size=f"code size {table.code_size}",
        setting=f"k = {table.k} · {table.m:,} test points · {table.M:,} candidates each",
        columns=(*columns, *(column for column, _ in extras)),
        lines=tuple(lines),
        unranked=tuple((shown_name(entry), links[place], entry.reason) for place, entry in unranked),
        notes=tuple(table_notes(replace(table, entries=tuple(shown)))),
    )


def checks_board(tables: Sequence[Leaderboard], rows: RowsOf, links: Sequence[str], name: str) -> Board:
    """Return tables of one encoder each, on points of their own, as one list that nothing ranks.

    Parameters
    ----------
    tables : sequence of Leaderboard
        Each with one entry.
    rows, name
        As for `board_of`.
    links : sequence of str
        Where the page says more, one a table.
    """
    better, sort = _directions(rows), tables[0].sort
    found = [(table, table.entries[0], link) for table, link in zip(tables, links, strict=True)]
    good = [one for one in found if not one[1].reason]
    metrics = list(dict.fromkeys([sort, *(metric for table, _, _ in good for metric in table.metrics)]))
    ends = _ends([entry for _, entry, _ in good])
    lines = []
    for table, entry, link in good:
        limits = _limits(table, entry, rows)
        cells = [_verdict(limits), _size(table.code_size)]
        cells += [_score(entry, metric, None, limits.get(metric), sort, ends) for metric in metrics]
        cells += [_size(size) for size in (table.k, table.m, table.M)]
        lines.append(Line(shown_name(entry), link, tuple(cells), under=entry.test))
    sizes = (("k", "neighbours"), ("m", "test points"), ("M", "candidates each"))
    return Board(
        id=name,
        heading="Checks on points of their own",
        size="",
        setting="",
        columns=(
            Column("verdict", "limits", kind="place"),
            Column("encoder", "encoder and test", kind="name"),
            Column("code_size", "code size", title="columns of the codes"),
            *(_column(metric, better.get(metric, "up"), "") for metric in metrics),
            *(Column(label, label, title=title) for label, title in sizes),
        ),
        lines=tuple(lines),
        unranked=tuple((f"{e.encoder} {e.test}", link, e.reason) for _, e, link in found if e.reason),
        notes=tuple(own_notes(replace(e, encoder=f"{e.encoder} {e.test}") for _, e, _ in good)),
    )


def _directions(rows: RowsOf) -> dict[str, str]:
    return {row["metric"]: row["direction"] for of in rows.values() for row in of}


def _limits(table: Leaderboard, entry: LeaderboardRow, rows: RowsOf) -> dict[str, Row]:
    """Return by metric a row that has a limit: of several seeds, one that keeps it worst."""
    limited = [row for row in rows_of_entry(table, entry, rows) if row.get("verdict")]
    limited.sort(key=worst_last)
    return {row["metric"]: row for row in limited}


def worst_last(row: Row) -> int:
    """Return what to sort rows by, for the verdict that is worst to be the last."""
    return VERDICTS.index(row.get("verdict", "")) if row.get("verdict") in VERDICTS else -1


def _verdict(limits: Mapping[str, Row]) -> Cell:
    """Return what became of all limits of a check: that of the one that is kept worst."""
    if not limits:
        return Cell("none", "")
    told = max(limits.values(), key=worst_last).get("verdict", "")
    return Cell(told, told, told)


def _size(size: int) -> Cell:
    return Cell(f"{size:,}", size)


def _label(metric: str) -> str:
    """Return a metric's name with places where a narrow head may break it."""
    return metric.replace("_", " ").replace("trustworthiness", "trust\u00adworthi\u00adness")


def _column(metric: str, better: str, sort: str) -> Column:
    side = "higher" if better == "up" else "lower"
    sorted_ = ("descending" if better == "up" else "ascending") if metric == sort else ""
    kind = "sort" if metric == sort else "number"
    return Column(metric, _label(metric), better, f"{metric}: {side} is better", kind, sorted_)


def _place(entry: LeaderboardRow, shown: Sequence[LeaderboardRow]) -> Cell:
    shared = sum(other.place == entry.place for other in shown) > 1
    title = "shares the place of the best it cannot be told from" if shared else ""
    return Cell(f"{entry.place}{'=' * shared}", entry.place, "top" if entry.place == 1 else "", title)


def _best(entries: Sequence[LeaderboardRow], metric: str, better: str) -> float | None:
    values = [entry.values[metric] for entry in entries if metric in entry.values]
    return (max if better == "up" else min)(values, default=None) if len(values) > 1 else None


def _score(
    entry: LeaderboardRow, metric: str, best: float | None, limit: Row | None, sort: str, ends: tuple[float, float]
) -> Cell:
    value = entry.values.get(metric)
    names = ["best"] if value is not None and value == best else []
    title = []
    if limit is not None:
        names.append(limit.get("verdict", ""))
        side = "at least" if limit["direction"] == "up" else "at most"
        title.append(f"limit {side} {limit.get('limit')}: {limit.get('verdict', '')}")
    span = None
    if metric == sort and value is not None and entry.low is not None and entry.high is not None:
        title.append(f"95 % interval {number(entry.low)} to {number(entry.high)}")
        low, middle, high = (_along(end, ends) for end in (entry.low, value, entry.high))
        span = (low, middle, high)
    return Cell(number(value, 4 if metric == sort else 3), value, " ".join(names), "; ".join(title), span)


def _ends(entries: Sequence[LeaderboardRow]) -> tuple[float, float]:
    """Return the ends of the scale that all intervals of a table share."""
    ends = [end for entry in entries for end in (entry.low, entry.high) if end is not None and math.isfinite(end)]
    return (min(ends), max(ends)) if ends else (0.0, 1.0)


def _along(value: float, ends: tuple[float, float]) -> float:
    low, high = ends
    share = (value - low) / (high - low) if high > low else 0.5
    return round(EDGE + (WIDE - 2 * EDGE) * min(1.0, max(0.0, share)), 2)


def _extras(entries: Sequence[LeaderboardRow]) -> list[tuple[Column, dict[int, Cell]]]:
    """Return the columns that are no metrics, where there is anything to say in them."""
    found: list[tuple[Column, dict[int, Cell]]] = []
    sds = {id(e): Cell(number(e.seed_sd, 3), e.seed_sd) for e in entries}
    if any(entry.seed_sd is not None for entry in entries):
        found.append((Column("seed_sd", "seed sd", "down", "standard deviation over the training seeds"), sds))
    seconds = {id(e): Cell("-" if e.seconds is None else f"{e.seconds:,.1f}", e.seconds) for e in entries}
    if any(entry.seconds is not None for entry in entries):
        found.append((Column("seconds", "fit s", "down", "mean seconds of a fit"), seconds))
    if any(entry.seeds > 1 for entry in entries):
        seeds = {id(e): Cell(f"{e.ran}/{e.seeds}", e.ran) for e in entries}
        found.append((Column("seeds", "seeds", "", "how many of how many seeds ran"), seeds))
    return found
