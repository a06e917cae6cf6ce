"""An encoder's three pictures, drawn on axes that are there: density of distances, map of the codes, neighbours kept.

All colours are of middle brightness, for light pages and dark ones; none of them relies on red against green.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from matplotlib.axes import Axes
    from matplotlib.lines import Line2D

    from distbench.render.diagrams import Diagrams

    Dots = Callable[[Axes, Sequence[Sequence[float]], str, float], None]

__all__ = [
    "BINS",
    "GRID",
    "IDEAL",
    "INK",
    "LINE",
    "NAME",
    "bin_names",
    "draw_curve",
    "draw_map",
    "draw_shepard",
    "named_lines",
    "plain_axes",
    "shown",
]

# A colour is a role: those that look alike differ in the last digit.
INK, NAME, GRID, IDEAL, LINE = "#727986", "#727987", "#9aa1ac", "#d55e01", "#0072b2"
BINS = ((0.8, "#d55e00"), (0.9, "#e08a4a"), (0.95, "#b5a36a"), (0.98, "#6fa3bf"), (2.0, "#3585bb"))
"""Colours of points by their own continuity: up to which value, worst first. The same for all encoders."""

DENSITY = (0.0, 114 / 255, 178 / 255)
LONGEST = 24  # characters of a name that comes from outside


def plain_axes(axes: Axes) -> None:
    """Give axes a light grid and nothing else."""
    for spine in axes.spines.values():
        spine.set_visible(False)
    axes.grid(color=GRID, alpha=0.28, linewidth=0.7)
    axes.set_axisbelow(True)
    axes.tick_params(length=0, labelsize=8, labelcolor=INK, pad=4)
    axes.locator_params(nbins=6)


def draw_shepard(axes: Axes, diagrams: Diagrams) -> None:
    """Draw the density of code distance against input distance, with the line on which both agree but for scale."""
    found = diagrams["shepard"]
    right, top = found["input_edges"][-1], found["code_edges"][-1]
    axes.imshow(
        _density(found["counts"]),
        extent=(0, right, 0, top),
        origin="lower",
        aspect="auto",
        interpolation="none",
        zorder=2,
    )
    if found["slope"] is not None:
        end = min(right, top / found["slope"])
        axes.plot([0, end], [0, end * found["slope"]], color=IDEAL, linewidth=1.4, dashes=(4, 2.5), zorder=3)
    axes.set(xlim=(0, right), ylim=(0, top))
    of_x, _, of_z = diagrams["distance"].rpartition("/")  # names of input spaces may have one, too
    _named(axes, f"input distance ({of_x or of_z})", f"code distance ({of_z})")


def draw_map(axes: Axes, diagrams: Diagrams, dots: Dots) -> None:
    """Draw test points at the first two columns of their codes, by their own continuity, and the worst torn pairs.

    `dots` draws points of one colour and a width in units of 1/72 inch.
    """
    found = diagrams["map"]
    for pair in found["torn"]:
        x, y, other_x, other_y = pair["line"]
        axes.plot([x, other_x], [y, other_y], color=IDEAL, linewidth=0.8, alpha=0.75, zorder=3)
    scores = found["continuity"]
    for number, color in reversed(list(enumerate([*(color for _, color in BINS), GRID]))):
        places = [p for p in range(len(found["points"])) if _bin(None if scores is None else scores[p]) == number]
        dots(axes, [found["points"][p] for p in places], color, 3.4 - 0.3 * number)
    for place in found["marked"]:
        axes.plot(*found["points"][place], "o", mfc="none", mec=INK, ms=6, mew=1, zorder=6)
    for name, x, y in found["classes"]:
        box: dict[str, Any] | None = None  # a page's own background is not known
        if axes.patch.get_visible():
            box = {"boxstyle": "round,pad=0.15", "fc": axes.get_facecolor(), "ec": "none", "alpha": 0.6}
        axes.text(
            x, y, shown(name), color=NAME, size=10, ha="center", va="center", zorder=7, parse_math=False, bbox=box
        )
    flat = found["columns"] == 1
    axes.set_aspect("auto" if flat else "equal", adjustable="datalim")
    if flat:
        axes.set_yticks([])
    columns = found["columns"]
    second = "second column" if columns == 2 else f"second of {columns} columns"
    _named(axes, "first column of the codes", "spread out: codes have one column" if flat else second)


def draw_curve(axes: Axes, diagrams: Diagrams) -> None:
    """Draw how much of the K nearest neighbours is kept beyond chance, over K."""
    found = diagrams["curve"]
    axes.axhline(0, color=IDEAL, linewidth=1.2, dashes=(4, 2.5), zorder=3)
    axes.axvline(diagrams["k"], color=GRID, linewidth=1, dashes=(1, 2), zorder=2)
    before = len(named_lines(axes))
    color = f"C{before}" if before else LINE
    axes.fill_between(found["K"], found["kept"], color=color, alpha=0.14, linewidth=0, zorder=2)
    (line,) = axes.plot(found["K"], found["kept"], color=color, linewidth=2, solid_joinstyle="round", zorder=4)
    line.set_label(shown(diagrams["encoder"]).lstrip("_"))
    least = min(0.0, *found["kept"])
    axes.set_xscale("log")
    axes.set(xlim=(1, max(2, found["K"][-1])), ylim=(min(-0.09, least * 1.1), 1.03))
    axes.set_yticks([0, 0.25, 0.5, 0.75, 1], ["0", "0.25", "0.5", "0.75", "1"])
    last = found["K"][-1]
    powers = [10**power for power in range(7) if 10**power <= last] if last >= 10 else list(range(1, max(2, last) + 1))
    axes.set_xticks(powers, [f"{power:,}" for power in powers])
    axes.minorticks_off()
    axes.annotate(f"k = {diagrams['k']}", (diagrams["k"], 1), (3, -3), textcoords="offset points", size=8, color=INK)
    axes.annotate("chance", (1, 0), (4, -9), textcoords="offset points", size=8, color=IDEAL)
    _named(axes, "K nearest neighbours", "kept beyond chance, R_NX(K)")


def named_lines(axes: Axes) -> list[Line2D]:
    """Return the lines that a legend would name: curves of other encoders."""
    return [line for line in axes.lines if not str(line.get_label()).startswith("_")]


def bin_names() -> list[tuple[str, str]]:
    """Return the colours of points, best first, and which continuity each stands for."""
    ends = [upto for upto, _ in BINS[:-1]]
    names = [
        f"below {ends[0]:g}",
        *(f"{a:g} to {b:g}" for a, b in pairwise(ends)),
        f"{ends[-1]:g} to 1",
    ]
    return [(color, name) for (_, color), name in zip(BINS, names, strict=True)][::-1]


def shown(text: str) -> str:
    """Return text from outside as a picture can hold it, cut where it is long."""
    kept = "".join(char if char.isprintable() else "?" for char in text)
    return kept if len(kept) <= LONGEST else f"{kept[: LONGEST - 3]}..."


def _named(axes: Axes, x: str, y: str) -> None:
    # Names of encoders may stand in them, which are no formulas.
    axes.set_xlabel(x, color=INK, size=9, labelpad=4, parse_math=False)
    axes.set_ylabel(y, color=INK, size=9, labelpad=5, parse_math=False)


def _density(counts: Sequence[Sequence[int]]) -> Any:
    """Return a picture of counts: one colour, the more opaque the more pairs, by logarithm."""
    import numpy as np

    logs = np.log1p(np.asarray(counts, dtype=np.float64))
    image = np.empty((*logs.shape, 4))
    image[..., :3] = DENSITY
    image[..., 3] = np.where(logs > 0, 0.1 + 0.9 * logs / max(float(logs.max()), 1.0), 0.0)
    return (image * 255).round().astype(np.uint8)


def _bin(score: float | None) -> int:
    """Return the place of a point's colour."""
    if score is None:
        return len(BINS)
    return next((place for place, (upto, _) in enumerate(BINS) if score < upto), len(BINS) - 1)
