"""An encoder's three pictures: on a user's matplotlib axes, and as SVG inside the HTML page."""

from __future__ import annotations

import re
from collections.abc import Callable
from html import escape
from io import StringIO
from typing import TYPE_CHECKING, Any

from distbench._util.imports import require
from distbench._util.text import did_you_mean, short_repr
from distbench.errors import InputError
from distbench.render.drawing import (
    INK,
    color_names,
    draw_curve,
    draw_map,
    draw_shepard,
    named_lines,
    plain_axes,
    shown,
)
from distbench.results.diagrams import Diagrams, diagrams_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from distbench.evaluation.report import Report

__all__ = ["KINDS", "picture_svg", "plot"]

KINDS: dict[str, tuple[str, str, Callable[[Axes, Diagrams], None]]] = {
    "shepard": (
        "Distances kept",
        "darker: more pairs; dashed: code distances proportional to input distances",
        draw_shepard,
    ),
    "points": ("Where it breaks", "colors: each point's continuity; rings: the worst; lines: torn pairs", draw_map),
    "ranks": ("Neighbors kept", "1: all of the K nearest neighbors are kept; 0: as many as by chance", draw_curve),
}
"""Title, explanation, and the function that draws the picture."""

SVG_INCHES = 3.5, 3.1
PLOT_INCHES = 4.2, 3.9
NOT_FOR_PAGES = re.compile(r'<defs>\s*<style.*?</style>\s*</defs>\s*|(?<=<g) id="[^"]*"', re.DOTALL)
"""Parts to remove: a style sheet, which a page's policy forbids, and names of groups, which other pictures have too."""
NO_METADATA = dict.fromkeys(("Date", "Creator", "Format", "Type"))


def picture_svg(diagrams: Diagrams, kind: str, prefix: str = "") -> str:
    """Return a picture as an ``svg`` element without an XML header; equal numbers give equal texts.

    Parameters
    ----------
    diagrams : Diagrams
        From :func:`distbench.results.diagrams.diagrams_of`.
    kind : {"shepard", "points", "ranks"}
        A picture of :meth:`distbench.Report.plot`.
    prefix : str
        Makes ids unique: each picture on a page needs its own prefix.

    Raises
    ------
    MissingDependencyError
        matplotlib is not installed.
    """
    require("matplotlib")
    import matplotlib as mpl
    from matplotlib.figure import Figure

    title, _, draw = KINDS[kind]
    options: Any = {"svg.fonttype": "none", "font.sans-serif": ["DejaVu Sans"], "svg.hashsalt": f"distbench {prefix}"}
    with mpl.rc_context(options):
        figure = Figure(figsize=SVG_INCHES, dpi=72)
        axes = figure.add_axes((0.155, 0.14, 0.825, 0.84))
        axes.patch.set_visible(False)
        plain_axes(axes)
        draw(axes, diagrams)
        file = StringIO()
        figure.savefig(file, format="svg", transparent=True, metadata=NO_METADATA)
    svg = NOT_FOR_PAGES.sub("", file.getvalue()[file.getvalue().index("<svg") :])
    svg = re.sub(r">\s+<", "><", svg).strip()
    label = escape(f"{diagrams['encoder']}: {title}")
    return svg.replace("<svg ", f'<svg role="img" aria-label="{label}" ', 1)


def plot(report: Report, kind: str | None, ax: Any, labels: Any) -> Any:
    """Draw one picture of a report, or all of them; see `distbench.Report.plot`."""
    if kind is not None and (not isinstance(kind, str) or kind not in KINDS):
        raise InputError("kind", f"found {short_repr(kind)}", did_you_mean(str(kind), KINDS))
    require("matplotlib", "plot()")
    import numpy as np
    from matplotlib.axes import Axes

    kinds = list(KINDS) if kind is None else [kind]
    axes = np.atleast_1d(np.asarray(ax, dtype=object))
    if ax is not None and (axes.size != len(kinds) or not all(isinstance(item, Axes) for item in axes.ravel())):
        advice = "the axes of one picture" if kind else f"{len(kinds)} axes, one for each picture, or name a kind"
        raise InputError("ax", f"found {short_repr(ax)}", f"pass {advice}")
    diagrams = diagrams_of(report, labels=labels)
    if ax is None:
        from matplotlib import pyplot as plt

        width, height = PLOT_INCHES
        _, new_axes = plt.subplots(1, len(kinds), figsize=(width * len(kinds), height), layout="constrained")
        axes = np.atleast_1d(new_axes)
    for single, name in zip(axes.ravel(), kinds, strict=True):
        _draw_titled(single, name, diagrams)
    return axes if kind is None else axes[0]


def _draw_titled(axes: Axes, kind: str, diagrams: Diagrams) -> None:
    title, explanation, draw = KINDS[kind]
    plain_axes(axes)
    draw(axes, diagrams)
    has_several_curves = kind == "ranks" and len(named_lines(axes)) > 1
    text = title if has_several_curves else f"{title}: {shown(diagrams['encoder'])}"
    has_legend = kind == "points"
    axes.set_title(text, size=11, loc="left", pad=32 if has_legend else 20, parse_math=False)
    units: dict[str, Any] = {"xycoords": "axes fraction", "textcoords": "offset points"}
    axes.annotate(explanation, (0, 1), (0, 19 if has_legend else 7), size=7.5, color=INK, **units)
    if has_several_curves:
        axes.legend(fontsize=8, frameon=False, labelcolor=INK)
    if has_legend and diagrams["map"]["continuity"] is not None:
        _color_legend(axes)


def _color_legend(axes: Axes) -> None:
    from matplotlib.lines import Line2D

    colors = color_names()[::-1]
    axes.legend(
        handles=[Line2D([], [], marker="o", ls="", ms=4.5, color=color, label=name) for color, name in colors],
        loc="lower left",
        bbox_to_anchor=(0, 1),
        ncols=len(colors),
        frameon=False,
        fontsize=7.5,
        labelcolor=INK,
        handletextpad=-0.2,
        columnspacing=0.7,
        handlelength=1.4,
        borderaxespad=0.3,
        borderpad=0,
    )
