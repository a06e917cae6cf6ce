"""What a page says of one encoder: its scores by seed, its limits, and three pictures or why there are none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from distbench.render._boards import Cell, RowsOf, number, rows_of_entry, worst_last
from distbench.render.notes import shown_name
from distbench.results.leaderboard import Leaderboard, LeaderboardRow
from distbench.results.rows import OK, Row

if TYPE_CHECKING:
    from distbench.render.diagrams import Diagrams

__all__ = ["Detail", "Picture", "detail_of"]

RETRAIN = "--distbench-retrain"
LISTED = 5  # torn pairs


@dataclass(frozen=True)
class Picture:
    """SVG text and what stands under it; ``scale`` are the colours of points, and up to which score each goes."""

    title: str
    svg: str
    caption: str
    scale: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Detail:
    """All that is said of one encoder at one code size; ``where`` is its test, for points that have no name."""

    id: str
    encoder: str
    where: str
    place: str
    score: str
    facts: tuple[str, ...]
    heads: tuple[str, ...]
    scores: tuple[tuple[str, tuple[Cell, ...]], ...]
    pictures: tuple[Picture, ...]
    why_none: str
    torn: tuple[tuple[str, ...], ...] = field(default=())


def detail_of(
    table: Leaderboard, entry: LeaderboardRow, rows: RowsOf, diagrams: Sequence[Diagrams], name: str
) -> Detail:
    """Return what a page says of one encoder.

    Parameters
    ----------
    table, entry : Leaderboard, LeaderboardRow
        Of one leaderboard.
    rows : mapping
        From :func:`distbench.render._boards.rows_by_entry`.
    diagrams : sequence of Diagrams
        Of all encoders.
    name : str
        Its id, which the page's links lead to.
    """
    own = [row for row in rows_of_entry(table, entry, rows) if row["status"] == OK]
    drawn = _diagrams_of(table, entry, diagrams)
    value = entry.values.get(table.sort)
    heads, scores = _scores(own, entry)
    return Detail(
        id=name,
        encoder=shown_name(entry),
        where="" if table.dataset else entry.test,
        place="-" if entry.place is None else str(entry.place),
        score="" if value is None else number(value),
        facts=tuple(_facts(entry, own, drawn)),
        heads=heads,
        scores=scores,
        pictures=_pictures(drawn[0], name) if drawn else (),
        why_none="" if drawn else _why_none(entry),
        torn=_torn(drawn[0]) if drawn else (),
    )


def _diagrams_of(table: Leaderboard, entry: LeaderboardRow, diagrams: Sequence[Diagrams]) -> list[Diagrams]:
    """Return an entry's diagrams, lowest seed first."""
    names = {entry.encoder, entry.encoder.removesuffix(f" ({entry.test})")}
    found = [
        one
        for one in diagrams
        if one["encoder"] in names
        and (one["dataset"], one["code_size"], one["k"]) == (table.dataset, table.code_size, table.k)
        and (one["m"], one["M"], one["in_sample"]) == (table.m, table.M, entry.in_sample)
        and (table.dataset or one["test"] in ("", entry.test))
    ]
    found.sort(key=lambda one: (one["test"] != entry.test, -1 if one["seed"] is None else one["seed"]))
    return found


def _facts(entry: LeaderboardRow, rows: Sequence[Row], drawn: Sequence[Diagrams]) -> list[str]:
    facts = [entry.reason] if entry.reason else []
    if entry.code_width is not None:
        facts.append(f"codes of {entry.code_width} columns")
    if entry.seconds is not None:
        facts.append(f"fitted in {entry.seconds:,.1f} s")
    seeds = sorted({row["seed"] for row in rows if row["seed"] is not None})
    if drawn and len(seeds) > 1:
        facts.append(f"pictures of seed {drawn[0]['seed']}")
    if entry.stored:
        facts.append(f"stored {entry.stored}")
    return [*facts, *([entry.note] if entry.note else []), *([entry.test] if entry.test else [])]


def _scores(
    rows: Sequence[Row], entry: LeaderboardRow
) -> tuple[tuple[str, ...], tuple[tuple[str, tuple[Cell, ...]], ...]]:
    """Return heads and cells of a table of all scores: a line a metric, a column a seed."""
    seeds = list(dict.fromkeys(row["seed"] for row in rows))
    several = len(seeds) > 1
    limited = any(row.get("verdict") for row in rows)
    heads = ["mean", *(f"seed {seed}" for seed in seeds)] if several else ["value", "95 % interval"]
    lines = []
    for metric in dict.fromkeys(row["metric"] for row in rows):
        of = {row["seed"]: row for row in rows if row["metric"] == metric}
        cells = [Cell(number(entry.values.get(metric)), name="mean")]
        if several:
            cells += [_of_seed(of.get(seed)) for seed in seeds]
        else:
            cells.append(Cell(_interval(next(iter(of.values())))))
        lines.append((metric, (*cells, *([_limit(list(of.values()))] if limited else []))))
    return (*heads, *(["limit"] if limited else [])), tuple(lines)


def _of_seed(row: Row | None) -> Cell:
    return Cell("-") if row is None else Cell(number(row["value"]), title=_interval(row))


def _interval(row: Row) -> str:
    return "-" if row["low"] is None or row["high"] is None else f"{number(row['low'])} to {number(row['high'])}"


def _limit(rows: Sequence[Row]) -> Cell:
    """Return the limit of a metric and the worst that became of it."""
    told = [row for row in rows if row.get("verdict")]
    if not told:
        return Cell("")
    worst = max(told, key=worst_last)
    verdict = worst.get("verdict", "")
    return Cell(f"{'≥' if worst['direction'] == 'up' else '≤'} {worst.get('limit'):g} {verdict}", name=verdict)


def _why_none(entry: LeaderboardRow) -> str:
    if entry.reason:
        return f"No pictures: {entry.reason}."
    if entry.stored:
        return f"No pictures: its rows are stored, without points. Fit anew with {RETRAIN} to see where it breaks."
    return "No pictures: its points were not kept. They are drawn where a run writes an HTML report."


def _pictures(one: Diagrams, prefix: str) -> tuple[Picture, ...]:
    from distbench.render.figures import BINS, curve_svg, map_svg, shepard_svg

    density, places, curve = one["shepard"], one["map"], one["curve"]
    beyond = f" {density['beyond']:,} are beyond the edges." if density["beyond"] else ""
    line = " Along the dashed line codes would be true to scale." if density["slope"] is not None else ""
    scale = [(f"below {upto:g}", f"bin{place}") for place, (upto, _) in enumerate(BINS[:-1])]
    shown = len(places["points"])
    told = f"All {shown:,}" if shown == places["of"] else f"{shown:,} of {places['of']:,}"
    axes = "first two columns of their codes" if places["columns"] != 1 else "one column of their codes"
    marks = " Rings: the worst; lines: neighbours torn apart." if places["torn"] else ""
    return (
        Picture(
            "Distances kept",
            shepard_svg(one, f"{prefix}s"),
            f"{density['pairs']:,} pairs; the stronger the colour, the more of them.{line}{beyond}",
        ),
        Picture(
            "Where it breaks",
            map_svg(one, f"{prefix}m"),
            f"{told} test points at the {axes}, coloured by their own continuity.{marks}",
            () if places["continuity"] is None else (*scale, (f"{BINS[-2][0]:g} and up", f"bin{len(BINS) - 1}")),
        ),
        Picture(
            "Neighbours kept",
            curve_svg(one, f"{prefix}c"),
            f"Share of the K nearest neighbours kept, beyond chance; 1 is all. Over {curve['queries']:,} test points.",
        ),
    )


def _torn(one: Diagrams) -> tuple[tuple[str, ...], ...]:
    """Return the cells of a table of the worst torn pairs."""
    found = []
    for pair in one["map"]["torn"][:LISTED]:
        mine, other = (f" ({label})" for label in pair["labels"]) if pair["labels"] else ("", "")
        cells = (
            f"test {pair['query']}{mine}",
            f"{pair['partner_set']} {pair['partner']}{other}",
            f"{pair['input_distance']:.4g}",
            f"{pair['rank_input']:g}",
            f"{pair['code_distance']:.4g}",
            f"{pair['rank_code']:g}",
        )
        found.append(cells)
    return tuple(found)
