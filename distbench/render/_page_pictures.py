"""The pictures of a page: three for each encoder that matters most, and a small curve for each of the others."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from distbench._util.numbers import number

if TYPE_CHECKING:
    from distbench.results.diagrams import Diagrams

__all__ = ["add_pictures"]

MAX_CHARACTERS = 1_200_000  # of all pictures of a page
MAX_PAIRS = 5  # in a table of pairs
CURVE_POINTS = 24  # of a small curve
CURVE_SIZE = 144, 64  # units of its drawing
FIRST = ("broken", "undecided")
NO_ROOM = "This page has no room for its pictures, only for the curve above."


def add_pictures(details: Iterable[dict[str, Any]]) -> None:
    """Add pictures to the details of encoders, from :func:`distbench.render._details.details_of`.

    Encoders with a broken limit come first, then those with an undecided one, then the best of each leaderboard, then
    all others. Encoders for which no room is left get a small curve.
    """
    to_draw = sorted((one for one in details if one["diagrams"] is not None), key=_priority)
    used = 0
    for one in to_draw:
        if used < MAX_CHARACTERS:
            pictures = _pictures(one["diagrams"], one["id"])
            used += sum(len(picture["svg"]) for picture in pictures)
            one |= {"pictures": pictures, "pairs": _pairs(one["diagrams"])}
        else:
            one |= {"curve": _small_curve(one["diagrams"]), "no_pictures": NO_ROOM}


def _priority(one: dict[str, Any]) -> int:
    """Return the place of an encoder in the order in which encoders get pictures; the lowest are first."""
    return FIRST.index(one["verdict"]) if one["verdict"] in FIRST else len(FIRST) + (one["place"] != "1")


def _small_curve(diagrams: Diagrams) -> str:
    """Return the path of the curve of neighbors kept, on a logarithmic axis, from chance or below to 1."""
    curve, (width, height) = diagrams["curve"], CURVE_SIZE
    largest = math.log(max(2, curve["K"][-1]))
    points = list(zip(curve["K"], curve["kept"], strict=True))
    points = points[:: -(-len(points) // CURVE_POINTS)]
    places = [(width * math.log(size) / largest, height * (1 - max(kept, 0.0))) for size, kept in points]
    return "M" + "L".join(f"{x:.0f} {y:.0f}" for x, y in places)


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
        "shepard": f"{density['pairs']:,} pairs; a stronger color means more pairs.{line}{beyond}",
        "points": f"{count} test points at the {axes}, colored by the continuity of each.{marks}",
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


def _pairs(diagrams: Diagrams) -> list[dict[str, Any]]:
    """Return tables of the worst pairs: those torn apart, and those brought near."""
    found = {"Near in input, torn apart in the codes": "torn", "Far in input, brought near in the codes": "merged"}
    return [
        {"title": title, "lines": [_pair(pair) for pair in pairs]}
        for title, kind in found.items()
        if (pairs := diagrams["map"][kind][:MAX_PAIRS])  # type: ignore[literal-required]
    ]


def _pair(pair: Mapping[str, Any]) -> dict[str, Any]:
    """Return the images of a pair, the names of its points, and its ranks and distances."""
    label, other_label = (f" ({label})" for label in pair["labels"]) if pair["labels"] else ("", "")
    return {
        "images": pair["images"] or (),
        "names": (f"test {pair['query']}{label}", f"{pair['partner_set']} {pair['partner']}{other_label}"),
        "numbers": (
            f"{pair['rank_input']:g}",
            f"{pair['rank_code']:g}",
            number(pair["input_distance"]),
            number(pair["code_distance"]),
        ),
    }
