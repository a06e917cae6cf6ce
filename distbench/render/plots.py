"""A report's pictures on matplotlib axes, for notebooks: the same that the HTML page has."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Literal

from distbench._util.imports import require
from distbench._util.text import did_you_mean, short_repr
from distbench.errors import InputError
from distbench.render.drawing import INK, bin_names, draw_curve, draw_map, draw_shepard, named_lines, plain_axes, shown

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from distbench.evaluation.report import Report
    from distbench.render.diagrams import Diagrams

__all__ = ["Kind", "plot"]

Kind = Literal["shepard", "points", "ranks"]

SIDE = 4.2, 3.9  # inches of one picture


def _dots(axes: Axes, points: Sequence[Sequence[float]], color: str, width: float) -> None:
    if points:
        x, y = zip(*points, strict=True)
        axes.scatter(x, y, s=width**2, color=color, alpha=0.85, linewidths=0, zorder=4)


def _draw_map(axes: Axes, diagrams: Diagrams) -> None:
    draw_map(axes, diagrams, _dots)


KINDS: dict[str, tuple[str, str, Callable[[Axes, Diagrams], None]]] = {
    "shepard": ("Distances kept", "darker: more pairs; dashed: codes keep distances but for scale", draw_shepard),
    "points": ("Where it breaks", "colours: each point's continuity; rings: the worst; lines: torn pairs", _draw_map),
    "ranks": ("Neighbours kept", "1: all of the K nearest neighbours are kept; 0: as many as by chance", draw_curve),
}
"""Title, what the picture shows, and what draws it."""


def plot(report: Report, kind: str | None, ax: Any, labels: Any) -> Any:
    """Draw one picture of a report, or all of them; see `distbench.Report.plot`."""
    if kind is not None and (not isinstance(kind, str) or kind not in KINDS):
        raise InputError("kind", f"found {short_repr(kind)}", did_you_mean(str(kind), KINDS))
    require("matplotlib", "plot()")
    from distbench.render.diagrams import diagrams_of

    kinds = list(KINDS) if kind is None else [kind]
    axes = None if ax is None else _given(ax, len(kinds))
    found = diagrams_of(report, labels=labels)
    if axes is None:
        axes = _new(len(kinds))
    for one, name in zip(axes.ravel(), kinds, strict=True):
        _draw(one, name, found)
    return axes if kind is None else axes[0]


def _given(ax: Any, count: int) -> Any:
    import numpy as np
    from matplotlib.axes import Axes

    axes = np.atleast_1d(np.asarray(ax, dtype=object))
    if axes.size != count or not all(isinstance(one, Axes) for one in axes.ravel()):
        wanted = "the axes of one picture" if count == 1 else f"{count} axes, one for each picture, or name a kind"
        raise InputError("ax", f"found {short_repr(ax)}", f"pass {wanted}")
    return axes


def _new(count: int) -> Any:
    import numpy as np
    from matplotlib import pyplot as plt

    _, axes = plt.subplots(1, count, figsize=(SIDE[0] * count, SIDE[1]), layout="constrained")
    return np.atleast_1d(axes)


def _draw(axes: Axes, kind: str, diagrams: Diagrams) -> None:
    title, about, draw = KINDS[kind]
    plain_axes(axes)
    draw(axes, diagrams)
    several = kind == "ranks" and len(named_lines(axes)) > 1
    axes.set_title(
        title if several else f"{title}: {shown(diagrams['encoder'])}",
        size=11,
        loc="left",
        pad=32 if kind == "points" else 20,
        parse_math=False,
    )
    if several:
        axes.legend(fontsize=8, frameon=False, labelcolor=INK)
    up = 19 if kind == "points" else 7
    axes.annotate(about, (0, 1), (0, up), xycoords="axes fraction", textcoords="offset points", size=7.5, color=INK)
    if kind == "points" and diagrams["map"]["continuity"] is not None:
        _legend(axes)


def _legend(axes: Axes) -> None:
    from matplotlib.lines import Line2D

    dots = [Line2D([], [], marker="o", ls="", ms=4.5, color=color, label=name) for color, name in bin_names()]
    axes.legend(
        handles=dots,
        loc="lower left",
        bbox_to_anchor=(0, 1),
        ncols=len(dots),
        frameon=False,
        fontsize=7.5,
        labelcolor=INK,
        handletextpad=-0.2,
        columnspacing=0.7,
        handlelength=1.4,
        borderaxespad=0.3,
        borderpad=0,
    )
