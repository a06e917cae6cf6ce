"""An encoder's three pictures on matplotlib axes: density of distances, map of the codes, neighbors kept.

All colors have middle brightness, for light and dark pages; none relies on red against green.
"""

from __future__ import annotations

from bisect import bisect_right
from typing import TYPE_CHECKING, Any

from distbench._util.text import plain_text

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.lines import Line2D

    from distbench.results.diagrams import Diagrams

__all__ = [
    "COLORS",
    "INK",
    "color_names",
    "draw_curve",
    "draw_map",
    "draw_shepard",
    "named_lines",
    "plain_axes",
    "shown",
]

# report.css replaces each color on dark pages by its code, so no two codes are equal, though some look alike.
INK, NAME, GRID, IDEAL, LINE = "#727986", "#727987", "#9aa1ac", "#d55e01", "#0072b2"
EDGES = 0.8, 0.9, 0.95, 0.98
COLORS = "#d55e00", "#e08a4a", "#b5a36a", "#6fa3bf", "#3585bb"
"""Colors of points by continuity, worst first, with `EDGES` between them; the same for all encoders."""

DENSITY = (0.0, 114 / 255, 178 / 255)
MAX_NAME = 24  # characters
TAIL, ROOM = 0.02, 0.35  # share of points beyond a quantile, and room beyond it as a share of the range between them
DOT = 3.4  # diameter in points; points with better continuity are smaller


def plain_axes(axes: Axes) -> None:
    """Give axes a light grid and small labels, and remove their frame and ticks."""
    for spine in axes.spines.values():
        spine.set_visible(False)
    axes.grid(color=GRID, alpha=0.28, linewidth=0.7)
    axes.set_axisbelow(True)
    axes.tick_params(length=0, labelsize=8, labelcolor=INK, pad=4)
    axes.locator_params(nbins=6)


def draw_shepard(axes: Axes, diagrams: Diagrams) -> None:
    """Draw the density of code distance against input distance, and the line of proportional distances."""
    import numpy as np

    density = diagrams["shepard"]
    right, top = density["input_edges"][-1], density["code_edges"][-1]
    logs = np.log1p(np.asarray(density["counts"], dtype=np.float64))
    image = np.empty((*logs.shape, 4))
    image[..., :3] = DENSITY
    image[..., 3] = np.where(logs > 0, 0.1 + 0.9 * logs / max(float(logs.max()), 1.0), 0.0)
    axes.imshow(
        (image * 255).round().astype(np.uint8),
        extent=(0, right, 0, top),
        origin="lower",
        aspect="auto",
        interpolation="none",
        zorder=2,
    )
    if density["slope"] is not None:
        end = min(right, top / density["slope"])
        axes.plot([0, end], [0, end * density["slope"]], color=IDEAL, linewidth=1.4, dashes=(4, 2.5), zorder=3)
    axes.set(xlim=(0, right), ylim=(0, top))
    distance_x, _, distance_z = diagrams["distance"].rpartition("/")  # names of input spaces may have a slash
    _label(axes, f"input distance ({distance_x or distance_z})", f"code distance ({distance_z})")


def draw_map(axes: Axes, diagrams: Diagrams) -> None:
    """Draw test points at the first two columns of their codes, colored by continuity, and the worst torn pairs."""
    codes = diagrams["map"]
    for pair in codes["torn"]:
        x, y, other_x, other_y = pair["line"]
        axes.plot([x, other_x], [y, other_y], color=IDEAL, linewidth=0.8, alpha=0.75, zorder=3)
    groups: dict[int, list[list[float]]] = {}
    for point, score in zip(codes["points"], codes["continuity"] or [None] * len(codes["points"]), strict=True):
        groups.setdefault(len(COLORS) if score is None else bisect_right(EDGES, score), []).append(point)
    for group in sorted(groups, reverse=True):
        _draw_dots(axes, groups[group], (*COLORS, GRID)[group], DOT - 0.3 * group)
    for place in codes["marked"]:
        axes.plot(*codes["points"][place], "o", mfc="none", mec=INK, ms=6, mew=1, zorder=6)
    box: dict[str, Any] | None = None  # no box on a transparent picture: the color behind it is not known
    if axes.patch.get_visible():
        box = {"boxstyle": "round,pad=0.15", "fc": axes.get_facecolor(), "ec": "none", "alpha": 0.6}
    centered: dict[str, Any] = {"size": 10, "ha": "center", "va": "center", "zorder": 7, "parse_math": False}
    for name, x, y in codes["classes"]:
        axes.text(x, y, shown(name), color=NAME, bbox=box, **centered)
    columns = codes["columns"]
    _fit_to_spread(axes, codes["points"])
    axes.set_aspect("auto" if columns == 1 else "equal", adjustable="datalim")
    second = "second column" if columns == 2 else f"second of {columns} columns"
    if columns == 1:
        second = "spread out: codes have one column"
        axes.set_yticks([])
    _label(axes, "first column of the codes", second)


def _fit_to_spread(axes: Axes, points: list[list[float]]) -> None:
    """Show the range of nearly all points: a few that lie far out would leave the others no room."""
    import numpy as np

    places = np.array(points)
    low, high = np.quantile(places, TAIL, axis=0), np.quantile(places, 1 - TAIL, axis=0)
    room = ROOM * (high - low)
    low, high = np.maximum(low - room, places.min(axis=0)), np.minimum(high + room, places.max(axis=0))
    edge = np.where(high > low, 0.05 * (high - low), 0.5)
    # With auto=True the aspect may still be made equal by wider limits.
    axes.set_xlim(low[0] - edge[0], high[0] + edge[0], auto=True)
    axes.set_ylim(low[1] - edge[1], high[1] + edge[1], auto=True)


def _draw_dots(axes: Axes, points: list[list[float]], color: str, size: float) -> None:
    """Draw points as one path of very short lines with round ends: as SVG it has a fourth of the size of markers."""
    import numpy as np
    from matplotlib.patches import PathPatch
    from matplotlib.path import Path

    starts = np.array(points)
    ends = starts + np.array([1e-6 * (float(np.ptp(starts)) or 1.0), 0.0])
    path = Path(np.stack([starts, ends], axis=1).reshape(-1, 2), [Path.MOVETO, Path.LINETO] * len(points))
    path.should_simplify = False  # simplifying leaves out such lines
    axes.add_patch(
        PathPatch(path, fill=False, ec=color, linewidth=size, capstyle="round", alpha=0.85, zorder=4, snap=False)
    )
    axes.update_datalim(points)
    axes.autoscale_view()


def draw_curve(axes: Axes, diagrams: Diagrams) -> None:
    """Draw R_NX(K), the share of the K nearest neighbors that is kept, rescaled so that chance is 0."""
    curve = diagrams["curve"]
    axes.axhline(0, color=IDEAL, linewidth=1.2, dashes=(4, 2.5), zorder=3)
    axes.axvline(diagrams["k"], color=GRID, linewidth=1, dashes=(1, 2), zorder=2)
    curves = len(named_lines(axes))
    color = f"C{curves}" if curves else LINE
    axes.fill_between(curve["K"], curve["kept"], color=color, alpha=0.14, linewidth=0, zorder=2)
    (line,) = axes.plot(curve["K"], curve["kept"], color=color, linewidth=2, solid_joinstyle="round", zorder=4)
    line.set_label(shown(diagrams["encoder"]).lstrip("_"))
    last = curve["K"][-1]
    axes.set_xscale("log")
    axes.set(xlim=(1, max(2, last)), ylim=(min(-0.09, *(1.1 * kept for kept in curve["kept"])), 1.03))
    axes.set_yticks([0, 0.25, 0.5, 0.75, 1], ["0", "0.25", "0.5", "0.75", "1"])
    ticks = [10**power for power in range(7) if 10**power <= last] if last >= 10 else list(range(1, max(2, last) + 1))
    axes.set_xticks(ticks, [f"{tick:,}" for tick in ticks])
    axes.minorticks_off()
    axes.annotate(f"k = {diagrams['k']}", (diagrams["k"], 1), (3, -3), textcoords="offset points", size=8, color=INK)
    axes.annotate("chance", (1, 0), (4, -9), textcoords="offset points", size=8, color=IDEAL)
    _label(axes, "K nearest neighbors", "kept beyond chance, R_NX(K)")


def named_lines(axes: Axes) -> list[Line2D]:
    """Return the curves of encoders on axes."""
    return [line for line in axes.lines if not str(line.get_label()).startswith("_")]


def color_names() -> list[tuple[str, str]]:
    """Return the colors of points, worst first, and the continuity that each stands for."""
    between = [f"{low:g} to {high:g}" for low, high in zip(EDGES, (*EDGES[1:], 1), strict=True)]
    return list(zip(COLORS, [f"below {EDGES[0]:g}", *between], strict=True))


def shown(text: str) -> str:
    """Return a name as `plain_text` does; a long one is cut."""
    plain = plain_text(text)
    return plain if len(plain) <= MAX_NAME else f"{plain[: MAX_NAME - 3]}..."


def _label(axes: Axes, x: str, y: str) -> None:
    # matplotlib would read an encoder's name with dollar signs as a formula.
    axes.set_xlabel(x, color=INK, size=9, labelpad=4, parse_math=False)
    axes.set_ylabel(y, color=INK, size=9, labelpad=5, parse_math=False)
