"""Neighbors found against bytes a vector, from the stored rows of the suite `search`."""

from __future__ import annotations

from pathlib import Path

from _style import BLUE, GRAY, GREEN, INK, ORANGE, clean, figure, save

from distbench.results.leaderboard import leaderboard
from distbench.results.suite_store import read_store, store_path

SUITE = Path(__file__).resolve().parents[2] / "suites" / "distbench_suites" / "search.toml"
COLORS = {
    "truncation": GRAY,
    "int8": ORANGE,
    "pca_int8": GREEN,
    "binary": INK,
    "product_quantization": BLUE,
}

boards = leaderboard(read_store(store_path(SUITE)).results.rows, "knn_recall")
page = figure(7.4, 3.6)
axes = clean(page.subplots(), "share of the 10 nearest by cosine found; documents and queries compressed")
for name, color in COLORS.items():
    found = [(board.code_size, entry) for board in boards for entry in board.entries if entry.encoder == name]
    sizes, values = [size for size, _ in found], [entry.values["knn_recall"] for _, entry in found]
    axes.fill_between(
        sizes, [one.low for _, one in found], [one.high for _, one in found], color=color, alpha=0.2, lw=0
    )
    axes.plot(sizes, values, "o-", color=color, ms=4, label=name)
axes.set_xscale("log", base=2)
axes.set_xticks([16, 32, 64, 128, 256], [16, 32, 64, 128, 256])
axes.set_xlabel("bytes a vector (1,024 uncompressed)", fontsize=9, color=INK)
axes.set_ylim(0, 1)
axes.grid(axis="y", color=GRAY, alpha=0.2)
axes.legend(frameon=False, fontsize=8.5, labelcolor=INK, loc="upper left")
save(page, __file__)
