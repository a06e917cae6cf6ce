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

    `sort` is the metric that ranks encoders, `diagrams` are those of all encoders, and ids in pictures begin with
    `prefix`.
    """
    own_diagrams = _diagrams_of(entry, diagrams)
    heads, scores = _scores(entry)
    return {
        "encoder": entry.shown_name,
        "test": entry.test,
        "place": "-" if entry.place is None else str(entry.place),
        "score": number(entry.values[sort]) if sort in entry.values else "",
        "facts": _facts(entry, own_diagrams),
        "heads": heads,
        "scores": scores,
        "pictures": _pictures(own_diagrams, prefix) if own_diagrams else [],
        "no_pictures": _no_pictures(entry),
        "torn": _torn(own_diagrams) if own_diagrams else [],
    }


def _diagrams_of(entry: LeaderboardRow, diagrams: Sequence[Diagrams]) -> Diagrams | None:
    """Return an encoder's diagrams, preferably of the same test, then of the lowest seed; None if there are none."""
    if not entry.rows:
        return None
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
        "" if entry.code_width is None else f"codes of {entry.code_width} columns",
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


def _seed_cell(row: Row | None) -> Cell:
    return Cell("-") if row is None else Cell(number(row.value), title=interval(row.low, row.high))


def _limit_cell(row: Row | None) -> Cell:
    if row is None:
        return Cell("")
    return Cell(f"{'≥' if row.direction == 'up' else '≤'} {row.limit:g} {row.verdict}", verdict=row.verdict)


def _no_pictures(entry: LeaderboardRow) -> str:
    """Return the sentence that says why an encoder has no pictures."""
    if entry.reason:
        return f"No pictures: {entry.reason}."
    if entry.stored:
        return (
            "No pictures: points are not stored with rows. --distbench-retrain fits the encoder again and draws them."
        )
    return "No pictures: the points were not kept. The run that evaluates the encoder draws them in its HTML report."


def _pictures(diagrams: Diagrams, prefix: str) -> list[dict[str, Any]]:
    """Return the title, SVG, caption and meaning of colors of each picture."""
    from distbench.render.drawing import color_names
    from distbench.render.pictures import KINDS, picture_svg

    density, codes, curve = diagrams["shepard"], diagrams["map"], diagrams["curve"]
    beyond = f" {density['beyond']:,} pairs are beyond the edges." if density["beyond"] else ""
    line = (
        " On the dashed line code distances are proportional to input distances."
        if density["slope"] is not None
        else ""
    )
    count = f"{len(codes['points']):,} of {codes['of']:,}"
    if len(codes["points"]) == codes["of"]:
        count = f"All {codes['of']:,}"
    axes = "first two columns of their codes" if codes["columns"] != 1 else "one column of their codes"
    marks = " Rings: the worst; lines: neighbors torn apart." if codes["torn"] else ""
    captions = {
        "shepard": f"{density['pairs']:,} pairs; a stronger colour means more pairs.{line}{beyond}",
        "points": f"{count} test points at the {axes}, coloured by the continuity of each.{marks}",
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
