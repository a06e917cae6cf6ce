"""The details of an encoder on a page: scores by seed, limits, and three pictures or why there are none."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from distbench._util.numbers import interval, number, seconds
from distbench.results.leaderboard_table import Cell
from distbench.results.rows import Row

if TYPE_CHECKING:
    from distbench.results.diagrams import Diagrams
    from distbench.results.leaderboard import LeaderboardRow

__all__ = ["details_of"]

MAX_PAIRS = 5  # torn pairs in the table
SAME = ("dataset", "code_size", "k", "m", "M")


def details_of(entry: LeaderboardRow, sort: str, diagrams: Sequence[Diagrams], prefix: str) -> dict[str, Any]:
    """Return the values that the page's template shows for an encoder.

    `sort` is the metric that ranks, `diagrams` are those of all encoders, and `prefix` begins the ids in pictures.
    """
    drawn = _diagrams_of(entry, diagrams)
    heads, scores = _scores(entry)
    return {
        "encoder": entry.shown_name,
        "test": entry.test,
        "place": "-" if entry.place is None else str(entry.place),
        "score": number(entry.values[sort]) if sort in entry.values else "",
        "facts": _facts(entry, drawn),
        "heads": heads,
        "scores": scores,
        "pictures": _pictures(drawn, prefix) if drawn else [],
        "why_none": _why_none(entry),
        "torn": _torn(drawn) if drawn else [],
    }


def _diagrams_of(entry: LeaderboardRow, diagrams: Sequence[Diagrams]) -> Diagrams | None:
    """Return an encoder's diagrams of the lowest seed, if there are any; those of the same test come first."""
    if not entry.rows:
        return None
    row = entry.rows[0]

    def is_same(drawn: Diagrams) -> bool:
        setting = [drawn[name] == getattr(row, name) for name in SAME]  # type: ignore[literal-required]
        own_points = bool(row.dataset) or drawn["test"] in ("", row.test)
        own = (drawn["encoder"], drawn["in_sample"]) == (row.encoder, entry.in_sample)
        return all(setting) and own_points and own

    def key(drawn: Diagrams) -> tuple[bool, int]:
        return drawn["test"] != entry.test, -1 if drawn["seed"] is None else drawn["seed"]

    return min(filter(is_same, diagrams), key=key, default=None)


def _facts(entry: LeaderboardRow, drawn: Diagrams | None) -> list[str]:
    several = len({row.seed for row in entry.rows if row.seed is not None}) > 1
    facts = [
        entry.reason,
        "" if entry.code_width is None else f"codes of {entry.code_width} columns",
        "" if entry.seconds is None else f"fitted in {seconds(entry.seconds)} s",
        f"pictures of seed {drawn['seed']}" if drawn and several else "",
        f"stored {entry.stored}" if entry.stored else "",
        entry.note,
        entry.test,
    ]
    return list(filter(None, facts))


def _scores(entry: LeaderboardRow) -> tuple[list[str], list[tuple[str, list[Cell]]]]:
    """Return heads and cells of a table of all scores, with a line for each metric and a column for each seed."""
    seeds = list(dict.fromkeys(row.seed for row in entry.rows))
    several = len(seeds) > 1
    heads = ["mean", *(f"seed {seed}" for seed in seeds)] if several else ["value", "95 % interval"]
    lines = []
    for metric in dict.fromkeys(row.metric for row in entry.rows):
        by_seed = {row.seed: row for row in entry.rows if row.metric == metric}
        cells = [Cell(number(entry.values.get(metric)))]
        if several:
            cells += [_seed_cell(by_seed.get(seed)) for seed in seeds]
        else:
            cells += [Cell(interval(row.low, row.high)) for row in by_seed.values()]
        if entry.limited:
            cells.append(_limit_cell(entry.limited.get(metric)))
        lines.append((metric, cells))
    return [*heads, *(["limit"] if entry.limited else [])], lines


def _seed_cell(row: Row | None) -> Cell:
    return Cell("-") if row is None else Cell(number(row.value), title=interval(row.low, row.high))


def _limit_cell(row: Row | None) -> Cell:
    if row is None:
        return Cell("")
    return Cell(f"{'≥' if row.direction == 'up' else '≤'} {row.limit:g} {row.verdict}", verdict=row.verdict)


def _why_none(entry: LeaderboardRow) -> str:
    if entry.reason:
        return f"No pictures: {entry.reason}."
    if entry.stored:
        return "No pictures: its rows are stored, without points. --distbench-retrain fits it again and draws them."
    return "No pictures: its points were not kept. They are drawn where a run writes an HTML report."


def _pictures(diagrams: Diagrams, prefix: str) -> list[dict[str, Any]]:
    """Return the title, SVG, caption and meaning of colors of each picture."""
    from distbench.render.drawing import color_names
    from distbench.render.pictures import KINDS, picture_svg

    density, codes, curve = diagrams["shepard"], diagrams["map"], diagrams["curve"]
    beyond = f" {density['beyond']:,} are beyond the edges." if density["beyond"] else ""
    line = " Along the dashed line codes would be true to scale." if density["slope"] is not None else ""
    count = f"{len(codes['points']):,} of {codes['of']:,}"
    if len(codes["points"]) == codes["of"]:
        count = f"All {codes['of']:,}"
    axes = "first two columns of their codes" if codes["columns"] != 1 else "one column of their codes"
    marks = " Rings: the worst; lines: neighbors torn apart." if codes["torn"] else ""
    captions = {
        "shepard": f"{density['pairs']:,} pairs; the stronger the colour, the more of them.{line}{beyond}",
        "points": f"{count} test points at the {axes}, coloured by their own continuity.{marks}",
        "ranks": f"Share of the K nearest neighbors kept, beyond chance; over {curve['queries']:,} test points.",
    }
    return [
        {
            "title": KINDS[kind][0],
            "svg": picture_svg(diagrams, kind, f"{prefix} {kind}"),
            "caption": caption,
            "colors": color_names() if kind == "points" and codes["continuity"] is not None else [],
        }
        for kind, caption in captions.items()
    ]


def _torn(diagrams: Diagrams) -> list[tuple[str, ...]]:
    """Return the cells of a table of the worst torn pairs."""
    lines: list[tuple[str, ...]] = []
    for pair in diagrams["map"]["torn"][:MAX_PAIRS]:
        label, other_label = (f" ({label})" for label in pair["labels"]) if pair["labels"] else ("", "")
        names = f"test {pair['query']}{label}", f"{pair['partner_set']} {pair['partner']}{other_label}"
        input_side = number(pair["input_distance"]), f"{pair['rank_input']:g}"
        lines.append((*names, *input_side, number(pair["code_distance"]), f"{pair['rank_code']:g}"))
    return lines
