"""An encoder's three pictures as SVG: density of distances, map of the codes, neighbourhoods kept.

Drawn with matplotlib's figures alone, never pyplot: no state, no window, the same bytes for the same numbers. The
background is transparent and all colours are of middle brightness, for light pages and dark ones; none of them
relies on red against green.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from distbench._util.imports import require
from distbench.render._svg import as_svg
from distbench.render.drawing import (
    BINS,
    GRID,
    IDEAL,
    INK,
    LINE,
    NAME,
    draw_curve,
    draw_map,
    draw_shepard,
    plain_axes,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from distbench.render.diagrams import Diagrams

__all__ = ["BINS", "curve_svg", "map_svg", "shepard_svg"]

ROLES = {INK: "ink", NAME: "name", GRID: "grid", IDEAL: "ideal", LINE: "line"} | {
    c: f"bin{i}" for i, (_, c) in enumerate(BINS)
}
WIDTH, HEIGHT = 3.5, 3.1  # inches of 72 units


def shepard_svg(diagrams: Diagrams, prefix: str = "") -> str:
    """Return the density of code distance against input distance, with the line on which both agree but for scale.

    Parameters
    ----------
    diagrams : Diagrams
        From :func:`distbench.render.diagrams.diagrams_of`.
    prefix : str
        Put before ids, where several pictures share a page.

    Returns
    -------
    str
        An ``svg`` element, without a header.

    Raises
    ------
    MissingDependencyError
        matplotlib is not installed.
    """
    figure, axes = _figure()
    draw_shepard(axes, diagrams)
    return as_svg(figure, ROLES, f"{diagrams['encoder']}: density of code distance against input distance", prefix)


def map_svg(diagrams: Diagrams, prefix: str = "") -> str:
    """Return test points at the first two columns of their codes, by their own continuity, and the worst torn pairs.

    Parameters
    ----------
    diagrams, prefix
        As for :func:`shepard_svg`.

    Returns
    -------
    str
        An ``svg`` element, without a header.
    """
    figure, axes = _figure()
    draw_map(axes, diagrams, _dots)
    return as_svg(figure, ROLES, f"{diagrams['encoder']}: test points in code space", prefix)


def curve_svg(diagrams: Diagrams, prefix: str = "") -> str:
    """Return how much of the K nearest neighbours is kept beyond chance, over K.

    Parameters
    ----------
    diagrams, prefix
        As for :func:`shepard_svg`.

    Returns
    -------
    str
        An ``svg`` element, without a header.
    """
    figure, axes = _figure()
    draw_curve(axes, diagrams)
    return as_svg(figure, ROLES, f"{diagrams['encoder']}: neighbours kept beyond chance at each size", prefix)


def _figure() -> tuple[Figure, Axes]:
    require("matplotlib")
    from matplotlib.figure import Figure

    figure = Figure(figsize=(WIDTH, HEIGHT), dpi=72)
    figure.patch.set_visible(False)
    axes = figure.add_axes((0.155, 0.14, 0.825, 0.84))
    axes.patch.set_visible(False)
    plain_axes(axes)
    return figure, axes


def _dots(axes: Axes, points: Sequence[Sequence[float]], color: str, size: float) -> None:
    """Draw points as one path of lines without length and with round ends: a tenth of the size of markers."""
    if not points:
        return
    from matplotlib.patches import PathPatch
    from matplotlib.path import Path

    corners = [point for point in points for _ in range(2)]
    path = Path(corners, [Path.MOVETO, Path.LINETO] * len(points))
    path.should_simplify = False  # it would leave out what has no length
    axes.add_patch(PathPatch(path, fill=False, ec=color, linewidth=size, capstyle="round", alpha=0.85, zorder=4))
    axes.update_datalim(points)
    axes.autoscale_view()
