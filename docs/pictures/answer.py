"""Scaled stress of PCA, a plain autoencoder and one trained on distances, on every data set, from stored rows."""

from __future__ import annotations

from pathlib import Path

from _style import BLUE, GRAY, INK, ORANGE, clean, figure, save

from distbench.results.leaderboard import leaderboard
from distbench.results.suite_store import read_store, store_path

SUITES = Path(__file__).resolve().parents[2] / "suites" / "distbench_suites"
SHOWN = {"pca": GRAY, "autoencoder": ORANGE, "pairwise_autoencoder": BLUE}
DATA = ("digits", "mnist5k", "s_curve", "spheres", "swiss_roll", "tokens")

boards = [
    board
    for name in DATA
    for board in leaderboard(read_store(store_path(SUITES / f"{name}.toml")).results.rows, "scaled_stress")
    if {entry.encoder for entry in board.entries} >= set(SHOWN)
]
page = figure(7.4, 0.32 * len(boards) + 0.9)
axes = clean(page.subplots(), "Scaled stress (lower is better), with 95 % intervals of the recipes")
for place, board in enumerate(boards):
    for name, color in SHOWN.items():
        entry = next(entry for entry in board.entries if entry.encoder == name)
        axes.plot([entry.low, entry.high], [place, place], color=color, lw=2.5, alpha=0.6, solid_capstyle="round")
        axes.plot(entry.values["scaled_stress"], place, "o", color=color, ms=6, label=name if place == 0 else None)
axes.set_yticks(range(len(boards)), [f"{board.dataset} in {board.code_size}" for board in boards])
axes.invert_yaxis()
axes.set_xlim(0)
axes.grid(axis="x", color=GRAY, alpha=0.2)
axes.legend(frameon=False, fontsize=8.5, labelcolor=INK, loc="lower right")
save(page, __file__)
