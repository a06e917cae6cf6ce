"""Neighbors that a random projection tears apart, beside what other encoders keep."""

from __future__ import annotations

from pathlib import Path

from _style import BLUE, GRAY, INK, ORANGE, clean, figure, save

import distbench
from distbench.results.leaderboard import leaderboard
from distbench.results.suite_store import read_store, store_path

SHOWN = ("isometric_autoencoder", "pairwise_autoencoder", "autoencoder", "pca", "isomap", "random_projection")
SUITE = Path(__file__).resolve().parents[2] / "suites" / "distbench_suites" / "digits.toml"

data = distbench.load_dataset("digits")
encoder = distbench.fit_baseline("random_projection", data.train, code_size=8, seed=0)
report = distbench.evaluate(encoder, data.test, reference=data.train)

page = figure(9.6, 3.3)
left, right = page.subfigures(1, 2, width_ratios=[1, 1.25])
left.suptitle("Torn apart by a random projection to 8 numbers", x=0.02, ha="left", fontsize=10, color=INK)
grid = left.subplots(3, 3, width_ratios=[1, 1, 2.3])
for pair, (first, second, text) in zip(report.worst_pairs(3), grid, strict=True):
    other = data.test if pair.partner_set == "test" else data.train
    for axes, image in ((first, data.test[pair.query]), (second, other[pair.partner])):
        axes.imshow(image.reshape(8, 8), cmap="gray_r")
        axes.set_xticks([])
        axes.set_yticks([])
        axes.spines[:].set_color(GRAY)
    text.axis("off")
    text.text(0, 0.62, f"neighbor {pair.rank_input:g} of {pair.M:,} in pixels,", fontsize=8.5, color=INK)
    text.text(0, 0.22, f"neighbor {pair.rank_code:,g} in the codes", fontsize=8.5, color=ORANGE, weight="bold")

board = next(b for b in leaderboard(read_store(store_path(SUITE)).results.rows) if b.code_size == 8)
entries = [entry for entry in board.entries if entry.encoder in SHOWN][::-1]
axes = clean(right.subplots(), "Continuity and its 95 % interval; dashed: a limit")
for place, entry in enumerate(entries):
    color = BLUE if entry.low > 0.99 else ORANGE if entry.high < 0.99 else GRAY
    axes.plot([entry.low, entry.high], [place, place], color=color, lw=2.5, solid_capstyle="round")
    axes.plot(entry.values["continuity"], place, "o", color=color, ms=6)
axes.axvline(0.99, color=GRAY, ls="--", lw=1)
axes.set_yticks(range(len(entries)), [entry.encoder for entry in entries])
axes.set_xlim(None, 1)
axes.set_xlabel("autoencoders and random_projection: mean of 8 fits", fontsize=9, color=INK)
axes.margins(y=0.1)
save(page, __file__)
