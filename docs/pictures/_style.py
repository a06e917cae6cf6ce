"""What the scripts of this folder share: the look of a figure, and where its file goes."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

__all__ = ["BLUE", "GRAY", "GREEN", "INK", "ORANGE", "clean", "figure", "save", "target"]

INK, GRAY, BLUE, ORANGE, GREEN = "#1d2430", "#8a93a0", "#0072b2", "#d55e00", "#009e73"
FOLDER = Path(__file__).resolve().parent


def figure(width: float, height: float) -> Figure:
    """Return an empty white figure of this size in inches."""
    return Figure(figsize=(width, height), layout="constrained", facecolor="white")


def clean(axes: Any, title: str = "") -> Any:
    """Return axes with a title on the left, light lines, and no frame above and to the right."""
    axes.set_title(title, loc="left", fontsize=10, color=INK)
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color(GRAY)
    axes.tick_params(colors=INK, labelsize=8, color=GRAY)
    return axes


def target(script: str) -> Path:
    """Return the file beside a script, or the one that the command line names."""
    return Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER / f"{Path(script).stem}.png"


def save(figure: Figure, script: str) -> None:
    """Write a figure to the file of its script."""
    figure.savefig(target(script), dpi=110, metadata={"Software": None})
